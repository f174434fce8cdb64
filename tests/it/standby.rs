use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::random;
use crate::support::{Database, Exporter, Options, Server, Verdict, Word, contains, proxy};

/// What happens to the first question about the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Conflict {
    /// It is cancelled while the standby answers it.
    InQuery,
    /// The session is ended while the question is on its way.
    InTransaction,
}

/// How far the question has come.
const WAITED_FOR: u8 = 1;
const HEARD: u8 = 2;
const PAST: u8 = 3;

#[tokio::test]
async fn a_scrape_that_a_standby_ends_for_its_recovery_is_begun_anew() {
    let primary = Server::start_new("autovacuum = off\n");
    let mut database = Database::on(&primary).await;
    let now = "2026-11-24T05:00:00Z".parse().expect("an instant");
    let mut rows = random::board(6, 300, now, chrono_tz::Tz::UTC);
    rows.jobs.get_or_insert_default();
    database.load(&rows).await;
    database
        .run(
            "ALTER TABLE processing_queue RENAME TO rows;
             CREATE VIEW processing_queue AS
                 WITH pause AS MATERIALIZED (SELECT pg_sleep(0.5))
                 SELECT * FROM rows WHERE (SELECT count(*) FROM pause) = 1",
        )
        .await;
    let standby = primary.standby("max_standby_streaming_delay = 0\nhot_standby = on\n");

    for conflict in [Conflict::InQuery, Conflict::InTransaction] {
        let progress = Arc::<AtomicU8>::default();
        let judged = Arc::clone(&progress);
        let address = proxy(standby.address(), move |said| {
            if let Word::Sent(bytes) = said
                && contains(bytes, OF_THE_QUEUE)
                && judged
                    .compare_exchange(WAITED_FOR, HEARD, Ordering::SeqCst, Ordering::SeqCst)
                    .is_ok()
            {
                while conflict == Conflict::InTransaction && judged.load(Ordering::SeqCst) != PAST {
                    thread::sleep(Duration::from_millis(5));
                }
            }
            Verdict::Pass
        });
        // Causes are asked on connections of their own, and not at every scrape.
        let options = Options {
            arguments: vec!["--no-collector.causes".to_owned()],
            ..Options::default()
        };
        let exporter = Exporter::serve(&database.url_through(address), &options);
        exporter.assert_whole();
        for _ in 0..2 {
            let conflicts = cancelled(&standby, &database).await;
            progress.store(WAITED_FOR, Ordering::SeqCst);
            let scraped = exporter.metrics;
            let scrape = thread::spawn(move || crate::support::get(scraped, "/metrics", &[]));
            wait_for(|| progress.load(Ordering::SeqCst) == HEARD);
            if conflict == Conflict::InQuery {
                thread::sleep(Duration::from_millis(100));
            }
            database
                .run("UPDATE rows SET attempts = attempts + 1")
                .await;
            database.run("VACUUM (TRUNCATE false) rows").await;
            while cancelled(&standby, &database).await == conflicts {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            progress.store(PAST, Ordering::SeqCst);
            let page = scrape.join().expect("an answer");
            for expected in ["up", "collector_success{collector=\"stages\"}"] {
                let line = format!("queueboard_{expected} 1");
                assert!(
                    page.text().contains(&line),
                    "{conflict:?}\n{}",
                    exporter.log()
                );
            }
        }
        assert_eq!(
            exporter.log(),
            "",
            "a conflict that cost nothing is worth no word"
        );
        assert_eq!(exporter.overview().status, 200);
        assert_eq!(exporter.ask("/api/queue/failed").status, 200);
    }

    database
        .run("DROP VIEW processing_queue; ALTER TABLE rows RENAME TO processing_queue")
        .await;
    let url = database.url_through(standby.address());
    let kind = "SELECT relkind::text FROM pg_class WHERE relname = 'processing_queue'";
    while Database::ask_at(&url, kind).await.ok() != Some(vec!["r".to_owned()]) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let exporter = Exporter::serve(&url, &Options::default());
    let retry = exporter.act("/api/queue/retry", r#"{"ids": [1]}"#);
    let words = retry.text();
    assert!(words.contains("name the primary"), "{words}");
}

/// What only questions about the queue are asked with.
const OF_THE_QUEUE: &str = "'summarize'";

/// How many sessions the standby has cancelled; it may do that to this one as well.
async fn cancelled(standby: &Server, database: &Database) -> Vec<String> {
    let url = database.url_through(standby.address());
    let count = "SELECT sum(confl_snapshot)::text FROM pg_stat_database_conflicts";
    loop {
        if let Ok(answer) = Database::ask_at(&url, count).await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn wait_for(holds: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < until, "it does not come");
        thread::sleep(Duration::from_millis(5));
    }
}
