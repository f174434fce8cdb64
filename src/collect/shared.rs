//! Scrapes that arrive together share one collection.
//!
//! One that arrives when a collection has nearly run out of time does not: what it would get is
//! a failure for which it has time left.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::snapshot::{Collector, Outcome, Scope, Snapshot};
use crate::source::Source;

use super::collect;
use super::memory::Memory;

type Answer = Option<Arc<Snapshot>>;
type UnderWay = Mutex<HashMap<Vec<Collector>, Collection>>;

/// A collection that is under way.
#[derive(Debug, Clone)]
struct Collection {
    deadline: Instant,
    answer: watch::Receiver<Answer>,
}

/// Collections, one at a time for one choice of collectors that arrives together.
#[derive(Debug)]
pub struct Collections {
    source: Arc<Source>,
    scope: Scope,
    memory: Memory,
    under_way: UnderWay,
}

impl Collections {
    /// Prepares to collect from a source.
    pub fn new(source: Arc<Source>, scope: Scope) -> Self {
        let (memory, under_way) = (Memory::default(), UnderWay::default());
        Self {
            source,
            scope,
            memory,
            under_way,
        }
    }

    /// Returns the snapshot of a collection that is under way, or of a new one; at the deadline
    /// one that holds nothing.
    pub async fn snapshot(
        self: &Arc<Self>,
        mut wanted: Vec<Collector>,
        deadline: Instant,
    ) -> Arc<Snapshot> {
        wanted.sort();
        wanted.dedup();
        let mut answer = self.join(&wanted, deadline);
        let begun = Instant::now();
        if let Ok(Ok(snapshot)) = timeout_at(deadline, answer.wait_for(Option::is_some)).await
            && let Some(snapshot) = snapshot.as_ref()
        {
            return Arc::clone(snapshot);
        }
        let failed = |collector| Outcome {
            collector,
            success: false,
            duration: None,
        };
        let outcomes = wanted.into_iter().map(failed).collect();
        Arc::new(Snapshot {
            outcomes,
            duration: begun.elapsed(),
            ..Snapshot::default()
        })
    }

    /// Returns what collections complain of now, a sentence for each subject.
    pub fn complaints(&self) -> Vec<String> {
        self.memory.complaints.standing()
    }

    /// Returns the source, for questions that are no scrape's.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    fn join(self: &Arc<Self>, wanted: &[Collector], deadline: Instant) -> watch::Receiver<Answer> {
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(collection) = under_way.get(wanted)
            && left(collection.deadline) >= left(deadline) / 2
        {
            return collection.answer.clone();
        }
        let (sender, answer) = watch::channel(None);
        let collection = Collection {
            deadline,
            answer: answer.clone(),
        };
        under_way.insert(wanted.to_vec(), collection.clone());
        let entry = Entry {
            collections: Arc::clone(self),
            wanted: wanted.to_vec(),
            collection,
        };
        // A task of its own: a client that goes away takes nothing from those who joined it.
        tokio::spawn(async move {
            let Collections {
                source,
                scope,
                memory,
                ..
            } = &*entry.collections;
            let snapshot = collect(source, scope, &entry.wanted, deadline, memory).await;
            drop(entry);
            sender.send_replace(Some(Arc::new(snapshot)));
        });
        answer
    }
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// A collection's place among those under way; given up however the collection ends.
struct Entry {
    collections: Arc<Collections>,
    wanted: Vec<Collector>,
    collection: Collection,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let under_way = &self.collections.under_way;
        let mut under_way = under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let own = &self.collection.answer;
        let is_own = |other: &Collection| other.answer.same_channel(own);
        if under_way.get(&self.wanted).is_some_and(is_own) {
            under_way.remove(&self.wanted);
        }
    }
}
