use std::net::SocketAddr;

use serde_json::Value;

use super::{list, text};
use crate::support::{Prometheus, get};

/// A Prometheus that has scraped an exporter for a while.
pub(super) fn scraping(metrics: SocketAddr) -> Prometheus {
    scraping_targets(&format!("{{targets: ['{metrics}']}}"))
}

/// A Prometheus that has scraped targets for a while.
pub(super) fn scraping_targets(targets: &str) -> Prometheus {
    let configuration = format!(
        "global: {{scrape_interval: 2s, scrape_timeout: 2s}}\n\
         scrape_configs: [{{job_name: queueboard, static_configs: [{targets}]}}]\n"
    );
    let prometheus = Prometheus::start(&configuration, &[]);
    let is_enough = "min(count_over_time(queueboard_http_requests_total[1m])) >= bool 4";
    prometheus.wait_for(is_enough, 1.0);
    prometheus
}

/// Asks Prometheus as Grafana does, and returns the data of its answer.
pub(super) fn ask(prometheus: &Prometheus, path: &str, parameters: &[(&str, &str)]) -> Value {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let answer = get(
        prometheus.address(),
        &format!("{path}?{}", query.finish()),
        &[],
    );
    let mut answer = answer.json();
    assert_eq!(answer["status"], "success", "{parameters:?}: {answer}");
    answer["data"].take()
}

/// Puts the variables' values in, as Grafana does before it asks.
pub(super) fn substitute(query: &str, values: &[(&str, &str)]) -> String {
    let put_in =
        |query: String, (name, value): &(&str, &str)| query.replace(&format!("${name}"), value);
    let query = values.iter().fold(query.to_owned(), put_in);
    let left = query.replace("\"$1\"", "");
    assert!(!left.contains('$'), "an unknown variable in {query}");
    query
}

pub(super) const ALL: [(&str, &str); 5] = [
    ("job", ".+"),
    ("instance", ".+"),
    ("trend_stage", "summarize"),
    // The demo has done enough of it in a day for a band.
    ("drain_stage", "deep_summary"),
    // Four scrapes, but no less than what the step of a short range is.
    ("__rate_interval", "15s"),
];

/// What is left of a time range of a minute, at a step of a second.
const MINUTE: f64 = 60.0;

/// A series that a target answers, and its latest value.
pub(super) struct Series {
    pub(super) labels: Value,
    pub(super) value: f64,
}

/// Runs one target.
pub(super) fn run(prometheus: &Prometheus, target: &Value, machine: &str) -> Vec<Series> {
    let values = [&ALL[..], &[("machine", machine)]].concat();
    let query = substitute(text(&target["expr"]), &values);
    let data = if target["range"] == true {
        let now = prometheus.value("vector(time())").expect("the time");
        let (start, end) = ((now - MINUTE).to_string(), now.to_string());
        let parameters = [
            ("query", &*query),
            ("start", &start),
            ("end", &end),
            ("step", "1"),
        ];
        ask(prometheus, "/api/v1/query_range", &parameters)
    } else {
        ask(prometheus, "/api/v1/query", &[("query", &query)])
    };
    let series = list(&data["result"]).iter().map(|series| {
        let latest = list(&series["values"]).last().unwrap_or(&series["value"]);
        Series {
            labels: series["metric"].clone(),
            value: text(&latest[1]).parse().expect("a number"),
        }
    });
    series.collect()
}
