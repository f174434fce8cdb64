//! What the queue did in the past, kept from one scrape to the next.
//!
//! There are many rows of the past, and they hardly change: some fail or are retried, or somebody
//! mends or deletes them. Each scrape reads the near end anew, and within an hour all is read again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::snapshot::{
    Activity, ActivityRow, BUCKET_SECONDS, Bucket, Buckets, MAX_BUCKETS, OTHER, Text, UnixSeconds,
    bucket_of,
};

/// How far back each scrape reads: a transaction may be so old when its rows are seen.
const NEAR: TimeDelta = TimeDelta::minutes(15);

/// For how long what lies before is relied on.
const RELIED_ON: TimeDelta = TimeDelta::hours(1);

/// How far back is read where nothing is known yet, or where more could not be read.
const FIRST: TimeDelta = TimeDelta::days(1);

/// What has not been answered for so long was asked in vain.
const IN_VAIN: TimeDelta = TimeDelta::minutes(1);

/// How many stages are kept apart; the others are one.
const MAX_STAGES: usize = 1000;

/// The buckets that are known, at most [`MAX_BUCKETS`] of each stage.
#[derive(Debug, Default)]
pub(super) struct Past {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// When all of it was last read.
    read_at: Option<DateTime<Utc>>,
    /// When it was last added to.
    added_at: DateTime<Utc>,
    /// When all of it was asked for and not yet read.
    asked_at: Option<DateTime<Utc>>,
    /// The number of its first bucket.
    first: i64,
    buckets: Arc<Buckets>,
}

impl Past {
    /// Returns whether all but the near end of it is known.
    pub(super) fn is_known(&self, now: DateTime<Utc>) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.is_relied_on(now)
    }

    /// Returns the number of the bucket from which on the queue must be asked what it did.
    pub(super) fn unknown_from(&self, now: DateTime<Utc>) -> i64 {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_relied_on(now) {
            return number(known.added_at.min(now) - NEAR);
        }
        let day = number(now - FIRST);
        let asked_at = *known.asked_at.get_or_insert(now);
        let in_vain = now - asked_at > IN_VAIN;
        match known.read_at {
            Some(_) if !in_vain => known.first_kept(now).min(day),
            _ => day,
        }
    }

    /// Keeps what the queue did from a bucket on, and returns all that is known.
    pub(super) fn add(
        &self,
        from: i64,
        now: DateTime<Utc>,
        rows: impl IntoIterator<Item = ActivityRow>,
    ) -> Activity {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.added_at = now;
        known.first = known.first_kept(now);
        if known.read_at.is_none() || from <= known.first.max(number(now - FIRST)) {
            (known.read_at, known.asked_at, known.first) = (Some(now), None, from);
        }
        let first = known.first;
        let buckets = Arc::make_mut(&mut known.buckets);
        buckets.retain(|_, of_stage| {
            of_stage.retain(|number, _| (first..from).contains(number));
            !of_stage.is_empty()
        });
        let mut inside = Vec::new();
        for row in rows {
            for (number, bucket) in row.buckets() {
                *of_stage(buckets, &row.stage).entry(number).or_default() += bucket;
            }
            inside.extend(row.is_inside().then_some(row));
        }
        Activity {
            first,
            buckets: Arc::clone(&known.buckets),
            inside,
        }
    }
}

impl Known {
    /// A clock that was ahead for a while, or has gone back, makes all of it doubtful.
    fn is_relied_on(&self, now: DateTime<Utc>) -> bool {
        let is_lately = |read_at: DateTime<Utc>| (read_at..read_at + RELIED_ON).contains(&now);
        self.read_at.is_some_and(is_lately)
    }

    /// The number of the first bucket that is kept.
    fn first_kept(&self, now: DateTime<Utc>) -> i64 {
        self.first.max(number(now) + 1 - MAX_BUCKETS as i64)
    }
}

/// The buckets of a stage, or of the others where there are too many.
fn of_stage<'a>(buckets: &'a mut Buckets, stage: &Option<Text>) -> &'a mut BTreeMap<i64, Bucket> {
    let is_kept = buckets.len() < MAX_STAGES || buckets.contains_key(stage);
    let key = match is_kept {
        true => stage.clone(),
        false => Some(Text::from(OTHER)),
    };
    buckets.entry(key).or_default()
}

/// Returns the instant after which a bucket begins.
pub(super) fn start_of(number: i64) -> DateTime<Utc> {
    let seconds = number.saturating_mul(BUCKET_SECONDS.into());
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}

/// The number of the bucket that holds an instant.
fn number(instant: DateTime<Utc>) -> i64 {
    bucket_of(instant.timestamp_micros() as UnixSeconds / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + 60 * minutes, 0).expect("an instant")
    }

    /// What is created in each bucket from one on up to an instant, `times` over.
    fn rows(from: i64, now: DateTime<Utc>, times: i64) -> Vec<ActivityRow> {
        let row = |number| ActivityRow {
            created_bucket: Some(number),
            count: times,
            ..ActivityRow::default()
        };
        (from..=number(now)).map(row).collect()
    }

    fn counts(activity: &Activity) -> Vec<i64> {
        let of_stage = activity
            .buckets
            .values()
            .flat_map(|of_stage| of_stage.values());
        of_stage.map(|bucket| bucket.created).collect()
    }

    /// Reads as a scrape does, and returns how many buckets were read and what is known.
    fn read(past: &Past, now: DateTime<Utc>, times: i64) -> (i64, Activity) {
        let from = past.unknown_from(now);
        let activity = past.add(from, now, rows(from, now, times));
        (number(now) + 1 - from, activity)
    }

    #[test]
    fn a_day_is_read_at_first_and_then_the_near_end() {
        let past = Past::default();
        let (read_first, first) = read(&past, at(0), 1);
        assert_eq!((read_first, counts(&first)), (289, vec![1; 289]));
        assert_eq!(start_of(number(at(0)) + 1), at(0), "the end belongs to it");
        let (read_next, next) = read(&past, at(1), 5);
        assert_eq!(read_next, 5);
        assert_eq!(counts(&next), [vec![1; 285], vec![5; 5]].concat());
        assert_eq!(next.first, first.first);
    }

    #[test]
    fn a_changed_past_is_seen_within_the_hour() {
        let past = Past::default();
        read(&past, at(0), 1);
        let (_, relied_on) = read(&past, at(59), 2);
        assert!(counts(&relied_on).contains(&1));
        let (read_again, known) = read(&past, at(60), 3);
        assert_eq!((read_again, counts(&known)), (301, vec![3; 301]));
        let (read_after, _) = read(&past, at(61), 3);
        assert_eq!(read_after, 5);
    }

    #[test]
    fn no_more_than_the_bound_is_kept() {
        let past = Past::default();
        for minutes in (0..6 * 24 * 60).step_by(30) {
            let (_, known) = read(&past, at(minutes), 1);
            let expected = (289 + minutes as usize / 5).min(MAX_BUCKETS);
            assert_eq!(counts(&known), vec![1; expected]);
            assert_eq!(known.first, number(at(minutes)) + 1 - expected as i64);
        }
    }

    #[test]
    fn a_clock_that_goes_back_makes_it_read_anew() {
        let past = Past::default();
        read(&past, at(0), 1);
        let (_, known) = read(&past, at(-10), 2);
        assert_eq!(counts(&known), vec![2; 289]);
    }

    #[test]
    fn scrapes_that_overlap_do_no_harm() {
        let past = Past::default();
        read(&past, at(0), 1);
        let (early, late) = (past.unknown_from(at(1)), past.unknown_from(at(6)));
        past.add(late, at(6), rows(late, at(6), 1));
        let known = past.add(early, at(1), rows(early, at(1), 1));
        assert_eq!(counts(&known), vec![1; 290]);
        assert_eq!(counts(&read(&past, at(7), 1).1), vec![1; 291]);
    }

    #[test]
    fn what_cannot_be_read_again_is_forgotten_but_for_a_day() {
        let past = Past::default();
        for minutes in (0..2 * 24 * 60).step_by(30) {
            read(&past, at(minutes), 1);
        }
        let due = 2 * 24 * 60 + 30;
        let asked = |minutes| number(at(minutes)) + 1 - past.unknown_from(at(minutes));
        assert!(!past.is_known(at(due)));
        let most = MAX_BUCKETS as i64;
        assert_eq!((asked(due), asked(due + 1)), (most, most));
        // Nobody has answered by now.
        assert_eq!(asked(due + 2), 289);
        let (_, known) = read(&past, at(due + 2), 2);
        assert_eq!(counts(&known), vec![2; 289]);
        assert!(past.is_known(at(due + 3)));
    }

    #[test]
    fn a_clock_that_was_ahead_for_a_while_leaves_nothing_behind() {
        let past = Past::default();
        read(&past, at(0), 1);
        read(&past, at(7 * 24 * 60), 1);
        let (_, known) = read(&past, at(1), 1);
        assert_eq!(counts(&known), vec![1; 289]);
    }

    #[test]
    fn stages_without_end_are_one() {
        let past = Past::default();
        let from = past.unknown_from(at(0));
        let rows = (0..3000).map(|stage: i32| ActivityRow {
            stage: Some(stage.to_string().as_str().into()),
            created_bucket: Some(number(at(0))),
            count: 1,
            ..ActivityRow::default()
        });
        let known = past.add(from, at(0), rows);
        assert_eq!(known.buckets.len(), MAX_STAGES + 1);
        assert_eq!(counts(&known).iter().sum::<i64>(), 3000);
    }

    #[test]
    fn a_stage_of_which_nothing_is_left_is_forgotten() {
        let past = Past::default();
        let from = past.unknown_from(at(0));
        past.add(from, at(0), rows(from, at(0), 1));
        let known = past.add(past.unknown_from(at(60)), at(60), []);
        assert!(known.buckets.is_empty());
    }
}
