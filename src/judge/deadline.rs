//! How much room is left until the time of day by which a stage is to be done.

use chrono::{DateTime, Utc};

use crate::config::Pipeline;
use crate::config::pipeline::Stage;
use crate::snapshot::UnixSeconds;
use crate::windows::deadline::next;

use super::prospect::Prospect;
use super::unix_seconds;

/// The next deadline of a stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Deadline {
    /// The stage.
    pub stage: String,
    /// The machine that it is on.
    pub machine: String,
    /// The local time of day, as "08:00".
    pub by: String,
    /// When that is next.
    pub at: UnixSeconds,
    /// By how many seconds what is in the stage will be done before, at the high end of the band;
    /// negative if it may be late, absent where that is not known.
    pub slack: Option<f64>,
}

impl Deadline {
    /// Returns by how many seconds it may be missed, if it may.
    pub fn late(&self) -> Option<f64> {
        self.slack.map(|slack| -slack).filter(|late| *late > 0.0)
    }
}

/// Judges every deadline, in the order of the stages, by what is expected of each.
pub(super) fn judge<'a>(
    now: DateTime<Utc>,
    pipeline: &Pipeline,
    prospect_of: impl Fn(&str) -> Option<&'a Prospect>,
) -> Vec<Deadline> {
    let deadline = |stage: &Stage| {
        let by = *pipeline.deadlines.get(&stage.name)?;
        let at = unix_seconds(next(now, by, pipeline.timezone));
        let left = at - unix_seconds(now);
        Some(Deadline {
            stage: stage.name.clone(),
            machine: stage.machine.clone(),
            by: by.format("%H:%M").to_string(),
            at,
            slack: prospect_of(&stage.name).and_then(|prospect| slack(prospect, left)),
        })
    };
    pipeline.stages.iter().filter_map(deadline).collect()
}

/// Without a band it is only known of an empty stage that it is in time, and of one whose drain
/// alone is too long that it is not.
fn slack(prospect: &Prospect, left: f64) -> Option<f64> {
    let is_certain = |drain: &f64| *drain <= 0.0 || *drain > left;
    let done = prospect.drain_high.or(prospect.drain.filter(is_certain))?;
    Some(left - done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn prospect(drain: Option<f64>, drain_high: Option<f64>) -> Prospect {
        Prospect {
            drain,
            drain_high,
            ..super::super::fixture::prospect("")
        }
    }

    /// At 07:00 in Seoul.
    fn judged(deadlines: &str, stt: &Prospect) -> Vec<Deadline> {
        let pipeline = config::parse(&format!("deadlines: {deadlines}")).expect("a pipeline");
        let now = "2026-11-24T22:00:00Z".parse().expect("an instant");
        judge(now, &pipeline, |stage| (stage == "stt").then_some(stt))
    }

    #[test]
    fn slack_is_what_is_left_after_the_longest_drain() {
        let slack = |drain, high| {
            let found = judged("[{stage: stt, by: 08:00}]", &prospect(drain, high));
            found.first().and_then(|deadline| deadline.slack)
        };
        assert_eq!(slack(Some(300.0), Some(600.0)), Some(3000.0));
        assert_eq!(slack(Some(3000.0), Some(5400.0)), Some(-1800.0));
        assert_eq!(slack(None, None), None);
    }

    #[test]
    fn without_a_band_slack_is_told_where_it_is_certain() {
        let slack = |drain| {
            let found = judged("[{stage: stt, by: 08:00}]", &prospect(Some(drain), None));
            found.first().and_then(|deadline| deadline.slack)
        };
        assert_eq!(slack(0.0), Some(3600.0));
        assert_eq!(slack(3600.0), None);
        assert_eq!(slack(3700.0), Some(-100.0));
    }

    #[test]
    fn each_deadline_is_that_of_its_stage() {
        let both = "[{stage: summarize, by: 07:00}, {stage: stt, by: 07:30}]";
        let found = judged(both, &prospect(Some(30.0), Some(60.0)));
        let deadline = |stage: &str, machine: &str, by: &str, at, slack| Deadline {
            stage: stage.to_owned(),
            machine: machine.to_owned(),
            by: by.to_owned(),
            at,
            slack,
        };
        let now = 1_795_557_600.0;
        let expected = [
            deadline("stt", "gpu", "07:30", now + 1800.0, Some(1740.0)),
            deadline("summarize", "macmini", "07:00", now + 86_400.0, None),
        ];
        assert_eq!(found, expected);
        assert_eq!(judged("[]", &prospect(None, None)), []);
    }
}
