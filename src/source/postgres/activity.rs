//! What rows did in a bucket, in SQL.

use crate::snapshot::BUCKET_SECONDS;
use crate::source::shape::Relation;

use super::deferral;
use super::words::seconds_between;

/// A row that never failed, as far as it tells: some tables have a text of nothing for no error.
const NEVER_FAILED: &str = "coalesce(q.error_message, '') = ''";

/// A row that is in its stage.
const IS_INSIDE: &str = "(q.is_pending OR q.is_processing)";

/// A row that its stage has done.
const IS_DONE: &str = "(q.is_completed AND q.is_skipped IS NOT TRUE)";

/// Returns the parts of questions about what rows did, by the name that questions have for them.
pub(super) fn parts(queue: &Relation) -> Vec<(&'static str, String)> {
    // One that came and went otherwise than by being done would be missed among those done.
    let is_inside_or_done = format!("({IS_INSIDE} OR ({IS_DONE} AND q.completed_at <= $1))");
    let waited = seconds_between("created_at", "started_at");
    let worked = seconds_between("started_at", "completed_at");
    vec![
        ("{created_bucket}", bucket("created_at")),
        ("{completed_bucket}", bucket("completed_at")),
        ("{until}", deferral::until(queue)),
        ("{never_failed}", NEVER_FAILED.to_owned()),
        ("{is_inside}", IS_INSIDE.to_owned()),
        ("{is_done}", IS_DONE.to_owned()),
        ("{is_inside_or_done}", is_inside_or_done),
        ("{had_waited}", format!("{waited} > 60")),
        ("{worked}", format!("greatest({worked}, 0)")),
    ]
}

/// The number of the bucket that holds an instant which is finite.
fn bucket(column: &str) -> String {
    format!("ceil(extract(epoch FROM q.{column}::timestamptz) / {BUCKET_SECONDS})::bigint - 1")
}
