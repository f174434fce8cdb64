//! What rows did in a bucket, in SQL.

use crate::snapshot::BUCKET_SECONDS;
use crate::source::shape::Relation;

use super::deferral;

/// A row that never failed, as far as it tells: some tables have a text of nothing for no error.
const NEVER_FAILED: &str = "coalesce(q.error_message, '') = ''";

/// A row that is in its stage.
const IS_INSIDE: &str = "(q.is_pending OR q.is_processing)";

/// A row that its stage has done.
const IS_DONE: &str = "(q.is_completed AND q.is_skipped IS NOT TRUE)";

/// A row that is in its stage or was done by now: one that came and went otherwise would be missed
/// among those done.
const IS_INSIDE_OR_DONE: &str = "(q.is_pending OR q.is_processing
    OR (q.is_completed AND q.completed_at <= $1 AND q.is_skipped IS NOT TRUE))";

/// Returns the parts of questions about what rows did, by the name that questions have for them.
pub(super) fn parts(queue: &Relation) -> Vec<(&'static str, String)> {
    let waited = seconds("created_at", "started_at");
    let worked = seconds("started_at", "completed_at");
    vec![
        ("{created_bucket}", bucket("created_at")),
        ("{completed_bucket}", bucket("completed_at")),
        ("{until}", deferral::until(queue)),
        ("{never_failed}", NEVER_FAILED.to_owned()),
        ("{is_inside}", IS_INSIDE.to_owned()),
        ("{is_done}", IS_DONE.to_owned()),
        ("{is_inside_or_done}", IS_INSIDE_OR_DONE.to_owned()),
        ("{had_waited}", format!("{waited} > 60")),
        ("{worked}", format!("greatest({worked}, 0)")),
    ]
}

/// The number of the bucket that holds an instant which is finite.
fn bucket(column: &str) -> String {
    format!("ceil(extract(epoch FROM q.{column}::timestamptz) / {BUCKET_SECONDS})::bigint - 1")
}

/// The time between two instants of a row in seconds; null if one of them is not finite. Of very
/// old instants an interval would be out of range.
fn seconds(from: &str, to: &str) -> String {
    let epoch = |column| format!("extract(epoch FROM q.{column}::timestamptz)");
    format!(
        "CASE WHEN isfinite(q.{from}) AND isfinite(q.{to}) THEN {} - {} END",
        epoch(to),
        epoch(from)
    )
}
