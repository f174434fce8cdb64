//! Until when a row is deferred, as far as SQL can tell: a timestamp in a plain form is compared
//! where it lies, and only the others are sent, to be read by the one parser there is.

use crate::snapshot::BUCKET_SECONDS;
use crate::snapshot::deferral::{FUTURE, MAX_AHEAD_DAYS, NONE, ODD};
use crate::source::shape::Relation;

use super::instant;

/// The text of `deferred_until`, cut where no timestamp is so long.
const UNTIL: &str =
    "CASE WHEN json_valid(payload) THEN substr(payload ->> '$.deferred_until', 1, 200) END";

/// Returns the text of a row's `deferred_until`, or its instant where it has a column of its own.
pub(super) fn until(queue: &Relation, read: impl Fn(&str) -> String) -> String {
    if queue.kind("deferred_until").is_some() {
        read("deferred_until")
    } else if queue.kind("payload").is_some() {
        UNTIL.to_owned()
    } else {
        "NULL".to_owned()
    }
}

/// Returns until when a row is deferred, rounded up to a bucket's end; null where it is not after
/// `?1`, or SQL cannot tell.
pub(super) fn until_bucket(queue: &Relation) -> String {
    let seconds = match queue.kind("deferred_until") {
        Some(_) => "q.until".to_owned(),
        None => instant::read("q.until", "unixepoch(q.until, 'subsec')"),
    };
    let is_future = of_row(queue);
    let until = format!("min({seconds}, ?1 + {MAX_AHEAD_DAYS} * 86400)");
    format!(
        "CASE WHEN {is_future} = {FUTURE}
              THEN (CAST(({until} - 0.0005) / {BUCKET_SECONDS} AS INTEGER) + 1) * {BUCKET_SECONDS}.0 END"
    )
}

/// Returns how a row is deferred at `?1`, in seconds since the Unix epoch, as one of the numbers
/// of the snapshot.
pub(super) fn of_row(queue: &Relation) -> String {
    if queue.kind("deferred_until").is_some() {
        return format!("CASE WHEN q.is_pending AND q.until > ?1 THEN {FUTURE} ELSE {NONE} END");
    }
    // The limits keep the parts from being worked out anew wherever they are named.
    // Seconds, fraction and zone are told apart, and the fraction compared by itself: unixepoch
    // would round it. A day that no calendar has is not written as it was read.
    format!(
        "CASE WHEN NOT q.is_pending OR q.until IS NULL THEN {NONE}
         ELSE (
             SELECT CASE
                 WHEN head GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ][0-9][0-9]:[0-9][0-9]'
                      AND strftime('%Y-%m-%d %H:%M', head) = replace(head, 'T', ' ')
                      AND substr(head, 12, 2) <= '23'
                      AND (zone IN ('', 'Z') OR zone GLOB '?0[0-9]:[0-5][0-9]'
                           OR zone GLOB '?1[0-4]:[0-5][0-9]')
                      AND (time = '' OR time GLOB ':[0-5][0-9]' OR (
                           time GLOB ':[0-5][0-9].[0-9]*' AND substr(time, 5) NOT GLOB '*[^0-9]*'
                           AND length(time) <= 10))
                 THEN CASE WHEN unixepoch(head || substr(time, 1, 3) || zone) * 1000000
                                + substr(substr(time, 5) || '000000', 1, 6) > round(?1 * 1e6)
                           THEN {FUTURE} ELSE {NONE} END
                 ELSE {ODD} END
             FROM (SELECT head, substr(tail, 1, length(tail) - length(ending)) AS time,
                          CASE length(ending) WHEN 3 THEN ending || ':00'
                               WHEN 5 THEN substr(ending, 1, 3) || ':' || substr(ending, 4)
                               ELSE ending END AS zone
                   FROM (SELECT substr(q.until, 1, 16) AS head, substr(q.until, 17) AS tail,
                                CASE WHEN q.until GLOB '*Z' THEN 'Z'
                                     WHEN q.until GLOB '*[+-][0-9][0-9]:[0-9][0-9]'
                                     THEN substr(q.until, -6)
                                     WHEN q.until GLOB '*[+-][0-9][0-9][0-9][0-9]'
                                     THEN substr(q.until, -5)
                                     WHEN q.until GLOB '*[+-][0-9][0-9]'
                                     THEN substr(q.until, -3) ELSE '' END AS ending
                         LIMIT 1) LIMIT 1) LIMIT 1) END"
    )
}
