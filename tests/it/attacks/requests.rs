//! Requests without credentials: every method on every call, by every way to write its path.

use crate::support::{elsewhere, say};

use super::{FINGERPRINT, exporter};

const METHODS: [&str; 11] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND",
    "get",
];

const PATHS: [&str; 42] = [
    "/",
    "/page.css",
    "/page.js",
    "/api",
    "/api/",
    "/api/queue/overview",
    "/api/queue/failed",
    "/api/queue/failed/1",
    "/api/queue/failed?stage=stt&limit=1",
    "/api/queue/retry",
    "/api/queue/skip",
    "/api/queue/actions",
    "/api/queue/actions/1",
    "/api/queue/actions/1/stop",
    "/api/queue/actions/1/undo",
    "/-/reload",
    "/-/healthy",
    "/metrics",
    "/nonsense",
    "//api/queue/retry",
    "/api//queue/retry",
    "/api/queue/retry/",
    "/api/queue/retry;x",
    "/api/queue/retry.json",
    "/api/queue/retry?token=a-token-for-tests",
    "/API/QUEUE/RETRY",
    "/./api/queue/retry",
    "/page.css/../api/queue/retry",
    "/%2e%2e/api/queue/retry",
    "/api%2fqueue%2fretry",
    "/%61pi/queue/retry",
    "/api/queue/retry%00",
    "/api/queue/retry%0d%0aX-A:%20b",
    "/api/queue/failed/%27%20OR%201=1--",
    "/\u{c694}\u{c57d}",
    "/api\\queue\\retry",
    "*",
    "127.0.0.1",
    "api/queue/retry",
    "http://127.0.0.1/api/queue/retry",
    "http://kim:a-token-for-tests@127.0.0.1/api/queue/retry",
    "/\0/api/queue/retry",
];

#[tokio::test]
async fn who_sends_no_credentials_is_told_nothing_and_changes_nothing() {
    let (mut database, exporter) = exporter().await;
    let before = database.texts(FINGERPRINT).await;
    let long = format!("/api/queue/failed/{}", "1".repeat(9000));
    let source = elsewhere();
    let body = r#"{"ids": [1]}"#;
    let mut told: Vec<String> = Vec::new();
    for path in PATHS.into_iter().chain([long.as_str()]) {
        for method in METHODS {
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                exporter.admin,
                body.len()
            );
            let answer = say(source, exporter.admin, request.as_bytes());
            let (head, said) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
            let status = head.get(9..12);
            assert!(
                matches!(status, Some("401" | "400")),
                "{method} {path:?}: {answer}"
            );
            if status == Some("401") && !said.is_empty() {
                told.push(said.to_owned());
            }
        }
    }
    assert!(told.len() > 300, "{} were asked for the token", told.len());
    told.dedup();
    assert_eq!(told.len(), 1, "the refusals differ: {told:?}");
    assert!(!told[0].contains("secret"), "{told:?}");
    assert_eq!(database.texts(FINGERPRINT).await, before);
    assert!(!exporter.log().contains("a person"), "{}", exporter.log());
}
