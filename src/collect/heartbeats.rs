//! What is remembered of the jobs that run: how far each was at its last heartbeats.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::snapshot::{Beat, Id, JobRow, UnixSeconds};

/// How many heartbeats of a job are remembered: an hour of work.
const MOST_BEATS: usize = 60;

/// How far they are apart at least, but for the last, in seconds.
const APART: f64 = 60.0;

/// How far each job that runs was at those of its last heartbeats that told of progress.
#[derive(Debug, Default)]
pub struct Heartbeats {
    jobs: Mutex<HashMap<Id, Record>>,
}

impl Heartbeats {
    /// Remembers the heartbeats of the jobs that run, forgets all other jobs, and puts what is
    /// remembered of a job into its row.
    pub fn remember(&self, rows: &mut [JobRow]) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut running = HashMap::with_capacity(rows.len());
        for row in rows.iter_mut().filter(|row| row.is_running()) {
            // Without its start a job could not be told from another that took over its id.
            let (Some(started_at), Some(beat)) = (row.started_at, Beat::last_of(row)) else {
                continue;
            };
            let known = jobs.remove(&row.id);
            let known = known.filter(|record| record.started_at == started_at);
            let mut record = known.unwrap_or_else(|| Record::of(started_at));
            record.hear(beat);
            row.beats = record.until(beat);
            running.insert(row.id.clone(), record);
        }
        *jobs = running;
    }
}

/// What is remembered of one job.
#[derive(Debug)]
struct Record {
    started_at: UnixSeconds,
    /// Each later and further than the one before.
    beats: VecDeque<Beat>,
}

impl Record {
    fn of(started_at: UnixSeconds) -> Self {
        Self {
            started_at,
            beats: VecDeque::new(),
        }
    }

    fn hear(&mut self, beat: Beat) {
        if let Some(last) = self.beats.back_mut() {
            if beat.at <= last.at {
                // Of a scrape that was overtaken, or of a job that is further at the same instant.
                if beat.at == last.at {
                    last.processed = last.processed.max(beat.processed);
                }
                return;
            }
            if beat.processed == last.processed {
                return;
            }
            if beat.processed < last.processed {
                self.beats.clear();
            }
        }
        if self.is_crowded() {
            self.beats.pop_back();
        }
        self.beats.push_back(beat);
        if self.beats.len() > MOST_BEATS {
            self.beats.pop_front();
        }
    }

    /// Whether the last beat is too near to the one before.
    fn is_crowded(&self) -> bool {
        let mut latest = self.beats.iter().rev();
        let two = latest.next().zip(latest.next());
        two.is_some_and(|(last, before)| last.at - before.at < APART)
    }

    /// Returns what a scrape that read this heartbeat may know.
    fn until(&self, beat: Beat) -> Vec<Beat> {
        let known = |known: &&Beat| known.at <= beat.at && known.processed <= beat.processed;
        self.beats.iter().filter(known).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTED: UnixSeconds = 1_800_000_000.0;

    fn row(id: i64, at: f64, processed: i64) -> JobRow {
        JobRow {
            id: Id::from(id),
            state: Some(JobRow::RUNNING.into()),
            processed: Some(processed),
            started_at: Some(STARTED),
            updated_at: Some(STARTED + at),
            ..JobRow::default()
        }
    }

    /// Scrapes one job; returns its beats, in seconds since its start.
    fn scrape(heartbeats: &Heartbeats, row: JobRow) -> Vec<(f64, i64)> {
        let mut rows = [row];
        heartbeats.remember(&mut rows);
        let beats = rows[0].beats.iter();
        beats
            .map(|beat| (beat.at - STARTED, beat.processed))
            .collect()
    }

    /// Scrapes one job again and again; returns its beats at the last scrape.
    fn scrapes(beats: &[(f64, i64)]) -> Vec<(f64, i64)> {
        let heartbeats = Heartbeats::default();
        let scrapes = beats.iter();
        scrapes
            .map(|(at, processed)| scrape(&heartbeats, row(1, *at, *processed)))
            .last()
            .expect("a scrape")
    }

    #[test]
    fn beats_that_tell_of_progress_are_remembered() {
        let beats = [
            (60.0, 0),
            (120.0, 10),
            (180.0, 10),
            (240.0, 10),
            (300.0, 30),
        ];
        assert_eq!(scrapes(&beats), [(60.0, 0), (120.0, 10), (300.0, 30)]);
    }

    #[test]
    fn beats_are_thinned_to_one_a_minute_and_to_an_hour() {
        let often: Vec<_> = (0..10).map(|n| (f64::from(n) * 20.0, n.into())).collect();
        assert_eq!(
            scrapes(&often),
            [(0.0, 0), (60.0, 3), (120.0, 6), (180.0, 9)]
        );
        let long: Vec<_> = (0..1000).map(|n| (f64::from(n) * 30.0, n.into())).collect();
        let kept = scrapes(&long);
        assert_eq!(kept.len(), MOST_BEATS);
        assert_eq!(kept.last(), Some(&(999.0 * 30.0, 999)));
    }

    #[test]
    fn a_job_that_begins_anew_is_another() {
        let beats = [(60.0, 10), (120.0, 20), (180.0, 5)];
        assert_eq!(scrapes(&beats), [(180.0, 5)], "processed goes backwards");
        let heartbeats = Heartbeats::default();
        scrape(&heartbeats, row(1, 60.0, 10));
        let mut reused = row(1, 120.0, 20);
        reused.started_at = Some(STARTED + 90.0);
        assert_eq!(
            scrape(&heartbeats, reused),
            [(120.0, 20)],
            "its id is used again"
        );
    }

    #[test]
    fn a_scrape_that_was_overtaken_adds_and_takes_nothing() {
        let heartbeats = Heartbeats::default();
        scrape(&heartbeats, row(1, 60.0, 10));
        scrape(&heartbeats, row(1, 180.0, 30));
        assert_eq!(scrape(&heartbeats, row(1, 120.0, 20)), [(60.0, 10)]);
        let all = [(60.0, 10), (180.0, 30), (240.0, 40)];
        assert_eq!(scrape(&heartbeats, row(1, 240.0, 40)), all);
    }

    #[test]
    fn a_job_further_at_the_same_instant_is_one_beat() {
        let beats = [(60.0, 10), (60.0, 12), (60.0, 11)];
        assert_eq!(scrapes(&beats), []);
        assert_eq!(scrapes(&beats[..2]), [(60.0, 12)]);
    }

    #[test]
    fn only_jobs_that_run_and_say_enough_are_remembered() {
        let heartbeats = Heartbeats::default();
        let mut rows = [1, 2, 3, 4].map(|id| row(id, 60.0, 10));
        rows[1].state = Some("done".into());
        rows[2].started_at = None;
        rows[3].updated_at = None;
        heartbeats.remember(&mut rows);
        let known = rows.map(|row| row.beats.len());
        assert_eq!(known, [1, 0, 0, 0]);
        assert_eq!(heartbeats.jobs.lock().expect("the jobs").len(), 1);
        heartbeats.remember(&mut []);
        assert!(heartbeats.jobs.lock().expect("the jobs").is_empty());
    }
}
