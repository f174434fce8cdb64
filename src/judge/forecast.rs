//! When a backlog ends: the only place that knows what an ETA is.

/// Where a stage's backlog is going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forecast {
    /// Nothing is pending.
    Empty,
    /// More was completed than created in the last hour.
    Draining,
    /// As much was completed as created.
    Stalled,
    /// Less was completed than created.
    Growing,
}

impl Forecast {
    /// Every forecast.
    pub const ALL: [Self; 4] = [Self::Empty, Self::Draining, Self::Stalled, Self::Growing];

    /// Judges a backlog by the rows completed and created in the last hour.
    pub fn of(pending: i64, completed_1h: i64, created_1h: i64) -> Self {
        match completed_1h.cmp(&created_1h) {
            _ if pending == 0 => Self::Empty,
            std::cmp::Ordering::Greater => Self::Draining,
            std::cmp::Ordering::Equal => Self::Stalled,
            std::cmp::Ordering::Less => Self::Growing,
        }
    }

    /// Returns the value of the `state` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Draining => "draining",
            Self::Stalled => "stalled",
            Self::Growing => "growing",
        }
    }
}

/// Returns how many hours a backlog needs at the last hour's pace; nothing if it is not draining.
pub fn eta(pending: i64, completed_1h: i64, created_1h: i64) -> Option<Ratio> {
    let drained = completed_1h.saturating_sub(created_1h);
    (drained > 0).then_some(Ratio { pending, drained })
}

/// A backlog over what an hour takes off it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    pending: i64,
    drained: i64,
}

impl Ratio {
    /// Returns the time in seconds.
    pub fn seconds(self) -> f64 {
        self.times(3600.0)
    }

    /// Returns the time in whole minutes, halves going to the even one.
    pub fn minutes(self) -> i64 {
        self.times(60.0).round_ties_even() as i64
    }

    fn times(self, unit: f64) -> f64 {
        // Multiplied first: a half that is exact on paper stays exact.
        self.pending as f64 * unit / self.drained as f64
    }
}

/// Returns how many seconds a job needs for the items left, if so many took so many seconds;
/// nothing until it has done something, and nothing once nothing is left.
pub fn job_eta_seconds(seconds: f64, items: i64, left: i64) -> Option<f64> {
    (items > 0 && left > 0).then(|| seconds * left as f64 / items as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_go_to_the_even_minute() {
        for (pending, drained, minutes) in [
            (1, 120, 0),
            (3, 120, 2),
            (5, 120, 2),
            (7, 120, 4),
            (0, 5, 0),
        ] {
            let known = eta(pending, drained, 0).expect("it drains");
            assert_eq!(known.minutes(), minutes, "{pending} at {drained} an hour");
        }
    }

    proptest! {
        #[test]
        fn an_eta_exists_exactly_when_more_is_completed_than_created(
            pending in 0_i64..1_000_000_000, completed in 0_i64..1_000_000, created in 0_i64..1_000_000,
        ) {
            let known = eta(pending, completed, created);
            prop_assert_eq!(known.is_some(), completed > created);
            let forecast = Forecast::of(pending, completed, created);
            prop_assert_eq!(forecast == Forecast::Empty, pending == 0);
            prop_assert_eq!(forecast == Forecast::Draining, pending > 0 && known.is_some());
            if let Some(now) = known {
                prop_assert!(now.seconds().is_finite() && now.seconds() >= 0.0);
                let longer = eta(pending + 1, completed, created).expect("it drains");
                prop_assert!(longer.seconds() > now.seconds());
                prop_assert!(longer.minutes() >= now.minutes());
            }
        }

        #[test]
        fn a_job_eta_falls_with_what_is_done(total in 3_i64..1_000_000, done in 1_i64..1_000_000, elapsed in 0.0_f64..1e7) {
            let eta = job_eta_seconds(elapsed, done, total - done);
            prop_assert_eq!(eta.is_some(), done < total);
            if let (Some(now), Some(later)) = (eta, job_eta_seconds(elapsed, done + 1, total - done - 1)) {
                prop_assert!(now >= later && later >= 0.0);
            }
        }
    }
}
