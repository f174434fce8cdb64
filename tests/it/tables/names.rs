//! What stands in a table for the numbers by which the board names its rows.

use serde_json::Value;

use super::case::Ids;

/// What stands for the numbers of the board.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    pub queue: Ids,
    pub documents: Ids,
    pub jobs: Ids,
    /// The documents in whose place there is nothing.
    pub nulls: &'static [i64],
}

impl Names {
    pub(super) const NUMBERS: Self = Self {
        queue: Ids::Number,
        documents: Ids::Number,
        jobs: Ids::Number,
        nulls: &[],
    };

    fn document(&self, id: i64) -> Value {
        if self.nulls.contains(&id) {
            return Value::Null;
        }
        self.documents.json(id)
    }

    /// The key that a series of the model has here.
    pub(super) fn series(&self, key: &str) -> String {
        let mut key = key.to_owned();
        for (before, ids) in [
            ("document_id=\"", self.documents),
            ("문서 #", self.documents),
        ] {
            key = renumbered(&key, before, ids);
        }
        if key.starts_with("queueboard_background_job_") {
            key = renumbered(&key, "{id=\"", self.jobs);
        }
        key
    }

    /// The overview or an item that the model has, as it is here.
    pub(super) fn json(&self, value: &mut Value, is_job: bool) {
        match value {
            Value::Array(parts) => parts.iter_mut().for_each(|part| self.json(part, is_job)),
            Value::Object(parts) => {
                for (key, part) in parts.iter_mut() {
                    match (key.as_str(), part.as_i64()) {
                        ("id", Some(id)) if is_job => *part = self.jobs.json(id),
                        ("id", Some(id)) => *part = self.queue.json(id),
                        ("document_id", Some(id)) => *part = self.document(id),
                        _ => self.json(part, key == "background_jobs"),
                    }
                }
            }
            Value::String(text) if text.starts_with("문서 #") => {
                *text = renumbered(text, "문서 #", self.documents);
            }
            _ => {}
        }
    }
}

/// Renames the number that stands after some words, if they occur.
fn renumbered(text: &str, before: &str, ids: Ids) -> String {
    let Some((head, tail)) = text.split_once(before) else {
        return text.to_owned();
    };
    let digits = tail.chars().take_while(char::is_ascii_digit).count();
    match tail[..digits].parse() {
        Ok(id) => format!("{head}{before}{}{}", ids.text(id), &tail[digits..]),
        Err(_) => text.to_owned(),
    }
}

/// Nobody says what a document is called that is not named at all.
pub(super) fn forget_titles(value: &mut Value) {
    match value {
        Value::Array(parts) => parts.iter_mut().for_each(forget_titles),
        Value::Object(parts) => {
            if parts.get("document_id").is_some_and(Value::is_null) {
                assert!(parts["title"].is_string(), "{parts:?}");
                parts.insert("title".to_owned(), Value::Null);
            }
            parts.iter_mut().for_each(|(_, part)| forget_titles(part));
        }
        _ => {}
    }
}
