//! What rows did in a bucket, in SQL. The instant of a scrape is `?1`.

use crate::snapshot::BUCKET_SECONDS;
use crate::source::shape::Relation;

use super::deferral;

/// A row that is in its stage.
const IS_INSIDE: &str = "(q.is_pending OR q.is_processing)";

/// A row that its stage has done since then.
const IS_DONE: &str = "(q.done_at > q.since AND q.is_skipped IS NOT TRUE)";

/// What the rows of one group did, and which are in their stage now. A row that came and went
/// otherwise than by being done is none of those created that never failed.
fn activity() -> String {
    format!(
        "count(*) FILTER (WHERE q.created_at > q.since AND q.is_clean AND ({IS_INSIDE}
             OR (q.done_at <= ?1 AND q.is_skipped IS NOT TRUE))) AS clean_created,
         count(*) FILTER (WHERE {IS_DONE}) AS completed,
         count(*) FILTER (WHERE {IS_DONE} AND round((q.started_at - q.created_at) * 1e3) > 60000
                            AND abs(q.started_at - q.created_at) < 9e99) AS waited,
         coalesce(sum(q.done_at - q.started_at) FILTER (
             WHERE {IS_DONE} AND q.done_at > q.started_at
               AND abs(q.done_at - q.started_at) < 9e99), 0.0) AS worked_seconds,
         count(*) FILTER (WHERE {IS_DONE} AND q.is_clean) AS clean_completed,
         count(*) FILTER (WHERE {IS_INSIDE} AND q.is_clean) AS clean,
         count(*) FILTER (WHERE q.is_pending) AS pending,
         count(*) FILTER (WHERE q.is_processing) AS processing"
    )
}

/// Returns the parts of questions about what rows did, by the name that questions have for them.
pub(super) fn parts(queue: &Relation) -> Vec<(&'static str, String)> {
    vec![
        ("{created_bucket}", bucket("q.created_at")),
        ("{completed_bucket}", bucket("q.done_at")),
        ("{until}", deferral::until_bucket(queue)),
        ("{activity}", activity()),
    ]
}

/// The number of the bucket that holds an instant, which is told to the millisecond; the end of a
/// bucket belongs to it.
fn bucket(instant: &str) -> String {
    format!(
        "CASE WHEN {instant} > q.since AND {instant} <= ?1
              THEN CAST(({instant} - 0.0005) / {BUCKET_SECONDS} AS INTEGER) END"
    )
}
