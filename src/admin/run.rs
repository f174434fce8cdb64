//! One thing that a person asked for, from its beginning to its end: it goes on in a task of its
//! own, whoever goes away meanwhile, in batches of one transaction each.

mod work;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use crate::exporter::Exporter;
use crate::snapshot::{Id, Selection};
use crate::telemetry::Telemetry;

use super::action::{Action, Former, Outcome};
use super::operator::{Failure, Operator};
use super::request::order::Matching;
use work::Work;

/// How many rows one transaction changes at most; a run of no more is answered when it is done.
pub const BATCH: usize = 1000;

/// What a person asked for.
#[derive(Debug, Clone)]
pub enum Asked {
    /// An action to rows that they named.
    Ids(Action, Vec<Id>),
    /// An action to rows that have something in common.
    Matching(Action, Box<Matching>),
    /// To take an action of another run back.
    Undo(Action, Arc<Run>),
}

impl Asked {
    /// Returns the name used in answers, labels and logs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Ids(action, _) | Self::Matching(action, ..) => action.as_str(),
            Self::Undo(..) => "undo",
        }
    }

    /// Returns how many rows it is about, of those that were found.
    fn rows(&self, found: &Selection) -> usize {
        match self {
            Self::Ids(_, ids) => ids.len(),
            Self::Matching(_, matching) => matching
                .limit
                .min(usize::try_from(found.matching).unwrap_or(0)),
            Self::Undo(_, run) => run.state().formers.len(),
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone)]
pub enum End {
    /// Everything that could be done was done.
    Done,
    /// A person stopped it.
    Stopped,
    /// A batch could not be done; those before it were.
    Failed(Arc<Failure>),
    /// The next rows could not be found.
    Unread(String),
}

/// What a person asked for, and how far it is.
#[derive(Debug)]
pub struct Run {
    /// Its number; a later run has a higher one.
    pub number: u64,
    /// What was asked for.
    pub asked: Asked,
    /// Who asked.
    pub actor: String,
    /// When, by the exporter's clock.
    pub began: DateTime<Utc>,
    /// How many rows it is about, as far as was known when it began.
    pub rows: usize,
    /// The rows that were found, until they are acted on: they may be many, and the run is kept.
    found: Mutex<Selection>,
    state: Mutex<State>,
    stop: watch::Sender<bool>,
    ended: watch::Sender<bool>,
}

/// How far a run is.
#[derive(Debug, Default, Clone)]
pub struct State {
    /// How many rows have had each outcome.
    pub outcomes: BTreeMap<Outcome, usize>,
    /// Each row's outcome, of the first [`BATCH`].
    pub results: Vec<(Id, Outcome)>,
    /// What the changed rows were before; empty when that is forgotten.
    pub formers: Vec<Former>,
    /// How it ended, if it has.
    pub end: Option<End>,
    /// Whether it was taken back, or that was begun.
    pub is_undone: bool,
}

impl Run {
    /// Begins a run, of which nothing is done yet.
    pub fn new(
        number: u64,
        asked: Asked,
        found: Selection,
        actor: String,
        began: DateTime<Utc>,
    ) -> Self {
        Self {
            number,
            rows: asked.rows(&found),
            found: Mutex::new(found),
            asked,
            actor,
            began,
            state: Mutex::default(),
            stop: watch::Sender::new(false),
            ended: watch::Sender::new(false),
        }
    }

    /// Returns how far it is.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether nobody waits for its end: it takes more than one batch, or takes its time.
    pub fn is_long(&self) -> bool {
        let is_paced = match &self.asked {
            Asked::Matching(_, matching) => matching.per_minute.is_some_and(|n| n < self.rows),
            _ => false,
        };
        is_paced || self.rows > BATCH
    }

    /// Returns what becomes of a row to which it is done.
    pub fn done(&self) -> Outcome {
        match &self.asked {
            Asked::Ids(action, _) | Asked::Matching(action, ..) => action.done(),
            Asked::Undo(..) => Outcome::Restored,
        }
    }

    /// Returns whether it can be taken back, as far as it is.
    pub fn can_undo(&self, state: &State) -> bool {
        let is_undo = matches!(self.asked, Asked::Undo(..));
        !is_undo && state.end.is_some() && !state.is_undone && !state.formers.is_empty()
    }

    /// Ends it before its next batch.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until it has ended.
    pub async fn ended(&self) {
        // The sender lives as long as the run.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Does what was asked for.
    pub async fn go(&self, operator: &Operator, exporter: &Exporter, telemetry: &Telemetry) {
        let work = Work {
            run: self,
            operator,
            exporter,
            telemetry,
        };
        let end = match &self.asked {
            Asked::Ids(action, ids) => work.act(*action, ids).await,
            Asked::Matching(action, matching) => {
                let first = self.take_found();
                work.act_matching(*action, matching, first).await
            }
            Asked::Undo(action, run) => work.undo(*action, run).await,
        };
        let end = end.err().unwrap_or(End::Done);
        work.log_end(&end);
        self.state().end = Some(end);
        self.ended.send_replace(true);
    }

    fn take_found(&self) -> Selection {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut found)
    }

    fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }
}
