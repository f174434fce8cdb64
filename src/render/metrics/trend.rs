//! Metrics of trends.

use std::fmt;

use crate::judge::trend::{Trend, TrendHour};

use super::Families;

pub(super) fn encode(trends: &[Trend], families: &mut Families) -> fmt::Result {
    let mut family = |name: &str, help: &str, value: fn(&TrendHour) -> i64| {
        let hours = trends.iter().flat_map(|trend| {
            trend
                .hours
                .iter()
                .map(|hour| (trend.stage.as_str(), hour.hours_ago.to_string(), hour))
        });
        let hours: Vec<_> = hours.collect();
        let series = hours.iter().map(|(stage, hours_ago, hour)| {
            let labels = [
                ("stage", *stage),
                ("hours_ago", hours_ago),
                ("hour", hour.label.as_str()),
            ];
            (labels, value(hour))
        });
        families.gauge(name, help, series)
    };
    family(
        "queueboard_trend_created",
        "Rows of the stage created in a local clock hour; hours_ago 0 is the current, partial one.",
        |hour| hour.created,
    )?;
    family(
        "queueboard_trend_completed",
        "Rows of the stage completed in a local clock hour; hours_ago 0 is the current, partial one.",
        |hour| hour.completed,
    )
}
