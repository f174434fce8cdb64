use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{Database, Engine, Exporter, Options, TOKEN};

/// How long the database may go on for somebody who is gone, on a busy machine.
const AT_MOST: Duration = Duration::from_secs(1);

/// The questions that people ask of the failed rows, each with its path.
const QUESTIONS: [(&str, &str, &str); 5] = [
    ("GET", "/api/queue/failed", ""),
    ("GET", "/api/queue/failed?text=out%20of%20memory", ""),
    ("GET", "/api/queue/failed?cause=out%20of%20memory", ""),
    ("GET", "/api/queue/failed/2", ""),
    (
        "POST",
        "/api/queue/retry",
        r#"{"filter": {"stage": "stt"}, "dry_run": true}"#,
    ),
];

/// A queue of which every row takes seconds to read.
async fn slow_queue(engine: Engine) -> Database {
    let mut database = Database::create(engine).await;
    database
        .run(
            "INSERT INTO processing_queue (id, document_id, stage, status, created_at)
             VALUES (1, 1, 'stt', 'failed', '2026-11-24T01:00:00Z'),
                    (2, 2, 'stt', 'failed', '2026-11-24T01:00:00Z')",
        )
        .await;
    let slow = match engine {
        Engine::Sqlite => {
            "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < id * 100000000)
              SELECT max(i) FROM n) > 0"
        }
        _ => "pg_sleep(3) IS NOT NULL",
    };
    let view = format!(
        "ALTER TABLE processing_queue RENAME TO queue_rows;
         CREATE VIEW processing_queue AS SELECT * FROM queue_rows WHERE {slow}"
    );
    database.run(&view).await;
    database
}

/// Asks, and does not wait for the answer.
fn ask(exporter: &Exporter, (method, path, body): (&str, &str, &str)) -> TcpStream {
    let mut client = TcpStream::connect(exporter.admin).expect("a connection");
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}",
        exporter.admin
    );
    client.write_all(request.as_bytes()).expect("it is sent");
    client
}

/// Waits until something is so, and returns how long that took.
async fn waited(mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < Duration::from_secs(20), "never");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    begun.elapsed()
}

#[tokio::test]
async fn postgres_does_not_go_on_for_a_client_that_is_gone() {
    let mut database = slow_queue(Engine::Postgres).await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    for question in QUESTIONS {
        let client = ask(&exporter, question);
        waited(async || sleeping(&mut database).await > 0).await;
        drop(client);
        let took = waited(async || sleeping(&mut database).await == 0).await;
        println!("{question:?}: {took:?}");
        assert!(took < AT_MOST, "{question:?}: {took:?}");
    }
    // However many come and go, no more is done for them at a time than for those who stay.
    for _ in 0..20 {
        let client = ask(&exporter, QUESTIONS[0]);
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(client);
        let sessions = database.sessions().await;
        assert!(sessions <= 2, "{sessions} sessions");
    }
    answers_again(&mut database, &exporter).await;
}

#[tokio::test]
async fn sqlite_does_not_go_on_for_a_client_that_is_gone() {
    let mut database = slow_queue(Engine::Sqlite).await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    let idle = exporter.descriptors();
    for question in QUESTIONS {
        let client = ask(&exporter, question);
        // The client, the file, and what else SQLite opens.
        waited(async || exporter.descriptors() > idle + 1).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(client);
        let took = waited(async || exporter.descriptors() == idle).await;
        println!("{question:?}: {took:?}");
        assert!(took < AT_MOST, "{question:?}: {took:?}");
    }
    answers_again(&mut database, &exporter).await;
}

/// Counts the sessions that still read the rows.
async fn sleeping(database: &mut Database) -> usize {
    let sleeping = "SELECT pid::text FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event = 'PgSleep'";
    database.texts(sleeping).await.len()
}

async fn answers_again(database: &mut Database, exporter: &Exporter) {
    database
        .run(
            "DROP VIEW processing_queue;
             CREATE VIEW processing_queue AS SELECT * FROM queue_rows",
        )
        .await;
    let page = exporter.ask("/api/queue/failed");
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(page.json()["total"], 2);
    let log = exporter.log();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
}
