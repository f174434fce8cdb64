//! What a request of the admin listener asks for; whatever is wrong is said with its field. Pure.

pub mod filter;
pub mod link;
pub mod order;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::config::Pipeline;
use crate::snapshot::{FailedQuestion, Id, Position};

use filter::{Filter, NAMES};

/// How many rows one request may name, and one page may show.
const MOST: usize = 1000;

/// How long the text of an id may be, in bytes.
const MAX_ID: usize = 256;

/// How many rows a page shows when the request does not say.
const PAGE: i64 = 300;

/// Reads a list of ids, each id once.
fn ids(list: &Value) -> Result<Vec<Id>, String> {
    let list = list.as_array().ok_or("ids is no list")?;
    let mut ids = Vec::with_capacity(list.len());
    let mut seen = std::collections::HashSet::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let id = id(value).ok_or_else(|| {
            let value = short(value);
            format!("ids[{index}] is no whole number, nor the text of an id: {value}")
        })?;
        if seen.insert(id.clone()) {
            ids.push(id);
        }
    }
    match ids.len() {
        0 => Err("ids is empty: name 1 to 1000 rows".to_owned()),
        1..=MOST => Ok(ids),
        many => Err(format!("ids names {many} rows: name 1 to 1000")),
    }
}

/// An id as JSON: a number, or a text; no database keeps one with a NUL in it.
fn id(value: &Value) -> Option<Id> {
    let is_id = |text: &&str| (1..=MAX_ID).contains(&text.len()) && !text.contains('\0');
    let text = value.as_str().filter(is_id).map(Id::from);
    text.or_else(|| value.as_i64().map(Id::from))
}

/// Reads an id as it stands in a path; nothing where it can be none.
pub fn id_in_path(segment: &str) -> Option<Id> {
    // What a form would take for marks stands for itself in a path.
    let form = segment.replace('+', "%2B").replace('&', "%26");
    let form = form.replace('=', "%3D");
    let (text, _) = form_urlencoded::parse(form.as_bytes()).next()?;
    id(&Value::from(text))
}

fn short(value: &Value) -> String {
    cut(&value.to_string(), 40)
}

/// Nobody needs to read the whole of what they sent.
fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// What the list of failed rows is asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FailedRequest {
    /// What the rows have in common.
    pub filter: Filter,
    /// How many rows at most.
    pub limit: Option<i64>,
    /// Only rows that stand after this one.
    pub after: Option<Position>,
}

impl FailedRequest {
    /// Reads the query of the list; a parameter that is empty is as if it were absent.
    ///
    /// # Errors
    ///
    /// A sentence that names the parameter.
    pub fn parse(query: &str, pipeline: &Pipeline) -> Result<Self, String> {
        let mut request = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                _ if value.is_empty() => {}
                "limit" => request.limit = Some(limit(&value)?),
                "after" => request.after = Some(position(&value)?),
                name if request.filter.set(name, &value, pipeline)? => {}
                _ => {
                    return Err(format!(
                        "{name:?} is no parameter: use {}, limit, after",
                        NAMES.join(", ")
                    ));
                }
            }
        }
        Ok(request)
    }

    /// Returns what the database is asked.
    pub fn question(&self, pipeline: &Pipeline) -> FailedQuestion {
        FailedQuestion {
            limit: self.limit.unwrap_or(PAGE),
            after: self.after.clone(),
            ..self.filter.question(pipeline)
        }
    }
}

fn limit(value: &str) -> Result<i64, String> {
    let limit = value
        .parse()
        .ok()
        .filter(|limit| (1..=MOST as i64).contains(limit));
    limit.ok_or_else(|| format!("limit: {value:?} is no whole number from 1 to {MOST}"))
}

/// Returns the text that `after` takes for a position.
pub fn cursor(position: &Position) -> String {
    let failed_at = position
        .failed_at
        .map(|at| at.to_string())
        .unwrap_or_default();
    let id = serde_json::json!(position.id);
    URL_SAFE_NO_PAD.encode(format!("{id}\n{failed_at}\n{}", position.stage))
}

fn position(cursor: &str) -> Result<Position, String> {
    let refusal = || "after: use the `next` of the page before".to_owned();
    let text = URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or_else(refusal)?;
    let mut parts = text.splitn(3, '\n');
    let (id, failed_at, stage) = (parts.next(), parts.next(), parts.next());
    let id = id.and_then(|text| serde_json::from_str(text).ok());
    let id = id.as_ref().and_then(self::id).ok_or_else(refusal)?;
    let failed_at = match failed_at.ok_or_else(refusal)? {
        "" => None,
        text => Some(
            text.parse()
                .ok()
                .filter(|at: &f64| !at.is_nan())
                .ok_or_else(refusal)?,
        ),
    };
    let stage = stage.filter(|stage| !stage.contains('\0'));
    Ok(Position {
        stage: stage.ok_or_else(refusal)?.into(),
        failed_at,
        id,
    })
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_holds_any_id() {
        for (segment, expected) in [
            ("17", Some("17")),
            ("a+b=c&d", Some("a+b=c&d")),
            ("a%20b%2Fc%25", Some("a b/c%")),
            ("%ED%95%9C", Some("한")),
            ("", None),
            ("a%00", None),
        ] {
            assert_eq!(id_in_path(segment), expected.map(Id::from), "{segment}");
        }
    }
}
