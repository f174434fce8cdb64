use chrono::DateTime;
use chrono_tz::Tz;
use queueboard_exporter::snapshot::{BUCKET_SECONDS, Bucket, DeferredRows, History, MAX_BUCKETS};
use queueboard_exporter::windows::Clock;

use crate::life::{End, Life};

/// A row waited if it was started later than so many seconds after its creation.
const WAIT: f64 = 60.0;

/// After so many failed attempts a row stays failed.
const MAX_ATTEMPTS: u8 = 3;

/// A midnight in UTC; the lives begin then.
pub(crate) const FIRST_MIDNIGHT: f64 = 1_799_971_200.0;

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// When a machine that sleeps at night wakes up, after midnight.
const MORNING: f64 = 8.0 * 3600.0;

/// What is known of a machine that sleeps at night.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nights {
    /// Nothing but that it completes no rows.
    Silent,
    /// What waits then is deferred until the morning.
    Deferred,
}

/// What happens to a row.
enum Event {
    Created,
    Started,
    Ended(End),
}

/// A table while time passes: what a scrape reads of it, kept up to date.
pub(crate) struct Table<'a> {
    life: &'a Life,
    nights: Nights,
    /// Time, row, event.
    events: Vec<(f64, usize, Event)>,
    passed: usize,
    started: Vec<f64>,
    failures: Vec<u8>,
    buckets: Vec<Bucket>,
    pending: i64,
    processing: i64,
    clean: i64,
}

impl<'a> Table<'a> {
    /// Returns the table before anything happened.
    pub(crate) fn new(life: &'a Life, nights: Nights) -> Self {
        let mut events = Vec::new();
        for (number, row) in life.rows.iter().enumerate() {
            events.push((row.created, number, Event::Created));
            for attempt in &row.attempts {
                events.push((attempt.started, number, Event::Started));
                let ended = attempt
                    .ended
                    .map(|(at, end)| (at, number, Event::Ended(end)));
                events.extend(ended);
            }
        }
        // Stable: what happens to a row at one instant stays in its order.
        events.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
        let last = events.last().map_or(0, |(at, ..)| place(*at));
        Self {
            life,
            nights,
            events,
            passed: 0,
            started: vec![0.0; life.rows.len()],
            failures: vec![0; life.rows.len()],
            buckets: vec![Bucket::default(); last + 1],
            pending: 0,
            processing: 0,
            clean: 0,
        }
    }

    /// Lets time pass and returns what a scrape reads then.
    pub(crate) fn read_at(&mut self, now: f64) -> History {
        while let Some(&(at, row, ref event)) = self.events.get(self.passed)
            && at <= now
        {
            match event {
                Event::Created => self.created(row),
                Event::Started => {
                    self.started[row] = at;
                    self.pending -= 1;
                    self.processing += 1;
                }
                Event::Ended(end) => {
                    self.processing -= 1;
                    self.ended(row, at, *end);
                }
            }
            self.passed += 1;
        }
        let end = place(now) + 1;
        let buckets = self.buckets.get(..end).unwrap_or(&self.buckets);
        History {
            now: FIRST_MIDNIGHT + now,
            buckets: buckets[buckets.len().saturating_sub(MAX_BUCKETS)..].to_vec(),
            pending: self.pending,
            processing: self.processing,
            clean: self.clean,
            deferred: self.deferred(now).into_iter().collect(),
            upstream: 0.0,
        }
    }

    fn deferred(&self, now: f64) -> Option<DeferredRows> {
        let morning = now - now % DAY + MORNING;
        let asleep = self.nights == Nights::Deferred && now < morning;
        asleep.then_some(DeferredRows {
            until: FIRST_MIDNIGHT + morning,
            rows: self.pending,
        })
    }

    fn created(&mut self, row: usize) {
        let bucket = &mut self.buckets[place(self.life.rows[row].created)];
        bucket.created += 1;
        bucket.clean_created += 1;
        self.pending += 1;
        self.clean += 1;
    }

    fn ended(&mut self, row: usize, at: f64, end: End) {
        let created = self.life.rows[row].created;
        if end == End::Completed {
            let bucket = &mut self.buckets[place(at)];
            bucket.completed += 1;
            bucket.waited += i64::from(self.started[row] > created + WAIT);
            bucket.worked_seconds += at - self.started[row];
            if self.failures[row] == 0 {
                bucket.clean_completed += 1;
                self.clean -= 1;
            }
            return;
        }
        if end == End::Failed {
            self.failures[row] += 1;
            if self.failures[row] == 1 {
                self.buckets[place(created)].clean_created -= 1;
                self.clean -= 1;
            }
        }
        self.pending += i64::from(self.failures[row] < MAX_ATTEMPTS);
    }
}

/// Returns the clock that a scrape sees.
pub(crate) fn clock(at: f64) -> Clock {
    let now = DateTime::from_timestamp((FIRST_MIDNIGHT + at) as i64, 0);
    Clock::at(now.expect("an instant"), Tz::UTC)
}

/// The place of the bucket that holds an instant.
fn place(at: f64) -> usize {
    ((at / f64::from(BUCKET_SECONDS)).ceil() - 1.0).max(0.0) as usize
}
