use std::collections::BTreeSet;

use queueboard_exporter::judge::problems::{
    LONG_DRAIN_SECONDS, LONG_WAIT_SECONDS, SLOW_SCRAPE_SECONDS, STUCK_ASLEEP_SECONDS, STUCK_SECONDS,
};
use serde_json::Value;

use crate::alerts::{expressions, limit};
use crate::support::{Exporter, Options, Prometheus, pipe, repository_file};

#[test]
fn problems_begin_where_the_alerts_do() {
    for (alert, number) in [
        ("QueueboardScrapeSlow", SLOW_SCRAPE_SECONDS),
        ("QueueboardEtaTooLong", LONG_DRAIN_SECONDS),
        ("QueueboardOldestPendingTooOld", LONG_WAIT_SECONDS),
        ("QueueboardItemStuck", STUCK_SECONDS),
    ] {
        assert_eq!(limit(alert).1, number, "{alert}");
    }
    let stuck = expressions("QueueboardItemStuck").concat();
    assert!(
        stuck.contains(&format!("> {STUCK_ASLEEP_SECONDS}")),
        "{stuck}"
    );
}

/// These compare with the past, or are of the exporter and not of a board.
const NOT_OF_A_BOARD: [&str; 10] = [
    "QueueboardDown",
    "QueueboardAbsent",
    "QueueboardNumbersStale",
    "QueueboardConfigReloadFailed",
    "QueueboardWrongCredentials",
    "QueueboardFailedItemsRising",
    "QueueboardMostItemsFail",
    "QueueboardFailedItemsStanding",
    "QueueboardMachineDeferredTooLong",
    // Of a database that is away no overview tells.
    "QueueboardDatabaseUnreachable",
];

/// Something of everything, beside something like it that is no problem.
const TROUBLES: &str = "
INSERT INTO processing_queue (id, document_id, stage, status, created_at, started_at, completed_at)
-- Nobody works on these, and they are old.
SELECT n, n, 'embed', 'pending', now() - interval '2 days', NULL::timestamptz, NULL::timestamptz
FROM generate_series(1, 30) AS n
UNION ALL
-- Many more come than are done, and they will take days.
SELECT n, n, 'summarize', 'pending', now() - (n - 1000) * interval '1.5 s', NULL, NULL
FROM generate_series(1001, 3400) AS n
UNION ALL
SELECT n, n, 'summarize', 'completed', now() - interval '3 hours', now() - (n - 4000) * interval '55 s',
       now() - (n - 4000) * interval '54 s'
FROM generate_series(4001, 4060) AS n
UNION ALL
SELECT 5001, 5001, 'extract', 'processing', now() - interval '4 hours', now() - interval '3 hours', NULL
UNION ALL
SELECT 5002, 5002, 'deep_summary', 'processing', now() - interval '4 hours', now() - interval '3 hours', NULL
UNION ALL
SELECT 5003, 5003, 'classify', 'cancelled', now() - interval '4 hours', NULL, NULL
UNION ALL
SELECT 5004, 5004, 'translate', 'pending', now() - interval '1 minute', NULL, NULL;
-- A machine that sleeps keeps what it works on, and what waits for it is old on purpose.
INSERT INTO processing_queue (id, document_id, stage, status, created_at, payload)
SELECT n, n, 'deep_summary', 'pending', now() - interval '3 days',
       jsonb_build_object('deferred_until', now() + interval '2 days')
FROM generate_series(6001, 6010) AS n;
INSERT INTO background_jobs (id, kind, label, state, processed, total, started_at, updated_at, finished_at)
VALUES (1, 'hier_backfill', 'stale', 'running', 10, 100, now() - interval '1 hour', now() - interval '10 minutes', NULL),
       (2, 'global_digest', 'failed', 'failed', 10, 100, now() - interval '1 hour', now() - interval '50 minutes', now() - interval '50 minutes'),
       (3, 'section_summary', 'again', 'failed', 10, 100, now() - interval '1 hour', now() - interval '50 minutes', now() - interval '50 minutes'),
       (4, 'section_summary', 'again', 'running', 10, 100, now() - interval '20 minutes', now(), NULL);
";

#[tokio::test]
async fn the_overview_names_what_the_alerts_would() {
    let mut database = crate::pager::empty().await;
    database.run(TROUBLES).await;
    let by = "SELECT to_char((now() + interval '10 minutes') AT TIME ZONE 'UTC', 'HH24:MI')";
    let by = database.texts(by).await.remove(0);
    let options = Options {
        configuration: Some(format!(
            "timezone: UTC\ndeadlines:\n  - stage: summarize\n    by: \"{by}\"\n"
        )),
        ..Options::default()
    };
    let exporter = Exporter::serve(database.url(), &options);
    // A board tells of one instant, so it cannot tell what was a day or hours before.
    let is_of_now = |line: &&str| !line.contains("offset 1d") && !line.contains("[12h:1h]");
    let rules = repository_file("alerts/rules.yml");
    let rules = rules
        .lines()
        .filter(is_of_now)
        .collect::<Vec<_>>()
        .join("\n");
    let configuration = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
         rule_files: [rules.yml]\n\
         scrape_configs: [{{job_name: queueboard, static_configs: [{{targets: ['{}']}}]}}]\n",
        exporter.metrics
    );
    let prometheus = Prometheus::start(&configuration, &[("rules.yml", &rules)]);
    prometheus.wait_for("count_over_time(queueboard_up[1m]) >= bool 3", 1.0);
    let overview = exporter.overview().json();
    let problems = overview["problems"].as_array().expect("problems").iter();
    let problems: BTreeSet<Named> = problems.map(|problem| named(problem, "alert")).collect();
    assert_eq!(problems, alerts(&prometheus), "{overview:#}");
    let names: BTreeSet<&str> = problems.iter().map(|(alert, ..)| alert.as_str()).collect();
    for alert in [
        "QueueboardEtaMissing",
        "QueueboardEtaTooLong",
        "QueueboardDeadlineMissed",
        "QueueboardOldestPendingTooOld",
        "QueueboardItemStuck",
        "QueueboardUnknownStatus",
        "QueueboardMachineIdle",
        "QueueboardJobStale",
        "QueueboardJobFailed",
    ] {
        assert!(names.contains(alert), "{alert} is nobody's problem");
    }
}

/// An alert, its machine and its stage.
type Named = (String, String, String);

fn named(labels: &Value, alert: &str) -> Named {
    let text = |key: &str| labels[key].as_str().unwrap_or_default().to_owned();
    (text(alert), text("machine"), text("stage"))
}

/// Returns the alerts that a Prometheus knows, those that still wait included.
fn alerts(prometheus: &Prometheus) -> BTreeSet<Named> {
    let url = format!("http://{}/api/v1/alerts", prometheus.address());
    let answer = pipe("curl", &["-sS", &url], "");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let alerts = answer["data"]["alerts"].as_array().expect("alerts").clone();
    let alerts = alerts
        .iter()
        .map(|alert| named(&alert["labels"], "alertname"));
    alerts
        .filter(|(alert, ..)| !NOT_OF_A_BOARD.contains(&alert.as_str()))
        .collect()
}

#[test]
fn every_alert_is_a_problem_or_not_of_a_board() {
    let source = repository_file("src/judge/problems.rs");
    for alert in crate::alerts::names() {
        let is_problem = source.contains(&format!("\"{alert}\""));
        let is_other = NOT_OF_A_BOARD.contains(&alert.as_str());
        assert!(is_problem || is_other, "{alert}");
    }
}
