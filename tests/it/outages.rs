use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::random;
use crate::support::{
    Database, Engine, Exporter, Options, Server, Verdict, Word, contains, get, proxy,
};

#[tokio::test]
async fn a_server_that_is_absent_restarted_and_lost_is_read_whole_when_it_is_back() {
    let server = Server::start_new("");
    let mut database = Database::on(&server).await;
    database.run("DROP TABLE background_jobs").await;
    let url = database.url().to_owned();
    drop(database);
    server.stop();
    let exporter = Exporter::serve(&url, &Options::default());
    assert!(exporter.page().text().contains("queueboard_up 0"));
    for _ in 0..3 {
        server.start();
        exporter.assert_whole();
        // It is lost while scrapes are under way.
        let address = exporter.metrics;
        let scrape = move || {
            for _ in 0..40 {
                let page = get(
                    address,
                    "/metrics",
                    &["X-Prometheus-Scrape-Timeout-Seconds: 2"],
                );
                assert_eq!(page.status, 200);
            }
        };
        let scrapes: Vec<_> = (0..4).map(|_| thread::spawn(scrape)).collect();
        thread::sleep(Duration::from_millis(100));
        server.stop();
        for scrape in scrapes {
            scrape.join().expect("every scrape is answered");
        }
        assert!(exporter.page().text().contains("queueboard_up 0"));
    }
    let log = exporter.log();
    assert!(log.lines().count() < 30, "a flood:\n{log}");
}

#[tokio::test]
async fn every_backend_killed_costs_no_scrape() {
    let mut database = Database::create(Engine::Postgres).await;
    database.run("DROP TABLE background_jobs").await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    for _ in 0..5 {
        // Two collections at once leave two connections behind.
        let address = exporter.metrics;
        let other = thread::spawn(move || get(address, "/metrics?collect[]=trend", &[]));
        exporter.assert_whole();
        other.join().expect("an answer");
        database.kill_sessions().await;
    }
    exporter.assert_whole();
}

#[tokio::test]
async fn an_outage_leaves_no_dead_connection_in_the_pool() {
    let mut database = Database::create(Engine::Postgres).await;
    database.run("DROP TABLE background_jobs").await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    let descriptors = exporter.descriptors();
    // Two collections that are held up at once leave two connections behind.
    database
        .run("BEGIN; LOCK TABLE processing_queue IN ACCESS EXCLUSIVE MODE")
        .await;
    let scrape = |path: &'static str| {
        let address = exporter.metrics;
        thread::spawn(move || get(address, path, &[]))
    };
    let scrapes = [
        scrape("/metrics?collect[]=trend"),
        scrape("/metrics?collect[]=stages"),
    ];
    while database.sessions().await < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    database.run("COMMIT").await;
    for scrape in scrapes {
        scrape.join().expect("an answer");
    }
    assert_eq!(database.sessions().await, 2);
    database.kill_sessions().await;
    exporter.assert_whole();
    // One of the scrapes, and one of the lists.
    assert_eq!(database.sessions().await, 2);
    assert_descriptors(&exporter, descriptors + 2);
}

/// The socket of the last answer may be open for a moment.
fn assert_descriptors(exporter: &Exporter, most: usize) {
    let until = Instant::now() + Duration::from_secs(10);
    while exporter.descriptors() > most {
        assert!(
            Instant::now() < until,
            "{} of {most}",
            exporter.descriptors()
        );
        thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn an_idle_connection_that_nothing_is_heard_of_is_replaced_within_the_scrape() {
    let mut database = Database::create(Engine::Postgres).await;
    database.run("DROP TABLE background_jobs").await;
    let has_forgotten = Arc::<AtomicBool>::default();
    let forgets = Arc::clone(&has_forgotten);
    // What lies between has forgotten the connection, as firewalls do; a new one is carried.
    let address = proxy(database.server(), move |said| match said {
        Word::Opened => {
            forgets.store(false, Ordering::SeqCst);
            Verdict::Pass
        }
        _ if forgets.load(Ordering::SeqCst) => Verdict::Swallow,
        _ => Verdict::Pass,
    });
    let exporter = Exporter::serve(&database.url_through(address), &Options::default());
    for _ in 0..3 {
        exporter.assert_whole();
        has_forgotten.store(true, Ordering::SeqCst);
        let page = exporter.page_within(Duration::from_secs(1));
        assert!(
            page.text().contains("queueboard_up 1"),
            "{}",
            exporter.log()
        );
    }
}

/// A network that goes silent when a word is said, and stays so until it is repaired.
struct Network {
    word: &'static str,
    /// Whether the word itself still arrives.
    carries_word: bool,
    is_broken: AtomicBool,
    is_silent: AtomicBool,
}

impl Network {
    /// An exporter that reads a database over such a network.
    async fn between(word: &'static str, carries_word: bool) -> (Database, Exporter, Arc<Self>) {
        let mut database = Database::create(Engine::Postgres).await;
        let now = "2026-11-24T05:00:00Z".parse().expect("an instant");
        let mut rows = random::board(6, 30, now, chrono_tz::Tz::UTC);
        rows.jobs.get_or_insert_default();
        database.load(&rows).await;
        let network = Arc::new(Self {
            word,
            carries_word,
            is_broken: AtomicBool::default(),
            is_silent: AtomicBool::default(),
        });
        let judge = Arc::clone(&network);
        let address = proxy(database.server(), move |said| judge.judge(&said));
        let exporter = Exporter::serve(&database.url_through(address), &Options::default());
        (database, exporter, network)
    }

    fn judge(&self, said: &Word) -> Verdict {
        if self.is_silent.load(Ordering::SeqCst) {
            return Verdict::Swallow;
        }
        let broken = self.is_broken.load(Ordering::SeqCst);
        match said {
            Word::Sent(bytes) if broken && contains(bytes, self.word) => {
                self.is_silent.store(true, Ordering::SeqCst);
                if self.carries_word {
                    Verdict::Pass
                } else {
                    Verdict::Swallow
                }
            }
            _ => Verdict::Pass,
        }
    }

    fn break_off(&self) {
        self.is_broken.store(true, Ordering::SeqCst);
    }

    fn repair(&self) {
        self.is_broken.store(false, Ordering::SeqCst);
        self.is_silent.store(false, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_network_that_goes_silent_in_mid_query_is_waited_for_no_longer_than_the_deadline() {
    for word in [
        "BEGIN",
        "FROM background_jobs",
        "FROM processing_queue",
        "COMMIT",
    ] {
        for carries_word in [true, false] {
            let (mut database, exporter, network) = Network::between(word, carries_word).await;
            exporter.assert_whole();
            network.break_off();
            exporter.page_within(Duration::from_secs(1));
            exporter.page_within(Duration::from_secs(1));
            network.repair();
            exporter.assert_whole();
            let sessions = database.sessions().await;
            assert!(sessions <= 4, "{word} {carries_word}: {sessions} sessions");
        }
    }
}

#[tokio::test]
async fn five_hundred_outages_leave_nothing_behind() {
    let (mut database, exporter, network) = Network::between("FROM processing_queue", true).await;
    exporter.assert_whole();
    let descriptors = exporter.descriptors();
    let mut most = 0;
    for round in 0..500 {
        match round % 4 {
            0 if round % 20 == 0 => database.kill_sessions().await,
            1 => network.repair(),
            2 => network.break_off(),
            _ => {}
        }
        exporter.page_within(Duration::from_millis(100));
        most = most.max(database.sessions().await);
    }
    assert!(most <= 4, "{most} sessions");
    network.repair();
    exporter.assert_whole();
    // A counting of causes that waits for the lost network is watched from another connection.
    assert_descriptors(&exporter, descriptors + 1);
}
