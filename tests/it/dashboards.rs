/// A real Prometheus answers every query.
mod answers;
/// What the panels show equals the board as JSON.
mod equality;
/// Links, and provisioning.
mod links;
/// The rules of the linter.
mod lint;
/// A Prometheus that scrapes, asked as Grafana asks it.
mod live;
/// Metrics and labels: what is asked for exists, and what exists is asked for.
mod metrics;
/// A reader of what Prometheus is asked.
mod query;
/// From where on numbers are coloured.
mod thresholds;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::support::repository_file;

/// The machines as configured by default.
const MACHINES: [(&str, &str); 3] = [
    ("gpu", "GPU 서버"),
    ("macbook", "맥북 M5 Max"),
    ("macmini", "맥미니"),
];

/// Returns every dashboard by the name of its file.
fn dashboards() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards");
    let entries = std::fs::read_dir(folder).expect("the folder of dashboards");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.into_string().expect("a name of text"));
    let found: BTreeMap<String, Value> = names
        .filter(|name| name.ends_with(".json"))
        .map(|name| {
            let text = repository_file(&format!("dashboards/{name}"));
            let dashboard =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, dashboard)
        })
        .collect();
    assert_eq!(found.len(), 2, "{:?}", found.keys());
    found
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn keys(value: &Value) -> impl Iterator<Item = &str> {
    let object = value.as_object().into_iter().flatten();
    object.map(|(key, _)| key.as_str())
}

/// Returns the panels that show something.
fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    let panels = list(&dashboard["panels"]).iter();
    panels.filter(|panel| panel["type"] != "row")
}

fn variables(dashboard: &Value) -> &[Value] {
    list(&dashboard["templating"]["list"])
}

/// Returns one target of a panel.
fn target<'a>(dashboard: &'a Value, title: &str, reference: &str) -> &'a Value {
    let panel = panels(dashboard).find(|panel| panel["title"] == title);
    let mut targets = list(&panel.expect(title)["targets"]).iter();
    let found = targets.find(|target| target["refId"] == reference);
    found.expect(reference)
}
