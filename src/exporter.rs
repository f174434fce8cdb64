//! What every command and listener shares: collect, then judge.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::collect::complaints::Complaints;
use crate::collect::failed::{self, FailedError};
use crate::collect::kept::Kept;
use crate::collect::shared::Collections;
use crate::config::Pipeline;
use crate::judge::became::Became;
use crate::judge::causes::{CauseCount, Tally};
use crate::judge::failures::{self, Failure, Failures, cause_of};
use crate::judge::{Board, judge};
use crate::snapshot::{Collector, Excerpt, FailedQuestion, FailedRow, Id, Outcome, Selection};
use crate::source::Source;

/// How long a board waits for the causes of failed rows, which people's lists may keep waiting; the
/// last that were counted do instead.
const PATIENCE_FOR_CAUSES: Duration = Duration::from_secs(1);

/// A pipeline and the database that it is read from.
#[derive(Debug)]
pub struct Exporter {
    pipeline: Pipeline,
    collections: Arc<Collections>,
    /// Lists of failed rows take no connection from the scrapes.
    lists: Arc<Source>,
    causes: Kept<Vec<CauseCount>>,
    complaints: Arc<Complaints>,
}

impl Exporter {
    /// Prepares to read a pipeline, the lists of failed rows by connections of their own; connects
    /// to nothing yet.
    pub fn new(source: Source, lists: Source, pipeline: Pipeline) -> Self {
        Self::of(Arc::new(source), Arc::new(lists), pipeline)
    }

    /// Returns one that reads another pipeline in the same database.
    pub fn with(&self, pipeline: Pipeline) -> Self {
        let source = Arc::clone(self.collections.source());
        Self::of(source, Arc::clone(&self.lists), pipeline)
    }

    fn of(source: Arc<Source>, lists: Arc<Source>, pipeline: Pipeline) -> Self {
        let collections = Arc::new(Collections::new(source, pipeline.scope()));
        Self {
            pipeline,
            collections,
            lists,
            causes: Kept::default(),
            complaints: Arc::default(),
        }
    }

    /// Collects and judges; what cannot be read by the deadline is absent from the board.
    pub async fn board(&self, mut wanted: Vec<Collector>, deadline: Instant) -> Board {
        let has_causes = wanted.contains(&Collector::Causes);
        wanted.retain(|collector| *collector != Collector::Causes);
        let snapshot = self.collections.snapshot(wanted, deadline);
        if !has_causes {
            return judge(&*snapshot.await, &self.pipeline);
        }
        let begun = Instant::now();
        let patience = deadline.min(begun + PATIENCE_FOR_CAUSES);
        let causes = async { (self.causes(patience).await, begun.elapsed()) };
        let (snapshot, (causes, took)) = tokio::join!(snapshot, causes);
        let mut board = judge(&snapshot, &self.pipeline);
        board.outcomes.push(Outcome {
            collector: Collector::Causes,
            success: causes.is_some(),
            duration: Some(took),
        });
        board.causes = causes;
        board
    }

    /// Counts all failed rows by their causes.
    async fn causes(&self, deadline: Instant) -> Option<Vec<CauseCount>> {
        let (lists, pipeline) = (Arc::clone(&self.lists), self.pipeline.clone());
        let complaints = Arc::clone(&self.complaints);
        let read = async move {
            let mut tally = Tally::default();
            let (all, scope) = (FailedQuestion::default(), pipeline.scope());
            let mut read = failed::each(&lists, &all, &scope, |row| tally.add(&row)).await;
            if read.as_ref().is_err_and(FailedError::may_be_begun_anew) {
                tally = Tally::default();
                read = failed::each(&lists, &all, &scope, |row| tally.add(&row)).await;
            }
            // Of a database that does not answer, and of doubts, a scrape complains itself.
            let error = match &read {
                Err(FailedError::Database(error)) => Some(error),
                _ => None,
            };
            if read.is_ok() || error.is_some() {
                complaints.about(Collector::Causes.as_str(), error);
            }
            read.ok().map(|_| tally.finish(&pipeline))
        };
        let causes = self.causes.get(deadline, read).await;
        causes.map(|causes| causes.to_vec())
    }

    /// Returns why what is missing from the last boards is missing, a sentence for each part.
    pub fn complaints(&self) -> Vec<String> {
        [self.collections.complaints(), self.complaints.standing()].concat()
    }

    /// Reads a page of failed rows, of those that have a cause, if one is named.
    ///
    /// # Errors
    ///
    /// What the database says, or a time-out.
    pub async fn failures(
        &self,
        question: &FailedQuestion,
        cause: Option<&str>,
    ) -> Result<Failures, FailedError> {
        let (lists, scope) = (&self.lists, self.pipeline.scope());
        let rows = match cause {
            None => failed::page(lists, question, &scope).await?,
            Some(_) => failed::sifted_page(lists, question, &scope, has(cause)).await?,
        };
        Ok(failures::judge(&rows, &self.pipeline))
    }

    /// Finds the failed rows that are asked for, of those that have a cause, if one is named, and
    /// keeps the ids of the first `most` of them.
    ///
    /// # Errors
    ///
    /// What the database says, or a time-out.
    pub async fn select(
        &self,
        question: &FailedQuestion,
        cause: Option<&str>,
        most: usize,
    ) -> Result<Selection, FailedError> {
        let scope = self.pipeline.scope();
        failed::select(&self.lists, question, &scope, most, has(cause)).await
    }

    /// Reads a failed row by itself, with as much of its error as [`Excerpt::ALONE`] says; nothing
    /// where no failed row has the id.
    ///
    /// # Errors
    ///
    /// What the database says, or a time-out.
    pub async fn failure(&self, id: &Id) -> Result<Option<Failure>, FailedError> {
        let question = FailedQuestion {
            id: Some(id.clone()),
            limit: 1,
            error: Excerpt::ALONE,
            ..FailedQuestion::default()
        };
        Ok(self.failures(&question, None).await?.items.pop())
    }

    /// Reads what became of rows that were put back into the queue.
    ///
    /// # Errors
    ///
    /// What the database says, or a time-out.
    pub async fn became(&self, ids: &[Id]) -> Result<Became, FailedError> {
        let found = failed::statuses(&self.lists, ids, &self.pipeline.scope()).await?;
        Ok(Became::of(ids.len(), &found))
    }

    /// Returns the pipeline that is read.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }
}

/// Whether a row has a cause, or any, if none is named.
fn has(cause: Option<&str>) -> impl Fn(&FailedRow) -> bool + Send + Sync {
    move |row| cause.is_none_or(|cause| cause_of(row) == cause)
}
