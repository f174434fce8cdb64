use std::time::{Duration, Instant};

use crate::support::{Demo, Reader, Series, get, repository_file};

#[test]
fn the_demo_shows_a_living_board_and_leaves_nothing() {
    let mut demo = Demo::start();
    let mut reader = Reader::start();
    let first = demo.scrape(&mut reader);
    assert_eq!(first["queueboard_up"], 1.0);
    let missing: Vec<String> = documented_metrics()
        .into_iter()
        .filter(|name| !has(&first, name))
        .collect();
    assert!(missing.is_empty(), "not on the demo's page: {missing:?}");
    assert!(moves(&demo, &mut reader, &first), "no count moves");

    let token = format!("Authorization: Bearer {}", demo.token);
    let overview = get(demo.people, "/api/queue/overview", &[&token]).json();
    assert_eq!(overview["machines"].as_array().map(Vec::len), Some(3));
    assert!(
        overview["totals"]["failed"]
            .as_i64()
            .is_some_and(|failed| failed > 0)
    );
    assert_eq!(get(demo.people, "/api/queue/overview", &[]).status, 401);

    let made = || {
        std::fs::read_dir(demo.folder.path())
            .expect("the folder")
            .count()
    };
    assert!(made() > 0, "the demo keeps its database elsewhere");
    assert_eq!(demo.interrupt(), Some(0));
    assert_eq!(
        std::fs::read_dir(demo.folder.path())
            .expect("the folder")
            .count(),
        0
    );
}

#[test]
fn the_demo_follows_the_flags_of_collectors() {
    let demo = Demo::start_with(&["--no-collector.current", "--collector.trend=false"]);
    let page = demo.scrape(&mut Reader::start());
    let collectors: Vec<&str> = page
        .keys()
        .filter_map(|key| key.strip_prefix("queueboard_collector_success{collector="))
        .collect();
    let expected = ["background_jobs", "causes", "outlook", "stages"];
    assert_eq!(collectors, expected.map(|name| format!("\"{name}\"}}")));
}

/// Counts move within seconds; a slow machine is given more.
fn moves(demo: &Demo, reader: &mut Reader, first: &Series) -> bool {
    let counts = |page: &Series| -> Vec<(String, f64)> {
        let ours = page
            .iter()
            .filter(|(key, _)| key.starts_with("queueboard_stage_completed"));
        ours.map(|(key, value)| (key.clone(), *value)).collect()
    };
    let until = Instant::now() + Duration::from_secs(30);
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(500));
        if counts(&demo.scrape(reader)) != counts(first) {
            return true;
        }
    }
    false
}

fn has(page: &Series, name: &str) -> bool {
    page.keys().any(|key| key.split('{').next() == Some(name))
}

/// The names in the README's table of metrics.
fn documented_metrics() -> Vec<String> {
    let readme = repository_file("README.md");
    let rows = readme
        .lines()
        .filter(|line| line.starts_with("| `queueboard_") || line.starts_with("| `process_"));
    let names = rows
        .filter_map(|row| row.split('`').nth(1))
        .map(str::to_owned);
    let names: Vec<String> = names.collect();
    assert!(
        names.len() > 40,
        "the README's table of metrics has {} rows",
        names.len()
    );
    names
}

#[test]
fn every_metric_of_the_demo_is_documented() {
    let demo = Demo::start();
    let documented = documented_metrics();
    for key in demo.scrape(&mut Reader::start()).keys() {
        let name = key.split('{').next().unwrap_or_default();
        assert!(
            documented.iter().any(|known| known == name),
            "{name} is not in the README"
        );
    }
}
