//! What the body of a retry or a skip asks for: rows by their ids, or by what they have in common.
//! Pure.

use serde::Deserialize;
use serde_json::Value;

use crate::config::Pipeline;
use crate::snapshot::Id;

use super::filter::{Filter, NAMES};
use super::{cut, ids, short};

/// How many rows one request changes at most.
pub const MOST_ROWS: usize = 100_000;

/// How many rows a minute is the most that may be asked for.
const MOST_PER_MINUTE: usize = 10_000;

/// What to do it to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Rows that are named.
    Ids(Vec<Id>),
    /// Rows that have something in common.
    Matching(Matching),
}

/// Rows that have something in common, and how to go about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// What they have in common.
    pub filter: Filter,
    /// How many of them at most, the first ones.
    pub limit: usize,
    /// How many there are as far as the client knows.
    pub expected: Option<i64>,
    /// Whether to tell what would be done, and to do nothing.
    pub dry_run: bool,
    /// How many a minute; all at once if it is not said.
    pub per_minute: Option<usize>,
}

/// A field that is unknown, or given twice, is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    ids: Option<Value>,
    filter: Option<Value>,
    limit: Option<Value>,
    expected: Option<Value>,
    dry_run: Option<Value>,
    per_minute: Option<Value>,
}

impl Order {
    /// Reads a body: `{"ids": […]}`, or `{"filter": {…}}` with what belongs to it.
    ///
    /// # Errors
    ///
    /// A sentence that names the field.
    pub fn parse(body: &[u8], pipeline: &Pipeline) -> Result<Self, String> {
        if !body.trim_ascii_start().starts_with(b"{") {
            return Err("the body is no JSON object: send {\"ids\": [1, 2]}".to_owned());
        }
        let body: Body = serde_json::from_slice(body).map_err(|error| refusal(&error))?;
        match (&body.ids, &body.filter) {
            (Some(list), None) => {
                let others = [
                    ("limit", &body.limit),
                    ("expected", &body.expected),
                    ("dry_run", &body.dry_run),
                    ("per_minute", &body.per_minute),
                ];
                match others.iter().find(|(_, value)| value.is_some()) {
                    Some((name, _)) => Err(format!("{name} goes with filter, and not with ids")),
                    None => Ok(Self::Ids(ids(list)?)),
                }
            }
            (None, Some(filter)) => Ok(Self::Matching(Matching {
                filter: read(filter, pipeline)?,
                limit: number("limit", body.limit.as_ref(), 1, MOST_ROWS)?.unwrap_or(MOST_ROWS),
                expected: number("expected", body.expected.as_ref(), 0, i64::MAX as usize)?
                    .map(|expected| expected as i64),
                dry_run: match body.dry_run {
                    None => false,
                    Some(value) => value.as_bool().ok_or("dry_run is neither true nor false")?,
                },
                per_minute: number("per_minute", body.per_minute.as_ref(), 1, MOST_PER_MINUTE)?,
            })),
            (Some(_), Some(_)) => Err("ids and filter are both given: send one of them".to_owned()),
            (None, None) => Err("send ids or filter: {\"ids\": [1, 2]}".to_owned()),
        }
    }
}

impl Matching {
    /// Returns whether so many rows are about as many as the client knows of.
    pub fn is_expected(&self, matching: i64) -> bool {
        // A tenth more or less is what a pipeline at work makes of them.
        self.expected
            .is_none_or(|expected| (matching - expected).abs() * 10 <= expected)
    }
}

fn read(filter: &Value, pipeline: &Pipeline) -> Result<Filter, String> {
    let filter = filter.as_object().ok_or("filter is no object")?;
    let mut read = Filter::default();
    for (name, value) in filter {
        let text = value.as_str();
        let text = text.ok_or_else(|| format!("filter.{} is no text", cut(name, 40)))?;
        let known = read.set(name, text, pipeline);
        if !known.map_err(|reason| format!("filter.{reason}"))? {
            let (name, known) = (cut(name, 40), NAMES.join(", "));
            return Err(format!("filter.{name} is unknown: use {known}"));
        }
    }
    Ok(read)
}

fn number(
    name: &str,
    value: Option<&Value>,
    least: usize,
    most: usize,
) -> Result<Option<usize>, String> {
    let Some(value) = value else {
        return Ok(None);
    };
    let number = value
        .as_u64()
        .and_then(|number| usize::try_from(number).ok());
    let number = number.filter(|number| (least..=most).contains(number));
    let refusal = || {
        let value = short(value);
        format!("{name} is no whole number from {least} to {most}: {value}")
    };
    number.map(Some).ok_or_else(refusal)
}

/// What is wrong with a body: a field, or that it is no JSON.
fn refusal(error: &serde_json::Error) -> String {
    let what = if error.is_data() { "" } else { " is no JSON" };
    format!("the body{what}: {}", cut(&error.to_string(), 200))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Order, String> {
        let pipeline = crate::config::load(None).expect("the usual pipeline");
        Order::parse(body.as_bytes(), &pipeline)
    }

    #[test]
    fn ids_count_once() {
        let three = [3, 1, -2].map(Id::from).to_vec();
        assert_eq!(
            parse(r#"{"ids": [3, 1, 3, "1", -2]}"#),
            Ok(Order::Ids(three))
        );
        let same = format!("{{\"ids\": [{}7]}}", "7,".repeat(1500));
        assert_eq!(parse(&same), Ok(Order::Ids(vec![7.into()])));
    }

    #[test]
    fn a_filter_says_what_rows_have_in_common() {
        let body = r#"{"filter": {"stage": "stt", "failed_before": "2026-11-26T01:00:00+09:00"},
                       "limit": 10, "expected": 5040, "dry_run": true, "per_minute": 100}"#;
        let Ok(Order::Matching(matching)) = parse(body) else {
            panic!("{:?}", parse(body));
        };
        assert_eq!(matching.filter.stage.as_deref(), Some("stt"));
        let pairs: Vec<_> = matching.filter.pairs().collect();
        let before = ("failed_before", "2026-11-25T16:00:00+00:00".to_owned());
        assert_eq!(pairs, [("stage", "stt".to_owned()), before]);
        assert_eq!((matching.limit, matching.per_minute), (10, Some(100)));
        assert!(matching.dry_run);
        for (body, named) in [
            (r#"{"filter": {"stages": "stt"}}"#, "filter.stages"),
            (r#"{"filter": {"stage": 7}}"#, "filter.stage"),
            (r#"{"filter": {"machine": "gone"}}"#, "filter.machine"),
            (r#"{"filter": {"text": "a\u0000"}}"#, "filter.text"),
            (
                r#"{"filter": {"failed_before": "yesterday"}}"#,
                "filter.failed_before",
            ),
            (r#"{"filter": {}, "limit": 0}"#, "limit"),
            (r#"{"filter": {}, "limit": 100001}"#, "limit"),
            (r#"{"filter": {}, "expected": -1}"#, "expected"),
            (r#"{"filter": {}, "dry_run": 1}"#, "dry_run"),
            (r#"{"filter": {}, "per_minute": 0.5}"#, "per_minute"),
            (r#"{"filter": [], "limit": 1}"#, "filter"),
            (r#"{"filter": {}, "ids": [1]}"#, "ids and filter"),
            (r#"{"ids": [1], "dry_run": true}"#, "dry_run"),
            (r#"{}"#, "ids or filter"),
        ] {
            let refusal = parse(body).expect_err(body);
            assert!(refusal.contains(named), "{body}: {refusal}");
        }
    }

    #[test]
    fn a_tenth_more_or_less_is_expected() {
        let matching = |expected| Matching {
            filter: Filter::default(),
            limit: MOST_ROWS,
            expected,
            dry_run: false,
            per_minute: None,
        };
        assert!(matching(None).is_expected(7));
        for (expected, found, is_expected) in [
            (5040, 5040, true),
            (5040, 5544, true),
            (5040, 5545, false),
            (5040, 4536, true),
            (5040, 4535, false),
            (0, 0, true),
            (0, 1, false),
            (5, 6, false),
        ] {
            let is = matching(Some(expected)).is_expected(found);
            assert_eq!(is, is_expected, "{expected} {found}");
        }
    }
}
