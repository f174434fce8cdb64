//! Metrics of why rows failed.

use std::fmt;

use crate::judge::causes::CauseCount;

use super::Families;

pub(super) fn encode(causes: &[CauseCount], families: &mut Families) -> fmt::Result {
    families.gauge(
        "queueboard_failed_items",
        "Failed rows by the cause that they share: the most frequent causes, the others of a stage together.",
        causes.iter().map(|count| {
            let labels = [
                ("stage", count.stage.as_str()),
                ("machine", &count.machine),
                ("cause", &count.cause),
            ];
            (labels, count.rows)
        }),
    )
}
