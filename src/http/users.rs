//! The users of the metrics listener, whose passwords are kept as bcrypt hashes.
//!
//! Hashing takes long by design, so it happens beside the workers, one at a time, and a password
//! found right is remembered: Prometheus comes every few seconds, and must get past those who
//! guess.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bcrypt::HashParts;
use ring::hmac;
use ring::rand::SystemRandom;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use super::credentials;

/// How many passwords may wait to be checked.
const MOST_WAITING: usize = 16;

/// What remembers who gave the right password.
#[derive(Debug)]
pub struct Users {
    /// Known to this process only, so that what is remembered tells nothing.
    key: hmac::Key,
    right: Mutex<BTreeMap<String, hmac::Tag>>,
    waiting: Semaphore,
    turn: Arc<Semaphore>,
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
    pub fn new() -> anyhow::Result<Self> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        Ok(Self {
            key: key.map_err(|_| anyhow::anyhow!("the system has no randomness"))?,
            right: Mutex::default(),
            waiting: Semaphore::new(MOST_WAITING),
            turn: Arc::new(Semaphore::new(1)),
        })
    }

    /// Checks an `Authorization` header against the users' hashes.
    pub async fn check(
        &self,
        users: &BTreeMap<String, String>,
        authorization: Option<&str>,
    ) -> Verdict {
        let Some((user, password)) = authorization.and_then(credentials::basic) else {
            return Verdict::Wrong;
        };
        // Whoever is unknown waits as long as a user does, or the wait would tell who is one.
        let known = users.get(&user);
        let Some(hash) = known.or_else(|| users.values().max_by_key(|hash| cost(hash))) else {
            return Verdict::Wrong;
        };
        let tag = self.tag(hash, &password);
        if self.remembers(&user, &tag) {
            return Verdict::Right;
        }
        let Ok(_place) = self.waiting.try_acquire() else {
            return Verdict::Busy;
        };
        let is_right = self.hash(hash.clone(), password).await && known.is_some();
        if is_right {
            self.right().insert(user, tag);
        }
        if is_right {
            Verdict::Right
        } else {
            Verdict::Wrong
        }
    }

    /// Compares a password with a hash when it is its turn.
    async fn hash(&self, hash: String, password: Vec<u8>) -> bool {
        let Ok(turn) = Arc::clone(&self.turn).acquire_owned().await else {
            return false;
        };
        let compared = tokio::task::spawn_blocking(move || {
            // The turn ends with the work, even when nobody waits for it any more.
            let _turn = turn;
            bcrypt::verify(password, &hash).unwrap_or(false)
        });
        compared.await.unwrap_or(false)
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

fn cost(hash: &str) -> u32 {
    hash.parse::<HashParts>()
        .map_or(0, |parts| parts.get_cost())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

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
        let users = Users::new().expect("users");
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
                assert_eq!(
                    users.check(&hashes, Some(&header)).await,
                    verdict,
                    "{header}"
                );
            }
            assert_eq!(users.check(&hashes, None).await, Verdict::Wrong);
        }
        // Who was right before is not when the hash has changed, or the user has gone.
        let changed = BTreeMap::from([("kim".to_owned(), hashed("n3w", 4))]);
        for (user, password) in [("kim", "s3cret"), ("lee", "other")] {
            let header = basic(user, password);
            assert_eq!(
                users.check(&changed, Some(&header)).await,
                Verdict::Wrong,
                "{user}"
            );
        }
    }

    #[tokio::test]
    async fn the_time_does_not_tell_who_is_a_user_and_the_right_password_is_remembered() {
        let hashes = BTreeMap::from([("kim".to_owned(), hashed("s3cret", 7))]);
        let users = Users::new().expect("users");
        let mut took = Vec::new();
        for (user, password) in [("kim", "wrong"), ("nobody", "wrong"), ("kim", "s3cret")] {
            let header = basic(user, password);
            let begun = Instant::now();
            users.check(&hashes, Some(&header)).await;
            took.push(begun.elapsed());
        }
        let header = basic("kim", "s3cret");
        let begun = Instant::now();
        users.check(&hashes, Some(&header)).await;
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
    async fn guesses_wait_in_a_short_line_which_users_need_not_join() {
        let hashes = BTreeMap::from([("kim".to_owned(), hashed("s3cret", 4))]);
        let users = Arc::new(Users::new().expect("users"));
        let right = basic("kim", "s3cret");
        assert_eq!(users.check(&hashes, Some(&right)).await, Verdict::Right);
        let guess = |n: usize| {
            let (users, hashes) = (Arc::clone(&users), hashes.clone());
            let guess = basic("kim", &n.to_string());
            tokio::spawn(async move { users.check(&hashes, Some(&guess)).await })
        };
        // It is nobody's turn, so the line stays as long as it gets.
        let turn = Arc::clone(&users.turn).acquire_owned().await;
        let guesses: Vec<_> = (0..MOST_WAITING + 10).map(guess).collect();
        let refused = async {
            while guesses.iter().filter(|guess| guess.is_finished()).count() < 10 {
                tokio::task::yield_now().await;
            }
        };
        let refused = tokio::time::timeout(Duration::from_secs(10), refused).await;
        refused.expect("ten are refused");
        assert_eq!(users.check(&hashes, Some(&right)).await, Verdict::Right);
        drop(turn);
        let mut busy = 0;
        for guess in guesses {
            match guess.await.expect("a verdict") {
                Verdict::Busy => busy += 1,
                verdict => assert_eq!(verdict, Verdict::Wrong),
            }
        }
        assert_eq!(busy, 10);
    }
}
