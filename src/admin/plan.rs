//! What an action on rows that have something in common would be done to. Pure.

use crate::snapshot::Selection;

use super::action::Action;
use super::request::order::Matching;

/// What would be done, as far as the rows are known now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What would be done.
    pub action: Action,
    /// How many rows match.
    pub matching: i64,
    /// To how many of them it would be done.
    pub rows: i64,
    /// How many rows of each stage match, in the order of failed rows.
    pub stages: Vec<(String, i64)>,
    /// How many rows match whose document is not there any more.
    pub documents_gone: i64,
}

impl Plan {
    /// Sums up what was found.
    pub fn new(action: Action, matching: &Matching, found: &Selection) -> Self {
        let limit = i64::try_from(matching.limit).unwrap_or(i64::MAX);
        let stages = found.stages.iter();
        Self {
            action,
            matching: found.matching,
            rows: found.matching.min(limit),
            stages: stages
                .map(|(stage, rows)| (stage.to_string(), *rows))
                .collect(),
            documents_gone: found.documents_gone,
        }
    }
}
