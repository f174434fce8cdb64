//! What a run does, batch by batch.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::admin::action::{Action, Former, Report};
use crate::admin::operator::{Failure, Operator};
use crate::admin::request::order::Matching;
use crate::exporter::Exporter;
use crate::snapshot::{Id, Selection};
use crate::telemetry::Telemetry;

use super::{BATCH, End, Run};

/// How long a run that is paced waits for its next rows.
const PACE: Duration = Duration::from_secs(60);

/// A run, and what it needs.
pub(super) struct Work<'a> {
    pub(super) run: &'a Run,
    pub(super) operator: &'a Operator,
    pub(super) exporter: &'a Exporter,
    pub(super) telemetry: &'a Telemetry,
}

impl Work<'_> {
    /// Acts on rows that are named.
    pub(super) async fn act(&self, action: Action, ids: &[Id]) -> Result<(), End> {
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
    pub(super) async fn act_matching(
        &self,
        action: Action,
        matching: &Matching,
        first: Selection,
    ) -> Result<(), End> {
        self.act(action, &first.ids).await?;
        let Some(per_minute) = matching.per_minute else {
            return Ok(());
        };
        let pipeline = self.exporter.pipeline();
        let mut question = matching.filter.question(pipeline);
        let before = question.failed_before.unwrap_or(f64::INFINITY);
        question.failed_before = Some(before.min(first.now));
        let mut left = matching.limit - first.ids.len();
        question.after = first.last;
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

    /// Takes a run back.
    pub(super) async fn undo(&self, action: Action, run: &Run) -> Result<(), End> {
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

    /// Says why a run ended early, if it did.
    pub(super) fn log_end(&self, end: &End) {
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

/// Leaves what was not taken back for another try.
fn not_undone(run: &Run, formers: Vec<Former>, end: End) -> End {
    let mut state = run.state();
    state.formers = formers;
    state.is_undone = false;
    end
}
