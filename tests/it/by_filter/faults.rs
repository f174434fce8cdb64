use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use serde_json::json;

use super::{act, count, ended, failed_rows, served};
use crate::support::{Database, Engine, Exporter, Options, bearer, post};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_dies_in_mid_batch_leaves_nothing_half() {
    let mut database = failed_rows(Engine::Postgres, 3000).await;
    // The second batch stands still at a row of it, until its session is killed.
    database
        .run(
            "CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN IF NEW.id = 1001 THEN PERFORM pg_sleep(60); END IF; RETURN NEW; END $$;
             CREATE TRIGGER stand_still BEFORE UPDATE ON processing_queue
             FOR EACH ROW EXECUTE FUNCTION stand_still()",
        )
        .await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    let answer = act(
        &exporter,
        "retry",
        &json!({"filter": {"stage": "stt"}, "expected": 2700}),
    );
    assert_eq!(answer.status, 202);
    let sleeping = "SELECT CAST(count(pg_terminate_backend(pid)) AS text) FROM pg_stat_activity
                    WHERE wait_event = 'PgSleep' AND datname = current_database()";
    let mut killed = "0".to_owned();
    for _ in 0..500 {
        killed = database.texts(sleeping).await.remove(0);
        if killed != "0" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(killed, "1");
    let action = ended(&exporter, &answer);
    assert_eq!(action["status"], "failed", "{action}");
    let done = action["outcomes"]["retried"].as_i64().expect("a count");
    assert!(done > 0 && done % 1000 == 0, "{action}");
    let error = action["error"].as_str().expect("a reason");
    assert!(error.contains("nothing was changed"), "{error}");
    assert_eq!(count(&mut database, "status = 'pending'").await, done);
    // It is safe to ask for it again.
    database
        .run("DROP TRIGGER stand_still ON processing_queue")
        .await;
    let again = act(&exporter, "retry", &json!({"filter": {"stage": "stt"}}));
    let again = ended(&exporter, &again);
    assert_eq!(again["outcomes"]["retried"], 2700 - done);
    assert_eq!(count(&mut database, "status = 'pending'").await, 2700);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_clients_and_the_workers_meet_each_row_once() {
    for engine in [Engine::Postgres, Engine::Sqlite] {
        let (mut database, exporter) = served(engine, 3000).await;
        let is_over = Arc::new(AtomicBool::new(false));
        let worker = matches!(engine, Engine::Postgres)
            .then(|| tokio::spawn(work(database.url().to_owned(), Arc::clone(&is_over))));
        let start = Arc::new(Barrier::new(16));
        let clients = (0..16).map(|client| {
            let (start, address) = (Arc::clone(&start), exporter.admin);
            std::thread::spawn(move || {
                let limit = 100 + client * 50;
                let filter = if client % 2 == 0 {
                    json!({})
                } else {
                    json!({"stage": "stt"})
                };
                let body = json!({"filter": filter, "limit": limit}).to_string();
                start.wait();
                post(address, "/api/queue/retry", &[&bearer()], &body)
            })
        });
        let clients: Vec<_> = clients.collect();
        let mut retried = 0;
        for client in clients {
            let answer = client.join().expect("an answer");
            assert_eq!(answer.status, 200, "{engine:?} {}", answer.text());
            retried += answer.json()["retried"].as_i64().expect("a count");
        }
        is_over.store(true, Ordering::Relaxed);
        if let Some(worker) = worker {
            let taken = worker.await.expect("a worker");
            assert!(taken > 0);
        }
        // No row fails again in this test, so each that is not failed was retried by one client.
        assert_eq!(
            count(&mut database, "status <> 'failed'").await,
            retried,
            "{engine:?}"
        );
        assert!(!exporter.log().contains("deadlock"), "{}", exporter.log());
    }
}

/// Takes and completes rows as the pipeline's workers do, and returns how many.
async fn work(url: String, is_over: Arc<AtomicBool>) -> usize {
    let take = "WITH taken AS (SELECT id FROM processing_queue WHERE status = 'pending'
                               ORDER BY id LIMIT 5 FOR UPDATE SKIP LOCKED)
                UPDATE processing_queue q SET status = 'completed', started_at = now(), completed_at = now()
                FROM taken WHERE q.id = taken.id RETURNING CAST(q.id AS text)";
    let mut taken = 0;
    while !is_over.load(Ordering::Relaxed) {
        taken += Database::ask_at(&url, take).await.expect("rows").len();
    }
    taken
}
