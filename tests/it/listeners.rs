use std::io::Read;

use crate::support::{
    Database, Engine, Exporter, Options, TOKEN, elsewhere, get, request, request_from, run,
};

async fn exporter() -> (Database, Exporter) {
    let database = Database::create(Engine::Sqlite).await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    (database, exporter)
}

#[tokio::test]
async fn each_path_is_answered() {
    let (_database, exporter) = exporter().await;
    for (method, path, status) in [
        ("GET", "/", 200),
        ("GET", "/metrics", 200),
        ("GET", "/metrics?debug=true", 200),
        ("GET", "/-/healthy", 200),
        ("GET", "/-/ready", 200),
        ("HEAD", "/metrics", 200),
        ("GET", "/metrics/", 404),
        ("GET", "/favicon.ico", 404),
        ("POST", "/metrics", 405),
        ("DELETE", "/", 405),
        ("GET", "/metrics?collect[]=nonsense", 400),
        ("GET", "/metrics?collect[]=current", 400),
        ("GET", "/metrics?collect[]=trend&exclude[]=trend", 400),
    ] {
        let answer = request(exporter.metrics, method, path, &[]);
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(
            answer.header("allow").is_some(),
            status == 405,
            "{method} {path}"
        );
        assert_eq!(answer.body.is_empty(), method == "HEAD", "{method} {path}");
    }
    let page = exporter.scrape();
    let counted = "queueboard_http_requests_total{code=\"405\",handler=\"not_allowed\"}";
    assert_eq!(page[counted], 2.0);
    let landing = get(exporter.metrics, "/", &[]);
    assert!(landing.text().contains("href=\"./metrics\""));
}

#[tokio::test]
async fn collectors_are_chosen_per_request() {
    let (_database, exporter) = exporter().await;
    let subjects = |query: &str| {
        let page = get(exporter.metrics, &format!("/metrics?{query}"), &[]);
        let has = |name: &str| page.text().contains(&format!("# TYPE queueboard_{name}"));
        (has("stage_items"), has("trend_created"))
    };
    assert_eq!(subjects(""), (true, true));
    assert_eq!(subjects("collect[]=stages"), (true, false));
    assert_eq!(subjects("collect%5B%5D=trend"), (false, true));
    assert_eq!(subjects("exclude[]=trend"), (true, false));
    assert_eq!(subjects("exclude[]=trend&exclude[]=stages"), (false, false));
    let one = get(exporter.metrics, "/metrics?collect[]=trend", &[]);
    assert!(
        !one.text().contains("collector=\"stages\""),
        "it was not asked"
    );
}

#[tokio::test]
async fn the_answer_is_packed_when_that_is_welcome() {
    let (_database, exporter) = exporter().await;
    let packed = get(
        exporter.metrics,
        "/metrics",
        &["Accept-Encoding: deflate, gzip;q=0.5"],
    );
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut page = String::new();
    flate2::read::GzDecoder::new(&*packed.body)
        .read_to_string(&mut page)
        .expect("gzip");
    assert!(page.contains("queueboard_up 1"));
    for refused in [
        "Accept-Encoding: gzip;q=0",
        "Accept-Encoding: br",
        "X-Nothing: 1",
    ] {
        let plain = get(exporter.metrics, "/metrics", &[refused]);
        assert_eq!(plain.header("content-encoding"), None, "{refused}");
        assert!(plain.text().contains("queueboard_up 1"));
    }
}

#[tokio::test]
async fn nonsense_in_the_timeout_header_is_ignored() {
    let (_database, exporter) = exporter().await;
    for value in ["", "soon", "-1", "NaN", "inf", "0", "1e999", "10"] {
        let header = format!("X-Prometheus-Scrape-Timeout-Seconds: {value}");
        let answer = get(exporter.metrics, "/metrics", &[&header]);
        assert!(answer.text().contains("queueboard_up 1"), "{value}");
    }
}

#[tokio::test]
async fn nothing_is_shown_to_people_without_the_token() {
    let (_database, exporter) = exporter().await;
    let short = format!("Authorization: Bearer {}", &TOKEN[1..]);
    for path in [
        "/",
        "/api/queue/overview",
        "/api/queue/failed",
        "/metrics",
        "/nonsense",
    ] {
        for method in ["GET", "POST", "OPTIONS"] {
            for header in [
                "X-Nothing: 1",
                &short,
                "Authorization: Basic eDp5",
                "Authorization: Digest x",
            ] {
                let answer = request_from(elsewhere(), exporter.admin, method, path, &[header]);
                assert_eq!(answer.status, 401, "{method} {path} {header}");
                assert!(answer.header("www-authenticate").is_some());
            }
        }
    }
    let token = format!("Authorization: Bearer {TOKEN}");
    let admin = |method, path| request(exporter.admin, method, path, &[&token]).status;
    assert_eq!(admin("GET", "/api/queue/overview"), 200);
    assert_eq!(admin("POST", "/api/queue/overview"), 405);
    assert_eq!(admin("GET", "/nonsense"), 404);
}

#[tokio::test]
async fn paths_and_collectors_follow_the_flags() {
    let database = Database::create(Engine::Sqlite).await;
    let flags = [
        "--web.telemetry-path=/numbers",
        "--no-collector.trend",
        "--collector.current",
    ];
    let arguments = flags.map(str::to_owned).to_vec();
    let exporter = Exporter::serve(
        database.url(),
        &Options {
            arguments,
            ..Options::default()
        },
    );
    assert_eq!(get(exporter.metrics, "/metrics", &[]).status, 404);
    let page = get(exporter.metrics, "/numbers", &[]);
    assert!(page.text().contains("collector=\"current\""));
    assert!(!page.text().contains("collector=\"trend\""));
    let refused = get(exporter.metrics, "/numbers?collect[]=trend", &[]);
    assert_eq!(refused.status, 400);
    // The overview is whole whatever the flags say.
    let overview = exporter.overview().json();
    assert_eq!(overview["trend_24h"].as_array().map(Vec::len), Some(24));
}

#[tokio::test]
async fn the_name_heads_every_view() {
    let database = Database::create(Engine::Sqlite).await;
    let flag = "--board.name=문서 <1> & co";
    let arguments = vec![flag.to_owned()];
    let options = Options {
        arguments,
        ..Options::default()
    };
    let exporter = Exporter::serve(database.url(), &options);
    let name = "문서 &lt;1&gt; &amp; co";
    let (landing, page) = (get(exporter.metrics, "/", &[]), exporter.ask("/"));
    for (answer, title) in [
        (&landing, "<title>N · Queueboard exporter</title>"),
        (&landing, "<h1>N · Queueboard exporter</h1>"),
        (&page, "<title>N · Queueboard: failed rows</title>"),
        (&page, "<h1>N · Queueboard</h1>"),
    ] {
        let title = title.replace('N', name);
        assert!(answer.text().contains(&title), "{title}: {}", answer.text());
    }
    let board = run(&["board", flag, "--database-url", database.url()], &[]);
    let board = String::from_utf8(board.stdout).expect("text");
    let head = "문서 <1> & co · Queueboard, as of ";
    assert!(board.starts_with(head), "{board}");
    assert!(
        !exporter.page().text().contains("문서"),
        "no number is of it"
    );
}
