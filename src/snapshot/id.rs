//! The key of a row, whatever its type: a number, a UUID or a text.

use std::cmp::Ordering;
use std::fmt;

use serde::{Serialize, Serializer};
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Type};

use super::Text;

/// A key as text; the key of a table is of one type, so equal texts are equal keys.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Id(Text);

impl Id {
    /// Returns the number, if it is one as a database writes it: `7`, and not `007`.
    pub fn number(&self) -> Option<i64> {
        let number: i64 = self.0.parse().ok()?;
        (number.to_string() == *self.0).then_some(number)
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As in JSON: whatever a text has in it, it stays in its quotes and on its line.
impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number() {
            Some(number) => fmt::Debug::fmt(&number, f),
            None => fmt::Debug::fmt(self.as_str(), f),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A number where it is one, text otherwise.
impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.number() {
            Some(number) => serializer.serialize_i64(number),
            None => serializer.serialize_str(self.as_str()),
        }
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<i64> for Id {
    fn from(number: i64) -> Self {
        Self(number.to_string().as_str().into())
    }
}

/// Numbers stand by their value, whatever else by its bytes.
impl Ord for Id {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.number(), other.number()) {
            (Some(number), Some(other)) => number.cmp(&other),
            _ => self.0.cmp(&other.0),
        }
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<DB: Database> Type<DB> for Id
where
    Text: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        Text::type_info()
    }

    fn compatible(kind: &DB::TypeInfo) -> bool {
        Text::compatible(kind)
    }
}

impl<'r, DB: Database> Decode<'r, DB> for Id
where
    Text: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Text::decode(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_database_writes_is_a_number() {
        for (text, number) in [
            ("7", Some(7)),
            ("-7", Some(-7)),
            ("9223372036854775807", Some(i64::MAX)),
            ("007", None),
            ("+7", None),
            ("9223372036854775808", None),
            ("7 ", None),
            ("", None),
            ("7b1c", None),
        ] {
            assert_eq!(Id::from(text).number(), number, "{text}");
        }
        assert!(Id::from("9") < Id::from("10"));
        assert!(Id::from("a9") > Id::from("a10"));
    }
}
