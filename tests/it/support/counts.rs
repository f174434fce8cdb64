//! A proxy that counts what an exporter asks of its database.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::proxy::{Verdict, Word, proxy};

/// Stands between the exporter and the database and counts: a round trip is whatever the client
/// sends after the server has spoken.
#[derive(Default)]
pub(crate) struct Counts {
    pub round_trips: AtomicUsize,
    pub transactions: AtomicUsize,
    pub connections: AtomicUsize,
    server_spoke: AtomicBool,
}

impl Counts {
    /// Returns what was counted since the last time, or the beginning.
    pub(crate) fn take(counter: &AtomicUsize) -> usize {
        counter.swap(0, Ordering::Relaxed)
    }
}

/// Listens on a port of its own; what is sent to the server comes there later by the delay.
pub(crate) fn counting_proxy(server: SocketAddr, delay: Duration) -> (SocketAddr, Arc<Counts>) {
    let counts = Arc::<Counts>::default();
    let (sent, answered, opened) = (
        Arc::clone(&counts),
        Arc::clone(&counts),
        Arc::clone(&counts),
    );
    let address = proxy(server, move |word| match word {
        Word::Opened => {
            opened.connections.fetch_add(1, Ordering::Relaxed);
            opened.server_spoke.store(true, Ordering::Relaxed);
            Verdict::Pass
        }
        Word::Sent(bytes) => {
            if sent.server_spoke.swap(false, Ordering::Relaxed) {
                sent.round_trips.fetch_add(1, Ordering::Relaxed);
            }
            let begins = bytes
                .windows(15)
                .filter(|window| window == b"REPEATABLE READ");
            sent.transactions
                .fetch_add(begins.count(), Ordering::Relaxed);
            std::thread::sleep(delay);
            Verdict::Pass
        }
        Word::Answered(_) => {
            answered.server_spoke.store(true, Ordering::Relaxed);
            Verdict::Pass
        }
    });
    (address, counts)
}
