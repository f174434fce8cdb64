//! A real browser without a window, driven over `WebDriver`.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::http::send;

/// Everything that a browser would fetch by itself from elsewhere is switched off.
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];

/// A browser with one page; it is closed when dropped.
pub(crate) struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    _profile: TempDir,
}

/// Starts a driver, and returns the port on which it listens, if it does.
fn drive() -> Option<(Child, u16)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Debian's chromium-driver; use tests/run");
    let mut lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let port = line.split_once("successfully on port ")?.1;
        port.trim_end_matches('.').parse().ok()
    });
    // Nobody to speak to would stop the driver.
    std::thread::spawn(move || lines.for_each(drop));
    match port {
        Some(port) => Some((driver, port)),
        None => driver.wait().ok().and(None),
    }
}

impl Browser {
    /// Opens a browser whose page is so wide and high.
    pub(crate) fn open(width: u32, height: u32) -> Self {
        Self::with(&[], width, height)
    }

    /// Opens one with further arguments.
    pub(crate) fn with(further: &[&str], width: u32, height: u32) -> Self {
        // It ends by itself where another process was given its port.
        let (driver, port) = (0..5).find_map(|_| drive()).expect("the driver's port");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let profile = TempDir::new().expect("a folder");
        let mut arguments = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        arguments.extend(further.iter().map(|&argument| argument.to_owned()));
        arguments.push(format!("--window-size={width},{height}"));
        let options = json!({"args": arguments, "binary": "/usr/bin/chromium"});
        let logging = json!({"browser": "ALL"});
        let wanted = json!({"goog:chromeOptions": options, "goog:loggingPrefs": logging});
        let mut browser = Self {
            driver,
            address,
            session: String::new(),
            _profile: profile,
        };
        let session = browser.call("POST", "", json!({"capabilities": {"alwaysMatch": wanted}}));
        browser.session = format!("/{}", session["sessionId"].as_str().expect("a session"));
        browser
    }

    /// Goes to an address.
    pub(crate) fn go(&self, url: &str) {
        self.call("POST", "/url", json!({ "url": url }));
    }

    /// Makes the page as wide and high as a phone, narrower than a window may be.
    pub(crate) fn emulate(&self, width: u32, height: u32) {
        let screen =
            json!({"width": width, "height": height, "deviceScaleFactor": 2, "mobile": true});
        self.command("Emulation.setDeviceMetricsOverride", screen);
    }

    /// Gives the browser a command of its own protocol for developers.
    pub(crate) fn command(&self, name: &str, parameters: Value) {
        let command = json!({"cmd": name, "params": parameters});
        self.call("POST", "/goog/cdp/execute", command);
    }

    /// Runs a script in the page and returns what it returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.call(
            "POST",
            "/execute/sync",
            json!({"script": script, "args": []}),
        )
    }

    /// Clicks what a selector finds, as a person would: it must be visible and uncovered.
    pub(crate) fn click(&self, selector: &str) {
        let element = self.call(
            "POST",
            "/element",
            json!({"using": "css selector", "value": selector}),
        );
        let id = element
            .as_object()
            .and_then(|element| element.values().next());
        let id = id
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{selector}: {element}"));
        let clicked = self.call("POST", &format!("/element/{id}/click"), json!({}));
        assert!(clicked.is_null(), "{selector}: {clicked}");
    }

    /// Waits until a script returns true.
    pub(crate) fn wait_until(&self, script: &str) {
        let until = Instant::now() + Duration::from_secs(20);
        while self.run(script) != true {
            assert!(
                Instant::now() < until,
                "it never came true: {script}\n{}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Returns the text of the page as a person sees it.
    pub(crate) fn text(&self) -> String {
        self.run("return document.body.innerText")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Returns what the browser has complained of since it was last asked.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.call("POST", "/se/log", json!({"type": "browser"}));
        let entries = log.as_array().cloned().unwrap_or_default();
        entries
            .iter()
            .map(|entry| entry["message"].to_string())
            .collect()
    }

    fn call(&self, method: &str, path: &str, body: Value) -> Value {
        let path = format!("/session{}{path}", self.session);
        let body = body.to_string();
        let length = format!("Content-Length: {}", body.len());
        let headers = ["Content-Type: application/json", &length];
        let answer =
            send(self.address, method, &path, &headers, &body).expect("the driver answers");
        answer.json()["value"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver closes its browser; killed, it would leave it behind.
        let path = format!("/session{}", self.session);
        let _ = send(self.address, "DELETE", &path, &["Content-Length: 0"], "");
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
