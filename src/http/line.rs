//! The line in which passwords wait to be checked, one at a time.
//!
//! Whoever has guessed least lately is next, and of equals who waits longest: however many guess,
//! from however many addresses, a peer who has guessed nothing passes them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::peer::Peer;

/// How many may wait.
const MAX_WAITING: usize = 64;

/// Those who wait.
#[derive(Debug, Default)]
pub struct Line {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    is_taken: bool,
    last: u64,
    waiting: Vec<Waiting>,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    number: u64,
    peer: Peer,
}

/// What stands in the line until it is dropped.
struct Place<'a> {
    line: &'a Line,
    number: u64,
}

/// The right to be checked; the next one has it when this is dropped.
#[derive(Debug)]
pub struct Turn(Arc<Line>);

/// What becomes of one who waits.
enum Look {
    Taken,
    Wait,
    Lost,
}

impl Line {
    /// Waits for a turn; there is none for whom others, who have guessed less, push out.
    pub async fn turn(self: &Arc<Self>, peer: Peer, wrong: impl Fn(Peer) -> u32) -> Option<Turn> {
        let place = self.stand(peer, &wrong);
        loop {
            let changed = self.changed.notified();
            match self.look(place.number, &wrong) {
                Look::Taken => return Some(Turn(Arc::clone(self))),
                Look::Wait => changed.await,
                Look::Lost => return None,
            }
        }
    }

    /// Takes a place, for which the worst leaves if the line is full: the one who has guessed most,
    /// then who has most places, then who came last.
    fn stand(&self, peer: Peer, wrong: impl Fn(Peer) -> u32) -> Place<'_> {
        let mut state = self.state();
        state.last += 1;
        let number = state.last;
        state.waiting.push(Waiting { number, peer });
        if state.waiting.len() > MAX_WAITING {
            let places = |peer| state.waiting.iter().filter(|one| one.peer == peer).count();
            let worst = state
                .waiting
                .iter()
                .max_by_key(|one| (wrong(one.peer), places(one.peer), one.number));
            let worst = worst.map(|one| one.number);
            state.waiting.retain(|one| Some(one.number) != worst);
            self.changed.notify_waiters();
        }
        Place { line: self, number }
    }

    fn look(&self, number: u64, wrong: impl Fn(Peer) -> u32) -> Look {
        let mut state = self.state();
        let next = state
            .waiting
            .iter()
            .min_by_key(|one| (wrong(one.peer), one.number));
        let is_next = next.is_some_and(|one| one.number == number);
        if !state.waiting.iter().any(|one| one.number == number) {
            return Look::Lost;
        }
        if state.is_taken || !is_next {
            return Look::Wait;
        }
        state.is_taken = true;
        Look::Taken
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.line.state();
        state.waiting.retain(|one| one.number != self.number);
        self.line.changed.notify_waiters();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.state().is_taken = false;
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::{IpAddr, Ipv4Addr};
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn peer(n: u32) -> Peer {
        IpAddr::from(Ipv4Addr::from_bits(n)).into()
    }

    type Waits<'a> = Pin<Box<dyn Future<Output = Option<Turn>> + 'a>>;

    fn poll(turn: &mut Waits<'_>) -> Poll<Option<Turn>> {
        let mut context = Context::from_waker(Waker::noop());
        turn.as_mut().poll(&mut context)
    }

    /// Stands in the line, where somebody has the turn.
    fn stands<'a>(line: &'a Arc<Line>, n: u32, wrong: impl Fn(Peer) -> u32 + 'a) -> Waits<'a> {
        let mut turn: Waits<'a> = Box::pin(line.turn(peer(n), wrong));
        assert!(poll(&mut turn).is_pending());
        turn
    }

    #[tokio::test]
    async fn who_guessed_least_is_next_and_then_who_waits_longest() {
        let line = Arc::new(Line::default());
        let counts = Mutex::new(BTreeMap::from([(peer(1), 3), (peer(2), 1)]));
        let wrong = |peer| {
            counts
                .lock()
                .expect("counts")
                .get(&peer)
                .copied()
                .unwrap_or(0)
        };
        let turn = line.turn(peer(9), wrong).await.expect("a turn");
        let mut worst = stands(&line, 1, wrong);
        let mut second = stands(&line, 2, wrong);
        let mut first = stands(&line, 3, wrong);
        let mut third = stands(&line, 3, wrong);
        drop(turn);
        let Poll::Ready(Some(turn)) = poll(&mut first) else {
            panic!("the one without guesses who came first");
        };
        // What is found out meanwhile counts.
        counts.lock().expect("counts").insert(peer(3), 2);
        drop(turn);
        assert!(poll(&mut worst).is_pending() && poll(&mut third).is_pending());
        for next in [&mut second, &mut third, &mut worst] {
            assert!(matches!(poll(next), Poll::Ready(Some(_))));
        }
    }

    #[tokio::test]
    async fn who_leaves_leaves_the_line() {
        let line = Arc::new(Line::default());
        let turn = line.turn(peer(1), |_| 0).await.expect("a turn");
        let gone = stands(&line, 1, |_| 0);
        let mut next = stands(&line, 1, |_| 0);
        drop(gone);
        drop(turn);
        assert!(matches!(poll(&mut next), Poll::Ready(Some(_))));
        assert!(line.state().waiting.is_empty() && !line.state().is_taken);
    }

    #[tokio::test]
    async fn a_full_line_has_room_for_who_guesses_less() {
        let line = Arc::new(Line::default());
        let wrong = |of| u32::from(of == peer(1)) * 2 + u32::from(of == peer(2));
        let _turn = line.turn(peer(9), wrong).await.expect("a turn");
        let mut waiting = Vec::new();
        for n in 0..MAX_WAITING as u32 {
            waiting.push(stands(&line, 1 + n % 2, wrong));
        }
        let mut more: Waits<'_> = Box::pin(line.turn(peer(1), wrong));
        assert!(
            matches!(poll(&mut more), Poll::Ready(None)),
            "the last of the worst"
        );
        let mut honest = stands(&line, 3, wrong);
        assert!(poll(&mut honest).is_pending());
        // For it the last of the worst has left.
        assert!(matches!(
            poll(&mut waiting[MAX_WAITING - 2]),
            Poll::Ready(None)
        ));
        assert!(poll(&mut waiting[MAX_WAITING - 1]).is_pending());
        assert_eq!(line.state().waiting.len(), MAX_WAITING);
    }

    #[tokio::test]
    async fn of_equals_who_has_most_places_loses_one() {
        let line = Arc::new(Line::default());
        let _turn = line.turn(peer(9), |_| 0).await.expect("a turn");
        let mut waiting = Vec::new();
        for _ in 0..MAX_WAITING {
            waiting.push(stands(&line, 1, |_| 0));
        }
        let mut other = stands(&line, 2, |_| 0);
        assert!(poll(&mut other).is_pending());
        assert!(matches!(
            poll(&mut waiting[MAX_WAITING - 1]),
            Poll::Ready(None)
        ));
    }
}
