use crate::support::{
    Database, Engine, Exporter, Options, TOKEN, bearer, elsewhere, get, post, post_from, request,
    request_from, send,
};

/// Bodies of a retry or a skip that are refused, and the word that the refusal names.
const BODIES: [(&str, &str); 33] = [
    ("", "body"),
    ("{", "body"),
    ("ids", "body"),
    ("{\"ids\": [1]", "body"),
    ("{\"ids\": [1]} trailing", "body"),
    ("{\"ids\": [1,]}", "body"),
    ("{'ids': [1]}", "body"),
    ("{\"ids\": [NaN]}", "body"),
    ("\u{feff}{\"ids\": [1]}", "body"),
    ("[]", "body"),
    ("[1, 2]", "body"),
    ("null", "body"),
    ("7", "body"),
    ("\"ids\"", "body"),
    ("{}", "ids"),
    ("{\"ids\": null}", "ids"),
    ("{\"ids\": 1}", "ids"),
    ("{\"ids\": \"1\"}", "ids"),
    ("{\"ids\": {\"1\": 1}}", "ids"),
    ("{\"ids\": []}", "ids"),
    ("{\"ids\": [\"\"]}", "ids[0]"),
    ("{\"ids\": [1, \"a\\u0000\"]}", "ids[1]"),
    ("{\"ids\": [1, 1.5]}", "ids[1]"),
    ("{\"ids\": [1.0]}", "ids[0]"),
    ("{\"ids\": [1e3]}", "ids[0]"),
    ("{\"ids\": [true]}", "ids[0]"),
    ("{\"ids\": [null]}", "ids[0]"),
    ("{\"ids\": [[1]]}", "ids[0]"),
    ("{\"ids\": [9223372036854775808]}", "ids[0]"),
    ("{\"ids\": [1], \"force\": true}", "force"),
    ("{\"id\": [1]}", "id"),
    ("{\"ids\": [1], \"ids\": [2]}", "ids"),
    ("[[1, 2]]", "body"),
];

/// Queries of the failed list that are refused, and the word that the refusal names.
const QUERIES: [(&str, &str); 19] = [
    ("stage=st%00t", "stage"),
    ("limit=0", "limit"),
    ("limit=-1", "limit"),
    ("limit=1001", "limit"),
    ("limit=ten", "limit"),
    ("limit=1.5", "limit"),
    ("limit=99999999999999999999", "limit"),
    ("limit=%00", "limit"),
    ("machine=nowhere", "machine"),
    ("machine=GPU", "machine"),
    ("machine=gpu%00", "machine"),
    ("after=1", "after"),
    ("after=%FF%FE", "after"),
    ("after=AAAA", "after"),
    ("after=MQo", "after"),
    // "1\nNaN\nstt" and "1\n\nst\0t"
    ("after=MQpOYU4Kc3R0", "after"),
    ("after=MQoKc3QAdA", "after"),
    ("offset=10", "offset"),
    ("stage=stt&page=2", "page"),
];

const FINGERPRINT: &str =
    "SELECT string_agg(CAST(q AS text), '' ORDER BY id) FROM processing_queue q";

async fn exporter() -> (Database, Exporter) {
    let mut database = Database::create(Engine::Postgres).await;
    database
        .run(
            "INSERT INTO processing_queue (id, document_id, stage, status, created_at)
              SELECT n, n, 'stt', 'failed', now() FROM generate_series(1, 1200) AS n",
        )
        .await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    (database, exporter)
}

#[tokio::test]
async fn bad_input_is_refused_with_its_field_and_changes_nothing() {
    let (mut database, exporter) = exporter().await;
    let before = database.texts(FINGERPRINT).await;
    for action in ["retry", "skip"] {
        let path = format!("/api/queue/{action}");
        for (body, field) in BODIES {
            let answer = exporter.act(&path, body);
            assert_eq!(answer.status, 400, "{body}");
            let reason = answer.json()["error"]
                .as_str()
                .expect("a reason")
                .to_owned();
            assert!(reason.contains(field), "{body}: {reason}");
        }
        let many: Vec<i64> = (1..=1001).collect();
        let answer = exporter.act(&path, &serde_json::json!({ "ids": many }).to_string());
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("ids names 1001 rows"));
        let headers = ["Content-Type: application/json", "Content-Length: 4"];
        let garbage = send(
            exporter.admin,
            "POST",
            &path,
            &[&headers[..], &[&bearer()]].concat(),
            "\u{1}\u{2}\u{3}\u{4}",
        );
        assert_eq!(garbage.expect("an answer").status, 400);
    }
    for (query, field) in QUERIES {
        let answer = exporter.ask(&format!("/api/queue/failed?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        let reason = answer.json()["error"]
            .as_str()
            .expect("a reason")
            .to_owned();
        assert!(reason.contains(field), "{query}: {reason}");
        // A person who follows an old link is not to blame for it.
        let page = exporter.ask(&format!("/?{query}"));
        assert_eq!(page.status, 200, "{query}");
        assert!(!page.text().contains("rows could not be read"), "{query}");
    }
    assert_eq!(database.texts(FINGERPRINT).await, before);
    let largest: Vec<i64> = (1..=1000).collect();
    let answer = exporter.act(
        "/api/queue/skip",
        &serde_json::json!({ "ids": largest }).to_string(),
    );
    assert_eq!(answer.json()["skipped"], 1000);
}

#[tokio::test]
async fn what_is_not_json_too_large_or_the_wrong_method_is_refused() {
    let (mut database, exporter) = exporter().await;
    let before = database.texts(FINGERPRINT).await;
    let token = bearer();
    let body = r#"{"ids": [1]}"#;
    let length = format!("Content-Length: {}", body.len());
    let post_as = |headers: &[&str], body: &str| {
        let headers = [&[token.as_str()], headers].concat();
        send(exporter.admin, "POST", "/api/queue/skip", &headers, body)
            .expect("an answer")
            .status
    };
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonp",
        "",
    ] {
        assert_eq!(
            post_as(&[&format!("Content-Type: {kind}"), &length], body),
            415,
            "{kind}"
        );
    }
    assert_eq!(post_as(&[&length], body), 415);
    assert_eq!(
        post_as(
            &["Content-Type: application/json", "Content-Length: 65537"],
            ""
        ),
        413
    );
    let large = format!("{{\"ids\": [{}1]}}", " ".repeat(64 << 10));
    let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    assert_eq!(
        post_as(
            &[
                "Content-Type: application/json",
                "Transfer-Encoding: chunked"
            ],
            &chunk
        ),
        413
    );
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = request(exporter.admin, method, "/api/queue/retry", &[&token]);
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("POST")),
            "{method}"
        );
    }
    for path in ["/", "/page.js", "/api/queue/failed"] {
        let answer = post(exporter.admin, path, &[&token], body);
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("GET, HEAD")),
            "{path}"
        );
    }
    assert_eq!(database.texts(FINGERPRINT).await, before);
}

#[tokio::test]
async fn another_site_cannot_use_a_browsers_credentials() {
    let (mut database, exporter) = exporter().await;
    let before = database.texts(FINGERPRINT).await;
    // "x:a-token-for-tests", as a browser sends it once it was asked.
    let browser = "Authorization: Basic eDphLXRva2VuLWZvci10ZXN0cw==";
    let retry = |headers: &[&str]| {
        post(
            exporter.admin,
            "/api/queue/retry",
            &[&[browser], headers].concat(),
            r#"{"ids": [1]}"#,
        )
        .status
    };
    assert_eq!(
        retry(&["Sec-Fetch-Site: cross-site", "Origin: https://evil.example"]),
        403
    );
    assert_eq!(retry(&["Sec-Fetch-Site: same-site"]), 403);
    assert_eq!(retry(&["Origin: https://evil.example"]), 403);
    assert_eq!(retry(&["Origin: null"]), 403);
    assert_eq!(database.texts(FINGERPRINT).await, before);
    let own = format!("Origin: http://{}", exporter.admin);
    assert_eq!(retry(&[&own, "Sec-Fetch-Site: same-origin"]), 200);
    assert_eq!(retry(&[&own]), 200);
}

#[tokio::test]
async fn no_path_is_answered_without_the_token() {
    let (_database, exporter) = exporter().await;
    let (shorter, longer) = (&TOKEN[..TOKEN.len() - 1], format!("{TOKEN}x"));
    let credentials = [
        "X-Nothing: 1".to_owned(),
        format!("Authorization: Bearer {shorter}"),
        format!("Authorization: Bearer {longer}"),
        format!("Authorization: {TOKEN}"),
        format!("Authorization: Digest {TOKEN}"),
        "Authorization: Basic eDphLXRva2VuLWZvci10ZXN0".to_owned(),
    ];
    for path in [
        "/",
        "/page.css",
        "/page.js",
        "/api/queue/overview",
        "/api/queue/failed",
        "/api/queue/failed/1",
        "/nonsense",
    ] {
        for credential in &credentials {
            let answer = request_from(elsewhere(), exporter.admin, "GET", path, &[credential]);
            assert_eq!(answer.status, 401, "{path} {credential}");
        }
    }
    for action in ["retry", "skip"] {
        for credential in &credentials {
            let path = format!("/api/queue/{action}");
            let body = r#"{"ids": [1]}"#;
            let answer = post_from(elsewhere(), exporter.admin, &path, &[credential], body);
            assert_eq!(answer.status, 401, "{action} {credential}");
        }
    }
}

#[test]
fn without_a_token_the_listener_is_off_and_the_log_says_how_to_turn_it_on() {
    let mut command = crate::support::binary();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    drop(listener);
    command.args([
        "--database-url=sqlite:///nowhere.db",
        "--web.listen-address=127.0.0.1:0",
    ]);
    command.arg(format!("--admin.listen-address={address}"));
    let mut child = command
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let log = std::io::BufReader::new(child.stderr.take().expect("its log"));
    let mut said = String::new();
    for line in std::io::BufRead::lines(log).map_while(Result::ok) {
        said += &line;
        if line.contains("serving metrics") {
            break;
        }
    }
    let connected = std::net::TcpStream::connect(&address);
    let _ = child.kill();
    let _ = child.wait();
    assert!(
        said.contains("--admin.token-file or QUEUEBOARD_ADMIN_TOKEN turns it on"),
        "{said}"
    );
    assert!(connected.is_err(), "something listens at {address}");
}

#[tokio::test]
async fn of_what_decides_there_is_one() {
    let (mut database, exporter) = exporter().await;
    let before = database.texts(FINGERPRINT).await;
    let (right, json) = (bearer(), "Content-Type: application/json");
    for (name, first, second) in [
        (
            "authorization",
            right.as_str(),
            "Authorization: Bearer wrong",
        ),
        (
            "authorization",
            "Authorization: Bearer wrong",
            right.as_str(),
        ),
        ("host", "Host: localhost", "Host: localhost"),
        (
            "origin",
            "Origin: http://board",
            "Origin: http://evil.example",
        ),
        (
            "sec-fetch-site",
            "Sec-Fetch-Site: same-origin",
            "Sec-Fetch-Site: cross-site",
        ),
        ("content-type", json, "Content-Type: text/plain"),
    ] {
        let mut headers = vec![first, second];
        headers.extend([right.as_str(), json].into_iter().filter(|other| {
            let own = |header: &str| header.split(':').next().map(str::to_lowercase);
            own(other) != own(first)
        }));
        let body = r#"{"ids": [1]}"#;
        let answer = send(exporter.admin, "POST", "/api/queue/retry", &headers, body);
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 400, "{headers:?}");
        assert!(answer.text().contains(name), "{}", answer.text());
        // The other listener is no other.
        assert_eq!(
            get(exporter.metrics, "/metrics", &[first, second]).status,
            400
        );
    }
    assert_eq!(database.texts(FINGERPRINT).await, before);
    assert_eq!(
        get(
            exporter.metrics,
            "/metrics",
            &["Accept: a/b", "Accept: */*"]
        )
        .status,
        200
    );
}
