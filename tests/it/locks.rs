use std::thread;
use std::time::{Duration, Instant};

use crate::random;
use crate::support::{Database, Engine, Exporter, Options, get};

const SCRAPE_TIMEOUT: Duration = Duration::from_secs(4);

async fn database() -> Database {
    let mut database = Database::create(Engine::Postgres).await;
    let now = "2026-11-24T05:00:00Z".parse().expect("an instant");
    let mut rows = random::board(6, 30, now, chrono_tz::Tz::UTC);
    rows.jobs.get_or_insert_default();
    database.load(&rows).await;
    database
}

#[tokio::test]
async fn a_locked_queue_holds_up_neither_scrapes_nor_the_database() {
    let mut database = database().await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    exporter.assert_whole();
    database
        .run("BEGIN; LOCK TABLE processing_queue IN ACCESS EXCLUSIVE MODE")
        .await;
    let address = exporter.metrics;
    let paths = [
        "/metrics",
        "/metrics?collect[]=stages",
        "/metrics?exclude[]=stages",
    ];
    let scrape = |number: usize| {
        let path = paths[number % paths.len()];
        move || {
            let begun = Instant::now();
            let page = get(address, path, &["X-Prometheus-Scrape-Timeout-Seconds: 4"]);
            (begun.elapsed(), page)
        }
    };
    let scrapes: Vec<_> = (0..60)
        .map(|number| thread::spawn(scrape(number)))
        .collect();
    let mut most = 0;
    while scrapes.iter().any(|scrape| !scrape.is_finished()) {
        most = most.max(database.sessions().await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Two of the scrapes, and two of the lists of failed rows, of which one counts the causes.
    assert!((1..=4).contains(&most), "{most} sessions");
    for scrape in scrapes {
        let (took, page) = scrape.join().expect("an answer");
        assert_eq!(page.status, 200);
        assert!(took < SCRAPE_TIMEOUT, "{took:?}");
        for failed in ["{collector=\"stages\"} 1", "{collector=\"trend\"} 1"] {
            assert!(!page.text().contains(failed), "{}", page.text());
        }
    }
    database.run("COMMIT").await;
    exporter.assert_whole();
}

#[tokio::test]
async fn a_migration_is_held_up_no_longer_than_by_our_waiting_for_a_lock() {
    let mut database = database().await;
    // The queue is slow to read from here on: longer than any scrape would wait.
    database
        .run(
            "ALTER TABLE processing_queue RENAME TO rows;
             CREATE VIEW processing_queue AS SELECT rows.* FROM rows, pg_sleep(60)",
        )
        .await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    let address = exporter.metrics;
    let header = "X-Prometheus-Scrape-Timeout-Seconds: 10";
    let scrapes = thread::spawn(move || {
        for _ in 0..3 {
            let begun = Instant::now();
            let page = get(address, "/metrics", &[header]);
            assert!(
                page.text().contains("queueboard_up 1"),
                "the snapshot is there"
            );
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(10), "{took:?}");
        }
    });
    let mut migrations = 0;
    while !scrapes.is_finished() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let begun = Instant::now();
        database
            .run("ALTER TABLE rows ALTER COLUMN attempts SET DEFAULT 0")
            .await;
        let waited = begun.elapsed();
        // A statement would have five seconds; we wait for a lock no longer than one.
        assert!(waited < Duration::from_millis(1000), "{waited:?}");
        migrations += 1;
    }
    assert!(migrations > 1);
    scrapes.join().expect("the scrapes are answered");
    exporter.log_with("it gave way to somebody who waits to change the table");
}

#[tokio::test]
async fn a_scrape_that_waits_for_a_lock_does_not_stand_in_the_way() {
    let mut database = database().await;
    let url = database.url().to_owned();
    let exporter = Exporter::serve(database.url(), &Options::default());
    exporter.assert_whole();
    // Something long holds the table, and who comes after the scrape waits behind both.
    database
        .run("BEGIN; LOCK TABLE processing_queue IN ACCESS EXCLUSIVE MODE")
        .await;
    let address = exporter.metrics;
    let scrape = thread::spawn(move || get(address, "/metrics?collect[]=stages", &[]));
    let waits = "SELECT pid::text FROM pg_locks JOIN pg_database ON pg_database.oid = database
                 WHERE NOT granted AND datname = current_database()";
    let nobody_waits = async || {
        let waiting = Database::ask_at(&url, waits).await;
        waiting.expect("a session").is_empty()
    };
    while nobody_waits().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let begun = Instant::now();
    while !nobody_waits().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let waited = begun.elapsed();
    assert!(
        waited < Duration::from_millis(1500),
        "we stood in the way for {waited:?}"
    );
    let page = scrape.join().expect("an answer");
    assert!(
        page.text()
            .contains("queueboard_collector_success{collector=\"stages\"} 0")
    );
    exporter.log_with("something else holds a lock");
}

#[tokio::test]
async fn a_scrape_that_has_time_is_not_given_the_answer_of_one_that_had_none() {
    let mut database = database().await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    exporter.assert_whole();
    database
        .run("BEGIN; LOCK TABLE processing_queue IN ACCESS EXCLUSIVE MODE")
        .await;
    let address = exporter.metrics;
    let scrape = |timeout: &'static str| {
        let header = format!("X-Prometheus-Scrape-Timeout-Seconds: {timeout}");
        thread::spawn(move || get(address, "/metrics", &[&header]))
    };
    let hasty = scrape("0.5");
    thread::sleep(Duration::from_millis(50));
    let patient = scrape("20");
    let hasty = hasty.join().expect("an answer");
    assert!(hasty.text().contains("{collector=\"stages\"} 0"));
    database.run("COMMIT").await;
    let patient = patient.join().expect("an answer");
    assert!(patient.text().contains("{collector=\"stages\"} 1"));
    assert!(patient.text().contains("{collector=\"trend\"} 1"));
}
