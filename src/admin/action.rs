//! What a person does to failed rows, and what became of each. Pure.

use serde_json::{Value, json};

use crate::snapshot::Id;

/// What a person does to failed rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Puts them back into the queue.
    Retry,
    /// Takes them out of it as if they were done.
    Skip,
}

impl Action {
    /// Returns the name used in paths, labels and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
        }
    }

    fn done(self) -> Outcome {
        match self {
            Self::Retry => Outcome::Retried,
            Self::Skip => Outcome::Skipped,
        }
    }
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It is pending again.
    Retried,
    /// It is completed.
    Skipped,
    /// Its document is pending or processing at its stage already.
    Conflict,
    /// It had not failed, or somebody was faster.
    NotFailed,
    /// There is no such row.
    NotFound,
}

impl Outcome {
    /// Returns the name used in answers, labels and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retried => "retried",
            Self::Skipped => "skipped",
            Self::Conflict => "conflict",
            Self::NotFailed => "not_failed",
            Self::NotFound => "not_found",
        }
    }
}

/// A row that an action left alone, as it was found afterwards in the same transaction.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LeftAlone {
    /// The queue row's id.
    pub id: Id,
    /// Whether it is failed.
    pub failed: bool,
    /// Whether its document is pending or processing at its stage.
    pub active: bool,
}

/// What became of every row that a request names, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What was done.
    pub action: Action,
    /// Each row's id and outcome.
    pub results: Vec<(Id, Outcome)>,
}

impl Report {
    /// Says what became of the rows `asked` for: those in `changed` were changed, and those
    /// `left` alone were found for one reason or another.
    pub fn new(action: Action, asked: &[Id], changed: &[Id], left: &[LeftAlone]) -> Self {
        let outcome = |id: &Id| match left.iter().find(|row| row.id == *id) {
            _ if changed.contains(id) => action.done(),
            None => Outcome::NotFound,
            Some(row) if action == Action::Retry && row.failed && row.active => Outcome::Conflict,
            Some(_) => Outcome::NotFailed,
        };
        Self {
            action,
            results: asked.iter().map(|id| (id.clone(), outcome(id))).collect(),
        }
    }

    /// Returns the ids of each outcome that occurs.
    pub fn by_outcome(&self) -> Vec<(Outcome, Vec<Id>)> {
        let mut outcomes: Vec<Outcome> = self.results.iter().map(|(_, outcome)| *outcome).collect();
        outcomes.sort();
        outcomes.dedup();
        let ids = |of: Outcome| {
            let same = self
                .results
                .iter()
                .filter(move |(_, outcome)| *outcome == of);
            same.map(|(id, _)| id.clone()).collect()
        };
        outcomes
            .into_iter()
            .map(|outcome| (outcome, ids(outcome)))
            .collect()
    }

    /// Returns the answer to the request.
    pub fn answer(&self) -> Value {
        let done = self.action.done();
        let requested = self.results.len();
        let changed = self
            .results
            .iter()
            .filter(|(_, outcome)| *outcome == done)
            .count();
        let result = |(id, outcome): &(Id, Outcome)| json!({"id": id, "outcome": outcome.as_str()});
        let results: Vec<Value> = self.results.iter().map(result).collect();
        let done = done.as_str();
        json!({
            "requested": requested,
            done: changed,
            format!("not_{done}"): requested - changed,
            "results": results,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_one_outcome() {
        let id = |id: i64| Id::from(id);
        let row = |number, failed, active| LeftAlone {
            id: id(number),
            failed,
            active,
        };
        let left = [row(2, true, true), row(3, false, true), row(4, true, false)];
        let report = Report::new(Action::Retry, &[1, 2, 3, 4, 5].map(id), &[id(1)], &left);
        let expected = json!({
            "requested": 5, "retried": 1, "not_retried": 4, "results": [
                {"id": 1, "outcome": "retried"}, {"id": 2, "outcome": "conflict"},
                {"id": 3, "outcome": "not_failed"}, {"id": 4, "outcome": "not_failed"},
                {"id": 5, "outcome": "not_found"},
            ]
        });
        assert_eq!(report.answer(), expected);
        let skip = Report::new(Action::Skip, &[id(2)], &[], &left);
        assert_eq!(skip.results, [(id(2), Outcome::NotFailed)]);
        assert_eq!(skip.answer()["not_skipped"], 1);
    }
}
