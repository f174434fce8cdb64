//! What every command and listener shares: collect, then judge.

use std::sync::Arc;

use tokio::time::Instant;

use crate::collect::failed::{FailedError, failed};
use crate::collect::shared::Collections;
use crate::config::Pipeline;
use crate::judge::failures::{self, Failure, Failures};
use crate::judge::{Board, judge};
use crate::snapshot::{Collector, Excerpt, FailedQuestion, Id};
use crate::source::Source;

/// A pipeline and the database that it is read from.
#[derive(Debug)]
pub struct Exporter {
    pipeline: Pipeline,
    collections: Arc<Collections>,
}

impl Exporter {
    /// Prepares to read a pipeline; connects to nothing yet.
    pub fn new(source: Source, pipeline: Pipeline) -> Self {
        Self::of(Arc::new(source), pipeline)
    }

    /// Returns one that reads another pipeline in the same database.
    pub fn with(&self, pipeline: Pipeline) -> Self {
        Self::of(Arc::clone(self.collections.source()), pipeline)
    }

    fn of(source: Arc<Source>, pipeline: Pipeline) -> Self {
        let collections = Arc::new(Collections::new(source, pipeline.scope()));
        Self {
            pipeline,
            collections,
        }
    }

    /// Collects and judges; what cannot be read by the deadline is absent from the board.
    pub async fn board(&self, wanted: Vec<Collector>, deadline: Instant) -> Board {
        let snapshot = self.collections.snapshot(wanted, deadline).await;
        judge(&snapshot, &self.pipeline)
    }

    /// Reads a page of failed rows.
    ///
    /// # Errors
    ///
    /// What the database says, or a time-out.
    pub async fn failures(&self, question: &FailedQuestion) -> Result<Failures, FailedError> {
        let scope = self.pipeline.scope();
        let rows = failed(self.collections.source(), question, &scope).await?;
        Ok(failures::judge(&rows, &self.pipeline))
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
            only: None,
            except: Vec::new(),
            limit: 1,
            after: None,
            error: Excerpt::ALONE,
        };
        Ok(self.failures(&question).await?.items.pop())
    }

    /// Returns the pipeline that is read.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }
}
