//! What the hours of the day are like: the pace of each, and what arrives in it.

use super::course::{Course, Rows, Span};

/// Buckets of how many days make a profile, at most.
pub(super) const PROFILE_BUCKETS: usize = 864;

/// Fewer buckets than those of half a day are no profile; of an hour that it lacks, the pace of now
/// is taken.
const MIN_PROFILE_BUCKETS: usize = 144;

/// The pace of all hours is worth so many completions against that of one hour.
const PRIOR: f64 = 20.0;

/// An hour of which less saturated time is known says nothing: a quarter of an hour.
const MIN_SECONDS: f64 = 900.0;

/// Sums by the hour of the day.
#[derive(Debug, Clone, Default)]
pub(super) struct Profile {
    hours: [Sums; 24],
    buckets: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    created: f64,
    seconds: f64,
    completed: f64,
    busy_seconds: f64,
}

impl Profile {
    /// Returns the profile of the latest of the first `end` buckets.
    pub(super) fn until(course: &Course, end: usize, rows: Rows) -> Self {
        let mut profile = Self::default();
        for span in &course.spans[end.saturating_sub(PROFILE_BUCKETS)..end] {
            profile.add(span, rows);
        }
        profile
    }

    /// Adds one bucket.
    pub(super) fn add(&mut self, span: &Span, rows: Rows) {
        self.buckets += 1;
        self.hours[span.hour].count(span, rows, 1.0);
    }

    /// Takes one bucket that was added out again.
    pub(super) fn remove(&mut self, span: &Span, rows: Rows) {
        self.buckets = self.buckets.saturating_sub(1);
        self.hours[span.hour].count(span, rows, -1.0);
    }

    /// Returns rows a second of all hours in which rows were completed; nothing where too little is
    /// known.
    pub(super) fn overall(&self) -> Option<f64> {
        if self.buckets < MIN_PROFILE_BUCKETS {
            return None;
        }
        let worked = self.hours.iter().filter(|hour| hour.completed > 0.5);
        let (completed, seconds) = worked.fold((0.0, 0.0), |(completed, seconds), hour| {
            (completed + hour.completed, seconds + hour.busy_seconds)
        });
        (completed > 0.5 && seconds > 0.0).then(|| completed / seconds)
    }

    /// Returns rows a second at an hour of the day, by those of all hours: none where rows waited
    /// and nobody worked, nothing where the hour is not known.
    pub(super) fn pace(&self, hour: usize, overall: Option<f64>) -> Option<f64> {
        self.hours[hour].pace(overall?)
    }

    /// Returns rows a second by hour of the day.
    pub(super) fn paces(&self) -> [Option<f64>; 24] {
        let overall = self.overall();
        std::array::from_fn(|hour| self.pace(hour, overall))
    }

    /// Returns how many rows a second arrive at an hour of the day.
    pub(super) fn arrivals(&self, hour: usize) -> f64 {
        let hour = &self.hours[hour];
        hour.created / hour.seconds.max(1.0)
    }
}

impl Sums {
    fn count(&mut self, span: &Span, rows: Rows, times: f64) {
        self.created += times * span.created;
        self.seconds += times * span.seconds;
        if span.busy {
            self.completed += times * span.completed(rows);
            self.busy_seconds += times * span.seconds;
        }
    }

    fn pace(&self, overall: f64) -> Option<f64> {
        // Long silence while rows waited is sleep, not chance.
        if self.completed <= 0.5 && self.busy_seconds * overall >= PRIOR {
            return Some(0.0);
        }
        let known = self.busy_seconds >= MIN_SECONDS;
        known.then(|| (self.completed + PRIOR) / (self.busy_seconds + PRIOR / overall))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{clock, history};
    use super::*;

    fn profile(text: &str) -> (Course, Profile) {
        let history = history(text);
        let course = Course::of(&history, &clock(&history));
        let profile = Profile::until(&course, course.spans.len(), Rows::Every);
        (course, profile)
    }

    #[test]
    fn an_hour_in_which_rows_waited_and_nobody_worked_has_no_pace() {
        // From ten to ten; nobody works from eight to ten.
        let (_, profile) = profile("pending 50\n264 x 10 10 10\n24 x 0 0 0\n288 x 10 10 10");
        let paces = profile.paces();
        let hourly = |hour: usize| (paces[hour].expect("a pace") * 3600.0).round();
        assert_eq!((hourly(3), hourly(10)), (120.0, 120.0));
        // Only one of two days is without work.
        assert!((60.0..75.0).contains(&hourly(8)), "{}", hourly(8));
        assert!((profile.arrivals(3) * 3600.0 - 120.0).abs() < 1e-9);
    }

    #[test]
    fn an_hour_without_work_to_do_is_not_known() {
        let (_, profile) = profile("264 x 10 10 10\n24 x 0 0 0");
        assert_eq!(
            (profile.paces()[8], profile.paces()[7].is_some()),
            (None, true)
        );
    }

    #[test]
    fn a_few_hours_are_no_profile() {
        assert_eq!(profile("143 x 10 10 10").1.paces(), [None; 24]);
    }

    #[test]
    fn what_is_taken_out_again_was_never_there() {
        let (course, mut profile) = profile("1 x 10 40 40\n299 x 10 10 10");
        let before = profile.paces();
        profile.add(&course.spans[0], Rows::Every);
        assert_ne!(profile.paces(), before);
        profile.remove(&course.spans[0], Rows::Every);
        assert_eq!(profile.paces(), before);
    }
}
