//! Who sent wrong credentials lately: it is told once a minute, and counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::telemetry::Telemetry;

use super::peer::Peer;

/// How long a peer's guesses count, from the first of them on.
pub const WINDOW: Duration = Duration::from_secs(60);

/// After how many wrong guesses in one window no more of a peer are looked at.
pub const MAX_WRONG: u32 = 10;

/// How many peers are remembered; of more, those who began first are forgotten.
const MAX_PEERS: usize = 4096;

/// The wrong credentials that one listener was sent.
#[derive(Debug)]
pub struct Guesses {
    listener: &'static str,
    telemetry: Arc<Telemetry>,
    peers: Mutex<BTreeMap<Peer, Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Instant,
    wrong: u32,
    refused: u64,
}

impl Window {
    fn is_over(&self) -> bool {
        self.began.elapsed() >= WINDOW
    }
}

impl Guesses {
    /// Knows of no guesses yet.
    pub fn new(listener: &'static str, telemetry: Arc<Telemetry>) -> Self {
        telemetry.guessed(listener, 0);
        Self {
            listener,
            telemetry,
            peers: Mutex::default(),
        }
    }

    /// Notes that a peer sent wrong credentials; the first time in a window it is logged.
    pub fn note(&self, peer: Peer) {
        self.telemetry.guessed(self.listener, 1);
        let mut peers = self.peers();
        if let Some(window) = peers.get_mut(&peer).filter(|window| !window.is_over()) {
            window.wrong += 1;
            return;
        }
        make_room(&mut peers);
        let window = Window {
            began: Instant::now(),
            wrong: 1,
            refused: 0,
        };
        let before = peers.insert(peer, window);
        tracing::warn!(
            listener = self.listener,
            %peer,
            earlier_wrong = before.map(|window| window.wrong),
            earlier_refused = before.map(|window| window.refused),
            "wrong credentials; more from there are only counted for a minute"
        );
    }

    /// Returns how long a peer must wait that has guessed too often, and notes that it was told so.
    pub fn refuse(&self, peer: Peer) -> Option<Duration> {
        let mut peers = self.peers();
        let window = peers.get_mut(&peer)?;
        if window.is_over() || window.wrong < MAX_WRONG {
            return None;
        }
        window.refused += 1;
        Some(WINDOW.saturating_sub(window.began.elapsed()))
    }

    /// Returns how many wrong credentials a peer has sent in its window.
    pub fn wrong(&self, peer: Peer) -> u32 {
        let window = self.peers().get(&peer).copied();
        window
            .filter(|window| !window.is_over())
            .map_or(0, |window| window.wrong)
    }

    fn peers(&self) -> MutexGuard<'_, BTreeMap<Peer, Window>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets whoever may be forgotten, and if that is nobody, who began first.
fn make_room(peers: &mut BTreeMap<Peer, Window>) {
    if peers.len() < MAX_PEERS {
        return;
    }
    peers.retain(|_, window| !window.is_over());
    if peers.len() >= MAX_PEERS {
        let first = peers.iter().min_by_key(|(_, window)| window.began);
        let first = first.map(|(peer, _)| *peer);
        first.and_then(|peer| peers.remove(&peer));
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use tokio::time::advance;

    use super::*;

    fn peer(n: u32) -> Peer {
        IpAddr::from(Ipv4Addr::from_bits(n)).into()
    }

    fn guesses() -> Guesses {
        Guesses::new("admin", Telemetry::new())
    }

    #[tokio::test(start_paused = true)]
    async fn ten_wrong_ones_in_a_minute_are_enough() {
        let guesses = guesses();
        for wrong in 0..MAX_WRONG {
            assert_eq!(guesses.refuse(peer(1)), None, "after {wrong}");
            guesses.note(peer(1));
            advance(Duration::from_secs(1)).await;
        }
        assert_eq!(guesses.refuse(peer(1)), Some(Duration::from_secs(50)));
        assert_eq!(guesses.refuse(peer(2)), None, "of others nothing is known");
        advance(Duration::from_secs(49)).await;
        assert_eq!(guesses.refuse(peer(1)), Some(Duration::from_secs(1)));
        advance(Duration::from_secs(1)).await;
        assert_eq!((guesses.refuse(peer(1)), guesses.wrong(peer(1))), (None, 0));
        guesses.note(peer(1));
        assert_eq!((guesses.refuse(peer(1)), guesses.wrong(peer(1))), (None, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_remembered_for_ever() {
        let guesses = guesses();
        for n in 0..MAX_PEERS as u32 + 10 {
            guesses.note(peer(n));
            advance(Duration::from_millis(1)).await;
        }
        assert_eq!(guesses.peers().len(), MAX_PEERS);
        assert_eq!((guesses.wrong(peer(9)), guesses.wrong(peer(10))), (0, 1));
        advance(WINDOW).await;
        guesses.note(peer(0));
        assert_eq!(guesses.peers().len(), 1);
    }
}
