use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{
    Answer, Database, Engine, Exporter, Options, Verdict, Word, bearer, contains, post, proxy,
};

/// A failed row in a database that is lost at a word of the action, before or after the server
/// has heard it. Returns the answer, and whether the row was retried.
async fn lost_at(word: &'static str, verdict: Verdict) -> (Answer, bool) {
    let mut database = Database::create(Engine::Postgres).await;
    database.run(ONE_FAILED_ROW).await;
    let heard = Arc::new(AtomicBool::new(false));
    let once = Arc::clone(&heard);
    let address = proxy(database.server(), move |said| match said {
        Word::Sent(bytes) if contains(bytes, word) && !once.swap(true, Ordering::SeqCst) => verdict,
        _ => Verdict::Pass,
    });
    let arguments = vec![format!(
        "--admin.database-url={}",
        database.url_through(address)
    )];
    let exporter = Exporter::serve(
        database.url(),
        &Options {
            arguments,
            ..Options::default()
        },
    );
    let answer = exporter.act("/api/queue/retry", r#"{"ids": [1]}"#);
    assert!(heard.load(Ordering::SeqCst), "{word} was never said");
    // The server may still be at work on what it heard last.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let status = database.texts("SELECT status FROM processing_queue").await;
    let retried = status == ["pending"];
    assert!(retried || status == ["failed"], "{status:?}");

    // Whatever happened, the next request finds a connection and a row to be retried once.
    let again = exporter.act("/api/queue/retry", r#"{"ids": [1]}"#);
    assert_eq!(
        again.json()["results"][0]["outcome"],
        if retried { "not_failed" } else { "retried" }
    );
    (answer, retried)
}

const ONE_FAILED_ROW: &str =
    "INSERT INTO processing_queue (id, document_id, stage, status, created_at)
    VALUES (1, 1, 'stt', 'failed', '2026-11-24T01:00:00Z')";

/// The statement, and not the word in the name of an isolation level.
const COMMIT: &str = "COMMIT\0";

#[tokio::test]
async fn before_the_change_is_final_nothing_was_changed() {
    for (word, verdict) in [
        ("pg_advisory_xact_lock", Verdict::CutBefore),
        ("pg_advisory_xact_lock", Verdict::CutAfter),
        ("SET status = 'pending'", Verdict::CutBefore),
        ("SET status = 'pending'", Verdict::CutAfter),
        (COMMIT, Verdict::CutBefore),
    ] {
        let (answer, retried) = lost_at(word, verdict).await;
        assert_eq!(answer.status, 503, "{word} {verdict:?}: {}", answer.text());
        assert!(!retried, "{word} {verdict:?}");
        let expected = if word == COMMIT {
            "is unknown"
        } else {
            "nothing was changed"
        };
        assert!(
            answer.text().contains(expected),
            "{word} {verdict:?}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn while_the_change_is_made_final_nothing_is_claimed() {
    let (answer, retried) = lost_at(COMMIT, Verdict::CutAfter).await;
    assert_eq!(answer.status, 503);
    assert!(retried, "the server heard the COMMIT");
    assert!(
        answer.text().contains("whether it was done is unknown"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn a_backend_that_is_killed_while_it_waits_changes_nothing() {
    let mut database = Database::create(Engine::Postgres).await;
    database.run(ONE_FAILED_ROW).await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    database
        .run("BEGIN; SELECT * FROM processing_queue FOR UPDATE")
        .await;
    let address = exporter.admin;
    let body = r#"{"ids": [1]}"#;
    let client = std::thread::spawn(move || post(address, "/api/queue/retry", &[&bearer()], body));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    database
        .run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND pid <> pg_backend_pid(); COMMIT",
        )
        .await;
    let answer = client.join().expect("an answer");
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.text().contains("nothing was changed"));
    assert_eq!(
        database.texts("SELECT status FROM processing_queue").await,
        ["failed"]
    );
    assert_eq!(exporter.act("/api/queue/retry", body).json()["retried"], 1);
}

/// Asks for a retry, and goes away without an answer as soon as something has happened.
fn leave(exporter: &Exporter, when: impl FnOnce()) {
    let body = r#"{"ids": [1]}"#;
    let mut client = TcpStream::connect(exporter.admin).expect("a connection");
    write!(
        client,
        "POST /api/queue/retry HTTP/1.1\r\nHost: localhost\r\n{}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        bearer(),
        body.len()
    )
    .expect("a request");
    when();
    client.shutdown(Shutdown::Both).expect("an end");
}

fn assert_recorded(exporter: &Exporter) {
    exporter.log_with("outcome=\"retried\" rows=1 ids=[1]");
    let page = exporter.page();
    let counted = "queueboard_admin_items_total{action=\"retry\",outcome=\"retried\"} 1";
    assert!(page.text().contains(counted), "{}", page.text());
    let recent = exporter.ask("/api/queue/actions").json();
    assert_eq!(recent["actions"][0]["outcomes"]["retried"], 1);
}

#[tokio::test]
async fn who_goes_away_while_the_change_is_made_final_is_recorded_all_the_same() {
    let mut database = Database::create(Engine::Postgres).await;
    database.run(ONE_FAILED_ROW).await;
    let (sent, heard) = std::sync::mpsc::channel();
    let address = proxy(database.server(), move |said| {
        if matches!(said, Word::Sent(bytes) if contains(bytes, COMMIT)) {
            let _ = sent.send(());
            std::thread::sleep(Duration::from_millis(500));
        }
        Verdict::Pass
    });
    let url = database.url_through(address);
    let arguments = vec![format!("--admin.database-url={url}")];
    let options = Options {
        arguments,
        ..Options::default()
    };
    let exporter = Exporter::serve(database.url(), &options);
    leave(&exporter, || {
        heard.recv().expect("the end of a transaction")
    });
    assert_recorded(&exporter);
    assert_eq!(
        database.texts("SELECT status FROM processing_queue").await,
        ["pending"]
    );
}

#[tokio::test]
async fn who_goes_away_while_the_file_is_locked_is_recorded_all_the_same() {
    let mut database = Database::create(Engine::Sqlite).await;
    database.run(ONE_FAILED_ROW).await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    database.run("BEGIN IMMEDIATE").await;
    leave(&exporter, || std::thread::sleep(Duration::from_millis(300)));
    database.run("COMMIT").await;
    assert_recorded(&exporter);
    assert_eq!(
        database.texts("SELECT status FROM processing_queue").await,
        ["pending"]
    );
}
