//! What a person does to failed rows, and what became of each. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::snapshot::{Id, Text};

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

    /// Returns the columns of the queue that it changes.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Retry => &["status", "attempts", "started_at", "completed_at"],
            Self::Skip => &["status", "completed_at", "payload"],
        }
    }

    /// Returns what becomes of a row to which it is done.
    pub fn done(self) -> Outcome {
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
    /// It is failed again, as it was.
    Restored,
    /// It was not left as the action had made it.
    Touched,
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
            Self::Restored => "restored",
            Self::Touched => "touched",
        }
    }
}

/// A failed row as it was before an action, to be put back.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Former {
    /// The queue row's id.
    pub id: Id,
    /// What the action changes of it, as the database wrote it.
    pub row: Text,
}

impl Former {
    /// Returns what rows were as one JSON list.
    pub fn list(rows: &[Self]) -> String {
        let rows = rows.iter().map(|former| &*former.row);
        format!("[{}]", rows.collect::<Vec<_>>().join(","))
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
    /// What became of the rows that were changed.
    pub done: Outcome,
    /// Each row's id and outcome.
    pub results: Vec<(Id, Outcome)>,
}

impl Report {
    /// Says what became of the rows `asked` for: those in `changed` were changed, and those
    /// `left` alone were found for one reason or another.
    pub fn of_action(action: Action, asked: &[Id], changed: &[Id], left: &[LeftAlone]) -> Self {
        let reason = |row: &LeftAlone| match action {
            Action::Retry if row.failed && row.active => Outcome::Conflict,
            _ => Outcome::NotFailed,
        };
        Self::new(action.done(), asked, changed, left, reason)
    }

    /// Says what became of rows that were to be as they had been.
    pub fn of_undo(asked: &[Id], changed: &[Id], left: &[LeftAlone]) -> Self {
        Self::new(Outcome::Restored, asked, changed, left, |_| {
            Outcome::Touched
        })
    }

    fn new(
        done: Outcome,
        asked: &[Id],
        changed: &[Id],
        left: &[LeftAlone],
        reason: impl Fn(&LeftAlone) -> Outcome,
    ) -> Self {
        let changed: HashSet<&Id> = changed.iter().collect();
        let left: HashMap<&Id, &LeftAlone> = left.iter().map(|row| (&row.id, row)).collect();
        let outcome = |id: &Id| match left.get(id) {
            _ if changed.contains(id) => done,
            None => Outcome::NotFound,
            Some(row) => reason(row),
        };
        let results = asked.iter().map(|id| (id.clone(), outcome(id)));
        Self {
            done,
            results: results.collect(),
        }
    }

    /// Returns the ids of each outcome that occurs.
    pub fn by_outcome(&self) -> BTreeMap<Outcome, Vec<Id>> {
        let mut ids: BTreeMap<Outcome, Vec<Id>> = BTreeMap::new();
        for (id, outcome) in &self.results {
            ids.entry(*outcome).or_default().push(id.clone());
        }
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_one_outcome() {
        use Outcome::{Conflict, NotFailed, NotFound, Restored, Retried, Touched};
        let id = |id: i64| Id::from(id);
        let row = |number, failed, active| LeftAlone {
            id: id(number),
            failed,
            active,
        };
        let outcomes = |report: Report| {
            let outcomes = report.results.into_iter().map(|(_, outcome)| outcome);
            outcomes.collect::<Vec<_>>()
        };
        let left = [row(2, true, true), row(3, false, true), row(4, true, false)];
        let asked = [1, 2, 3, 4, 5].map(id);
        let retry = Report::of_action(Action::Retry, &asked, &[id(1)], &left);
        assert_eq!(retry.by_outcome()[&NotFailed], [id(3), id(4)]);
        assert_eq!(
            outcomes(retry),
            [Retried, Conflict, NotFailed, NotFailed, NotFound]
        );
        let skip = Report::of_action(Action::Skip, &[id(2)], &[], &left);
        assert_eq!(outcomes(skip), [NotFailed]);
        let undo = Report::of_undo(&asked[..2], &[id(1)], &left);
        assert_eq!(outcomes(undo), [Restored, Touched]);
    }
}
