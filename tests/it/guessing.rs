//! Those who guess tokens and passwords, from one address and from many.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::support::{
    Authority, Exporter, Options, TOKEN, bearer, elsewhere, get, request_from, run,
};

/// How long a scrape may take that Prometheus was told nothing of.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);

/// Neither listener needs a database for these.
const NOWHERE: &str = "sqlite:///nowhere.db";

#[test]
fn after_ten_wrong_tokens_in_a_minute_an_address_is_told_to_wait() {
    let exporter = Exporter::serve(NOWHERE, &Options::default());
    let (guesser, other) = (elsewhere(), elsewhere());
    let guess = |token: &str, source| {
        let header = format!("Authorization: Bearer {token}");
        request_from(source, exporter.admin, "GET", "/page.css", &[&header])
    };
    for n in 0..10 {
        assert_eq!(guess(&format!("wrong-{n}"), guesser).status, 401);
    }
    // The right one as well, or guessing would go on.
    for token in ["wrong", TOKEN] {
        let refused = guess(token, guesser);
        assert_eq!(refused.status, 429, "{}", refused.text());
        let wait = refused.header("retry-after").expect("how long");
        assert!(
            (50..=60).contains(&wait.parse().expect("seconds")),
            "{wait}"
        );
    }
    // Who sends nothing is asked for the token, not told to wait.
    let nothing = request_from(guesser, exporter.admin, "GET", "/", &[]);
    assert_eq!(nothing.status, 401);
    assert_eq!(guess(TOKEN, other).status, 200);

    let metrics = get(exporter.metrics, "/metrics", &[]);
    for line in [
        "queueboard_http_wrong_credentials_total{listener=\"admin\"} 10",
        "queueboard_http_wrong_credentials_total{listener=\"metrics\"} 0",
        "queueboard_http_requests_total{handler=\"unauthorized\",code=\"429\"} 2",
    ] {
        assert!(metrics.text().contains(line), "{line}:\n{}", metrics.text());
    }
    let log = exporter.log_with("wrong credentials");
    assert_eq!(log.matches("wrong credentials").count(), 1, "{log}");
    assert!(
        log.contains(&format!("listener=\"admin\" peer={guesser}")),
        "{log}"
    );
    assert!(!log.contains("wrong-") && !log.contains(TOKEN), "{log}");
}

#[test]
fn behind_a_proxy_it_is_the_client_who_waits() {
    let options = Options {
        arguments: vec!["--admin.trusted-proxies=127.0.0.1".to_owned()],
        ..Options::default()
    };
    let exporter = Exporter::serve(NOWHERE, &options);
    let ask = |client: &str, token: &str| {
        let headers = [
            format!("X-Forwarded-For: 203.0.113.77, {client}"),
            format!("Authorization: Bearer {token}"),
        ];
        get(exporter.admin, "/page.css", &[&headers[0], &headers[1]]).status
    };
    for _ in 0..10 {
        assert_eq!(ask("203.0.113.1", "wrong"), 401);
    }
    assert_eq!(ask("203.0.113.1", TOKEN), 429);
    assert_eq!(ask("203.0.113.2", TOKEN), 200);
    // What stands before the client's address is the client's own word.
    let header = "X-Forwarded-For: 203.0.113.1";
    let answer = request_from(
        elsewhere(),
        exporter.admin,
        "GET",
        "/page.css",
        &[header, &bearer()],
    );
    assert_eq!(answer.status, 200, "only a proxy is believed");
}

/// Clients that send wrong passwords as fast as they can, until they are dropped.
struct Guessers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<usize>>,
}

impl Guessers {
    fn at(address: SocketAddr, sources: impl Iterator<Item = Ipv4Addr>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let guesses = |source| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                let mut guesses = 0;
                while !stop.load(Ordering::Relaxed) {
                    let header = basic(&format!("guess {guesses}"));
                    let answer = request_from(source, address, "GET", "/metrics", &[&header]);
                    assert!([401, 503].contains(&answer.status), "{}", answer.status);
                    guesses += 1;
                }
                guesses
            })
        };
        let threads = sources.map(guesses).collect();
        Self { stop, threads }
    }

    /// Ends them, and returns how often they guessed.
    fn end(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let guesses = self.threads.into_iter().map(|thread| thread.join());
        guesses.map(|guesses| guesses.expect("guesses")).sum()
    }
}

fn basic(password: &str) -> String {
    let pair = STANDARD.encode(format!("prometheus:{password}"));
    format!("Authorization: Basic {pair}")
}

fn hashed(password: &str) -> String {
    let hash = bcrypt::hash(password, 9).expect("a hash");
    format!("basic_auth_users:\n  prometheus: {hash}\n")
}

/// Scrapes as Prometheus does, every second, and returns how long the slowest took.
fn scrapes(address: SocketAddr, password: &str) -> Duration {
    let header = basic(password);
    let took = (0..3).map(|_| {
        std::thread::sleep(Duration::from_secs(1));
        let begun = Instant::now();
        let answer = get(address, "/metrics", &[&header]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        begun.elapsed()
    });
    took.max().expect("a scrape")
}

#[test]
fn whoever_guesses_the_right_password_is_admitted_within_a_scrapes_time() {
    for same in [true, false] {
        let folder = Authority::new();
        let file = folder.write("web.yml", &hashed("s3cret"));
        let options = Options {
            arguments: vec![format!("--web.config.file={file}")],
            ..Options::default()
        };
        let exporter = Exporter::serve(NOWHERE, &options);
        let address = exporter.metrics;
        let source = || {
            if same {
                Ipv4Addr::LOCALHOST
            } else {
                elsewhere()
            }
        };
        let sources: Vec<_> = (0..24).map(|_| source()).collect();
        let guessers = Guessers::at(address, sources.into_iter());
        let fresh = scrapes(address, "s3cret");
        folder.write("web.yml", &hashed("an0ther"));
        let changed = scrapes(address, "an0ther");
        let guesses = guessers.end();
        println!("{guesses} guesses; a scrape took {fresh:?} and {changed:?} at the most");
        assert!(
            fresh.max(changed) < SCRAPE_TIMEOUT,
            "{fresh:?}, {changed:?}"
        );
        assert!(
            guesses > 24,
            "nobody was pushed aside by the guesses: {guesses}"
        );
        let wrong = "queueboard_http_wrong_credentials_total{listener=\"metrics\"} ";
        let metrics = get(address, "/metrics", &[&basic("an0ther")]);
        assert!(
            !metrics.text().contains(&format!("{wrong}0")),
            "{}",
            metrics.text()
        );
        exporter.log_with("wrong credentials");
    }
}

#[test]
fn a_token_that_can_be_guessed_is_refused_with_what_makes_a_good_one() {
    for (token, words) in [
        ("", "the admin token is empty"),
        ("fifteen-letters", "shorter than 16 characters, it has 15"),
        (
            "열다섯글자짜리비밀번호입니다요",
            "shorter than 16 characters, it has 15",
        ),
    ] {
        let arguments = [
            "--database-url",
            NOWHERE,
            "--web.listen-address=127.0.0.1:0",
        ];
        let output = run(&arguments, &[("QUEUEBOARD_ADMIN_TOKEN", token)]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{token}");
        assert!(said.contains(words), "{said}");
        assert!(said.contains("openssl rand -hex 24"), "{said}");
        assert!(token.is_empty() || !said.contains(token), "{said}");
    }
}

#[test]
fn secrets_that_others_may_read_are_warned_of() {
    let words = "others than its owner have access to a secret";
    let folder = Authority::new();
    folder.sign("server", "DNS:localhost", "2");
    let web = "tls_server_config: {cert_file: server.crt, key_file: server.key}";
    let web = folder.write("web.yml", web);
    let token = folder.write("token", TOKEN);
    let allow = |file: &str, mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(folder.path(file), permissions).expect("the file's mode");
    };
    for (token_mode, key_mode, named) in [
        (0o600, 0o400, ""),
        (0o640, 0o600, "file=\"--admin.token-file\""),
        (0o604, 0o600, "mode=0604"),
        (0o620, 0o600, "mode=0620"),
        (0o600, 0o644, "file=\"key_file\""),
    ] {
        allow("token", token_mode);
        allow("server.key", key_mode);
        let options = Options {
            arguments: vec![
                format!("--admin.token-file={token}"),
                format!("--web.config.file={web}"),
            ],
            ..Options::default()
        };
        let exporter = Exporter::serve(NOWHERE, &options);
        exporter.signal("HUP");
        let log = exporter.log_with("the configuration was read again");
        assert_eq!(log.contains(words), !named.is_empty(), "{log}");
        assert!(log.contains(named), "{named}: {log}");
    }
}
