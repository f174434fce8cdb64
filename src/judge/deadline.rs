//! How much room is left until the time of day by which a stage is to be done.

use chrono::{DateTime, Utc};

use crate::config::Pipeline;
use crate::config::pipeline::Stage;
use crate::snapshot::UnixSeconds;
use crate::windows::deadline::next;

use super::unix_seconds;

/// The next deadline of a stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Deadline {
    /// The stage.
    pub stage: String,
    /// The machine that it is on.
    pub machine: String,
    /// When it is.
    pub at: UnixSeconds,
    /// By how many seconds what is in the stage will be done before, at the high end of the band;
    /// negative if it will be late, absent where nothing is foretold.
    pub slack: Option<f64>,
}

/// Judges every deadline, in the order of the stages, by the high end of the band around each
/// stage's drain, in seconds.
pub fn judge(
    now: DateTime<Utc>,
    pipeline: &Pipeline,
    drain_high: impl Fn(&str) -> Option<f64>,
) -> Vec<Deadline> {
    let deadline = |stage: &Stage| {
        let by = *pipeline.deadlines.get(&stage.name)?;
        let at = unix_seconds(next(now, by, pipeline.timezone));
        let left = at - unix_seconds(now);
        Some(Deadline {
            stage: stage.name.clone(),
            machine: stage.machine.clone(),
            at,
            slack: drain_high(&stage.name).map(|drain| left - drain),
        })
    };
    pipeline.stages.iter().filter_map(deadline).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    /// At 07:00 in Seoul.
    fn judged(deadlines: &str, drain_high: impl Fn(&str) -> Option<f64>) -> Vec<Deadline> {
        let pipeline = config::parse(&format!("deadlines: {deadlines}")).expect("a pipeline");
        let now = "2026-11-24T22:00:00Z".parse().expect("an instant");
        judge(now, &pipeline, drain_high)
    }

    #[test]
    fn slack_is_what_is_left_after_the_longest_drain() {
        let slack = |drain: Option<f64>| {
            let found = judged("[{stage: stt, by: 08:00}]", |_| drain);
            found.first().and_then(|deadline| deadline.slack)
        };
        assert_eq!(slack(Some(0.0)), Some(3600.0));
        assert_eq!(slack(Some(600.0)), Some(3000.0));
        assert_eq!(slack(Some(5400.0)), Some(-1800.0));
        assert_eq!(slack(None), None);
    }

    #[test]
    fn each_deadline_is_that_of_its_stage() {
        let both = "[{stage: summarize, by: 07:00}, {stage: stt, by: 07:30}]";
        let found = judged(both, |stage| (stage == "stt").then_some(60.0));
        let deadline = |stage: &str, machine: &str, at, slack| Deadline {
            stage: stage.to_owned(),
            machine: machine.to_owned(),
            at,
            slack,
        };
        let now = 1_795_557_600.0;
        let expected = [
            deadline("stt", "gpu", now + 1800.0, Some(1740.0)),
            deadline("summarize", "macmini", now + 86_400.0, None),
        ];
        assert_eq!(found, expected);
        assert_eq!(judged("[]", |_| None), []);
    }
}
