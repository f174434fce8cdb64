use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Complaints;
use crate::dashboards::{self, list, text};

pub(super) fn dashboard(found: &mut Complaints, dashboard: &Value) {
    let place = "dashboard";
    let uid = text(&dashboard["uid"]);
    found.unless(!uid.is_empty() && uid.len() <= 40, place, "uid");
    for key in ["title", "description", "refresh"] {
        found.unless(!text(&dashboard[key]).is_empty(), place, key);
    }
    found.unless(dashboard["editable"] == false, place, "uneditable");
    found.unless(dashboard["schemaVersion"] == 39, place, "schema version");
    found.unless(dashboard["tags"] == json!(["queueboard"]), place, "tags");
    found.unless(dashboard["time"]["to"] == "now", place, "time range");
    // What an export leaves behind, and what a provisioned file may not have.
    for key in ["id", "__inputs", "__requires", "iteration"] {
        found.unless(dashboard.get(key).is_none(), place, key);
    }
    let all = dashboard.to_string();
    found.unless(!all.contains("\"actions\""), place, "no buttons that act");
    for annotation in list(&dashboard["annotations"]["list"]) {
        let is_ours = annotation["builtIn"] != 1;
        let uid = &annotation["datasource"]["uid"];
        found.unless(!is_ours || uid == "${datasource}", place, "annotations");
    }
    for url in all.split("\"url\":\"").skip(1) {
        let url = url.split('"').next().unwrap_or_default();
        let is_known = url.is_empty() || url.starts_with("${failures:raw}");
        let is_ours = url.starts_with("/d/queueboard-");
        found.unless(is_known || is_ours, place, url);
    }
}

pub(super) fn variables(found: &mut Complaints, dashboard: &Value) {
    let named = |name: &str| {
        let variable = dashboards::variables(dashboard)
            .iter()
            .find(|known| known["name"] == name);
        variable.unwrap_or(&Value::Null)
    };
    let source = named("datasource");
    found.unless(source["type"] == "datasource", "datasource", "type");
    found.unless(source["query"] == "prometheus", "datasource", "query");
    found.unless(source["label"] == "Data source", "datasource", "label");
    for (name, label) in [("job", "Job"), ("instance", "Instance")] {
        let variable = named(name);
        found.unless(variable["type"] == "query", name, "type");
        found.unless(variable["label"] == label, name, "label");
        found.unless(variable["multi"] == true, name, "multi");
    }
    // Of two exporters of one database a board would show every row twice: one is chosen.
    let is_board = dashboard["uid"] == "queueboard-lanes";
    let is_one = named("instance")["includeAll"] == false;
    found.unless(!is_board || is_one, "instance", "one at first");
    for variable in dashboards::variables(dashboard) {
        let place = format!("variable {}", variable["name"]);
        found.unless(!text(&variable["label"]).is_empty(), &place, "label");
        if variable["type"] != "query" {
            continue;
        }
        let query = text(&variable["query"]["query"]);
        let is_known = query.starts_with("label_values(") || query.starts_with("query_result(");
        found.unless(is_known && query.ends_with(')'), &place, "query");
        found.unless(variable["definition"] == query, &place, "definition");
        found.unless(variable["refresh"] == 2, &place, "refresh");
        let is_variable = variable["datasource"]["uid"] == "${datasource}";
        found.unless(is_variable, &place, "data source");
        // `.*` would also match series without the label.
        let all = variable["includeAll"] == true;
        let matches_all = variable["allValue"] == ".+" && variable["multi"] == true;
        found.unless(!all || matches_all, &place, "all");
        found.unless(variable["current"]["value"] != json!([]), &place, "current");
    }
}

/// Panels lie on a grid of 24 columns; nothing overlaps and no corner is empty.
pub(super) fn grid(found: &mut Complaints, dashboard: &Value) {
    let mut ids = BTreeSet::new();
    let mut taken = BTreeMap::<(u64, u64), &str>::new();
    for panel in list(&dashboard["panels"]) {
        let title = text(&panel["title"]);
        let place = &panel["gridPos"];
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| place[key].as_u64().unwrap_or(999));
        let id = panel["id"].as_u64();
        found.unless(id.is_some() && ids.insert(id), title, "id");
        found.unless(x + w <= 24 && w > 0 && h > 0, title, "columns");
        let repeats = panel.get("repeat").is_some();
        found.unless(!repeats || (x, w) == (0, 24), title, "repeated");
        for cell in (y..y + h).flat_map(|row| (x..x + w).map(move |column| (row, column))) {
            let other = taken.insert(cell, title);
            found.unless(other.is_none(), title, "overlaps");
        }
    }
    let height = taken.keys().map(|(row, _)| row + 1).max().unwrap_or(0);
    let is_full = taken.len() as u64 == height * 24;
    found.unless(is_full, "dashboard", "an empty corner");
}
