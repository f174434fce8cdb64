//! One thing that a person asked for, from its beginning to its end: it goes on in a task of its
//! own, whoever goes away meanwhile, in batches of one transaction each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::exporter::Exporter;
use crate::snapshot::{Id, Selection};
use crate::telemetry::Telemetry;

use super::action::{Action, Former, Outcome, Report};
use super::operator::{Failure, Operator};
use super::request::order::Matching;

/// How many rows one transaction changes at most; a run of no more is answered when it is done.
pub const BATCH: usize = 1000;

/// How long a run that is paced waits for its next rows.
const PACE: Duration = Duration::from_secs(60);

/// What a person asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// An action to rows that they named.
    Ids(Action, Vec<Id>),
    /// An action to rows that have something in common; the selection has the first of them.
    Matching(Action, Box<Matching>, Selection),
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

    fn rows(&self) -> usize {
        match self {
            Self::Ids(_, ids) => ids.len(),
            Self::Matching(_, matching, selection) => matching
                .limit
                .min(usize::try_from(selection.matching).unwrap_or(0)),
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
    pub fn new(number: u64, asked: Asked, actor: String, began: DateTime<Utc>) -> Self {
        Self {
            number,
            rows: asked.rows(),
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
            Asked::Matching(_, matching, _) => matching.per_minute.is_some_and(|n| n < self.rows),
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
            Asked::Matching(action, matching, first) => {
                work.act_matching(*action, matching, first).await
            }
            Asked::Undo(action, run) => work.undo(*action, run).await,
        };
        let end = end.err().unwrap_or(End::Done);
        work.log_end(&end);
        self.state().end = Some(end);
        self.ended.send_replace(true);
    }

    fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }
}

/// Two runs are the same when they are one.
impl PartialEq for Run {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

/// Leaves what was not taken back for another try.
fn not_undone(run: &Run, formers: Vec<Former>, end: End) -> End {
    let mut state = run.state();
    state.formers = formers;
    state.is_undone = false;
    end
}

struct Work<'a> {
    run: &'a Run,
    operator: &'a Operator,
    exporter: &'a Exporter,
    telemetry: &'a Telemetry,
}

impl Work<'_> {
    async fn act(&self, action: Action, ids: &[Id]) -> Result<(), End> {
        let scope = self.exporter.pipeline().scope();
        for batch in ids.chunks(BATCH) {
            self.go_on()?;
            let acted = self.operator.act(action, batch, &scope).await;
            let (report, formers) = acted.map_err(|failure| self.failed(failure))?;
            self.record(&report, formers);
        }
        Ok(())
    }

    /// Acts on the rows that were selected and, where it is paced, on the next ones every minute:
    /// those that had failed when it began, so that none is met twice.
    async fn act_matching(
        &self,
        action: Action,
        matching: &Matching,
        first: &Selection,
    ) -> Result<(), End> {
        self.act(action, &first.ids).await?;
        let Some(per_minute) = matching.per_minute else {
            return Ok(());
        };
        let pipeline = self.exporter.pipeline();
        let mut question = matching.filter.question(pipeline);
        let before = question.failed_before.unwrap_or(f64::INFINITY);
        question.failed_before = Some(before.min(first.now));
        question.after.clone_from(&first.last);
        let mut left = matching.limit - first.ids.len();
        while left > 0 && question.after.is_some() {
            let mut stop = self.run.stop.subscribe();
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return Err(End::Stopped),
                () = sleep(PACE) => {}
            }
            let cause = matching.filter.cause.as_deref();
            let next = self
                .exporter
                .select(&question, cause, left.min(per_minute))
                .await;
            let next = next.map_err(|error| End::Unread(error.reason()))?;
            self.act(action, &next.ids).await?;
            left -= next.ids.len();
            question.after = next.last;
        }
        Ok(())
    }

    async fn undo(&self, action: Action, run: &Run) -> Result<(), End> {
        let scope = self.exporter.pipeline().scope();
        let mut formers = std::mem::take(&mut run.state().formers);
        while !formers.is_empty() {
            let batch = &formers[..formers.len().min(BATCH)];
            let undone = match self.go_on() {
                Ok(()) => self.operator.undo(action, batch, &scope).await,
                Err(stopped) => return Err(not_undone(run, formers, stopped)),
            };
            match undone {
                Ok(report) => self.record(&report, Vec::new()),
                Err(failure) => return Err(not_undone(run, formers, self.failed(failure))),
            }
            formers.drain(..formers.len().min(BATCH));
        }
        Ok(())
    }

    fn go_on(&self) -> Result<(), End> {
        if self.run.is_stopped() {
            Err(End::Stopped)
        } else {
            Ok(())
        }
    }

    fn failed(&self, failure: Failure) -> End {
        tracing::warn!(
            run = self.run.number,
            action = self.run.asked.as_str(),
            actor = ?self.run.actor,
            reason = failure.reason(),
            "an action failed"
        );
        End::Failed(Arc::new(failure))
    }

    /// Says once, for good, who did what to which rows and what became of them.
    fn record(&self, report: &Report, formers: Vec<Former>) {
        let action = self.run.asked.as_str();
        let mut state = self.run.state();
        for (outcome, ids) in report.by_outcome() {
            let rows = ids.len();
            *state.outcomes.entry(outcome).or_default() += rows;
            self.telemetry.acted(action, outcome.as_str(), rows as u64);
            tracing::info!(
                run = self.run.number,
                action,
                actor = ?self.run.actor,
                outcome = outcome.as_str(),
                rows,
                ?ids,
                "a person acted on failed rows"
            );
        }
        let room = BATCH.saturating_sub(state.results.len());
        state
            .results
            .extend(report.results.iter().take(room).cloned());
        state.formers.extend(formers);
    }

    fn log_end(&self, end: &End) {
        let how = match end {
            End::Done => return,
            End::Stopped => "it was stopped".to_owned(),
            End::Failed(failure) => failure.to_string(),
            End::Unread(reason) => format!("the next rows could not be read: {reason}"),
        };
        let (run, done) = (
            self.run.number,
            self.run.state().outcomes.values().sum::<usize>(),
        );
        tracing::warn!(
            run,
            rows = self.run.rows,
            done,
            "an action ended early: {how}"
        );
    }
}
