//! Created and completed rows of a stage, hour by hour.

use crate::config::Pipeline;
use crate::snapshot::TrendRow;
use crate::windows::Windows;

/// A stage's last 24 clock hours, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trend {
    /// The stage.
    pub stage: String,
    /// Its hours, the empty ones included.
    pub hours: Vec<TrendHour>,
}

/// One clock hour of a trend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrendHour {
    /// 0 for the current, partial hour.
    pub hours_ago: usize,
    /// The local clock at its start, as "14:00".
    pub label: String,
    /// Rows created in it.
    pub created: i64,
    /// Rows completed in it.
    pub completed: i64,
}

/// Puts the rows into their hours, for every stage that has a trend.
pub(super) fn judge(rows: &[TrendRow], windows: &Windows, pipeline: &Pipeline) -> Vec<Trend> {
    let stages = pipeline.trend.iter();
    stages
        .map(|stage| Trend {
            stage: stage.clone(),
            hours: hours(stage, rows, windows),
        })
        .collect()
}

fn hours(stage: &str, rows: &[TrendRow], windows: &Windows) -> Vec<TrendHour> {
    let rows: Vec<&TrendRow> = rows.iter().filter(|row| &*row.stage == stage).collect();
    let mut hours = Vec::with_capacity(windows.hours.len());
    for (index, hour) in windows.hours.iter().enumerate() {
        let place = Some(index as i64 + 1);
        let created = rows.iter().filter(|row| row.created_hour == place);
        let completed = rows.iter().filter(|row| row.completed_hour == place);
        hours.push(TrendHour {
            hours_ago: windows.hours.len() - 1 - index,
            label: hour.label.clone(),
            created: created.map(|row| row.count).sum(),
            completed: completed.map(|row| row.count).sum(),
        });
    }
    hours
}
