//! Which collectors a request asks for, by `collect[]` and `exclude[]`. Pure.

use crate::snapshot::Collector;

/// Returns the collectors to ask, of those that are switched on.
///
/// # Errors
///
/// A sentence that names what is wrong: a name that is none, one that is switched off, or both
/// parameters at once.
pub fn select(query: &str, enabled: &[Collector]) -> Result<Vec<Collector>, String> {
    let (mut collect, mut exclude) = (Vec::new(), Vec::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "collect[]" => collect.push(named(&value)?),
            "exclude[]" => exclude.push(named(&value)?),
            _ => {}
        }
    }
    if !collect.is_empty() && !exclude.is_empty() {
        return Err("collect[] and exclude[] cannot be combined: use one of them".to_owned());
    }
    if let Some(disabled) = collect
        .iter()
        .find(|collector| !enabled.contains(collector))
    {
        let flag = format!("--collector.{disabled}");
        return Err(format!(
            "collect[]: collector `{disabled}` is switched off; see {flag}"
        ));
    }
    let chosen = |collector: &&Collector| {
        (collect.is_empty() || collect.contains(collector)) && !exclude.contains(collector)
    };
    Ok(enabled.iter().filter(chosen).copied().collect())
}

fn named(name: &str) -> Result<Collector, String> {
    Collector::named(name).ok_or_else(|| {
        let known: Vec<&str> = Collector::ALL.into_iter().map(Collector::as_str).collect();
        format!(
            "collector `{name}` is unknown: the collectors are {}",
            known.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Collector::{BackgroundJobs, Current, Stages, Trend};

    #[test]
    fn collectors_are_chosen_by_name() {
        let enabled = [BackgroundJobs, Trend, Stages];
        let select = |query| select(query, &enabled);
        assert_eq!(select(""), Ok(enabled.to_vec()));
        assert_eq!(select("debug=1"), Ok(enabled.to_vec()));
        assert_eq!(
            select("collect[]=stages&collect%5B%5D=trend"),
            Ok(vec![Trend, Stages])
        );
        assert_eq!(select("exclude[]=stages"), Ok(vec![BackgroundJobs, Trend]));
        assert_eq!(select("exclude[]=current"), Ok(enabled.to_vec()));
        assert!(select("collect[]=nonsense").is_err_and(|why| why.contains("`nonsense`")));
        assert!(select("exclude[]=nonsense").is_err_and(|why| why.contains("`nonsense`")));
        assert!(select("collect[]=current").is_err_and(|why| why.contains(Current.as_str())));
        assert!(select("collect[]=trend&exclude[]=stages").is_err());
    }
}
