//! The open connections of a listener: how many there may be, and when one is closed.
//!
//! One rule ends every idler, whatever it does: a connection on which no request is answered is
//! closed after a while, and at once, the longest idle first, when others need its place. That
//! holds for a handshake that drags on, a head half sent, an answer never read, and a connection
//! kept for later.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

/// How many connections a listener has at most.
const MOST: usize = 256;

/// How long a connection may be open without a request to answer: longer than a scrape interval of
/// ten seconds, so that such a Prometheus keeps its connection.
const MOST_IDLE: Duration = Duration::from_secs(12);

/// The open connections of one listener.
#[derive(Debug, Default)]
pub struct Connections {
    open: Mutex<Vec<watch::Sender<State>>>,
    changed: Notify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle(Instant),
    Answering,
    Evicted,
}

/// A connection's place among the others; it is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    connections: Arc<Connections>,
    state: watch::Sender<State>,
}

impl Connections {
    /// Waits until there is a place for one more connection, and takes it.
    pub async fn place(self: &Arc<Self>) -> Place {
        loop {
            let changed = self.changed.notified();
            if let Some(place) = self.take() {
                return place;
            }
            changed.await;
        }
    }

    fn take(self: &Arc<Self>) -> Option<Place> {
        let mut open = self.open();
        if open.len() >= MOST {
            let idle = open
                .iter()
                .enumerate()
                .filter_map(|(n, state)| match *state.borrow() {
                    State::Idle(since) => Some((since, n)),
                    State::Answering | State::Evicted => None,
                });
            let (_, longest) = idle.min()?;
            open.swap_remove(longest).send_replace(State::Evicted);
        }
        let (state, _) = watch::channel(State::Idle(Instant::now()));
        open.push(state.clone());
        let connections = Arc::clone(self);
        Some(Place { connections, state })
    }

    fn open(&self) -> MutexGuard<'_, Vec<watch::Sender<State>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Notes that a request is being answered, until the result is dropped.
    pub fn answering(&self) -> Answering<'_> {
        self.enter(State::Answering);
        Answering(self)
    }

    /// Resolves when the connection must be closed.
    pub async fn lost(&self) {
        let mut state = self.state.subscribe();
        loop {
            let now = *state.borrow_and_update();
            let changed = match now {
                State::Evicted => return,
                State::Answering => Ok(state.changed().await),
                State::Idle(since) => timeout_at(since + MOST_IDLE, state.changed()).await,
            };
            if !matches!(changed, Ok(Ok(()))) {
                return;
            }
        }
    }

    /// Nobody comes back who has been evicted.
    fn enter(&self, next: State) {
        self.state.send_if_modified(|state| {
            let is_open = *state != State::Evicted;
            if is_open {
                *state = next;
            }
            is_open
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections
            .open()
            .retain(|state| !state.same_channel(&self.state));
        self.connections.changed.notify_one();
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub struct Answering<'a>(&'a Place);

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.enter(State::Idle(Instant::now()));
        self.0.connections.changed.notify_one();
    }
}
