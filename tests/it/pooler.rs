use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::random;
use crate::support::{
    Database, Engine, Exporter, Options, Pooler, Reader, Verdict, Word, contains, get, of_board,
    proxy,
};

/// A database of failed and other rows, whose sessions find its tables without being told where.
async fn database() -> Database {
    let mut database = Database::create(Engine::Postgres).await;
    let now = "2026-11-24T05:00:00Z".parse().expect("an instant");
    let mut rows = random::board(6, 300, now, chrono_tz::Tz::UTC);
    rows.jobs.get_or_insert_default();
    database.load(&rows).await;
    database
        .run(
            "UPDATE processing_queue SET status = 'failed' WHERE status = 'pending';
             DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = clock, pg_catalog, public',
                                        current_database()); END $$",
        )
        .await;
    database
}

/// A URL without the options that a pooler would refuse.
fn plain(url: &str) -> String {
    url.split('?').next().expect("a URL").to_owned()
}

#[tokio::test]
async fn through_a_transaction_pooler_everything_works_and_no_name_stands_for_two_texts() {
    let database = database().await;
    // Each transaction of a client is given the next of three servers.
    let pooler = Pooler::start(database.server(), 3, "server_round_robin = 1");
    let names_a_statement = Arc::<AtomicBool>::default();
    let heard = Arc::clone(&names_a_statement);
    let address = proxy(pooler.address(), move |said| {
        if let Word::Sent(bytes) = said
            && contains(bytes, "sqlx_s_")
        {
            heard.store(true, Ordering::SeqCst);
        }
        Verdict::Pass
    });
    let url = plain(&database.url_through(address));
    let serve = |url: &str| {
        let arguments = vec!["--collector.current".to_owned()];
        Exporter::serve(
            url,
            &Options {
                arguments,
                ..Options::default()
            },
        )
    };
    let (one, other, direct) = (serve(&url), serve(&url), serve(database.url()));

    let expected = of_board(direct.scrape());
    let mut reader = Reader::start();
    for _ in 0..10 {
        // In another order the same names would stand for other statements.
        let address = other.metrics;
        let partly = thread::spawn(move || get(address, "/metrics?collect[]=trend", &[]));
        one.assert_whole();
        assert_eq!(of_board(reader.classic(one.page().text())), expected);
        other.assert_whole();
        partly.join().expect("an answer");
    }
    assert_eq!(one.overview().json(), direct.overview().json());

    assert_eq!(one.log(), "", "there is nothing to complain of");

    let failed = one.ask("/api/queue/failed").json();
    assert_eq!(
        failed["items"],
        direct.ask("/api/queue/failed").json()["items"]
    );
    let ids: Vec<i64> = failed["items"]
        .as_array()
        .expect("failed rows")
        .iter()
        .map(|item| item["id"].as_i64().expect("an id"))
        .collect();
    for (turn, id) in ids.iter().take(12).enumerate() {
        let (action, exporter) = if turn % 2 == 0 {
            ("retry", &one)
        } else {
            ("skip", &other)
        };
        let path = format!("/api/queue/{action}");
        let answer = exporter.act(&path, &format!("{{\"ids\": [{id}]}}"));
        assert_eq!(answer.status, 200, "{}\n{}", answer.text(), exporter.log());
    }
    assert!(
        !names_a_statement.load(Ordering::SeqCst),
        "a statement was given a name that others give to theirs"
    );
    // The settings of our transactions are not left to whoever is given the server next.
    for setting in [
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
    ] {
        for _ in 0..3 {
            let url = plain(&database.url_through(pooler.address()));
            let values = Database::ask_at(&url, &format!("SHOW {setting}")).await;
            assert_eq!(values.expect("a session"), ["0"], "{setting}");
        }
    }
}

#[tokio::test]
async fn servers_lost_behind_a_pooler_are_replaced() {
    let mut database = database().await;
    let pooler = Pooler::start(database.server(), 2, "");
    let url = plain(&database.url_through(pooler.address()));
    let exporter = Exporter::serve(&url, &Options::default());
    for _ in 0..5 {
        exporter.assert_whole();
        database.kill_sessions().await;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    exporter.assert_whole();
}
