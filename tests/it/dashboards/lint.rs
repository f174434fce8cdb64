mod board;
mod panel;

use serde_json::{Value, json};

use super::{dashboards, list, panels};

/// What is wrong with a dashboard: nothing, it is hoped.
#[derive(Default)]
struct Complaints(Vec<String>);

impl Complaints {
    fn unless(&mut self, holds: bool, place: &str, rule: &str) {
        if !holds {
            self.0.push(format!("{place}: {rule}"));
        }
    }
}

/// The rules of Grafana's dashboard-linter, for every type of panel, and further ones.
fn lint(dashboard: &Value) -> Vec<String> {
    let mut found = Complaints::default();
    board::dashboard(&mut found, dashboard);
    board::variables(&mut found, dashboard);
    board::grid(&mut found, dashboard);
    for panel in panels(dashboard) {
        panel::panel(&mut found, panel);
        panel::fields(&mut found, panel);
        list(&panel["targets"])
            .iter()
            .for_each(|target| panel::target(&mut found, panel, target));
    }
    found.0
}

#[test]
fn every_rule_of_the_linter_holds() {
    for (name, dashboard) in dashboards() {
        assert_eq!(lint(&dashboard), Vec::<String>::new(), "{name}");
    }
}

/// Each of these is one thing gone wrong: where, what stands there then, and the complaint.
#[test]
fn the_linter_finds_what_is_wrong() {
    let wrong = [
        ("/editable", json!(true), "dashboard: uneditable"),
        ("/panels/0/description", json!(""), "Database: description"),
        ("/panels/0/type", json!("singlestat"), "Database: type"),
        (
            "/panels/0/datasource/uid",
            json!("abc"),
            "Database: data source",
        ),
        (
            "/panels/0/fieldConfig/defaults/unit",
            json!("parsecs"),
            "Database: unit",
        ),
        (
            "/panels/0/fieldConfig/defaults/mappings",
            json!([]),
            "Database: nulls",
        ),
        (
            "/panels/0/targets/0/instant",
            json!(false),
            "Database A: instant",
        ),
        (
            "/panels/0/targets/0/expr",
            json!("queueboard_up"),
            "Database A: job",
        ),
        (
            "/panels/0/targets/0/expr",
            json!("rate(a_total{job=~\"$job\",instance=~\"$instance\"}[5m])"),
            "Database A: rate interval",
        ),
        (
            "/panels/0/targets/0/expr",
            json!("sum(a_total{job=~\"$job\",instance=~\"$instance\"})"),
            "Database A: counter",
        ),
        (
            "/panels/0/targets/0/expr",
            json!("sum by (job) (a{job=~\"$job\",instance=~\"$instance\"})"),
            "Database A: names the labels that it keeps",
        ),
        ("/panels/1/id", json!(1), "Collectors: id"),
        ("/panels/1/gridPos/x", json!(0), "Collectors: overlaps"),
        (
            "/panels/0/gridPos/w",
            json!(2),
            "dashboard: an empty corner",
        ),
        (
            "/templating/list/1/refresh",
            json!(1),
            "variable \"job\": refresh",
        ),
        (
            "/templating/list/1/allValue",
            json!(".*"),
            "variable \"job\": all",
        ),
        (
            "/templating/list/2/includeAll",
            json!(true),
            "instance: one at first",
        ),
        (
            "/links/0/url",
            json!("https://example.invalid"),
            "dashboard: https://example.invalid",
        ),
    ];
    let lanes = &dashboards()["machine-lanes.json"];
    for (place, value, complaint) in wrong {
        let mut spoilt = lanes.clone();
        *spoilt.pointer_mut(place).expect(place) = value;
        let found = lint(&spoilt);
        assert!(
            found.iter().any(|found| found == complaint),
            "{place}: {found:?}"
        );
    }
}
