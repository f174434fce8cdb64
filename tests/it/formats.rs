use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chrono::DateTime;
use chrono_tz::Tz;

use crate::support::{Database, Engine, Exporter, Options, Reader, get, pipe};
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
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("prometheus.yml");
    let target = exporter.metrics;
    let configuration = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
         scrape_configs: [{{job_name: queueboard, static_configs: [{{targets: ['{target}']}}]}}]\n"
    );
    std::fs::write(&file, configuration).expect("the configuration is written");
    let address = free_address();
    let mut prometheus = Command::new("prometheus")
        .arg(format!("--config.file={}", file.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.path().join("data").display()
        ))
        .arg(format!("--web.listen-address={address}"))
        .stderr(Stdio::null())
        .spawn()
        .expect("Debian's prometheus; use tests/run");
    let up = wait_for(address, "up", "1");
    let samples = query(address, "scrape_samples_scraped");
    let failed = "sum(queueboard_stage_items{status=\"failed\"})";
    let failed = query(
        address,
        &form_urlencoded::byte_serialize(failed.as_bytes()).collect::<String>(),
    );
    prometheus.kill().expect("it is stopped");
    prometheus.wait().expect("it ends");
    assert!(up, "Prometheus does not call it up");
    let expected: f64 = exporter
        .scrape()
        .iter()
        .filter(|(key, _)| key.starts_with("queueboard_stage_items") && key.contains("\"failed\""))
        .map(|(_, value)| value)
        .sum();
    assert_eq!(failed.as_deref(), Some(expected.to_string().as_str()));
    assert!(samples.is_some_and(|samples| samples.parse::<f64>().is_ok_and(|n| n > 300.0)));
}

fn wait_for(prometheus: SocketAddr, expression: &str, expected: &str) -> bool {
    let until = Instant::now() + Duration::from_secs(30);
    while Instant::now() < until {
        if std::net::TcpStream::connect(prometheus).is_ok()
            && query(prometheus, expression).as_deref() == Some(expected)
        {
            return true;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    false
}

fn query(prometheus: SocketAddr, expression: &str) -> Option<String> {
    let answer = get(
        prometheus,
        &format!("/api/v1/query?query={expression}"),
        &[],
    );
    if answer.status != 200 {
        return None;
    }
    let value = answer.json()["data"]["result"][0]["value"][1].clone();
    value.as_str().map(str::to_owned)
}

/// Prometheus cannot say which port it took, so it is given one that was free a moment ago.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address")
}

#[test]
fn keys_are_canonical() {
    assert_eq!(
        model::series("a", &[("y", "2"), ("x", "1")]),
        r#"a{x="1",y="2"}"#
    );
}
