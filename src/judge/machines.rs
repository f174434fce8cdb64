//! The lane of each machine: its stages' numbers, and whether it works, waits or rests.

use crate::config::Pipeline;
use crate::config::pipeline::UNASSIGNED;

use super::stages::{Completed, Items, PoolShare, StageLane};

/// One machine's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineLane {
    /// The value of the `machine` label.
    pub key: String,
    /// What people read.
    pub label: String,
    /// Whether it works.
    pub state: State,
    /// Its stages in display order.
    pub stages: Vec<String>,
    /// Rows of its stages by status.
    pub items: Items,
    /// What it completed, its part of the pools included.
    pub completed: Completed,
    /// Deferred rows that wait for it.
    pub deferred: i64,
}

/// Whether a machine works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Something is processing, or was completed in 15 minutes.
    Active,
    /// It does nothing, and deferred rows wait for it.
    Deferred,
    /// It does nothing, and nothing deferred waits for it.
    Idle,
}

impl MachineLane {
    /// Returns whether this lane holds the stages that are on no machine.
    pub fn is_unassigned(&self) -> bool {
        self.key == UNASSIGNED
    }
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Active, Self::Deferred, Self::Idle];

    /// Returns the value of the `state` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deferred => "deferred",
            Self::Idle => "idle",
        }
    }

    fn of(processing: i64, completed_15m: i64, deferred: i64) -> Self {
        if processing > 0 || completed_15m > 0 {
            Self::Active
        } else if deferred > 0 {
            Self::Deferred
        } else {
            Self::Idle
        }
    }
}

/// Key and label of each configured machine, in display order.
pub(super) fn labels(pipeline: &Pipeline) -> Vec<(String, String)> {
    let machines = pipeline.machines.iter();
    machines
        .map(|machine| (machine.key.clone(), machine.label.clone()))
        .collect()
}

/// Adds up each machine's stages; stages on no machine make a lane of their own, at the end.
pub(super) fn judge(
    stages: &[StageLane],
    pools: &[PoolShare],
    pipeline: &Pipeline,
) -> Vec<MachineLane> {
    let mut machines = labels(pipeline);
    if stages.iter().any(|lane| lane.machine == UNASSIGNED) {
        machines.push((UNASSIGNED.to_owned(), UNASSIGNED.to_owned()));
    }
    machines
        .into_iter()
        .map(|(key, label)| lane(key, label, stages, pools, pipeline))
        .collect()
}

fn lane(
    key: String,
    label: String,
    stages: &[StageLane],
    pools: &[PoolShare],
    pipeline: &Pipeline,
) -> MachineLane {
    let (mut items, mut deferred) = (Items::default(), 0);
    let (mut completed, mut skipped) = (Completed::default(), Completed::default());
    let mut own = Vec::new();
    for stage in stages {
        if stage.machine == key {
            own.push(stage.stage.clone());
            items += stage.items;
            if pipeline.pool_of(&stage.stage).is_none() {
                completed += stage.completed;
                skipped += stage.skipped;
            }
        }
        if pipeline.deferral_machine_of(&stage.stage) == Some(key.as_str()) {
            deferred += stage.deferred;
        }
    }
    let shares = pools.iter().filter(|share| share.machine == key);
    for share in shares {
        completed += share.completed;
        skipped += share.skipped;
    }
    // To skip a row is no work done.
    let state = State::of(items.processing, completed.m15 - skipped.m15, deferred);
    MachineLane {
        key,
        label,
        state,
        stages: own,
        items,
        completed,
        deferred,
    }
}
