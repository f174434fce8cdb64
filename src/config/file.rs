//! The configuration file as it is written: every section optional, every name with its place.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
pub use serde_saphyr::Spanned;

use crate::queues;

use super::validate::Refusal;

/// The built-in configuration, in the same words that a user's file has.
pub const DEFAULT: &str = include_str!("default.yml");

/// What is assumed in its place of another system's queue, `NAME` being the system's.
const PRESET: &str = include_str!("preset.yml");

/// What stands for all the stages that no machine names.
pub const REST: &str = "*";

/// A name and where in the file it stands.
pub type Name = Spanned<String>;

/// The whole file; a section that is absent is taken from [`DEFAULT`], or from the preset.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// Whose queue it is, if it is another system's: what absent sections are taken from.
    pub preset: Option<Name>,
    /// IANA name of the zone whose midnight begins the day.
    pub timezone: Option<Name>,
    /// Machines in display order.
    pub machines: Option<Vec<Machine>>,
    /// Stages that several machines work.
    pub pools: Option<Vec<Pool>>,
    /// Whose absence a deferred row means.
    pub deferrals: Option<Vec<Deferral>>,
    /// Background job kinds by machine.
    pub background_jobs: Option<BackgroundJobs>,
    /// Stages with a 24-hour trend.
    pub trend: Option<Vec<Name>>,
    /// Words of the status column by what they mean.
    pub statuses: Option<Statuses>,
    /// How the queue's table is kept.
    pub queue: Option<Queue>,
    /// By when stages are to be done.
    pub deadlines: Option<Vec<Deadline>>,
    /// What people call things.
    pub words: Option<Words>,
}

/// One machine and the stages on it, in display order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The value of the `machine` label.
    pub key: Name,
    /// What people read; the key when absent.
    pub label: Option<String>,
    /// Whether the machine takes work; true when absent.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// The machine that has the stages while this one is switched off.
    pub fallback: Option<Name>,
    /// The stages on this machine; [`REST`] is whatever stage is on no other.
    #[serde(default)]
    pub stages: Vec<Name>,
}

/// A stage that several machines work.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// The stage; its home is the machine it is on.
    pub stage: Name,
    /// Who else works it.
    pub members: Vec<Member>,
}

/// A machine in a pool, known by the model that it runs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The `documents.ai_model_version` of what this machine completed.
    pub model: Name,
    /// The machine's key.
    pub machine: Name,
}

/// A machine whose absence deferred rows of some stages mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deferral {
    /// The machine's key.
    pub machine: Name,
    /// The stages.
    pub stages: Vec<Name>,
}

/// Which machine runs which kind of background job.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackgroundJobs {
    /// The machine of every kind not listed.
    pub default: Name,
    /// The machine of each kind.
    #[serde(default)]
    pub kinds: BTreeMap<String, Name>,
}

/// Words of a status, and where in the file they stand.
pub type StatusWords = Spanned<Vec<Name>>;

/// The words of each status; one that is absent keeps its own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Statuses {
    /// Rows that wait.
    pub pending: Option<StatusWords>,
    /// Rows being worked on.
    pub processing: Option<StatusWords>,
    /// Rows that are done.
    pub completed: Option<StatusWords>,
    /// Rows that failed for good.
    pub failed: Option<StatusWords>,
}

/// How the queue's table is kept.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Queue {
    /// IANA name of the zone of timestamps that have none.
    pub naive_timestamps: Option<Name>,
}

/// A time of day by which a stage is to be done.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// The stage.
    pub stage: Name,
    /// The time on the clock of `timezone`, as "08:00".
    pub by: Name,
}

/// What people call the things that the queue is about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// A document.
    pub item: String,
    /// A document without a title, before its number.
    pub untitled: String,
}

impl File {
    /// Returns the file from which absent sections are taken.
    ///
    /// # Errors
    ///
    /// A preset that there is not.
    pub(super) fn default(&self) -> Result<Self, Refusal> {
        let Some(preset) = &self.preset else {
            return parse(DEFAULT);
        };
        match queues::find(&preset.value) {
            Some(queue) => parse(&PRESET.replace("NAME", queue.title)),
            None => {
                let reason = format!(
                    "there is no preset `{}`: use one of {}",
                    preset.value,
                    queues::names()
                );
                Err(Refusal::at(preset, reason))
            }
        }
    }
}

/// Parses a configuration file.
///
/// # Errors
///
/// What is not YAML, has an unknown key, or has a value of the wrong type.
pub fn parse<T: DeserializeOwned + Default>(text: &str) -> Result<T, Refusal> {
    // An empty file is an empty mapping to its author, but not to YAML.
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(blank) {
        return Ok(T::default());
    }
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| Refusal::yaml(&error))
}

/// Bounds that no pipeline comes near, but a file whose aliases multiply soon passes.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: 10_000,
            max_events: 25_000,
            max_recorded_anchor_events: 50_000,
            max_merge_keys: 100,
        },
    }
}

fn enabled() -> bool {
    true
}
