//! Random configuration files. What a file says is drawn first and written in one of the many ways
//! of YAML; what becomes of it is known from the contract, read a second time in [`model`].

mod broken;
mod model;
mod web;
mod write;

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::file::{self, File};
use super::parse;
use model::Model;
use write::write;

/// Far more than any file of the length that is drawn may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Either what the contract says comes of the file, or a refusal that helps.
fn check(text: &str) -> Result<(), TestCaseError> {
    let begin = Instant::now();
    let parsed = parse(text);
    prop_assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
    if let Err(refusal) = &parsed {
        check_refusal(&refusal.to_string(), text)?;
    }
    let file: Result<File, _> = file::parse(text);
    let Ok(file) = file else {
        prop_assert!(parsed.is_err());
        return Ok(());
    };
    let model = Model::from(file);
    let found = parsed.map(|pipeline| format!("{pipeline:?}")).ok();
    let expected = model.pipeline().map(|pipeline| format!("{pipeline:?}"));
    prop_assert_eq!(&found, &expected);
    let again = parse(&write(&model, &[]))
        .map(|pipeline| format!("{pipeline:?}"))
        .ok();
    prop_assert_eq!(again, expected, "written again");
    Ok(())
}

/// One line with a place that is in the file, except where the file does not say what is wrong.
fn check_refusal(refusal: &str, text: &str) -> Result<(), TestCaseError> {
    prop_assert!(
        !refusal.chars().any(|c| c.is_control() || c == '\u{2028}'),
        "{:?}",
        refusal
    );
    if refusal.ends_with(", says the built-in section: give that section in the file as well") {
        return Ok(());
    }
    // Where a key with a tag of its own stands a second time the parser does not say.
    if refusal.starts_with(" duplicate field `") {
        return Ok(());
    }
    let parts: Vec<&str> = refusal.splitn(3, ':').collect();
    let [line, column, reason] = parts[..] else {
        return Err(TestCaseError::fail(format!("no place: {refusal}")));
    };
    let (line, column) = (line.parse::<usize>(), column.parse::<usize>());
    let (Ok(line @ 1..), Ok(column @ 1..)) = (line, column) else {
        return Err(TestCaseError::fail(format!("no place: {refusal}")));
    };
    let longest = text
        .split(['\n', '\r'])
        .map(|line| line.chars().count())
        .max();
    prop_assert!(line <= text.split(['\n', '\r']).count() + 1, "{}", refusal);
    prop_assert!(column <= longest.unwrap_or(0) + 1, "{}", refusal);
    prop_assert!(reason.trim().len() > 5, "{}", refusal);
    Ok(())
}

proptest! {
    #[test]
    fn a_file_means_what_the_contract_says((model, style) in (model::model(), write::style())) {
        let text = write(&model, &style);
        let found = parse(&text);
        let expected = model.pipeline();
        prop_assert_eq!(found.is_ok(), expected.is_some(), "{}\n{:?}", text, found.err());
        let found = found.map(|pipeline| format!("{pipeline:?}")).ok();
        prop_assert_eq!(found, expected.map(|pipeline| format!("{pipeline:?}")), "{}", text);
        check(&text)?;
    }

    #[test]
    fn a_broken_file_is_refused_or_still_means_something(text in broken::text()) {
        check(&text)?;
    }

    #[test]
    fn a_file_that_expands_without_end_is_refused_in_time(text in broken::bomb()) {
        check(&text)?;
    }
}
