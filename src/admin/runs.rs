//! The latest runs, in the memory of this process: what they did can be looked at, stopped and
//! taken back until others have taken their place.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::exporter::Exporter;
use crate::snapshot::Selection;
use crate::telemetry::Telemetry;

use super::operator::Operator;
use super::run::{Asked, Run};

/// How many runs are remembered.
const MOST_RUNS: usize = 50;

/// How much is remembered of what rows were before, in bytes.
const MOST_FORMER: usize = 32 << 20;

/// Why a run was not begun.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such run, or no more.
    #[error("there is no action of this number, or it is forgotten: the latest 50 are remembered")]
    Unknown,
    /// It goes on.
    #[error("this action is still under way: stop it first")]
    UnderWay,
    /// It was taken back before.
    #[error("this action was taken back already")]
    Undone,
    /// It is one that takes another back.
    #[error("this action took another one back: do that one again instead")]
    IsUndo,
    /// It changed nothing, or what the rows were is forgotten.
    #[error(
        "of this action there is nothing to take back: it changed no row, or too many others were changed since to remember what its rows were"
    )]
    Nothing,
    /// Every place is taken.
    #[error("50 actions are under way: stop one of them, or wait")]
    Full,
}

/// Does what people ask for, and remembers it.
#[derive(Debug)]
pub struct Runs {
    operator: Operator,
    telemetry: Arc<Telemetry>,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    latest: u64,
    runs: VecDeque<Arc<Run>>,
}

impl Runs {
    /// Remembers nothing yet.
    pub fn new(operator: Operator, telemetry: Arc<Telemetry>) -> Self {
        Self {
            operator,
            telemetry,
            memory: Mutex::default(),
        }
    }

    /// Returns what is remembered, the latest first.
    pub fn recent(&self) -> Vec<Arc<Run>> {
        self.memory().runs.iter().rev().cloned().collect()
    }

    /// Returns the run of that number.
    ///
    /// # Errors
    ///
    /// When there is none, or no more.
    pub fn get(&self, number: u64) -> Result<Arc<Run>, Refusal> {
        let runs = self.memory();
        let mut runs = runs.runs.iter();
        let run = runs.find(|run| run.number == number);
        run.cloned().ok_or(Refusal::Unknown)
    }

    /// Begins what a person asks for, with the rows that were found for it; it goes on by itself.
    ///
    /// # Errors
    ///
    /// When too many are under way.
    pub fn begin(
        self: &Arc<Self>,
        asked: Asked,
        found: Selection,
        actor: &str,
        exporter: Arc<Exporter>,
    ) -> Result<Arc<Run>, Refusal> {
        let run = self.memory().add(asked, found, actor)?;
        let (runs, own) = (Arc::clone(self), Arc::clone(&run));
        tokio::spawn(async move {
            own.go(&runs.operator, &exporter, &runs.telemetry).await;
            runs.memory().forget();
        });
        Ok(run)
    }

    /// Begins to take a run back.
    ///
    /// # Errors
    ///
    /// Why that cannot be.
    pub fn undo(
        self: &Arc<Self>,
        number: u64,
        actor: &str,
        exporter: Arc<Exporter>,
    ) -> Result<Arc<Run>, Refusal> {
        let run = self.get(number)?;
        let action = match &run.asked {
            Asked::Ids(action, _) | Asked::Matching(action, ..) => *action,
            Asked::Undo(..) => return Err(Refusal::IsUndo),
        };
        let mut state = run.state();
        let refusal = match &*state {
            state if state.end.is_none() => Some(Refusal::UnderWay),
            state if state.is_undone => Some(Refusal::Undone),
            state if state.formers.is_empty() => Some(Refusal::Nothing),
            _ => None,
        };
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        state.is_undone = true;
        drop(state);
        let asked = Asked::Undo(action, Arc::clone(&run));
        let begun = self.begin(asked, Selection::default(), actor, exporter);
        begun.inspect_err(|_| run.state().is_undone = false)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// Remembers a run in the place of the oldest that has ended.
    fn add(&mut self, asked: Asked, found: Selection, actor: &str) -> Result<Arc<Run>, Refusal> {
        if self.runs.len() >= MOST_RUNS {
            let ended = self.runs.iter().position(|run| run.state().end.is_some());
            self.runs.remove(ended.ok_or(Refusal::Full)?);
        }
        self.latest += 1;
        let run = Arc::new(Run::new(self.latest, asked, found, actor.to_owned(), now()));
        self.runs.push_back(Arc::clone(&run));
        Ok(run)
    }

    /// Forgets what rows were before, of the oldest runs first, until the rest is little enough.
    fn forget(&mut self) {
        let mut kept = 0;
        for run in self.runs.iter().rev() {
            let mut state = run.state();
            let size: usize = state.formers.iter().map(|former| former.row.len()).sum();
            kept += size;
            if kept > MOST_FORMER && state.end.is_some() {
                state.formers = Vec::new();
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "when a person acted is no number of the pipeline"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}
