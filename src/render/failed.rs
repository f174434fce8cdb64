//! A page of failed rows as JSON.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use crate::judge::failures::{Failure, Failures};

/// Renders the page; `next` is the cursor of the page after it.
pub fn render(failures: &Failures, next: Option<&str>) -> Value {
    let items: Vec<Value> = failures.items.iter().map(item).collect();
    json!({"items": items, "total": failures.total, "next": next})
}

fn item(failure: &Failure) -> Value {
    json!({
        "id": failure.id,
        "stage": failure.stage,
        "machine": failure.machine,
        "document_id": failure.document_id,
        "title": failure.title,
        "attempts": failure.attempts,
        "max_attempts": failure.max_attempts,
        "error_message": failure.error_message,
        "failed_at": failure.failed_at.and_then(rfc3339),
    })
}

/// An instant as RFC 3339 text in UTC; nothing for one that no calendar has.
fn rfc3339(seconds: f64) -> Option<String> {
    let instant = DateTime::from_timestamp_micros((seconds * 1e6).round() as i64);
    instant.map(|instant| instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}
