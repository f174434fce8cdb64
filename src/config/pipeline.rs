//! Whose work is it: the validated attribution of stages, completions, deferrals and jobs.

use std::collections::BTreeMap;

use chrono::NaiveTime;
use chrono_tz::Tz;

use crate::snapshot::{Scope, Statuses};

/// The machine under which stages on no machine are reported.
pub const UNASSIGNED: &str = "unassigned";

/// A pipeline without contradictions: every machine and stage it names exists.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// The zone whose midnight begins the day.
    pub timezone: Tz,
    /// Machines in display order.
    pub machines: Vec<Machine>,
    /// Configured stages in display order.
    pub stages: Vec<Stage>,
    /// The key of the machine that has all other stages, if one has them.
    pub rest: Option<String>,
    /// Stages that several machines work.
    pub pools: Vec<Pool>,
    /// The machine whose absence a deferred row means, by stage.
    pub deferrals: BTreeMap<String, String>,
    /// The machine of each background job kind.
    pub job_kinds: BTreeMap<String, String>,
    /// The machine of every other kind.
    pub default_job_machine: String,
    /// Stages with a 24-hour trend.
    pub trend: Vec<String>,
    /// The words of each status.
    pub statuses: Statuses,
    /// The zone of timestamps that have none, if one is said.
    pub naive_timestamps: Option<Tz>,
    /// The local time by which a stage is to be done each day, by stage.
    pub deadlines: BTreeMap<String, NaiveTime>,
    /// What people call a row's document.
    pub words: Words,
}

/// What people call the things that the queue is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// A document.
    pub item: String,
    /// A document without a title, before its number.
    pub untitled: String,
}

/// A machine of the board.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The value of the `machine` label.
    pub key: String,
    /// What people read.
    pub label: String,
}

/// A configured stage.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The stage's name.
    pub name: String,
    /// The key of the machine that has it now; a switched-off machine's fallback.
    pub machine: String,
}

/// A stage worked by its home and by members known by their model.
#[derive(Debug, Clone)]
pub struct Pool {
    /// The stage.
    pub stage: String,
    /// The machine that the stage is on.
    pub home: String,
    /// Machine keys by `documents.ai_model_version`.
    pub members: BTreeMap<String, String>,
}

impl Pipeline {
    /// Returns the machine that a stage is on, or [`UNASSIGNED`].
    pub fn machine_of(&self, stage: &str) -> &str {
        let configured = self.stages.iter().find(|known| known.name == stage);
        configured.map_or(self.rest(), |stage| &stage.machine)
    }

    /// Returns the machine of the stages that are not configured, or [`UNASSIGNED`].
    pub fn rest(&self) -> &str {
        self.rest.as_deref().unwrap_or(UNASSIGNED)
    }

    /// Returns the machine whose absence a deferred row of a stage means, if it means any.
    pub fn deferral_machine_of(&self, stage: &str) -> Option<&str> {
        self.deferrals.get(stage).map(String::as_str)
    }

    /// Returns the machine that runs a kind of background job.
    pub fn job_machine_of(&self, kind: &str) -> &str {
        self.job_kinds
            .get(kind)
            .unwrap_or(&self.default_job_machine)
    }

    /// Returns the pool of a stage, if several machines work it.
    pub fn pool_of(&self, stage: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.stage == stage)
    }

    /// Returns what the database must be asked about by name.
    pub fn scope(&self) -> Scope {
        let models = self.pools.iter().flat_map(|pool| pool.members.keys());
        Scope {
            timezone: self.timezone,
            pool_stages: self.pools.iter().map(|pool| pool.stage.clone()).collect(),
            models: models.cloned().collect(),
            trend_stages: self.trend.clone(),
            statuses: self.statuses.clone(),
            naive_timestamps: self.naive_timestamps,
        }
    }
}

impl Pool {
    /// Returns who completed a document of this stage; whatever is unknown is the home's work.
    pub fn machine_of(&self, model: Option<&str>) -> &str {
        let member = model.and_then(|model| self.members.get(model));
        member.unwrap_or(&self.home)
    }

    /// Returns the machines of this pool, its home first, each once.
    pub fn machines(&self) -> Vec<&str> {
        let mut machines = vec![self.home.as_str()];
        for machine in self.members.values() {
            if !machines.contains(&machine.as_str()) {
                machines.push(machine);
            }
        }
        machines
    }
}
