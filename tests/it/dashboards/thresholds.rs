use super::{dashboards, list, panels};

const COLLECTION_SLOW: f64 = 5.0;
const ITEM_STUCK: f64 = 7200.0;
const JOB_STALE: f64 = 300.0;
const ETA_LONG: f64 = 86_400.0;
const PENDING_OLD: f64 = 21_600.0;

/// From where on a number is coloured: its panel, the column if it has several, the number.
const THRESHOLDS: [(&str, &str, f64); 14] = [
    ("Collection takes", "", COLLECTION_SLOW),
    ("Stages", "Longest processing", ITEM_STUCK),
    ("Failed rows", "", 1.0),
    ("Stale jobs", "", 1.0),
    ("Failed jobs", "", 1.0),
    ("Longest ETA", "", ETA_LONG),
    ("Oldest wait", "", PENDING_OLD),
    ("${machine:text}: rows now", "Failed", 1.0),
    ("When each stage is done", "", ETA_LONG),
    ("Stages", "Failed", 1.0),
    ("Stages", "Oldest pending", PENDING_OLD),
    ("Stages", "ETA", ETA_LONG),
    ("Background jobs", "Stale", 1.0),
    ("Background jobs", "Last sign of life", JOB_STALE),
];

#[test]
fn numbers_are_coloured_where_they_become_wrong() {
    let dashboards = dashboards();
    for (title, column, value) in THRESHOLDS {
        let mut panels = dashboards.values().flat_map(panels);
        let panel = panels.find(|panel| panel["title"] == title);
        let config = &panel.expect(title)["fieldConfig"];
        let field = list(&config["overrides"])
            .iter()
            .find(|field| field["matcher"]["options"] == column);
        let property = field.and_then(|field| {
            let properties = list(&field["properties"]).iter();
            let mut wanted = properties.filter(|property| property["id"] == "thresholds");
            wanted.next().map(|property| &property["value"])
        });
        let thresholds = if column.is_empty() {
            Some(&config["defaults"]["thresholds"])
        } else {
            property
        };
        let steps = list(&thresholds.expect(column)["steps"]);
        let values: Vec<Option<f64>> = steps.iter().map(|step| step["value"].as_f64()).collect();
        assert_eq!(values, [None, Some(value)], "{title} {column}");
    }
}
