use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::DateTime;
use chrono_tz::Tz;

use crate::random;
use crate::support::{Database, Engine, Exporter, Options, get};

/// Stands between the exporter and the database and counts: a round trip is whatever the client
/// sends after the server has spoken.
#[derive(Default)]
struct Counts {
    round_trips: AtomicUsize,
    transactions: AtomicUsize,
    connections: AtomicUsize,
}

impl Counts {
    fn take(counter: &AtomicUsize) -> usize {
        counter.swap(0, Ordering::Relaxed)
    }
}

fn proxy(server: SocketAddr, delay: Duration) -> (SocketAddr, Arc<Counts>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let counts = Arc::<Counts>::default();
    let counting = Arc::clone(&counts);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.expect("a connection");
            counting.connections.fetch_add(1, Ordering::Relaxed);
            let upstream = TcpStream::connect(server).expect("the server");
            let server_spoke = Arc::new(Mutex::new(true));
            let (spoke, counts) = (Arc::clone(&server_spoke), Arc::clone(&counting));
            let up = (
                client.try_clone().expect("a socket"),
                upstream.try_clone().expect("a socket"),
            );
            std::thread::spawn(move || {
                forward(up.0, up.1, |bytes| {
                    if std::mem::take(&mut *spoke.lock().expect("a lock")) {
                        counts.round_trips.fetch_add(1, Ordering::Relaxed);
                    }
                    let begins = bytes
                        .windows(15)
                        .filter(|window| window == b"REPEATABLE READ");
                    counts
                        .transactions
                        .fetch_add(begins.count(), Ordering::Relaxed);
                    std::thread::sleep(delay);
                });
            });
            std::thread::spawn(move || {
                forward(upstream, client, |_| {
                    *server_spoke.lock().expect("a lock") = true
                });
            });
        }
    });
    (address, counts)
}

fn forward(mut from: TcpStream, mut to: TcpStream, seen: impl Fn(&[u8])) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 {
            break;
        }
        seen(&buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

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
    let authority = database
        .url()
        .split(['@', '/'])
        .nth(3)
        .expect("host and port")
        .to_owned();
    let (address, counts) = proxy(authority.parse().expect("an address"), delay);
    let url = database.url().replace(&authority, &address.to_string());
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
    // The second scrape finds a connection and prepared statements.
    exporter.page();
    exporter.page();
    for _ in 0..3 {
        Counts::take(&counts.round_trips);
        assert_eq!(exporter.scrape()["queueboard_up"], 1.0);
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
