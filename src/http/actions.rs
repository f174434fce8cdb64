//! What people asked for lately: looked at, stopped, taken back.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::admin::action::{Action, Outcome};
use crate::admin::run::{Asked, BATCH, Run};
use crate::admin::runs::Runs;
use crate::exporter::Exporter;
use crate::judge::became::Became;
use crate::render;
use crate::snapshot::Id;

use super::act::{refused, told};
use super::response::{self, Response};

/// Of how many runs the page tells what became of the rows.
const MOST_FOLLOWED: usize = 3;

/// Tells of the latest runs.
pub fn recent(runs: &Runs) -> Response {
    let recent = runs.recent();
    let recent: Vec<Value> = recent.iter().map(|run| render::actions::run(run)).collect();
    response::json(StatusCode::OK, &json!({ "actions": recent }))
}

/// Tells of one run, and what became of the rows that it put back into the queue.
pub async fn look(runs: &Runs, number: u64, exporter: &Exporter) -> Response {
    let run = match runs.get(number) {
        Ok(run) => run,
        Err(refusal) => return refused(&refusal),
    };
    let mut rendered = render::actions::run(&run);
    if let Some(became) = became(&run, exporter).await {
        rendered["became"] = render::actions::became(&became);
    }
    response::json(StatusCode::OK, &rendered)
}

/// Ends a run before its next batch.
pub fn stop(runs: &Runs, number: u64, actor: &str) -> Response {
    match runs.get(number) {
        Ok(run) => {
            tracing::info!(run = number, ?actor, "a person stops an action");
            run.stop();
            response::json(StatusCode::OK, &render::actions::run(&run))
        }
        Err(refusal) => refused(&refusal),
    }
}

/// Takes a run back.
pub async fn undo(runs: &Arc<Runs>, number: u64, actor: &str, exporter: Arc<Exporter>) -> Response {
    match runs.undo(number, actor, exporter) {
        Ok(run) => told(&run).await,
        Err(refusal) => refused(&refusal),
    }
}

/// Returns the latest runs, with what became of the rows of the very latest of them.
pub async fn on_page(runs: &Runs, exporter: &Exporter) -> Vec<(Arc<Run>, Option<Became>)> {
    let mut recent = Vec::new();
    let mut followed = 0;
    for run in runs.recent() {
        let became = match followed < MOST_FOLLOWED {
            true => became(&run, exporter).await,
            false => None,
        };
        followed += usize::from(became.is_some());
        recent.push((run, became));
    }
    recent
}

/// What became of the rows that a run put back into the queue, if they are few enough to ask.
async fn became(run: &Run, exporter: &Exporter) -> Option<Became> {
    let is_retry = matches!(
        run.asked,
        Asked::Ids(Action::Retry, _) | Asked::Matching(Action::Retry, ..)
    );
    let retried: Vec<Id> = {
        let state = run.state();
        let is_whole = state.outcomes.values().sum::<usize>() <= BATCH && !state.is_undone;
        let retried = state
            .results
            .iter()
            .filter(|(_, outcome)| *outcome == Outcome::Retried);
        let ids = retried.map(|(id, _)| id.clone());
        if is_retry && is_whole {
            ids.collect()
        } else {
            Vec::new()
        }
    };
    if retried.is_empty() {
        return None;
    }
    let became = exporter.became(&retried).await;
    let reason = became.as_ref().err();
    if let Some(error) = reason {
        tracing::warn!(
            error = error.reason(),
            "reading what became of retried rows failed"
        );
    }
    became.ok()
}
