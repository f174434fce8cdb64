use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{
    Alertmanager, Database, Engine, Exporter, Options, Pager, Prometheus, Verdict, pipe, proxy,
    repository_file,
};

/// A job whose heartbeat stopped, and a backlog that nobody works on: it came hours ago.
const TROUBLE: &str = "
INSERT INTO background_jobs (id, kind, label, state, processed, total, started_at, updated_at)
VALUES (1, 'hier_backfill', 'backfill', 'running', 10, 100,
        now() - interval '1 hour', now() - interval '10 minutes');
INSERT INTO processing_queue (id, document_id, stage, status, created_at)
SELECT n, n, 'summarize', 'pending', now() - interval '2 hours' FROM generate_series(1, 5) AS n";

const RECOVERY: &str = "
UPDATE background_jobs SET state = 'completed', finished_at = now(), updated_at = now();
UPDATE processing_queue SET status = 'completed', completed_at = now()";

#[tokio::test]
async fn exactly_the_right_pages_arrive_once_and_are_resolved() {
    let mut database = empty().await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    let pager = Pager::listen();
    let alertmanager = Alertmanager::start(&routing(&pager));
    let rules = hurried(|_| ("3s", "[5s]"));
    let target = format!("targets: ['{}']", exporter.metrics);
    let prometheus = prometheus(&[target], &rules, &alertmanager);
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

/// A backlog that nobody works on, and at another stage a status that nobody knows.
const BACKLOGS: &str = "
INSERT INTO processing_queue (id, document_id, stage, status, created_at, completed_at)
SELECT n, n, 'summarize', 'pending', now() - interval '2 hours', NULL FROM generate_series(1, 5) AS n
UNION ALL VALUES (6, 6, 'extract', 'cancelled', now() - interval '2 hours', NULL),
                 (7, 7, 'extract', 'completed', now() - interval '2 hours', now() - interval '1 minute')";

/// Whatever else is found out while the database is away is told when it is back.
#[tokio::test]
async fn a_dead_database_pages_once_and_nothing_else_is_told_meanwhile() {
    const DEAD: &str = "QueueboardDatabaseUnreachable";
    let found_out = ["QueueboardEtaMissing", "QueueboardUnknownStatus"];
    let mut database = empty().await;
    let away = Arc::new(AtomicBool::new(false));
    let cable = Arc::clone(&away);
    let address = proxy(database.server(), move |_| {
        match cable.load(Ordering::SeqCst) {
            true => Verdict::CutBefore,
            false => Verdict::Pass,
        }
    });
    let exporter = Exporter::serve(&database.url_through(address), &Options::default());
    let pager = Pager::listen();
    let alertmanager = Alertmanager::start(&routing(&pager));
    let rules = hurried(|alert| match alert {
        DEAD => ("1s", "[5s]"),
        // Time for the database to be found dead before, and no end before the test's.
        _ => ("20s", "[5m]"),
    });
    let target = format!("targets: ['{}']", exporter.metrics);
    let prometheus = prometheus(&[target], &rules, &alertmanager);
    prometheus.wait_for("queueboard_up", 1.0);
    database.run(BACKLOGS).await;
    let in_state = |alert: &str, state: &str| {
        let series = format!("count(ALERTS{{alertname='{alert}',alertstate='{state}'}})");
        prometheus.wait_for(&series, 1.0);
    };
    found_out
        .iter()
        .for_each(|alert| in_state(alert, "pending"));
    away.store(true, Ordering::SeqCst);
    wait_for(&pager, |told| told.contains_key(&firing(DEAD)));
    found_out.iter().for_each(|alert| in_state(alert, "firing"));
    // Alertmanager knows, and had they been told it would have been by now.
    std::thread::sleep(Duration::from_secs(5));
    let url = format!("--alertmanager.url=http://{}", alertmanager.address());
    let inhibited = pipe("amtool", &["alert", "query", "--inhibited", &url], "");
    for alert in found_out {
        assert!(inhibited.contains(alert), "{alert}: {inhibited}");
    }
    assert_eq!(told(&pager), BTreeMap::from([(firing(DEAD), 1)]));

    away.store(false, Ordering::SeqCst);
    wait_for(&pager, |told| {
        let due = found_out.map(firing).into_iter().chain([resolved(DEAD)]);
        due.into_iter().all(|due| told.contains_key(&due))
    });
    assert_eq!(told(&pager)[&firing(DEAD)], 1);
}

/// Two clusters have an exporter each of the same job and instance, and one of them a second of the
/// same database.
#[tokio::test]
async fn boards_are_told_apart_by_whatever_labels_their_targets_have() {
    const DEAD: &str = "QueueboardDatabaseUnreachable";
    let mut database = empty().await;
    database.run(TROUBLE).await;
    let [first, second] = [0, 1].map(|_| Exporter::serve(database.url(), &Options::default()));
    let lost = Exporter::serve("sqlite:///nowhere/pipeline.db", &Options::default());
    let pager = Pager::listen();
    let alertmanager = Alertmanager::start(&routing(&pager));
    let rules = hurried(|alert| match alert {
        DEAD => ("1s", "[5s]"),
        // Time for the other database to be found dead before.
        _ => ("10s", "[5s]"),
    });
    let boards = [
        (&lost, "board:9886", "a"),
        (&first, "board:9886", "b"),
        (&second, "staging:9886", "b"),
    ];
    let targets = boards.map(|(exporter, instance, cluster)| {
        let labels = format!("instance: '{instance}', cluster: {cluster}");
        format!("targets: ['{}'], labels: {{{labels}}}", exporter.metrics)
    });
    let _prometheus = prometheus(&targets, &rules, &alertmanager);
    let of_both = ["QueueboardEtaMissing", "QueueboardJobStale"];
    wait_for(&pager, |told| {
        told.contains_key(&firing(DEAD))
            && of_both
                .iter()
                .all(|alert| told.get(&firing(alert)) >= Some(&2))
    });
    let mut found = BTreeSet::new();
    for post in pager.posts() {
        for alert in post["alerts"].as_array().expect("alerts") {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let description = text(&alert["annotations"]["description"]);
            let place = description.split_once(": ").expect("a place").0.to_owned();
            found.insert((text(&alert["labels"]["alertname"]), place));
            let cluster = &alert["labels"]["cluster"];
            assert_eq!(
                &post["groupLabels"]["cluster"], cluster,
                "one ticket for two"
            );
        }
    }
    let there = |place: &str| of_both.map(|alert| (alert.to_owned(), place.to_owned()));
    let mut expected = BTreeSet::from([(DEAD.to_owned(), "queueboard, board:9886, a".to_owned())]);
    expected.extend(there("queueboard, board:9886, b"));
    expected.extend(there("queueboard, staging:9886, b"));
    assert_eq!(found, expected);
}

/// A database that has every table and not a row.
pub(crate) async fn empty() -> Database {
    let mut database = Database::create(Engine::Postgres).await;
    let board = crate::random::board(6, 0, chrono::DateTime::UNIX_EPOCH, chrono_tz::Tz::UTC);
    assert!(board.jobs.is_some(), "the table of jobs is there");
    database.load(&board).await;
    database
        .run(
            "DELETE FROM documents; DELETE FROM processing_queue; DELETE FROM background_jobs;
             UPDATE clock.instant SET at = NULL",
        )
        .await;
    database
}

fn firing(alert: &str) -> (String, String) {
    (alert.to_owned(), "firing".to_owned())
}

fn resolved(alert: &str) -> (String, String) {
    (alert.to_owned(), "resolved".to_owned())
}

/// How often each alert was told to whom is paged, by its state.
fn pages(pager: &Pager) -> Told {
    count(pager, |alert| alert["labels"]["severity"] == "critical")
}

/// How often each alert was told to anybody, by its state.
fn told(pager: &Pager) -> Told {
    count(pager, |_| true)
}

/// Alerts and their states, and how often they were told.
type Told = BTreeMap<(String, String), usize>;

fn count(pager: &Pager, counts: impl Fn(&Value) -> bool) -> Told {
    let mut told = Told::new();
    for post in pager.posts() {
        let alerts = post["alerts"].as_array().cloned().unwrap_or_default();
        for alert in alerts.iter().filter(|alert| counts(alert)) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let key = (text(&alert["labels"]["alertname"]), text(&alert["status"]));
            *told.entry(key).or_default() += 1;
        }
    }
    told
}

fn wait_for(pager: &Pager, arrived: impl Fn(&Told) -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !arrived(&told(pager)) {
        assert!(
            Instant::now() < until,
            "these arrived: {:#?}",
            pager.posts()
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A Prometheus with rules, which scrapes these targets and evaluates every second.
fn prometheus(targets: &[String], rules: &str, alertmanager: &Alertmanager) -> Prometheus {
    let configuration = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
         rule_files: [rules.yml]\n\
         alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{}']}}]}}]}}\n\
         scrape_configs: [{{job_name: queueboard, static_configs: [{{{}}}]}}]\n",
        alertmanager.address(),
        targets.join("}, {")
    );
    Prometheus::start(&configuration, &[("rules.yml", rules)])
}

/// The shipped rules in a hurry: how long each alert waits, and how far back it looks.
fn hurried(pace: impl Fn(&str) -> (&'static str, &'static str)) -> String {
    let shipped = repository_file("alerts/rules.yml");
    let mut file: Value = serde_saphyr::from_str(&shipped).expect("YAML");
    let groups = file["groups"].as_array_mut().expect("groups").iter_mut();
    for rule in groups.flat_map(|group| group["rules"].as_array_mut().expect("rules")) {
        let (wait, window) = pace(rule["alert"].as_str().expect("an alert"));
        rule["for"] = wait.into();
        if rule["keep_firing_for"].is_string() {
            rule["keep_firing_for"] = "1s".into();
        }
        let expression = rule["expr"].as_str().expect("an expression");
        let windows = ["[15m]", "[30m]", "[1h]", "[4h]", "[6h]", "[1d]", "[7d]"];
        let hurried = windows
            .iter()
            .fold(expression.to_owned(), |all, long| all.replace(long, window));
        rule["expr"] = hurried.into();
    }
    // Prometheus reads YAML, and JSON is YAML.
    file.to_string()
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
