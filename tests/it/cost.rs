use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use chrono_tz::Tz;

use crate::random;
use crate::support::{Counts, Database, Engine, Exporter, Options, counting_proxy, get};

/// An exporter of a database with rows in it, behind a proxy.
async fn behind_a_proxy(delay: Duration) -> (Database, Exporter, Arc<Counts>) {
    let mut database = Database::create(Engine::Postgres).await;
    let now = DateTime::from_timestamp(1_795_500_000, 0).expect("an instant");
    let rows = (0..).map(|seed| random::board(seed, 300, now, Tz::Asia__Seoul));
    let rows = rows
        .into_iter()
        .find(|rows| rows.jobs.is_some())
        .expect("a board with jobs");
    database.load(&rows).await;
    let (address, counts) = counting_proxy(database.server(), delay);
    let url = database.url_through(address);
    let arguments = vec!["--collector.current".to_owned()];
    let exporter = Exporter::serve(
        &url,
        &Options {
            arguments,
            ..Options::default()
        },
    );
    (database, exporter, counts)
}

#[tokio::test]
async fn a_warm_scrape_takes_at_most_ten_round_trips() {
    let (_database, exporter, counts) = behind_a_proxy(Duration::ZERO).await;
    // The second scrape finds a connection and prepared statements. Causes are counted at the same
    // time, on a connection of their own and not at every scrape.
    let scrape = || get(exporter.metrics, "/metrics?exclude[]=causes", &[]);
    scrape();
    scrape();
    for _ in 0..3 {
        Counts::take(&counts.round_trips);
        assert!(scrape().text().contains("queueboard_up 1"));
        let round_trips = Counts::take(&counts.round_trips);
        println!("a warm scrape with every collector: {round_trips} round trips");
        assert!((1..=10).contains(&round_trips), "{round_trips}");
    }
    assert_eq!(Counts::take(&counts.connections), 1);
}

#[tokio::test]
async fn scrapes_that_arrive_together_share_one_collection() {
    let (_database, exporter, counts) = behind_a_proxy(Duration::from_millis(50)).await;
    exporter.page();
    Counts::take(&counts.transactions);
    let address = exporter.metrics;
    let scrapes = (0..100).map(|_| std::thread::spawn(move || get(address, "/metrics", &[])));
    let scrapes: Vec<_> = scrapes.collect();
    for scrape in scrapes {
        let page = scrape.join().expect("an answer");
        assert!(page.text().contains("queueboard_up 1"));
    }
    let transactions = Counts::take(&counts.transactions);
    assert!(
        (1..=3).contains(&transactions),
        "{transactions} transactions for 100 scrapes"
    );
}

/// A history that the planner takes seriously, on an engine with or without the indexes.
async fn with_a_history(engine: Engine) -> (Database, Exporter) {
    let mut database = Database::create(engine).await;
    database
        .run(
            "INSERT INTO processing_queue (id, document_id, stage, status, created_at, completed_at)
             SELECT g, g, CASE g % 2 WHEN 0 THEN 'summarize' ELSE 'stt' END, 'completed',
                    now() - g * interval '1 minute', now() - g * interval '1 minute'
             FROM generate_series(1, 100000) g",
        )
        .await;
    database.run("VACUUM ANALYZE processing_queue").await;
    let arguments = vec!["--collector.current".to_owned()];
    let options = Options {
        arguments,
        ..Options::default()
    };
    let exporter = Exporter::serve(database.url(), &options);
    (database, exporter)
}

/// Returns how often the queue was read from end to end, and how many of its rows in all.
async fn reads(database: &mut Database) -> (i64, i64) {
    // What made the history has perhaps not told of its own reads yet.
    database.run("SELECT pg_stat_force_next_flush()").await;
    let counts = "SELECT concat(seq_scan, ' ', seq_tup_read + coalesce(idx_tup_fetch, 0))
                  FROM pg_stat_user_tables WHERE relname = 'processing_queue'";
    let counts = database.texts(counts).await.remove(0);
    let (passes, rows) = counts.split_once(' ').expect("two numbers");
    (passes.parse().expect("passes"), rows.parse().expect("rows"))
}

/// Returns what one scrape adds to them, some SQL having been run before. A backend is sure to have told when it is gone.
async fn reads_of_a_scrape(engine: Engine, before: &str, path: &str) -> (i64, i64) {
    let (mut database, exporter) = with_a_history(engine).await;
    database.run(before).await;
    let (passes, rows) = reads(&mut database).await;
    let page = get(exporter.metrics, path, &[]);
    let done = "queueboard_stage_completed_1h{machine=\"gpu\",stage=\"stt\"} 30";
    assert!(page.text().contains(done), "{}", page.text());
    drop(exporter);
    let others = "SELECT count(*)::text FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    while database.texts(others).await != ["0"] {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (more_passes, more_rows) = reads(&mut database).await;
    (more_passes - passes, more_rows - rows)
}

#[tokio::test]
async fn with_the_indexes_a_scrape_makes_no_pass_over_the_table() {
    let (passes, rows) = reads_of_a_scrape(Engine::Indexed, "", "/metrics").await;
    assert_eq!(passes, 0);
    // A day of the trend's stage, twice; of the other stage nothing but index entries.
    assert!((1..4000).contains(&rows), "{rows}");
}

#[tokio::test]
async fn without_the_indexes_stages_and_trend_are_one_pass_over_the_table() {
    let path = "/metrics?collect[]=stages&collect[]=trend";
    let (passes, rows) = reads_of_a_scrape(Engine::Postgres, "", path).await;
    // Each process that takes part in a pass counts it.
    assert!((1..=3).contains(&passes), "{passes}");
    assert_eq!(rows, 100_000);
}

/// An index whose making was broken off is there, but is no help.
#[tokio::test]
async fn an_invalid_index_is_none() {
    let broken_off = "UPDATE pg_index SET indisvalid = false
                      WHERE indexrelid = 'queueboard_completed'::regclass";
    let path = "/metrics?collect[]=stages";
    let (passes, rows) = reads_of_a_scrape(Engine::Indexed, broken_off, path).await;
    assert!((1..=3).contains(&passes), "{passes}");
    assert_eq!(rows, 100_000);
}
