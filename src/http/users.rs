//! The users of the metrics listener, whose passwords are kept as bcrypt hashes.
//!
//! Hashing takes long by design, so it happens beside the workers, one at a time, and a password
//! found right is remembered: Prometheus comes every few seconds, and must get past those who
//! guess. One that comes for the first time stands in a line with them, and passes them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bcrypt::HashParts;
use ring::hmac;
use ring::rand::SystemRandom;
use subtle::ConstantTimeEq;

use super::credentials;
use super::guesses::Guesses;
use super::line::{Line, Turn};
use super::peer::Peer;

/// What remembers who gave the right password.
#[derive(Debug)]
pub struct Users {
    /// Known to this process only, so that what is remembered tells nothing.
    key: hmac::Key,
    right: Mutex<BTreeMap<String, hmac::Tag>>,
    line: Arc<Line>,
    guesses: Guesses,
}

/// What becomes of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They are a user's.
    Right,
    /// They are nobody's, or there are none.
    Wrong,
    /// Too many others are being checked.
    Busy,
}

impl Users {
    /// Remembers nobody yet.
    ///
    /// # Errors
    ///
    /// A system without randomness.
    pub fn new(guesses: Guesses) -> anyhow::Result<Self> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        Ok(Self {
            key: key.map_err(|_| anyhow::anyhow!("the system has no randomness"))?,
            right: Mutex::default(),
            line: Arc::default(),
            guesses,
        })
    }

    /// Checks the `Authorization` header of a peer against the users' hashes.
    pub async fn check(
        &self,
        users: &BTreeMap<String, String>,
        authorization: Option<&str>,
        peer: Peer,
    ) -> Verdict {
        let Some(authorization) = authorization else {
            return Verdict::Wrong;
        };
        let Some((user, password)) = credentials::basic(authorization) else {
            return self.wrong(peer);
        };
        // Whoever is unknown waits as long as a user does, or the wait would tell who is one.
        let known = users.get(&user);
        let Some(hash) = known.or_else(|| users.values().max_by_key(|hash| cost(hash))) else {
            return self.wrong(peer);
        };
        let tag = self.tag(hash, &password);
        if self.remembers(&user, &tag) {
            return Verdict::Right;
        }
        let Some(turn) = self.line.turn(peer, |peer| self.guesses.wrong(peer)).await else {
            return Verdict::Busy;
        };
        // The turn lasts until it is noted what came of it.
        let (is_equal, _turn) = compare(hash.clone(), password, turn).await;
        if !is_equal || known.is_none() {
            return self.wrong(peer);
        }
        self.right().insert(user, tag);
        Verdict::Right
    }

    fn wrong(&self, peer: Peer) -> Verdict {
        self.guesses.note(peer);
        Verdict::Wrong
    }

    fn tag(&self, hash: &str, password: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        // A hash has a length of its own, so there is no doubt where it ends.
        context.update(hash.as_bytes());
        context.update(password);
        context.sign()
    }

    fn remembers(&self, user: &str, tag: &hmac::Tag) -> bool {
        let right = self.right();
        let known = right.get(user);
        known.is_some_and(|known| known.as_ref().ct_eq(tag.as_ref()).into())
    }

    fn right(&self) -> MutexGuard<'_, BTreeMap<String, hmac::Tag>> {
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Compares a password with a hash. The turn ends with the work, even when nobody waits for it any
/// more.
async fn compare(hash: String, password: Vec<u8>, turn: Turn) -> (bool, Option<Turn>) {
    let compared = tokio::task::spawn_blocking(move || {
        let is_equal = bcrypt::verify(password, &hash).unwrap_or(false);
        (is_equal, Some(turn))
    });
    compared.await.unwrap_or((false, None))
}

fn cost(hash: &str) -> u32 {
    hash.parse::<HashParts>()
        .map_or(0, |parts| parts.get_cost())
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Instant;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use crate::telemetry::Telemetry;

    use super::*;

    fn users() -> Users {
        Users::new(Guesses::new("metrics", Telemetry::new())).expect("users")
    }

    fn peer() -> Peer {
        IpAddr::from(Ipv4Addr::LOCALHOST).into()
    }

    async fn check(users: &Users, hashes: &BTreeMap<String, String>, header: &str) -> Verdict {
        users.check(hashes, Some(header), peer()).await
    }

    fn hashed(password: &str, cost: u32) -> String {
        bcrypt::hash(password, cost).expect("a hash")
    }

    fn basic(user: &str, password: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    }

    #[tokio::test]
    async fn only_a_user_with_the_right_password_is_admitted() {
        let hashes = BTreeMap::from([
            ("kim".to_owned(), hashed("s3cret", 4)),
            ("lee".to_owned(), hashed("other", 4)),
        ]);
        let users = users();
        for _ in 0..2 {
            for (header, verdict) in [
                (basic("kim", "s3cret"), Verdict::Right),
                (basic("lee", "other"), Verdict::Right),
                (basic("kim", "other"), Verdict::Wrong),
                (basic("kim", ""), Verdict::Wrong),
                (basic("Kim", "s3cret"), Verdict::Wrong),
                (basic("nobody", "other"), Verdict::Wrong),
                (basic("", ""), Verdict::Wrong),
                ("Bearer s3cret".to_owned(), Verdict::Wrong),
                ("Basic !".to_owned(), Verdict::Wrong),
            ] {
                assert_eq!(check(&users, &hashes, &header).await, verdict, "{header}");
            }
            assert_eq!(users.check(&hashes, None, peer()).await, Verdict::Wrong);
        }
        // Who was right before is not when the hash has changed, or the user has gone.
        let changed = BTreeMap::from([("kim".to_owned(), hashed("n3w", 4))]);
        for (user, password) in [("kim", "s3cret"), ("lee", "other")] {
            let header = basic(user, password);
            assert_eq!(
                check(&users, &changed, &header).await,
                Verdict::Wrong,
                "{user}"
            );
        }
    }

    #[tokio::test]
    async fn the_time_does_not_tell_who_is_a_user_and_the_right_password_is_remembered() {
        let hashes = BTreeMap::from([("kim".to_owned(), hashed("s3cret", 7))]);
        let users = users();
        let mut took = Vec::new();
        for (user, password) in [("kim", "wrong"), ("nobody", "wrong"), ("kim", "s3cret")] {
            let header = basic(user, password);
            let begun = Instant::now();
            check(&users, &hashes, &header).await;
            took.push(begun.elapsed());
        }
        let header = basic("kim", "s3cret");
        let begun = Instant::now();
        check(&users, &hashes, &header).await;
        let remembered = begun.elapsed();
        assert!(
            took[1] > took[0] / 3,
            "an unknown user is told apart: {took:?}"
        );
        assert!(
            remembered < took[2] / 10,
            "hashed again: {remembered:?}, {took:?}"
        );
    }

    #[tokio::test]
    async fn who_is_remembered_need_not_wait_and_who_guesses_is_counted() {
        let hashes = BTreeMap::from([("kim".to_owned(), hashed("s3cret", 4))]);
        let users = users();
        let right = basic("kim", "s3cret");
        assert_eq!(check(&users, &hashes, &right).await, Verdict::Right);
        let turn = users.line.turn(peer(), |_| 0).await;
        assert_eq!(check(&users, &hashes, &right).await, Verdict::Right);
        drop(turn);
        assert_eq!(users.check(&hashes, None, peer()).await, Verdict::Wrong);
        assert_eq!(users.guesses.wrong(peer()), 0, "nothing was guessed");
        for wrong in [basic("kim", "x"), basic("lee", "s3cret"), String::new()] {
            assert_eq!(check(&users, &hashes, &wrong).await, Verdict::Wrong);
        }
        assert_eq!(users.guesses.wrong(peer()), 3);
    }
}
