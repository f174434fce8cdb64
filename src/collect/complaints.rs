//! One log line for one failure: the same failure at the next scrape is not said again, and its
//! end is said once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::source::fault::{Fault, reason};

/// How many failures of one subject are told apart until it works again.
const MOST_SAID: usize = 5;

/// What has been complained of and still holds, by subject.
#[derive(Debug, Default)]
pub struct Complaints {
    standing: Mutex<BTreeMap<&'static str, Standing>>,
}

/// What is the matter with a subject.
#[derive(Debug, Default)]
struct Standing {
    /// Each failure that was logged, without its numbers.
    said: BTreeSet<String>,
    /// The last one, as a sentence.
    last: String,
}

impl Complaints {
    /// Logs how a subject is, if that has changed.
    pub fn about(&self, subject: &'static str, error: Option<&sqlx::Error>) {
        let mut all = self.all();
        let Some(error) = error else {
            if all.remove(subject).is_some() {
                tracing::info!(subject, "reading the {subject} works again");
            }
            return;
        };
        let (reason, advice) = (reason(error), Fault::of(error).advice());
        let standing = all.entry(subject).or_default();
        standing.last = format!("reading the {subject} failed: {reason}; {advice}.");
        if is_news(&mut standing.said, &reason) {
            tracing::warn!(
                subject,
                error = reason,
                "reading the {subject} failed; {advice}"
            );
        }
    }

    /// Logs what is to be said of a subject, if that has changed.
    pub(super) fn note(
        &self,
        subject: &'static str,
        what: &'static str,
        why: Option<&impl ToString>,
    ) {
        let mut all = self.all();
        let Some(why) = why else {
            if all.remove(subject).is_some() {
                tracing::info!(subject, "no longer true: {what}");
            }
            return;
        };
        let reason = why.to_string();
        let standing = all.entry(subject).or_default();
        standing.last = format!("{what}: {reason}.");
        if is_news(&mut standing.said, &reason) {
            tracing::warn!(subject, reason, "{what}");
        }
    }

    /// Returns what holds now, a sentence for each subject.
    pub fn standing(&self) -> Vec<String> {
        self.all()
            .values()
            .map(|standing| standing.last.clone())
            .collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<&'static str, Standing>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a failure is none of those said, and there are few of them; it is one of them then.
fn is_news(said: &mut BTreeSet<String>, reason: &str) -> bool {
    said.len() < MOST_SAID && said.insert(without_numbers(reason))
}

/// A port, a duration or an id makes no other failure of it.
fn without_numbers(reason: &str) -> String {
    let parts = reason.split(|c: char| c.is_ascii_digit());
    parts
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("#")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_that_are_ever_new_are_said_a_few_times() {
        let mut said = BTreeSet::new();
        let reasons = (b'a'..=b'z').map(|letter| format!("no column {}", char::from(letter)));
        let news = reasons.filter(|reason| is_news(&mut said, reason)).count();
        assert_eq!((news, said.len()), (MOST_SAID, MOST_SAID));
    }

    #[test]
    fn numbers_make_no_other_failure() {
        let same = ["port 1 after 20 ms", "port 65535 after 3 ms"].map(without_numbers);
        assert_eq!(same[0], same[1]);
        assert_ne!(
            without_numbers("no column a"),
            without_numbers("no column b")
        );
    }
}
