use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::query::Query;
use super::{dashboards, list, panels, text, variables};
use crate::support::repository_file;

/// Returns what dashboards ask Prometheus, by place.
fn queries(dashboard: &Value) -> Vec<(String, Query)> {
    let of_panels = panels(dashboard).flat_map(|panel| {
        let title = text(&panel["title"]);
        let targets = list(&panel["targets"]).iter();
        targets.map(move |target| (title.to_owned(), text(&target["expr"])))
    });
    let of_variables = variables(dashboard).iter().filter_map(|variable| {
        let query = text(&variable["query"]["query"]);
        let (_, selector) = query.strip_suffix(')')?.split_once('(')?;
        let selector = match selector.rsplit_once(", ") {
            Some((selector, _)) => selector,
            None => selector,
        };
        Some((text(&variable["name"]).to_owned(), selector))
    });
    of_panels
        .chain(of_variables)
        .map(|(place, query)| (place, Query::read(query)))
        .collect()
}

/// Returns the README's table: each metric's labels.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let readme = repository_file("README.md");
    let rows = readme.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let name = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
        let is_metric = ["queueboard_", "process_"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        let labels = cells.get(2)?.split(',').map(str::trim);
        let labels = labels.filter(|label| !label.is_empty());
        is_metric.then(|| (name.to_owned(), labels.map(str::to_owned).collect()))
    });
    rows.collect()
}

#[test]
fn dashboards_ask_only_for_metrics_and_labels_that_exist() {
    let documented = documented();
    let given = ["job", "instance"].map(str::to_owned);
    for (name, dashboard) in dashboards() {
        for (place, query) in queries(&dashboard) {
            let mut known: BTreeSet<String> = given.iter().cloned().collect();
            known.extend(query.made);
            for selector in &query.selectors {
                let labels = documented.get(&selector.metric);
                let labels =
                    labels.unwrap_or_else(|| panic!("{name}: {place}: {}", selector.metric));
                for (label, _) in &selector.matchers {
                    let is_known = labels.contains(label) || given.contains(label);
                    assert!(is_known, "{name}: {place}: {}: {label}", selector.metric);
                }
                known.extend(labels.iter().cloned());
            }
            let unknown: Vec<&String> = query.labels.difference(&known).collect();
            assert!(unknown.is_empty(), "{name}: {place}: {unknown:?}");
        }
    }
}

#[test]
fn every_metric_is_on_a_dashboard() {
    let asked: BTreeSet<String> = dashboards()
        .values()
        .flat_map(queries)
        .flat_map(|(_, query)| query.selectors)
        .map(|selector| selector.metric)
        .collect();
    let documented: BTreeSet<String> = documented().into_keys().collect();
    assert!(documented.len() > 40);
    assert_eq!(documented, asked);
}
