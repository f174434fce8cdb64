use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::support::{
    Alertmanager, Database, Engine, Exporter, Options, Pager, Prometheus, repository_file,
};

/// A job whose heartbeat stopped, and a backlog that grows: five rows came and none was done.
const TROUBLE: &str = "
INSERT INTO background_jobs (id, kind, label, state, processed, total, started_at, updated_at)
VALUES (1, 'hier_backfill', 'backfill', 'running', 10, 100,
        now() - interval '1 hour', now() - interval '10 minutes');
INSERT INTO processing_queue (id, document_id, stage, status, created_at)
SELECT n, n, 'summarize', 'pending', now() - interval '10 minutes' FROM generate_series(1, 5) AS n";

const RECOVERY: &str = "
UPDATE background_jobs SET state = 'completed', finished_at = now(), updated_at = now();
UPDATE processing_queue SET status = 'completed', completed_at = now()";

#[tokio::test]
async fn exactly_the_right_pages_arrive_once_and_are_resolved() {
    let mut database = Database::create(Engine::Postgres).await;
    let empty = crate::random::board(6, 0, chrono::DateTime::UNIX_EPOCH, chrono_tz::Tz::UTC);
    assert!(empty.jobs.is_some(), "the table of jobs is there");
    database.load(&empty).await;
    database
        .run(
            "DELETE FROM documents; DELETE FROM processing_queue; DELETE FROM background_jobs;
             UPDATE clock.instant SET at = NULL",
        )
        .await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    let pager = Pager::listen();
    let alertmanager = Alertmanager::start(&routing(&pager));
    let prometheus = prometheus(&exporter, &alertmanager);
    prometheus.wait_for("queueboard_up", 1.0);
    assert_eq!(pages(&pager), BTreeMap::new(), "nothing is wrong yet");

    let both = ["QueueboardEtaMissing", "QueueboardJobStale"];
    database.run(TROUBLE).await;
    wait_for(&pager, |pages| {
        both.iter().all(|alert| pages.contains_key(&firing(alert)))
    });
    // Had they been told to be sent again, they would be by now.
    std::thread::sleep(Duration::from_secs(5));
    let expected: BTreeMap<_, _> = both.iter().map(|alert| (firing(alert), 1)).collect();
    assert_eq!(pages(&pager), expected);

    database.run(RECOVERY).await;
    let resolved = |alert: &&str| (alert.to_string(), "resolved".to_owned());
    wait_for(&pager, |pages| {
        both.iter()
            .all(|alert| pages.contains_key(&resolved(alert)))
    });
    let expected: BTreeMap<_, _> = expected
        .into_iter()
        .chain(both.iter().map(|alert| (resolved(alert), 1)))
        .collect();
    assert_eq!(pages(&pager), expected);
}

fn firing(alert: &str) -> (String, String) {
    (alert.to_owned(), "firing".to_owned())
}

/// How often each alert was told to whom is paged, by its state.
fn pages(pager: &Pager) -> BTreeMap<(String, String), usize> {
    let mut pages = BTreeMap::new();
    for post in pager.posts() {
        let alerts = post["alerts"].as_array().cloned().unwrap_or_default();
        for alert in alerts
            .iter()
            .filter(|alert| alert["labels"]["severity"] == "critical")
        {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            let key = (text(&alert["labels"]["alertname"]), text(&alert["status"]));
            *pages.entry(key).or_default() += 1;
        }
    }
    pages
}

fn wait_for(pager: &Pager, arrived: impl Fn(&BTreeMap<(String, String), usize>) -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !arrived(&pages(pager)) {
        assert!(
            Instant::now() < until,
            "these pages arrived: {:#?}",
            pager.posts()
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The shipped rules, in which an hour is a few seconds.
fn prometheus(exporter: &Exporter, alertmanager: &Alertmanager) -> Prometheus {
    let configuration = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
         rule_files: [rules.yml]\n\
         alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{}']}}]}}]}}\n\
         scrape_configs: [{{job_name: queueboard, static_configs: [{{targets: ['{}']}}]}}]\n",
        alertmanager.address(),
        exporter.metrics
    );
    let rules = repository_file("alerts/rules.yml");
    let rules: Vec<String> = rules.lines().map(hurried).collect();
    Prometheus::start(&configuration, &[("rules.yml", &rules.join("\n"))])
}

/// A line of the rules with its waiting times shortened.
fn hurried(line: &str) -> String {
    let indent = &line[..line.len() - line.trim_start().len()];
    if line.trim_start().starts_with("for:") {
        return format!("{indent}for: 3s");
    }
    if line.trim_start().starts_with("keep_firing_for:") {
        return format!("{indent}keep_firing_for: 1s");
    }
    let windows = ["[5m]", "[15m]", "[1h]", "[1d]"];
    windows
        .iter()
        .fold(line.to_owned(), |line, window| line.replace(window, "[5s]"))
}

/// The shipped routing, in which everybody is the same pager and nobody waits long.
fn routing(pager: &Pager) -> String {
    let shipped = repository_file("alerts/alertmanager.example.yml");
    let line = |line: &str| {
        let Some((key, _)) = line.split_once(": ") else {
            return line.to_owned();
        };
        match key.trim_start_matches([' ', '-']) {
            "group_wait" | "group_interval" => format!("{key}: 1s"),
            "url" => format!("{key}: http://{}/", pager.address),
            _ => line.to_owned(),
        }
    };
    shipped.lines().map(line).collect::<Vec<_>>().join("\n")
}
