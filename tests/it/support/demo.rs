//! The demo, run as a newcomer runs it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::http::get;
use super::pages::{Reader, Series};

/// A demo on ports of its own, with a folder of its own for what it makes.
pub(crate) struct Demo {
    child: Child,
    pub metrics: SocketAddr,
    pub people: SocketAddr,
    pub token: String,
    pub folder: TempDir,
}

impl Demo {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(flags: &[&str]) -> Self {
        let folder = TempDir::new().expect("a folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_queueboard-exporter"))
            .args([
                "demo",
                "--web.listen-address=127.0.0.1:0",
                "--admin.listen-address=127.0.0.1:0",
            ])
            .args(flags)
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the demo starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let (mut metrics, mut people, mut token) = (None, None, None);
        for line in lines.map_while(Result::ok) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let address = |url: &str| {
                url.split('/')
                    .nth(2)
                    .and_then(|address| address.parse().ok())
            };
            match words[..] {
                ["Metrics", url] => metrics = address(url),
                ["Failures", url] => people = address(url),
                ["Token", secret] => {
                    token = Some(secret.to_owned());
                    break;
                }
                _ => {}
            }
        }
        let metrics = metrics.expect("the address of the metrics");
        let people = people.expect("the address for people");
        Self {
            child,
            metrics,
            people,
            token: token.expect("a token"),
            folder,
        }
    }

    pub(crate) fn scrape(&self, reader: &mut Reader) -> Series {
        reader.classic(get(self.metrics, "/metrics", &[]).text())
    }

    pub(crate) fn interrupt(&mut self) -> Option<i32> {
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
