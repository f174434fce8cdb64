//! Failed rows as JSON.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use super::error;
use crate::judge::failures::{Failure, Failures, Total};

/// Renders a page; `next` is the cursor of the page after it. It says so where there are more rows than
/// were counted.
pub fn render(failures: &Failures, next: Option<&str>) -> Value {
    let items: Vec<Value> = failures.items.iter().map(item).collect();
    let mut page = json!({"items": items, "total": failures.total.at_least(), "next": next});
    if let Total::MoreThan(_) = failures.total {
        page["total_is_at_least"] = true.into();
    }
    page
}

/// Renders a row; of an error that is cut, it says how many characters are left out.
pub fn item(failure: &Failure) -> Value {
    let mut item = json!({
        "id": failure.id,
        "stage": failure.stage,
        "machine": failure.machine,
        "document_id": failure.document_id,
        "document_gone": failure.document_is_gone,
        "title": failure.title,
        "attempts": failure.attempts,
        "max_attempts": failure.max_attempts,
        "error_message": error::text(failure),
        "cause": failure.cause,
        "failed_at": failure.failed_at.and_then(rfc3339),
    });
    if let Some(cut) = &failure.error_cut {
        item["error_message_cut"] = cut.left_out.into();
    }
    item
}

/// An instant as RFC 3339 text in UTC; nothing for one that no calendar has.
fn rfc3339(seconds: f64) -> Option<String> {
    let instant = DateTime::from_timestamp_micros((seconds * 1e6).round() as i64);
    instant.map(|instant| instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}
