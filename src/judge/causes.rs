//! How many failed rows of each stage share a cause, over all of them.

use std::collections::HashMap;

use crate::config::Pipeline;
use crate::snapshot::FailedRow;

use super::failures::cause_of;
use super::names::{Names, OTHER};

/// How many causes are told apart; the others of a stage are counted together.
pub const MOST_CAUSES: usize = 20;

/// How many are counted apart until it is known which are the most frequent.
const MOST_COUNTED: usize = 10_000;

/// The failed rows of one stage that share a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CauseCount {
    /// The stage.
    pub stage: String,
    /// The machine that it is on, or `unassigned`.
    pub machine: String,
    /// The cause, or [`OTHER`].
    pub cause: String,
    /// How many rows.
    pub rows: i64,
}

/// Counts rows one by one.
#[derive(Debug, Default)]
pub struct Tally {
    rows: HashMap<(String, String), i64>,
}

impl Tally {
    /// Counts a row.
    pub fn add(&mut self, row: &FailedRow) {
        let mut key = (row.stage.to_string(), cause_of(row));
        if self.rows.len() >= MOST_COUNTED && !self.rows.contains_key(&key) {
            OTHER.clone_into(&mut key.1);
        }
        *self.rows.entry(key).or_default() += 1;
    }

    /// Returns the most frequent causes, the most frequent first, then what is left of each stage.
    pub fn finish(self, pipeline: &Pipeline) -> Vec<CauseCount> {
        let configured = pipeline.stages.iter().map(|stage| stage.name.as_str());
        let names = Names::new(
            configured,
            self.rows.keys().map(|(stage, _)| stage.as_str()),
        );
        let mut folded: HashMap<(&str, &str), i64> = HashMap::new();
        for ((stage, cause), rows) in &self.rows {
            *folded.entry((names.fold(stage), cause)).or_default() += rows;
        }
        let mut counts: Vec<_> = folded.into_iter().collect();
        let is_other = |cause: &str| cause == OTHER;
        counts.sort_by_key(|&((stage, cause), rows)| (is_other(cause), -rows, stage, cause));
        let told = counts.len().min(MOST_CAUSES);
        let rest = counts.split_off(told);
        for ((stage, _), rows) in rest {
            match counts[told..].iter_mut().find(|((of, _), _)| *of == stage) {
                Some((_, others)) => *others += rows,
                None => counts.push(((stage, OTHER), rows)),
            }
        }
        let count = |((stage, cause), rows): ((&str, &str), i64)| CauseCount {
            stage: stage.to_owned(),
            machine: pipeline.machine_of(stage).to_owned(),
            cause: cause.to_owned(),
            rows,
        };
        counts.into_iter().map(count).collect()
    }
}
