use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::{Reader, Series, get, repository_file};

/// A demo on ports of its own, with a folder of its own for what it makes.
struct Demo {
    child: Child,
    metrics: SocketAddr,
    overview: SocketAddr,
    token: String,
    folder: TempDir,
}

impl Demo {
    fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_queueboard-exporter"))
            .args([
                "demo",
                "--web.listen-address=127.0.0.1:0",
                "--admin.listen-address=127.0.0.1:0",
            ])
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the demo starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let (mut metrics, mut overview, mut token) = (None, None, None);
        for line in lines.map_while(Result::ok) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let address = |url: &str| {
                url.split('/')
                    .nth(2)
                    .and_then(|address| address.parse().ok())
            };
            match words[..] {
                ["Metrics", url] => metrics = address(url),
                ["Overview", url] => overview = address(url),
                ["Token", secret] => {
                    token = Some(secret.to_owned());
                    break;
                }
                _ => {}
            }
        }
        let metrics = metrics.expect("the address of the metrics");
        let overview = overview.expect("the address of the overview");
        Self {
            child,
            metrics,
            overview,
            token: token.expect("a token"),
            folder,
        }
    }

    fn scrape(&self, reader: &mut Reader) -> Series {
        reader.classic(get(self.metrics, "/metrics", &[]).text())
    }

    fn interrupt(&mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &pid])
                .status()
                .expect("a signal")
                .success()
        );
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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
    let overview = get(demo.overview, "/api/queue/overview", &[&token]).json();
    assert_eq!(overview["machines"].as_array().map(Vec::len), Some(3));
    assert!(
        overview["totals"]["failed"]
            .as_i64()
            .is_some_and(|failed| failed > 0)
    );
    assert_eq!(get(demo.overview, "/api/queue/overview", &[]).status, 401);

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
