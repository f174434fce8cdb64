//! Lines in the log and series on the page that somebody else would like to write.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::{Exporter, Options, Reader, TOKEN, elsewhere, post_from, request_from};

use super::exporter;

/// What breaks a line, a terminal or a label that is not careful.
const SPLINTERS: [&str; 8] = [
    "\n2026-11-24T05:00:00Z  INFO everything is fine",
    "\r\n{\"level\":\"INFO\"}",
    "\u{1b}[2J\u{1b}[31mred",
    "\u{7}\u{8}\u{7f}\u{9b}1m",
    "\" actor=\"root\" x=\"",
    "\\",
    "\u{2028}\u{202e}",
    "a\"} 1\nqueueboard_up 0\n# EOF",
];

/// Acts as every odd user, and asks for odd paths; returns the log.
async fn log_of(format: &str) -> String {
    let (database, _) = exporter().await;
    let options = Options {
        arguments: vec![format!("--log.format={format}")],
        ..Options::default()
    };
    let exporter = Exporter::serve(database.url(), &options);
    for splinter in SPLINTERS {
        // A colon would end the user's name.
        let splinter = splinter.replace(':', ";");
        let basic = STANDARD.encode(format!("{splinter}:{TOKEN}"));
        let basic = format!("Authorization: Basic {basic}");
        let (source, admin) = (elsewhere(), exporter.admin);
        let answer = post_from(
            source,
            admin,
            "/api/queue/retry",
            &[&basic],
            r#"{"ids": [1]}"#,
        );
        assert_eq!(answer.status, 200, "{}", answer.text());
        let encoded: String = form_urlencoded::byte_serialize(splinter.as_bytes()).collect();
        let path = format!("/api/queue/failed?stage={encoded}&machine={encoded}");
        request_from(
            source,
            admin,
            "GET",
            &path,
            &[&basic, "X-Forwarded-User: \t"],
        );
        request_from(source, admin, "POST", "/-/reload", &[&basic]);
    }
    // Whose name is told last.
    exporter.log_with("queueboard_up 0")
}

#[tokio::test]
async fn nobody_writes_a_line_of_the_log_but_the_exporter() {
    let log = log_of("text").await;
    assert!(log.contains("a person acted"), "{log}");
    for line in log.lines() {
        assert!(
            line.starts_with("2026-") || line.starts_with("202"),
            "{line:?}"
        );
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    assert!(
        !log.contains("\n2026-11-24T05:00:00Z  INFO everything"),
        "{log}"
    );
    let log = log_of("json").await;
    for line in log.lines() {
        let read: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(read["message"].is_string(), "{line}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}

#[tokio::test]
async fn nobody_writes_a_series_of_the_page_but_the_exporter() {
    let (mut database, exporter) = exporter().await;
    for (id, splinter) in (2..).zip(SPLINTERS) {
        let text = splinter.replace('\'', "''");
        database
            .run(&format!(
                "INSERT INTO processing_queue (id, document_id, stage, status, error_message, created_at)
                 VALUES ({id}, {id}, 'stt', 'failed', '{text}', now())"
            ))
            .await;
    }
    let page = Reader::start().classic(exporter.page().text());
    assert_eq!(page["queueboard_up"], 1.0);
    let causes = page
        .iter()
        .filter(|(key, _)| key.starts_with("queueboard_failed_items{"));
    let rows: f64 = causes.map(|(_, rows)| rows).sum();
    assert_eq!(rows, 1.0 + SPLINTERS.len() as f64);
}
