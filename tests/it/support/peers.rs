//! Real peers: Prometheus, Alertmanager, and somebody to page.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::http::get;

/// A program that serves on a port, from a folder of its own; it is stopped when dropped.
struct Peer {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Peer {
    /// Starts a program; `arguments` are made of its folder and of its address.
    fn start(
        program: &str,
        arguments: impl FnOnce(&std::path::Path, SocketAddr) -> Vec<String>,
    ) -> Self {
        let folder = TempDir::new().expect("a folder");
        let address = free_address();
        let child = Command::new(program)
            .args(arguments(folder.path(), address))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}; use tests/run"));
        let mut peer = Self {
            child,
            address,
            _folder: folder,
        };
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(address).is_err() || get(address, "/-/ready", &[]).status != 200 {
            let ended = peer.child.try_wait().expect("a state");
            assert!(
                ended.is_none() && Instant::now() < until,
                "{program} does not serve: {ended:?}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        peer
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Prometheus.
pub(crate) struct Prometheus(Peer);

impl Prometheus {
    /// Starts it with a configuration, and with further files beside that.
    pub(crate) fn start(configuration: &str, files: &[(&str, &str)]) -> Self {
        Self(Peer::start("prometheus", |folder, address| {
            let file = folder.join("prometheus.yml");
            std::fs::write(&file, configuration).expect("the configuration is written");
            for (name, text) in files {
                std::fs::write(folder.join(name), text).expect("a file is written");
            }
            vec![
                format!("--config.file={}", file.display()),
                format!("--storage.tsdb.path={}", folder.join("data").display()),
                format!("--web.listen-address={address}"),
            ]
        }))
    }

    /// Starts one that scrapes nothing and remembers these samples, in the format `OpenMetrics`.
    pub(crate) fn remembering(samples: &str) -> Self {
        Self(Peer::start("prometheus", |folder, address| {
            let [file, configuration, data] =
                ["samples", "prometheus.yml", "data"].map(|name| folder.join(name));
            std::fs::write(&file, samples).expect("the samples are written");
            std::fs::write(&configuration, "").expect("the configuration is written");
            let create = ["tsdb", "create-blocks-from", "openmetrics"];
            let made = Command::new("promtool")
                .args(create)
                .args([&file, &data])
                .output()
                .expect("promtool; use tests/run");
            assert!(made.status.success(), "{made:?}");
            vec![
                format!("--config.file={}", configuration.display()),
                format!("--storage.tsdb.path={}", data.display()),
                "--storage.tsdb.retention.time=100y".to_owned(),
                format!("--web.listen-address={address}"),
            ]
        }))
    }

    /// Returns where it serves.
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Returns the one value that an expression has now.
    pub(crate) fn value(&self, expression: &str) -> Option<f64> {
        let query: String = form_urlencoded::byte_serialize(expression.as_bytes()).collect();
        let answer = get(self.0.address, &format!("/api/v1/query?query={query}"), &[]);
        let value = answer.json()["data"]["result"][0]["value"][1].clone();
        value.as_str().and_then(|text| text.parse().ok())
    }

    /// Waits until an expression has a value.
    pub(crate) fn wait_for(&self, expression: &str, expected: f64) {
        let until = Instant::now() + Duration::from_secs(30);
        while self.value(expression) != Some(expected) {
            let value = self.value(expression);
            assert!(
                Instant::now() < until,
                "{expression} is {value:?}, not {expected}"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// An Alertmanager.
pub(crate) struct Alertmanager(Peer);

impl Alertmanager {
    /// Starts it with a configuration.
    pub(crate) fn start(configuration: &str) -> Self {
        Self(Peer::start("prometheus-alertmanager", |folder, address| {
            let file = folder.join("alertmanager.yml");
            std::fs::write(&file, configuration).expect("the configuration is written");
            vec![
                format!("--config.file={}", file.display()),
                format!("--storage.path={}", folder.join("data").display()),
                format!("--web.listen-address={address}"),
                // Alone, without a port for others of its kind.
                "--cluster.listen-address=".to_owned(),
            ]
        }))
    }

    /// Returns where it serves.
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address
    }
}

/// Somebody who is paged: everything that is posted to them is kept.
pub(crate) struct Pager {
    pub address: SocketAddr,
    posts: Arc<Mutex<Vec<Value>>>,
}

impl Pager {
    pub(crate) fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let posts = Arc::<Mutex<Vec<Value>>>::default();
        let kept = Arc::clone(&posts);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || keep_posts(stream, &kept));
            }
        });
        Self { address, posts }
    }

    /// Returns every notification so far.
    pub(crate) fn posts(&self) -> Vec<Value> {
        self.posts.lock().expect("the posts").clone()
    }
}

fn keep_posts(stream: TcpStream, kept: &Mutex<Vec<Value>>) {
    let mut answer = stream.try_clone().expect("a socket");
    let mut lines = BufReader::new(stream);
    loop {
        let mut length = 0;
        let mut line = String::new();
        while lines.read_line(&mut line).is_ok_and(|read| read > 2) {
            let lower = line.to_ascii_lowercase();
            let value = lower.strip_prefix("content-length:").map(str::trim);
            length = value.and_then(|value| value.parse().ok()).unwrap_or(length);
            line.clear();
        }
        if length == 0 {
            return;
        }
        let mut body = vec![0; length];
        lines.read_exact(&mut body).expect("a body");
        let post = serde_json::from_slice(&body).expect("a notification of JSON");
        kept.lock().expect("the posts").push(post);
        let ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        answer.write_all(ok.as_bytes()).expect("it is answered");
    }
}

/// Peers cannot say which port they took, so they are given one that was free a moment ago.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address")
}
