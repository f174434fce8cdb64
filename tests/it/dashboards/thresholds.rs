use std::collections::BTreeMap;

use chrono::DateTime;
use chrono_tz::Tz;
use queueboard_exporter::windows::Windows;
use serde_json::Value;

use super::{dashboards, list, panels, text};
use crate::alerts::limit;

/// What is coloured where an alert begins: a panel, its column if it has several, the alert.
const ALERTED: [(&str, &str, &str); 4] = [
    ("Collection takes", "", "QueueboardScrapeSlow"),
    ("Oldest wait", "", "QueueboardOldestPendingTooOld"),
    ("Stages", "Oldest pending", "QueueboardOldestPendingTooOld"),
    ("Stages", "Longest processing", "QueueboardItemStuck"),
];

/// What shows the former ETA, and is coloured from the same number of seconds on.
const FORMER_ETA: [(&str, &str); 3] = [
    ("Longest ETA", ""),
    ("When each stage is done", ""),
    ("Stages", "ETA"),
];

/// What is coloured where no alert says so: what the numbers are of is the process's own.
const OF_THE_PROCESS: [(&str, &[f64]); 2] = [
    ("Memory", &[256.0 * 1024.0 * 1024.0]),
    ("File descriptors", &[0.7, 0.9]),
];

/// A colour that begins at some number of a field: a panel, its column, and all those numbers.
type Steps<'a> = BTreeMap<(&'a str, &'a str), Vec<f64>>;

/// Returns where the colours of a panel's fields change.
fn steps(panel: &Value) -> Steps<'_> {
    let config = &panel["fieldConfig"];
    let columns = list(&config["overrides"]).iter().flat_map(|field| {
        let column = text(&field["matcher"]["options"]);
        let properties = list(&field["properties"]).iter();
        let coloured = properties.filter(|property| property["id"] == "thresholds");
        coloured.map(move |property| (column, &property["value"]))
    });
    let all = columns.chain([("", &config["defaults"]["thresholds"])]);
    let numbers = all.map(|(column, thresholds)| {
        let steps = list(&thresholds["steps"]).iter();
        let numbers = steps.filter_map(|step| step["value"].as_f64()).collect();
        ((text(&panel["title"]), column), numbers)
    });
    numbers
        .filter(|(_, numbers): &(_, Vec<f64>)| !numbers.is_empty())
        .collect()
}

#[test]
fn numbers_are_coloured_where_the_alert_begins() {
    let dashboards = dashboards();
    let mut found: Steps = dashboards
        .values()
        .flat_map(panels)
        .flat_map(steps)
        .collect();
    let former = FORMER_ETA.map(|(title, column)| {
        let (_, number) = limit("QueueboardEtaTooLong");
        (
            title,
            column,
            "queueboard_stage_eta_seconds".to_owned(),
            number,
        )
    });
    let alerted = ALERTED.map(|(title, column, alert)| {
        let (metric, number) = limit(alert);
        (title, column, metric, number)
    });
    for (title, column, metric, number) in alerted.into_iter().chain(former) {
        assert_eq!(
            found.remove(&(title, column)),
            Some(vec![number]),
            "{title} {column}"
        );
        let mut panels = dashboards.values().flat_map(panels);
        let panel = panels.find(|panel| panel["title"] == title).expect(title);
        let asked = panel["targets"].to_string();
        assert!(asked.contains(&metric), "{title} does not ask for {metric}");
        let unit = if number < 3600.0 { 1.0 } else { 3600.0 };
        let said = (number / unit).to_string();
        let description = text(&panel["description"]);
        let mut numbers = description.split(|letter: char| !letter.is_ascii_digit());
        assert!(
            numbers.any(|number| number == said),
            "{title} does not say {said}: {description}"
        );
    }
    // A job is stale from here on, and pages if it stays so.
    let windows = Windows::at(DateTime::UNIX_EPOCH, Tz::UTC);
    let silence = (windows.now - windows.heartbeat_due).as_seconds_f64();
    let sign = found.remove(&("Background jobs", "Last sign of life"));
    assert_eq!(sign, Some(vec![silence]));
    for (title, numbers) in OF_THE_PROCESS {
        assert_eq!(
            found.remove(&(title, "")).as_deref(),
            Some(numbers),
            "{title}"
        );
    }
    // All others count what should not be there, or say yes by a 1.
    assert!(found.len() > 8);
    found.retain(|_, numbers| *numbers != [1.0]);
    assert_eq!(found, Steps::new());
}
