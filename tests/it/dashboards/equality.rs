use std::collections::BTreeSet;

use chrono::DateTime;
use chrono_tz::Tz;
use serde_json::Value;

use super::live::{Series, run, scraping};
use super::{dashboards, list, panels, target, text};
use crate::random;
use crate::support::{Database, Engine, Exporter, Options, Prometheus};

/// A row of a stage where nothing else ever happened.
const STALLED: &str = "\
    INSERT INTO processing_queue (id, document_id, stage, status, created_at)
    VALUES (99999999, 99999999, 'translate', 'pending', '2026-11-24T01:00:00Z')";

/// An exporter of a board of every kind of row, whose clock stands still.
async fn standing_still() -> (Database, Exporter) {
    let mut database = Database::create(Engine::Sqlite).await;
    let now = DateTime::from_timestamp(1_795_500_000, 0).expect("an instant");
    database
        .load(&random::board(6, 3000, now, Tz::Asia__Seoul))
        .await;
    database.run(STALLED).await;
    let options = Options {
        clock: database.clock(),
        ..Options::default()
    };
    let exporter = Exporter::serve(database.url(), &options);
    (database, exporter)
}

/// What the board's panels show, beside what the exporter says to whoever asks for JSON.
struct Shown {
    prometheus: Prometheus,
    lanes: Value,
    overview: Value,
}

impl Shown {
    fn of(&self, title: &str, reference: &str, machine: &str) -> Vec<Series> {
        run(
            &self.prometheus,
            target(&self.lanes, title, reference),
            machine,
        )
    }

    fn check_lanes(&self) {
        let numbers = [
            ("${machine:text}: rows now", "A", "pending"),
            ("${machine:text}: rows now", "B", "processing"),
            ("${machine:text}: rows now", "C", "failed"),
            ("${machine:text}: rows now", "D", "deferred_pending"),
            ("${machine:text}: done", "B", "done_1h"),
            ("${machine:text}: done", "C", "done_today"),
        ];
        for machine in list(&self.overview["machines"]) {
            let name = text(&machine["key"]);
            for (title, reference, key) in numbers {
                let found = self.of(title, reference, name);
                assert_eq!(found.len(), 1);
                assert_eq!(Some(found[0].value), machine[key].as_f64(), "{name}: {key}");
            }
            let state = &self.of("${machine:text}", "A", name)[0];
            let code = match text(&machine["state"]) {
                "active" => 2.0,
                "deferred" => 1.0,
                _ => 0.0,
            };
            assert_eq!(state.value, code, "{machine}");
            assert_eq!(state.labels["label"], machine["label"]);
        }
    }

    fn check_trend(&self) {
        for (reference, key) in [("A", "inflow"), ("B", "done")] {
            let title = "24 hours of $trend_stage: came in and done";
            let found = self.of(title, reference, ".+");
            assert_eq!(found.len(), 24);
            for series in found {
                let ago: usize = text(&series.labels["hours_ago"]).parse().expect("a number");
                let hour = &self.overview["trend_24h"][23 - ago];
                assert_eq!(series.labels["hour"], hour["hour"]);
                assert_eq!(Some(series.value), hour[key].as_f64(), "{hour}: {key}");
            }
        }
    }

    fn check_pool(&self) {
        for (reference, key) in [("B", "done_1h"), ("C", "done_today")] {
            let found = self.of("Who does the shared stages", reference, ".+");
            assert_eq!(found.len(), 2);
            for series in found {
                let machine = text(&series.labels["machine"]);
                let part = &self.overview["summarize_by_machine"][machine][key];
                assert_eq!(Some(series.value), part.as_f64(), "{machine}: {key}");
            }
        }
    }

    /// A backlog that grows, one that stands still, none, and one that will be done are told apart.
    fn check_times(&self) {
        let times = self.of("When each stage is done", "A", ".+");
        let mut forecasts = BTreeSet::new();
        for stage in list(&self.overview["stages"]) {
            let is_it = |series: &&Series| series.labels["stage"] == stage["stage"];
            // Stages beyond the hundredth are summed.
            let Some(series) = times.iter().find(is_it) else {
                continue;
            };
            let forecast = text(&stage["forecast"]);
            forecasts.insert(forecast);
            let minutes = stage["eta_minutes"].as_f64();
            let is_right = match forecast {
                "growing" => series.value == -1.0,
                "stalled" => series.value == -2.0,
                "empty" => series.value == 0.0,
                _ => minutes.is_some_and(|minutes| (series.value / 60.0 - minutes).abs() <= 1.0),
            };
            assert!(is_right, "{stage}: {}", series.value);
        }
        assert_eq!(forecasts.len(), 4, "{forecasts:?}");
    }
}

#[tokio::test]
async fn the_board_in_grafana_is_the_board_as_json() {
    let (_database, exporter) = standing_still().await;
    let shown = Shown {
        prometheus: scraping(exporter.metrics),
        lanes: dashboards()["machine-lanes.json"].clone(),
        overview: exporter.overview().json(),
    };
    shown.check_lanes();
    shown.check_trend();
    shown.check_pool();
    shown.check_times();
}

/// What is not known is no board of zeros.
#[test]
fn a_lost_database_is_told_from_an_empty_queue() {
    let lost = Exporter::serve("sqlite:///nowhere/pipeline.db", &Options::default());
    let prometheus = scraping(lost.metrics);
    let lanes = &dashboards()["machine-lanes.json"];
    for panel in panels(lanes) {
        let title = text(&panel["title"]);
        for target in list(&panel["targets"]) {
            let found = run(&prometheus, target, ".+");
            let values: Vec<f64> = found.iter().map(|series| series.value).collect();
            match title {
                "Database" => assert_eq!(values, [0.0]),
                "Collectors" => assert_eq!(values, [5.0]),
                _ => assert!(values.is_empty(), "{title}: {values:?}"),
            }
        }
    }
    drop(lost);
    prometheus.wait_for("absent(queueboard_up)", 1.0);
    let values = run(&prometheus, target(lanes, "Database", "A"), ".+");
    assert_eq!(values[0].value, -1.0, "it is not scraped");
}
