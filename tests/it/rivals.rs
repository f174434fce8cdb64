use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use serde_json::{Value, json};

use crate::support::{
    Answer, Database, Engine, Exporter, Options, Verdict, Word, bearer, post, proxy,
};

async fn failed_rows(engine: Engine, documents: i64, rows_each: i64) -> Database {
    let mut database = Database::create(engine).await;
    let rows = (0..documents * rows_each).map(|n| {
        format!(
            "({n}, {}, 'stt', 'failed', 3, '2026-11-24T01:00:00Z')",
            n / rows_each
        )
    });
    let rows: Vec<String> = rows.collect();
    let columns = "id, document_id, stage, status, attempts, created_at";
    database
        .run(&format!(
            "INSERT INTO processing_queue ({columns}) VALUES {}",
            rows.join(", ")
        ))
        .await;
    database
}

/// Sends every body at the same moment, each from a client of its own.
fn at_once(exporter: &Exporter, bodies: Vec<Value>) -> Vec<Answer> {
    let start = Arc::new(Barrier::new(bodies.len()));
    let address = exporter.admin;
    let clients = bodies.into_iter().map(|body| {
        let start = Arc::clone(&start);
        std::thread::spawn(move || {
            start.wait();
            post(address, "/api/queue/retry", &[&bearer()], &body.to_string())
        })
    });
    let clients: Vec<_> = clients.collect();
    clients
        .into_iter()
        .map(|client| client.join().expect("an answer"))
        .collect()
}

fn retried(answers: &[Answer]) -> i64 {
    let count = |answer: &Answer| {
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["retried"].as_i64().expect("a count")
    };
    answers.iter().map(count).sum()
}

/// An exporter that acts through something that counts how often a unique index said no.
fn heard(database: &Database) -> (Exporter, Arc<AtomicUsize>) {
    let refusals = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&refusals);
    let address = proxy(database.server(), move |word| {
        if let Word::Answered(bytes) = word {
            let said = bytes.windows(5).filter(|window| window == b"23505").count();
            counter.fetch_add(said, Ordering::SeqCst);
        }
        Verdict::Pass
    });
    let arguments = vec![format!(
        "--admin.database-url={}",
        database.url_through(address)
    )];
    let options = Options {
        arguments,
        ..Options::default()
    };
    (Exporter::serve(database.url(), &options), refusals)
}

#[tokio::test]
async fn sixteen_clients_retry_the_same_rows_and_each_row_is_retried_once() {
    for engine in Engine::ALL {
        let mut database = failed_rows(engine, 300, 1).await;
        let exporter = Exporter::serve(database.url(), &Options::default());
        let ids: Vec<i64> = (0..300).collect();
        let answers = at_once(&exporter, vec![json!({ "ids": ids }); 16]);
        assert_eq!(retried(&answers), 300);
        let pending =
            "SELECT CAST(count(*) AS text) FROM processing_queue WHERE status = 'pending'";
        assert_eq!(database.texts(pending).await, ["300"]);
        assert!(!exporter.log().contains("failed;"), "{}", exporter.log());
    }
}

#[tokio::test]
async fn two_clients_retry_two_rows_of_one_document_and_one_is_retried() {
    for engine in Engine::ALL {
        let database = failed_rows(engine, 30, 2).await;
        let exporter = Exporter::serve(database.url(), &Options::default());
        for document in 0..30 {
            let bodies = vec![
                json!({"ids": [document * 2]}),
                json!({"ids": [document * 2 + 1]}),
            ];
            let answers = at_once(&exporter, bodies);
            assert_eq!(retried(&answers), 1, "document {document}");
            let outcomes = answers
                .iter()
                .map(|answer| answer.json()["results"][0]["outcome"].clone());
            assert!(outcomes.into_iter().any(|outcome| outcome == "conflict"));
        }
    }
}

#[tokio::test]
async fn the_unique_index_is_never_the_one_who_says_no() {
    let database = failed_rows(Engine::Postgres, 30, 2).await;
    let (exporter, refusals) = heard(&database);
    for document in 0..30 {
        let bodies = vec![
            json!({"ids": [document * 2]}),
            json!({"ids": [document * 2 + 1]}),
        ];
        assert_eq!(
            retried(&at_once(&exporter, bodies)),
            1,
            "document {document}"
        );
    }
    assert_eq!(refusals.load(Ordering::SeqCst), 0);
}

/// The pipeline does not take turns with us: it queues documents while they are retried.
#[tokio::test]
async fn the_pipeline_may_be_faster() {
    let mut database = failed_rows(Engine::Postgres, 200, 1).await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    let ids: Vec<i64> = (0..200).collect();
    let address = exporter.admin;
    let body = json!({ "ids": ids }).to_string();
    // A row that is not committed yet makes the retry wait for it, and then lose.
    database
        .run(
            "BEGIN; INSERT INTO processing_queue (id, document_id, stage, status, created_at)
                  SELECT 1000 + n, n, 'stt', 'pending', now() FROM generate_series(0, 99) AS n",
        )
        .await;
    let client = std::thread::spawn(move || post(address, "/api/queue/retry", &[&bearer()], &body));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    database.run("COMMIT").await;
    let answer = client.join().expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["retried"], 100);
    let conflicts = answer.text().matches("conflict").count();
    assert_eq!(conflicts, 100);
}
