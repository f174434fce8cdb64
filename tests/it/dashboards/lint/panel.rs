use std::collections::BTreeSet;

use serde_json::Value;

use super::Complaints;
use crate::dashboards::query::Query;
use crate::dashboards::{list, text};

/// What Grafana 10 to 13 has without a plugin, as far as it is used here.
const PANELS: [&str; 5] = ["stat", "table", "timeseries", "barchart", "state-timeline"];
const UNITS: [&str; 12] = [
    "dtdhms",
    "none",
    "short",
    "s",
    "dtdurations",
    "percentunit",
    "bytes",
    "locale",
    "string",
    "reqps",
    "time:MM-DD HH:mm",
    "prefix:×",
];
const TRANSFORMATIONS: [&str; 4] = ["merge", "organize", "sortBy", "convertFieldType"];
const REDUCERS: [&str; 2] = ["lastNotNull", "sum"];
const OVERRIDES: [&str; 16] = [
    "color",
    "custom.align",
    "custom.cellOptions",
    "custom.fillBelowTo",
    "custom.fillOpacity",
    "custom.lineWidth",
    "custom.width",
    "custom.wrapText",
    "decimals",
    "links",
    "mappings",
    "max",
    "min",
    "noValue",
    "thresholds",
    "unit",
];

pub(super) fn panel(found: &mut Complaints, panel: &Value) {
    let title = text(&panel["title"]);
    let kind = text(&panel["type"]);
    found.unless(!title.is_empty(), "panel", "title");
    found.unless(PANELS.contains(&kind), title, "type");
    let description = text(&panel["description"]);
    found.unless(description.ends_with('.'), title, "description");
    let uid = &panel["datasource"]["uid"];
    found.unless(uid == "${datasource}", title, "data source");
    let targets = list(&panel["targets"]);
    let refs: BTreeSet<&str> = targets
        .iter()
        .map(|target| text(&target["refId"]))
        .collect();
    found.unless(!targets.is_empty(), title, "targets");
    found.unless(refs.len() == targets.len(), title, "refIds");
    for transformation in list(&panel["transformations"]) {
        let id = text(&transformation["id"]);
        found.unless(TRANSFORMATIONS.contains(&id), title, id);
    }
    let options = &panel["options"];
    let calculations = list(&options["reduceOptions"]["calcs"]).iter();
    for reducer in calculations.chain(list(&options["legend"]["calcs"])) {
        found.unless(REDUCERS.contains(&text(reducer)), title, "reducer");
    }
    found.unless(options.get("footer").is_none(), title, "footer");
}

pub(super) fn fields(found: &mut Complaints, panel: &Value) {
    let title = text(&panel["title"]);
    let config = &panel["fieldConfig"];
    let defaults = &config["defaults"];
    let unit = text(&defaults["unit"]);
    found.unless(UNITS.contains(&unit), title, "unit");
    found.unless(!text(&defaults["noValue"]).is_empty(), title, "no value");
    found.unless(maps_nulls(&defaults["mappings"]), title, "nulls");
    let steps = &defaults["thresholds"]["steps"];
    found.unless(steps[0]["value"].is_null(), title, "first threshold");
    let is_coloured = panel["type"] != "stat" || defaults["color"]["mode"] == "thresholds";
    found.unless(is_coloured, title, "colours");
    for field in list(&config["overrides"]) {
        found.unless(field["matcher"]["id"] == "byName", title, "matcher");
        for property in list(&field["properties"]) {
            let id = text(&property["id"]);
            found.unless(OVERRIDES.contains(&id), title, id);
            let is_known = id != "unit" || UNITS.contains(&text(&property["value"]));
            found.unless(is_known, title, "unit of a column");
        }
    }
}

/// A null and a NaN are given a text of their own.
fn maps_nulls(mappings: &Value) -> bool {
    list(mappings).iter().any(|mapping| {
        mapping["options"]["match"] == "null+nan"
            && !text(&mapping["options"]["result"]["text"]).is_empty()
    })
}

pub(super) fn target(found: &mut Complaints, panel: &Value, target: &Value) {
    let place = format!("{} {}", text(&panel["title"]), text(&target["refId"]));
    let kind = text(&panel["type"]);
    let is_history = ["timeseries", "state-timeline"].contains(&kind);
    let is_table = ["table", "barchart"].contains(&kind);
    let uid = &target["datasource"]["uid"];
    found.unless(uid == "${datasource}", &place, "data source");
    found.unless(target["range"] == is_history, &place, "range");
    found.unless(target["instant"] == !is_history, &place, "instant");
    let format = if is_table { "table" } else { "time_series" };
    found.unless(target["format"] == format, &place, "format");
    let legend = text(&target["legendFormat"]);
    found.unless(legend.is_empty() == is_table, &place, "legend");
    let expression = text(&target["expr"]);
    // Labels that only somebody's Prometheus knows stay.
    let is_open = !expression.contains(" by (") && !expression.contains(" on (");
    found.unless(is_open, &place, "names the labels that it keeps");
    let query = Query::read(expression);
    found.unless(!query.selectors.is_empty(), &place, "query");
    for selector in &query.selectors {
        for label in ["job", "instance"] {
            let wanted = (label.to_owned(), format!("=~${label}"));
            found.unless(selector.matchers.contains(&wanted), &place, label);
        }
        let function = selector.function.as_str();
        let is_rate = ["rate", "irate"].contains(&function);
        let range = selector.range.as_deref();
        let is_right = !is_rate || range == Some("$__rate_interval");
        found.unless(is_right, &place, "rate interval");
        let is_counter = selector.metric.ends_with("_total");
        let is_counted = is_rate || function == "increase";
        found.unless(!is_counter || is_counted, &place, "counter");
    }
}
