//! The exporter's binary, run as its users run it.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::http::{Answer, get, post};
use super::pages::{Reader, Series};

/// Lets a process believe a clock that stands in a file; from Debian's package libfaketime.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// What a busy machine may add to the time of an answer.
const GRACE: Duration = Duration::from_millis(1500);

/// The admin token of every exporter in the tests.
pub(crate) const TOKEN: &str = "a-token-for-tests";

/// How an exporter is started.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub arguments: Vec<String>,
    pub configuration: Option<String>,
    pub clock: Option<PathBuf>,
}

/// A running exporter; it is stopped when dropped.
pub(crate) struct Exporter {
    child: Child,
    pub metrics: SocketAddr,
    pub admin: SocketAddr,
    log: Arc<Mutex<String>>,
    configuration: tempfile::NamedTempFile,
}

impl Exporter {
    /// Serves a database on ports of its own.
    pub(crate) fn serve(database_url: &str, options: &Options) -> Self {
        let mut command = binary();
        command
            .args(["--database-url", database_url])
            .args(&options.arguments);
        for flag in ["--web.listen-address", "--admin.listen-address"] {
            if !options.arguments.iter().any(|own| own.starts_with(flag)) {
                command.arg(format!("{flag}=127.0.0.1:0"));
            }
        }
        command.env("QUEUEBOARD_ADMIN_TOKEN", TOKEN);
        let configuration = tempfile::NamedTempFile::new().expect("a temporary file");
        let text = options.configuration.as_deref().unwrap_or_default();
        std::fs::write(configuration.path(), text).expect("the configuration is written");
        command.arg("--config.file").arg(configuration.path());
        command.envs(believing(options.clock.as_deref()));
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .expect("the exporter starts");
        let mut lines = BufReader::new(child.stderr.take().expect("its log"));
        let (metrics, admin) = addresses(&mut lines);
        let log = Arc::<Mutex<String>>::default();
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
                kept.lock()
                    .expect("the log")
                    .push_str(&std::mem::take(&mut line));
            }
        });
        Self {
            child,
            metrics,
            admin,
            log,
            configuration,
        }
    }

    /// Scrapes, and reads the page.
    pub(crate) fn scrape(&self) -> Series {
        Reader::start().classic(self.page().text())
    }

    /// Scrapes.
    pub(crate) fn page(&self) -> Answer {
        let answer = get(self.metrics, "/metrics", &[]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    }

    /// Scrapes as a Prometheus that waits so long.
    pub(crate) fn page_within(&self, timeout: Duration) -> Answer {
        let seconds = timeout.as_secs_f64();
        let header = format!("X-Prometheus-Scrape-Timeout-Seconds: {seconds}");
        let begun = Instant::now();
        let answer = get(self.metrics, "/metrics", &[&header]);
        let (took, up) = (begun.elapsed(), answer.text().contains("queueboard_up 1"));
        assert!(took < timeout + GRACE, "{took:?} of {timeout:?}, up: {up}");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    }

    /// Scrapes, and checks that nothing is missing.
    pub(crate) fn assert_whole(&self) {
        let page = self.page();
        let text = page.text();
        assert!(text.contains("queueboard_up 1"), "{text}\n{}", self.log());
        let successes = text
            .lines()
            .filter(|line| line.starts_with("queueboard_collector_success{"));
        for line in successes {
            assert!(line.ends_with(" 1"), "{line}\n{}", self.log());
        }
    }

    /// Asks for the overview.
    pub(crate) fn overview(&self) -> Answer {
        self.ask("/api/queue/overview")
    }

    /// Asks for the overview as the former board had it, which knew no problems.
    pub(crate) fn former_overview(&self) -> serde_json::Value {
        let mut overview = self.overview().json();
        let problems = overview
            .as_object_mut()
            .and_then(|all| all.remove("problems"));
        assert!(problems.is_some(), "no problems: {overview}");
        overview
    }

    /// Asks the admin listener, with the token.
    pub(crate) fn ask(&self, path: &str) -> Answer {
        get(self.admin, path, &[&bearer()])
    }

    /// Sends JSON to the admin listener, with the token.
    pub(crate) fn act(&self, path: &str, body: &str) -> Answer {
        post(self.admin, path, &[&bearer()], body)
    }

    /// Returns how many files and sockets it has open.
    pub(crate) fn descriptors(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.child.id());
        std::fs::read_dir(folder).expect("its descriptors").count()
    }

    /// Returns how much memory it has had at the most, in KiB, beside the pages of the program
    /// itself: those of a build for tests are many more than people have.
    pub(crate) fn peak_memory(&self) -> usize {
        let file = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(file).expect("its status");
        let size = |name: &str| -> usize {
            let size = status.lines().find_map(|line| line.strip_prefix(name));
            let size = size.and_then(|size| size.trim().strip_suffix(" kB"));
            size.and_then(|size| size.parse().ok()).expect("a size")
        };
        size("VmHWM:") - size("RssFile:")
    }

    /// Writes another configuration file for it, and returns the path.
    pub(crate) fn configure(&self, text: &str) -> String {
        std::fs::write(self.configuration.path(), text).expect("the configuration is written");
        self.configuration.path().display().to_string()
    }

    /// Sends it a signal, such as `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &process]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -s {name}");
    }

    /// Tells it to stop, and returns its exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().expect("it ends").code()
    }

    /// Returns what it has logged since it began to serve.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("the log").clone()
    }

    /// Returns what it has logged once the words are among it; they come a moment after the
    /// answer that they are about.
    pub(crate) fn log_with(&self, words: &str) -> String {
        let until = Instant::now() + Duration::from_secs(10);
        while !self.log().contains(words) {
            assert!(
                Instant::now() < until,
                "{words} is not logged:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        self.log()
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn addresses(log: &mut impl BufRead) -> (SocketAddr, SocketAddr) {
    let mut found = Vec::new();
    let mut all = String::new();
    while found.len() < 2 {
        let mut line = String::new();
        log.read_line(&mut line).expect("a log line");
        assert!(!line.is_empty(), "the exporter ended:\n{all}");
        let address = line
            .split_once("address=")
            .or(line.split_once("\"address\":\""));
        let address = address.map(|(_, rest)| rest.split(['"', ' ', '\n']).next().unwrap_or(rest));
        found.extend(address.map(|address| address.parse::<SocketAddr>().expect("an address")));
        all += &line;
    }
    (found[0], found[1])
}

/// The environment in which a program believes the clock that stands in a file.
pub(crate) fn believing(clock: Option<&Path>) -> Vec<(&'static str, &str)> {
    let file = clock.map(|clock| clock.to_str().expect("a path of text"));
    let variables = file.map(|file| {
        [
            ("LD_PRELOAD", FAKETIME),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("TZ", "UTC"),
        ]
    });
    variables.into_iter().flatten().collect()
}

/// The header line that opens the admin listener.
pub(crate) fn bearer() -> String {
    format!("Authorization: Bearer {TOKEN}")
}

/// Runs the binary to its end.
pub(crate) fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = binary();
    command.args(arguments).envs(environment.iter().copied());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut output = Output {
        status: child.wait().expect("it ends"),
        stdout: vec![],
        stderr: vec![],
    };
    let (mut out, mut err) = (
        child.stdout.take().expect("out"),
        child.stderr.take().expect("err"),
    );
    out.read_to_end(&mut output.stdout).expect("its output");
    err.read_to_end(&mut output.stderr).expect("its log");
    output
}

/// The binary, without anything that the environment of the tests would tell it.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_queueboard-exporter"));
    command.env_clear();
    command
}
