//! Values written into the text of a question, in place of its parameters.

use chrono::{DateTime, SecondsFormat, Utc};

/// Puts the first value in place of each `$1`, the second in place of `$2`, and so on.
pub(super) fn fill(question: &str, values: &[String]) -> String {
    let mut parts = question.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit());
        let (number, rest) = part.split_at(end.unwrap_or(part.len()));
        let place = number.parse().ok().and_then(|n: usize| n.checked_sub(1));
        match place.and_then(|place| values.get(place)) {
            Some(value) => text.extend([value, rest]),
            None => text.extend(["$", part]),
        }
    }
    text
}

/// An instant.
pub(super) fn instant(instant: DateTime<Utc>) -> String {
    let text = instant.to_rfc3339_opts(SecondsFormat::Micros, true);
    format!("'{text}'::timestamptz")
}

/// A list of instants.
pub(super) fn instants(list: &[DateTime<Utc>]) -> String {
    let list: Vec<String> = list.iter().copied().map(instant).collect();
    format!("ARRAY[{}]::timestamptz[]", list.join(","))
}

/// A list of texts.
pub(super) fn texts(list: &[String]) -> String {
    let list: Vec<String> = list.iter().map(|value| text(value)).collect();
    format!("ARRAY[{}]::text[]", list.join(","))
}

/// No value.
pub(super) fn null() -> String {
    "NULL".to_owned()
}

/// A text, whatever `standard_conforming_strings` says. No text of PostgreSQL holds a NUL, which
/// would end the statement.
fn text(value: &str) -> String {
    let value = value.replace('\0', "\u{fffd}");
    let value = value.replace('\\', r"\\").replace('\'', "''");
    format!("E'{value}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parameter_is_replaced_by_its_value() {
        let values: Vec<String> = (1..=12).map(|n| format!("<{n}>")).collect();
        assert_eq!(fill("a = $1 AND b > $12", &values), "a = <1> AND b > <12>");
        assert_eq!(fill("$2$1 $1", &values), "<2><1> <1>");
        assert_eq!(fill("$", &values), "$");
        assert_eq!(fill("'$.x' $0 $13", &values), "'$.x' $0 $13");
        let holds_a_parameter = [text("$2"), "x".to_owned()];
        assert_eq!(fill("$1, $2", &holds_a_parameter), "E'$2', x");
    }

    #[test]
    fn no_value_ends_its_quotes() {
        for (value, expected) in [
            ("plain", "E'plain'"),
            ("", "E''"),
            ("it's", "E'it''s'"),
            (r"\", r"E'\\'"),
            (
                r"\'; DROP TABLE documents; --",
                r"E'\\''; DROP TABLE documents; --'",
            ),
            ("a\0b", "E'a\u{fffd}b'"),
            ("요약\n", "E'요약\n'"),
        ] {
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn lists_keep_their_type_when_they_are_empty() {
        assert_eq!(texts(&[]), "ARRAY[]::text[]");
        assert_eq!(instants(&[]), "ARRAY[]::timestamptz[]");
        let epoch = DateTime::UNIX_EPOCH;
        assert_eq!(
            instants(&[epoch]),
            "ARRAY['1970-01-01T00:00:00.000000Z'::timestamptz]::timestamptz[]"
        );
    }
}
