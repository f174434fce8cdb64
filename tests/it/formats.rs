use chrono::DateTime;
use chrono_tz::Tz;

use crate::support::{Database, Engine, Exporter, Options, Prometheus, Reader, get, pipe};
use crate::{model, random};

const OPENMETRICS: &str =
    "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";

/// An exporter of a board with everything hostile on it.
async fn hostile() -> (Database, Exporter) {
    let mut database = Database::create(Engine::Sqlite).await;
    let now = DateTime::from_timestamp(1_795_500_000, 0).expect("an instant");
    database
        .load(&random::board(6, 3000, now, Tz::Asia__Seoul))
        .await;
    let flags = ["--collector.current", "--collector.current.titles"].map(str::to_owned);
    let clock = database.clock();
    let options = Options {
        arguments: flags.to_vec(),
        clock,
        ..Options::default()
    };
    let exporter = Exporter::serve(database.url(), &options);
    (database, exporter)
}

#[tokio::test]
async fn both_formats_say_the_same_and_are_valid_in_their_own_grammar() {
    let (_database, exporter) = hostile().await;
    let mut reader = Reader::start();
    let classic = exporter.page();
    let open = get(exporter.metrics, "/metrics", &[OPENMETRICS]);
    assert_eq!(
        classic.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let open_metrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(open.header("content-type"), Some(open_metrics));
    assert!(open.text().ends_with("# EOF\n"));
    let classic = crate::support::of_board(reader.classic(classic.text()));
    let open = crate::support::of_board(reader.openmetrics(open.text()));
    assert!(classic.len() > 300);
    assert_eq!(classic, open);
}

#[tokio::test]
async fn promtool_has_nothing_to_say() {
    let (_database, exporter) = hostile().await;
    let said = pipe("promtool", &["check", "metrics"], exporter.page().text());
    assert_eq!(said, "");
}

#[tokio::test]
async fn a_real_prometheus_scrapes_it() {
    let (_database, exporter) = hostile().await;
    let configuration = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
         scrape_configs: [{{job_name: q, static_configs: [{{targets: ['{}']}}]}}]\n",
        exporter.metrics
    );
    let prometheus = Prometheus::start(&configuration, &[]);
    prometheus.wait_for("up", 1.0);
    let is_failed = |key: &&String| {
        key.starts_with("queueboard_stage_items") && key.contains("status=\"failed\"")
    };
    let page = exporter.scrape();
    let failed = page.keys().filter(is_failed).map(|key| page[key]).sum();
    prometheus.wait_for("sum(queueboard_stage_items{status=\"failed\"})", failed);
    let samples = prometheus.value("scrape_samples_scraped");
    assert!(
        samples.is_some_and(|samples| samples >= page.len() as f64),
        "{samples:?}"
    );
}

#[test]
fn keys_are_canonical() {
    assert_eq!(
        model::series("a", &[("y", "2"), ("x", "1")]),
        r#"a{x="1",y="2"}"#
    );
}
