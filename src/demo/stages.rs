//! What the pipeline consists of: its stages, in the order work flows, and who works them.

use chrono::TimeDelta;
use fastrand::Rng;

use super::seconds_between;

pub(super) const EXTRACT: &str = "extract";
pub(super) const STT: &str = "stt";
pub(super) const PREVIEW: &str = "preview";
pub(super) const CHUNK: &str = "chunk";
pub(super) const EMBED: &str = "embed";
pub(super) const CLASSIFY: &str = "classify";
pub(super) const SUMMARIZE: &str = "summarize";
pub(super) const DEEP_SUMMARY: &str = "deep_summary";

/// A stage: how long it takes, and which stages follow it for what share of the documents
pub(super) struct Stage {
    pub(super) name: &'static str,
    seconds: (i64, i64),
    pub(super) next: &'static [(&'static str, f64)],
}

impl Stage {
    const fn new(
        name: &'static str,
        seconds: (i64, i64),
        next: &'static [(&'static str, f64)],
    ) -> Self {
        Stage {
            name,
            seconds,
            next,
        }
    }

    /// Draws how long the stage takes for one document
    pub(super) fn service_time(&self, rng: &mut Rng) -> TimeDelta {
        seconds_between(rng, self.seconds)
    }
}

/// Every stage, none before one that it follows
pub(super) static STAGES: [Stage; 11] = [
    Stage::new(
        EXTRACT,
        (3, 7),
        &[("markdown", 1.0), (CLASSIFY, 1.0), (PREVIEW, 0.4)],
    ),
    Stage::new(STT, (110, 170), &[(CLASSIFY, 1.0)]),
    Stage::new("markdown", (2, 5), &[(CHUNK, 1.0)]),
    Stage::new(PREVIEW, (2, 5), &[("thumbnail", 0.5)]),
    Stage::new("thumbnail", (2, 4), &[]),
    Stage::new(CHUNK, (1, 4), &[(EMBED, 1.0), ("fulltext", 0.3)]),
    Stage::new(EMBED, (2, 6), &[]),
    Stage::new("fulltext", (2, 4), &[]),
    Stage::new(CLASSIFY, (2, 6), &[(SUMMARIZE, 1.0)]),
    Stage::new(SUMMARIZE, (45, 80), &[(DEEP_SUMMARY, 0.4)]),
    Stage::new(DEEP_SUMMARY, (60, 110), &[]),
];

/// Finds a stage of the demo by its name
pub(super) fn stage(name: &str) -> Option<&'static Stage> {
    STAGES.iter().find(|stage| stage.name == name)
}

/// A machine of the pipeline
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Machine {
    Gpu,
    Macmini,
    Macbook,
}

impl Machine {
    /// Names the model that a machine's summaries are signed with
    pub(super) fn model(self) -> Option<&'static str> {
        match self {
            Machine::Gpu => None,
            Machine::Macmini => Some("qwen-macmini"),
            Machine::Macbook => Some("qwen-macbook"),
        }
    }
}

/// One worker slot: it takes one row at a time, of these stages only
pub(super) struct Lane {
    pub(super) machine: Machine,
    stages: &'static [&'static str],
}

impl Lane {
    const fn new(machine: Machine, stages: &'static [&'static str]) -> Self {
        Lane { machine, stages }
    }

    /// Says whether the slot takes rows of a stage
    pub(super) fn works(&self, stage: &str) -> bool {
        self.stages.contains(&stage)
    }
}

/// Every worker slot; slow stages have their own, or the oldest rows would block all others
pub(super) static LANES: [Lane; 9] = [
    Lane::new(Machine::Gpu, &[EXTRACT, "markdown", CHUNK]),
    Lane::new(Machine::Gpu, &[EMBED, "fulltext"]),
    Lane::new(Machine::Gpu, &[PREVIEW, "thumbnail"]),
    Lane::new(Machine::Gpu, &[STT]),
    Lane::new(Machine::Macmini, &[CLASSIFY]),
    Lane::new(Machine::Macmini, &[SUMMARIZE]),
    Lane::new(Machine::Macmini, &[SUMMARIZE]),
    Lane::new(Machine::Macbook, &[DEEP_SUMMARY]),
    Lane::new(Machine::Macbook, &[SUMMARIZE]),
];
