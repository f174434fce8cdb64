use std::path::Path;
use std::process::Command;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::support::{Database, Engine, Exporter, Options, Prometheus, compare, repository_file};

/// Numbers that differ from run to run, and what stands in for them.
const STEADY: [(&str, &str); 9] = [
    ("process_cpu_seconds_total", "1.5"),
    ("process_max_fds", "1024"),
    ("process_open_fds", "12"),
    ("process_resident_memory_bytes", "20971520"),
    ("process_start_time_seconds", "1795480200"),
    ("process_virtual_memory_bytes", "1073741824"),
    ("queueboard_collector_duration_seconds", "0.03125"),
    (
        "queueboard_config_last_reload_success_timestamp_seconds",
        "1795480200",
    ),
    ("queueboard_scrape_duration_seconds", "0.0625"),
];
const BUILD: &str =
    "queueboard_build_info{version=\"1.2.3\",revision=\"abcdef0\",rustc=\"1.99.0\"}";
const TARGET: &str = "job=\"queueboard\",instance=\"pipeline:9886\"";

/// The moments that are looked at: a heading, and minutes after the first.
const MOMENTS: [(&str, i64); 4] = [
    ("The board", 30),
    ("An empty queue", 0),
    ("A lost database", 90),
    ("An exporter that is not scraped", 120),
];

#[tokio::test]
async fn the_dashboards_read_as_they_did() {
    let first = DateTime::parse_from_rfc3339("2026-11-24T05:00:00Z").expect("an instant");
    let first = first.to_utc();
    let samples = samples(first).await;
    let prometheus = Prometheus::remembering(&samples);
    let mut all = String::new();
    for (heading, minutes) in MOMENTS {
        let at = first + TimeDelta::minutes(minutes);
        all += &format!("===== {heading} =====\n{}\n", read(&prometheus, at));
    }
    compare("tests/golden/dashboards.txt", &all);
}

/// An hour and a half: nothing waits, the board half an hour later, the database is lost.
async fn samples(first: DateTime<Utc>) -> String {
    let mut database = Database::create(Engine::Sqlite).await;
    database.set_clock(first).await;
    let flags = ["--collector.current", "--collector.current.titles"].map(str::to_owned);
    let options = Options {
        arguments: flags.to_vec(),
        clock: database.clock(),
        ..Options::default()
    };
    let exporter = Exporter::serve(database.url(), &options);
    let mut samples = String::new();
    // The counter of requests begins with the second.
    exporter.page();
    samples += &at(first, exporter.page().text());

    let board = first + TimeDelta::minutes(30);
    database.set_clock(board).await;
    database
        .run(&repository_file("tests/golden/dashboards.sql"))
        .await;
    // The causes of failed rows are counted again only after nine times as long as that took.
    tokio::time::sleep(Duration::from_secs(2)).await;
    samples += &at(board, exporter.page().text());

    let lost = Exporter::serve("sqlite:///nowhere/pipeline.db", &Options::default());
    samples += &at(first + TimeDelta::minutes(90), lost.page().text());
    samples + "# EOF\n"
}

/// A page as it is remembered: steady, with a time and the labels of its target.
fn at(time: DateTime<Utc>, page: &str) -> String {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.map(|line| {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let steady = STEADY.iter().find(|(name, _)| series.starts_with(name));
        let value = steady.map_or(value, |(_, steady)| steady);
        let is_build = series.starts_with("queueboard_build_info");
        let series = if is_build { BUILD } else { series };
        let series = match series.strip_suffix('}') {
            Some(labelled) => format!("{labelled},{TARGET}}}"),
            None => format!("{series}{{{TARGET}}}"),
        };
        format!("{series} {value} {}\n", time.timestamp())
    });
    lines.collect()
}

/// Returns what somebody in Seoul reads.
fn read(prometheus: &Prometheus, at: DateTime<Utc>) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/grafana");
    let dashboards = ["machine-lanes.json", "exporter-health.json"];
    let output = Command::new("npm")
        .args(["run", "--silent", "texts", "--"])
        .arg(format!("http://{}", prometheus.address()))
        .arg(at.timestamp().to_string())
        .args(dashboards.map(|name| format!("../../dashboards/{name}")))
        .current_dir(folder)
        .envs([("TZ", "Asia/Seoul"), ("LC_ALL", "en_US.UTF-8")])
        .output()
        .expect("npm; use tests/run");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && complaints.is_empty(),
        "{complaints}"
    );
    String::from_utf8(output.stdout).expect("text")
}
