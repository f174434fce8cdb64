use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::live::{ALL, Series, ask, run, scraping, scraping_targets, substitute};
use super::{MACHINES, dashboards, keys, list, panels, target, text, variables};
use crate::support::{Demo, Prometheus};

/// Answers that may be empty: a panel, and why.
const MAY_BE_EMPTY: [(&str, &str); 2] = [
    (
        "${machine:text}: works on",
        "a machine may be between two rows, and the macbook sleeps",
    ),
    ("Deadlines", "only stages that are configured so have one"),
];
/// Columns that may be missing: a label, and why.
const MAY_BE_MISSING: [(&str, &str); 1] = [("title", "only with --collector.current.titles")];

/// Returns the name that a legend gives a series.
fn named(legend: &str, labels: &Value) -> String {
    let put_in =
        |name: String, label: &str| name.replace(&format!("{{{{{label}}}}}"), text(&labels[label]));
    let name = keys(labels).fold(legend.to_owned(), put_in);
    assert!(!name.contains("{{"), "{legend} of {labels}");
    name
}

/// Runs every target of a panel; returns the names of its fields before any transformation.
fn fields(prometheus: &Prometheus, panel: &Value, machine: &str) -> Option<BTreeSet<String>> {
    let title = text(&panel["title"]);
    let targets = list(&panel["targets"]);
    let is_table = targets[0]["format"] == "table";
    let mut fields = BTreeSet::from_iter(is_table.then(|| "Time".to_owned()));
    for target in targets {
        let series = run(prometheus, target, machine);
        let reference = text(&target["refId"]);
        if series.is_empty() {
            let is_right = MAY_BE_EMPTY.iter().any(|(known, _)| *known == title);
            assert!(is_right, "{title} {reference} of {machine} is empty");
            return None;
        }
        if is_table {
            let labels = series.iter().flat_map(|series| keys(&series.labels));
            let labels = labels.map(str::to_owned);
            fields.extend(labels);
            fields.insert(match targets.len() {
                1 => "Value".to_owned(),
                _ => format!("Value #{reference}"),
            });
        } else {
            let legend = text(&target["legendFormat"]);
            fields.extend(series.iter().map(|series| named(legend, &series.labels)));
        }
    }
    fields.extend(MAY_BE_MISSING.map(|(label, _)| label.to_owned()));
    Some(fields)
}

/// What transformations, overrides and options name is there when their turn comes.
fn check_names(panel: &Value, mut fields: BTreeSet<String>) {
    let title = text(&panel["title"]);
    let is_there = |fields: &BTreeSet<String>, name: &str| {
        assert!(fields.contains(name), "{title}: no {name} in {fields:?}");
    };
    for transformation in list(&panel["transformations"]) {
        let options = &transformation["options"];
        let sorts = list(&options["sort"]).iter().map(|sort| &sort["field"]);
        let conversions = list(&options["conversions"]).iter();
        let converted = conversions.map(|conversion| &conversion["targetField"]);
        sorts
            .chain(converted)
            .for_each(|name| is_there(&fields, text(name)));
        for key in ["excludeByName", "indexByName", "renameByName"] {
            keys(&options[key]).for_each(|name| is_there(&fields, name));
        }
        for name in keys(&options["excludeByName"]) {
            fields.remove(name);
        }
        for name in keys(&options["renameByName"]) {
            fields.remove(name);
            fields.insert(text(&options["renameByName"][name]).to_owned());
        }
    }
    let overrides = list(&panel["fieldConfig"]["overrides"]).iter();
    let overrides = overrides.map(|field| &field["matcher"]["options"]);
    let sorts = list(&panel["options"]["sortBy"]).iter();
    let sorts = sorts.map(|sort| &sort["displayName"]);
    let axis = panel["options"].get("xField");
    for name in overrides.chain(sorts).chain(axis) {
        is_there(&fields, text(name));
    }
}

#[test]
fn a_real_prometheus_answers_every_query() {
    let demo = Demo::start();
    let prometheus = scraping(demo.metrics);
    for (name, dashboard) in dashboards() {
        let mut asked = 0;
        for panel in panels(&dashboard) {
            let repeated = MACHINES.map(|(machine, _)| machine);
            let machines: &[&str] = match panel.get("repeat") {
                Some(variable) if variable == "machine" => &repeated,
                Some(variable) => panic!("{name}: repeated by {variable}"),
                None => &[".+"],
            };
            for machine in machines {
                if let Some(fields) = fields(&prometheus, panel, machine) {
                    check_names(panel, fields);
                }
                asked += 1;
            }
        }
        assert!(asked > 10, "{name}");
        check_variables(&prometheus, &dashboard);
    }
    check_labels(&prometheus);
}

/// Every variable has values; the machines' are their keys, by the labels that people know.
fn check_variables(prometheus: &Prometheus, dashboard: &Value) {
    for variable in variables(dashboard) {
        let query = substitute(text(&variable["query"]["query"]), &ALL);
        let Some((function, arguments)) = query.split_once('(') else {
            continue;
        };
        let arguments = arguments
            .strip_suffix(')')
            .expect("the end of the arguments");
        if let (Some((selector, label)), "label_values") = (arguments.rsplit_once(", "), function) {
            let path = format!("/api/v1/label/{label}/values");
            let values = ask(prometheus, &path, &[("match[]", selector)]);
            assert!(!list(&values).is_empty(), "{query}");
        } else {
            let data = ask(prometheus, "/api/v1/query", &[("query", arguments)]);
            let labels = list(&data["result"]).iter().map(|series| &series["metric"]);
            if variable["name"] == "drain_stage" {
                assert!(labels.count() > 10, "{query}");
                continue;
            }
            let machines = labels.map(|labels| (text(&labels["machine"]), text(&labels["label"])));
            assert_eq!(machines.collect::<BTreeSet<_>>(), BTreeSet::from(MACHINES));
        }
    }
}

/// The machines' labels are joined to their numbers: to each lane's its own, and to no other.
fn check_labels(prometheus: &Prometheus) {
    let lanes = &dashboards()["machine-lanes.json"];
    let of = |title: &str, machine: &str| -> BTreeSet<String> {
        let series = run(prometheus, target(lanes, title, "A"), machine);
        let labels = series.iter().map(|series| text(&series.labels["label"]));
        labels.map(str::to_owned).collect()
    };
    for (machine, label) in MACHINES {
        let expected = BTreeSet::from([label.to_owned()]);
        assert_eq!(of("${machine:text}", machine), expected);
    }
    let all: BTreeSet<String> = MACHINES.map(|(_, label)| label.to_owned()).into();
    for title in ["What the machines did", "Done in the hour before", "Stages"] {
        assert_eq!(of(title, ".+"), all, "{title}");
    }
}

/// Two clusters, each with an exporter of the same job and instance: no panel mixes them.
#[test]
fn clusters_are_not_mixed() {
    let demo = Demo::start();
    let target = |cluster: &str| {
        let labels = format!("instance: 'board:9886', cluster: {cluster}");
        format!("{{targets: ['{}'], labels: {{{labels}}}}}", demo.metrics)
    };
    let prometheus = scraping_targets(&format!("{}, {}", target("a"), target("b")));
    for (name, dashboard) in dashboards() {
        for panel in panels(&dashboard) {
            for target in list(&panel["targets"]) {
                let counts = || {
                    let series = run(&prometheus, target, ".+");
                    let of = |cluster: &str| {
                        let own = |series: &&Series| series.labels["cluster"] == cluster;
                        series.iter().filter(own).count()
                    };
                    (of("a"), of("b"), series.len())
                };
                // The pipeline lives on between the scrape of the one and that of the other.
                let until = Instant::now() + Duration::from_secs(20);
                let mut counted = counts();
                while counted.0 != counted.1 && Instant::now() < until {
                    std::thread::sleep(Duration::from_millis(500));
                    counted = counts();
                }
                let (a, b, all) = counted;
                let place = format!("{name}: {}: {}", panel["title"], target["expr"]);
                assert_eq!((a, a + b), (b, all), "{place}");
            }
        }
    }
}
