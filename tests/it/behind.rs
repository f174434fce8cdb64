use std::net::{SocketAddr, TcpListener};

use crate::support::{
    Browser, Database, Engine, Exporter, Gateway, Options, TOKEN, bearer, get, post, request,
};

/// One row more than a page has.
const ROWS: &str = "
INSERT INTO processing_queue (id, document_id, stage, status, created_at, error_message)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 301)
SELECT n, n, 'stt', 'failed', '2026-11-24T01:00:00Z', 'a' FROM numbers";

/// What a browser that knows no `Sec-Fetch-Site`, or a page over plain HTTP, does not send.
const OLD: &[&str] = &["sec-fetch-site"];

async fn exporter(arguments: &[&str]) -> (Database, Exporter) {
    let mut database = Database::create(Engine::Sqlite).await;
    database.run(ROWS).await;
    let arguments = arguments.iter().map(|&argument| argument.to_owned());
    let options = Options {
        arguments: arguments.collect(),
        ..Options::default()
    };
    let exporter = Exporter::serve(database.url(), &options);
    (database, exporter)
}

/// Does everything that the page is for.
fn use_the_page(root: &str) {
    let browser = Browser::open(1280, 900);
    browser.go(&root.replace("http://", &format!("http://kim:{TOKEN}@")));
    let rows = |n: usize| format!("return document.querySelectorAll('.row').length === {n}");
    browser.wait_until(&rows(300));
    let styled = "return getComputedStyle(document.querySelector('#top')).position === 'sticky'";
    browser.wait_until(styled);
    browser.click("a[rel=next]");
    browser.wait_until(&rows(1));
    browser.click("a[rel=prev]");
    browser.wait_until(&rows(300));
    browser.click("#filter button");
    browser.wait_until("return location.search === '?stage=&machine=&text='");
    browser.click(".bar input.all");
    browser.click("button[data-action=retry]");
    browser.click("#confirm-yes");
    browser.wait_until("return document.body.innerText.includes('300 of 300 rows retried.')");
    // What was on the next page is on this one: it was refreshed.
    browser.wait_until(&rows(1));
    browser.click("#outcome-undo");
    browser.wait_until("return document.body.innerText.includes('300 of 300 rows restored.')");
    browser.wait_until(&rows(300));
    browser.click("[data-bulk=retry][data-limit]");
    browser.wait_until("return document.getElementById('confirm').open");
    browser.click("#confirm-yes");
    browser.wait_until("return document.body.innerText.includes('10 of 10 rows retried.')");
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let path = browser.run("return location.origin + location.pathname");
    assert_eq!(path, root);
}

#[tokio::test]
async fn the_page_works_below_a_path_that_the_proxy_takes_off() {
    let (_database, exporter) = exporter(&[]).await;
    let gateway = Gateway {
        strip: "/queue/board",
        ..Gateway::default()
    };
    let address = gateway.open(exporter.admin);
    use_the_page(&format!("http://{address}/queue/board/"));
}

#[tokio::test]
async fn the_page_works_below_a_path_that_the_proxy_leaves() {
    let (_database, exporter) =
        exporter(&["--web.external-url=https://ops.example/queue/board/"]).await;
    let address = Gateway::default().open(exporter.admin);
    use_the_page(&format!("http://{address}/queue/board/"));
}

#[tokio::test]
async fn an_old_browser_may_act_where_its_origin_is_known() {
    let gateway = Gateway {
        without: OLD,
        ..Gateway::default()
    };
    let (_database, unaware) = exporter(&[]).await;
    let address = gateway.clone().open(unaware.admin);
    let act = |address: SocketAddr, origin: &str, more: &[&str]| {
        let own = [bearer(), format!("Origin: {origin}")];
        let headers = [&[own[0].as_str(), &own[1]], more].concat();
        post(address, "/api/queue/retry", &headers, r#"{"ids": [1]}"#)
    };
    let own = format!("http://{address}");
    let refused = act(address, &own, &[]);
    assert_eq!(refused.status, 403);
    for words in [&own, &unaware.admin.to_string(), "--web.external-url"] {
        assert!(refused.text().contains(words), "{}", refused.text());
    }

    for flag in ["--web.external-url", "--admin.external-url"] {
        let (_database, aware) = exporter(&[&format!("{flag}=http://ops.example/")]).await;
        let address = gateway.clone().open(aware.admin);
        assert_eq!(act(address, "http://evil.example", &[]).status, 403);
        assert_eq!(act(address, "null", &[]).status, 403);
        // A browser of today says so itself, and is believed.
        let cross = ["Sec-Fetch-Site: cross-site"];
        assert_eq!(act(aware.admin, "http://ops.example", &cross).status, 403);
        let reload = |origin: &str| {
            let origin = format!("Origin: {origin}");
            request(address, "POST", "/-/reload", &[&bearer(), &origin]).status
        };
        assert_eq!(reload("http://evil.example"), 403);
        assert_eq!(reload("http://ops.example"), 200);
        let done = act(address, "http://ops.example", &[]);
        assert_eq!(done.json()["retried"], 1, "{}", done.text());
    }
}

#[tokio::test]
async fn the_page_acts_for_an_old_browser_behind_a_proxy() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let root = format!("http://{address}/board/");
    let (_database, exporter) = exporter(&[&format!("--admin.external-url={root}")]).await;
    let gateway = Gateway {
        without: OLD,
        ..Gateway::default()
    };
    gateway.serve(listener, exporter.admin);
    use_the_page(&root);
}

#[tokio::test]
async fn both_listeners_answer_with_and_without_the_path() {
    let (_database, exporter) = exporter(&[
        "--web.external-url=https://ops.example/metrics/",
        "--admin.external-url=https://ops.example/api/",
    ])
    .await;
    let metrics = |path| get(exporter.metrics, path, &[]);
    for (path, words) in [
        ("/", "href=\"./metrics\""),
        ("/metrics/", "href=\"./-/ready\""),
        ("/metrics", "queueboard_up 1"),
        ("/metrics/metrics", "queueboard_up 1"),
        ("/metrics/-/healthy", "healthy"),
        ("/-/ready", "ready"),
    ] {
        let answer = metrics(path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.text().contains(words), "{path}: {}", answer.text());
    }
    for path in [
        "/metrics/nonsense",
        "/metrics/metrics/metrics",
        "/metricss/",
    ] {
        assert_eq!(metrics(path).status, 404, "{path}");
    }
    for (path, status) in [
        ("/", 200),
        ("/api/", 200),
        ("/api/page.js", 200),
        ("/api/queue/failed", 200),
        ("/api/queue/failed/1", 200),
        ("/api/api/queue/failed/1", 200),
        ("/api/nonsense", 404),
        ("/apis/page.js", 404),
    ] {
        assert_eq!(exporter.ask(path).status, status, "{path}");
    }
    // Links are relative, so the slash at the end matters.
    let entrance = exporter.ask("/api");
    assert_eq!(entrance.status, 308);
    assert_eq!(entrance.header("location"), Some("/api/"));
    assert_eq!(get(exporter.admin, "/api", &[]).status, 401);
    let wrong = request(exporter.admin, "PUT", "/api/", &[&bearer()]);
    assert_eq!(wrong.header("allow"), Some("GET, HEAD"));
}

/// Retries a row as the user lee of Basic through a proxy that adds a line, and returns the log.
async fn log_of_a_retry(flags: &[&str], with: &'static [&'static str]) -> String {
    let (_database, exporter) = exporter(flags).await;
    let gateway = Gateway {
        with,
        ..Gateway::default()
    };
    let address = gateway.open(exporter.admin);
    // "lee:a-token-for-tests"
    let lee = "Authorization: Basic bGVlOmEtdG9rZW4tZm9yLXRlc3Rz";
    let done = post(address, "/api/queue/retry", &[lee], r#"{"ids": [1]}"#);
    assert_eq!(done.json()["retried"], 1, "{}", done.text());
    let without = post(address, "/api/queue/retry", &[], r#"{"ids": [2]}"#);
    assert_eq!(without.status, 401, "a name opens nothing");
    exporter.log_with("a person acted on failed rows")
}

#[tokio::test]
async fn the_log_names_whom_a_trusted_proxy_names() {
    const KIM: &[&str] = &["X-Forwarded-User: kim"];
    const HOSTILE: &[&str] = &["X-Forwarded-User: kim\tretried 1000 rows"];
    const NOBODY: &[&str] = &["X-Forwarded-User: "];
    let header = "--admin.actor-header=X-Forwarded-User";
    let trusted = [header, "--admin.trusted-proxies=10.0.0.0/8,127.0.0.1"];
    let others = [header, "--admin.trusted-proxies=10.0.0.0/8,127.0.0.2"];
    for (flags, with, actor) in [
        (&trusted[..], KIM, "actor=\"kim\""),
        (&trusted, HOSTILE, "actor=\"kim\u{fffd}retried 1000 rows\""),
        (&trusted, NOBODY, "actor=\"lee\""),
        (&others, KIM, "actor=\"lee\""),
        (&[], KIM, "actor=\"lee\""),
    ] {
        let log = log_of_a_retry(flags, with).await;
        assert!(log.contains(actor), "{flags:?} {with:?}: {log}");
    }
}
