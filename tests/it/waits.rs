use std::thread;
use std::time::Duration;

use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection, query_scalar, raw_sql};

use crate::support::{Answer, Database, Engine, Exporter, Options, bearer, post, repository_file};

/// Rows of which two are failed.
const ROWS: &str = "
INSERT INTO processing_queue (id, document_id, stage, status, created_at)
VALUES (1, 1, 'stt', 'failed', now()), (2, 2, 'stt', 'failed', now())";

const BOTH: &str = r#"{"ids": [1, 2]}"#;

/// Makes the shipped roles by names of their own, since roles are those of the whole server.
async fn database(prefix: &str) -> (Database, Exporter) {
    let mut database = Database::create(Engine::Postgres).await;
    let roles = repository_file("deploy/roles.sql").replace("queueboard_", prefix);
    database.run("GRANT USAGE ON SCHEMA clock TO PUBLIC").await;
    database.run(ROWS).await;
    database.run(&roles).await;
    let operator = of_role(&database, &format!("{prefix}operator"));
    let options = Options {
        arguments: vec![format!("--admin.database-url={operator}")],
        ..Options::default()
    };
    let exporter = Exporter::serve(database.url(), &options);
    (database, exporter)
}

/// The URL of a role; the clock of the tests is none of its business.
fn of_role(database: &Database, role: &str) -> String {
    let url = database.url().split('?').next().expect("a URL");
    url.replace("postgres@", &format!("{role}@"))
}

/// A session of somebody else, and the process that serves it.
async fn session(url: &str) -> (PgConnection, i32) {
    let options: PgConnectOptions = url.parse().expect("a URL");
    let options = options.application_name("by hand");
    let mut connection = options.connect().await.expect("a session");
    let pid = query_scalar("SELECT pg_backend_pid()");
    let pid = pid.fetch_one(&mut connection).await.expect("a process");
    (connection, pid)
}

async fn say(connection: &mut PgConnection, script: &'static str) {
    let said = raw_sql(script).execute(connection).await;
    said.expect("it is done");
}

fn refusal(answer: &Answer) -> String {
    assert_eq!(answer.status, 503, "{}", answer.text());
    let Value::String(error) = answer.json()["error"].take() else {
        panic!("no reason: {}", answer.text());
    };
    assert!(error.starts_with("nothing was changed: the rows are locked by "));
    error
}

#[tokio::test]
async fn the_answer_names_who_holds_what_an_action_waits_for() {
    let (mut database, exporter) = database("waiting_").await;
    let retry = || exporter.act("/api/queue/retry", BOTH);

    let (mut reader, pid) = session(&of_role(&database, "waiting_reader")).await;
    let turn = "BEGIN; SELECT pg_advisory_xact_lock(7163384699739271780)";
    say(&mut reader, turn).await;
    // Somebody who has rows is not to blame for what waits for the reader.
    database
        .run("BEGIN; UPDATE processing_queue SET attempts = 1")
        .await;
    let error = refusal(&retry());
    let ending = format!("ends one with SELECT pg_terminate_backend({pid}); try again");
    let holder = format!("session {pid} of waiting_reader (by hand); its own role");
    assert!(
        error.contains(&holder) && error.ends_with(&ending),
        "{error}"
    );
    exporter.log_with(&format!("locked by session {pid} of waiting_reader"));
    database.run("ROLLBACK").await;

    let end = format!("SELECT pg_terminate_backend({pid})::text");
    assert_eq!(database.texts(&end).await, ["true"]);
    let (mut worker, pid) = session(&of_role(&database, "postgres")).await;
    say(
        &mut worker,
        "BEGIN; UPDATE processing_queue SET attempts = 1",
    )
    .await;
    database
        .run("GRANT pg_read_all_stats TO waiting_operator")
        .await;
    let error = refusal(&retry());
    database
        .run("REVOKE pg_read_all_stats FROM waiting_operator")
        .await;
    let holder = format!("session {pid} of postgres (by hand) in a transaction since 2");
    assert!(error.contains(&holder), "{error}");
    say(&mut worker, "ROLLBACK").await;
    assert_eq!(retry().json()["retried"], 2);
}

#[tokio::test]
async fn an_action_that_meets_a_worker_in_a_deadlock_is_done_again() {
    let (mut database, exporter) = database("deadlocked_").await;
    let (mut worker, _) = session(&of_role(&database, "postgres")).await;
    // It is the action that finds the deadlock, and ends.
    say(
        &mut worker,
        "SET deadlock_timeout = '60s'; BEGIN;
         UPDATE processing_queue SET attempts = 7 WHERE id = 2",
    )
    .await;
    let address = exporter.admin;
    let retry = thread::spawn(move || post(address, "/api/queue/retry", &[&bearer()], BOTH));
    let waits = "SELECT count(*)::text FROM pg_locks JOIN pg_stat_activity USING (pid)
                 WHERE NOT granted AND datname = current_database()";
    while database.texts(waits).await != ["1"] {
        database.run("SELECT pg_stat_clear_snapshot()").await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    say(
        &mut worker,
        "UPDATE processing_queue SET attempts = 7 WHERE id = 1; COMMIT",
    )
    .await;
    let retry = retry.join().expect("an answer");
    assert_eq!(retry.json()["retried"], 2, "{}", retry.text());
    let attempts = "SELECT string_agg(attempts::text, ' ') FROM processing_queue";
    assert_eq!(database.texts(attempts).await, ["0 0"]);
    let deadlocks =
        "SELECT deadlocks::text FROM pg_stat_database WHERE datname = current_database()";
    while database.texts(deadlocks).await != ["1"] {
        database.run("SELECT pg_stat_clear_snapshot()").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
