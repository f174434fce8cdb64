//! Values written into SQL, each with its type.

use chrono::{DateTime, SecondsFormat, Utc};

/// A value in SQL.
#[derive(Debug)]
pub(super) struct Value {
    literal: String,
    kind: &'static str,
}

impl Value {
    /// Returns an instant.
    pub(super) fn instant(instant: DateTime<Utc>) -> Self {
        let kind = "timestamptz";
        let literal = format!("'{}'::{kind}", iso_8601(instant));
        Self { literal, kind }
    }

    /// Returns a list of instants.
    pub(super) fn instants(list: &[DateTime<Utc>]) -> Self {
        let instants = list
            .iter()
            .map(|instant| format!("'{}'", iso_8601(*instant)));
        Self::list(instants, "timestamptz[]")
    }

    /// Returns a list of texts.
    pub(super) fn texts(list: &[String]) -> Self {
        Self::list(list.iter().map(|value| text(value)), "text[]")
    }

    fn list(literals: impl Iterator<Item = String>, kind: &'static str) -> Self {
        let literals = literals.collect::<Vec<_>>().join(",");
        let literal = format!("ARRAY[{literals}]::{kind}");
        Self { literal, kind }
    }

    /// Returns it as SQL.
    pub(super) fn literal(&self) -> &str {
        &self.literal
    }

    /// Returns the name of its type.
    pub(super) fn kind(&self) -> &str {
        self.kind
    }
}

fn iso_8601(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A text, whatever `standard_conforming_strings` says. No text of PostgreSQL holds a NUL, which
/// would end the statement; a `$` might be taken for a value's place, or for the end of a quote.
pub(crate) fn text(value: &str) -> String {
    let value = value.replace('\0', "\u{fffd}").replace('\'', "''");
    if value.contains(['\\', '$']) {
        let value = value.replace('\\', r"\\").replace('$', r"\x24");
        return format!("E'{value}'");
    }
    format!("'{value}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_ends_its_quotes() {
        for (value, expected) in [
            ("plain", "'plain'"),
            ("", "''"),
            ("it's", "'it''s'"),
            (r"\", r"E'\\'"),
            (
                r"\'; DROP TABLE documents; --",
                r"E'\\''; DROP TABLE documents; --'",
            ),
            ("a\0b", "'a\u{fffd}b'"),
            ("$1 $prepare$", r"E'\x241 \x24prepare\x24'"),
            ("요약\n", "'요약\n'"),
        ] {
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn lists_keep_their_type_when_they_are_empty() {
        assert_eq!(Value::texts(&[]).literal(), "ARRAY[]::text[]");
        assert_eq!(Value::instants(&[]).literal(), "ARRAY[]::timestamptz[]");
        let epoch = DateTime::UNIX_EPOCH;
        assert_eq!(
            Value::instants(&[epoch]).literal(),
            "ARRAY['1970-01-01T00:00:00.000000Z']::timestamptz[]"
        );
        assert_eq!(
            Value::instant(epoch).literal(),
            "'1970-01-01T00:00:00.000000Z'::timestamptz"
        );
    }
}
