//! What people asked for and what became of it, as JSON.

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use crate::admin::plan::Plan;
use crate::admin::run::{Asked, End, Run};
use crate::judge::became::Became;

/// Renders what would be done.
pub fn plan(plan: &Plan) -> Value {
    json!({
        "dry_run": true,
        "action": plan.action.as_str(),
        "matching": plan.matching,
        "rows": plan.rows,
        "stages": stages(plan),
        "documents_gone": plan.documents_gone,
    })
}

/// Renders that other rows were found than the client knows of.
pub fn unexpected(plan: &Plan, expected: i64) -> Value {
    let found = plan.matching;
    json!({
        "error": format!(
            "nothing was changed: {found} rows match now, and not about {expected}; look at them, \
             and send \"expected\": {found}"
        ),
        "matching": found,
        "stages": stages(plan),
    })
}

/// Renders the answer of a run that has ended: what became of each row.
pub fn answer(run: &Run) -> Value {
    let state = run.state();
    let requested: usize = state.outcomes.values().sum();
    let done = run.done();
    let changed = state.outcomes.get(&done).copied().unwrap_or(0);
    let done = done.as_str();
    let results = state.results.iter();
    let result = results.map(|(id, outcome)| json!({"id": id, "outcome": outcome.as_str()}));
    json!({
        "requested": requested,
        done: changed,
        format!("not_{done}"): requested - changed,
        "results": result.collect::<Vec<_>>(),
        "action": run.number,
    })
}

/// Renders a run, ended or not.
pub fn run(run: &Run) -> Value {
    let state = run.state();
    let outcomes = state.outcomes.iter();
    let outcomes: Map<String, Value> = outcomes
        .map(|(outcome, rows)| (outcome.as_str().to_owned(), json!(rows)))
        .collect();
    let (status, reason) = match &state.end {
        None => ("running", None),
        Some(End::Done) => ("done", None),
        Some(End::Stopped) => ("stopped", None),
        Some(End::Failed(failure)) => ("failed", Some(failure.to_string())),
        Some(End::Unread(reason)) => ("failed", Some(reason.clone())),
    };
    let mut rendered = json!({
        "action": run.number,
        "what": run.asked.as_str(),
        "actor": run.actor,
        "began": run.began.to_rfc3339_opts(SecondsFormat::Secs, true),
        "status": status,
        "rows": run.rows,
        "outcomes": outcomes,
        "can_undo": run.can_undo(&state),
    });
    if let Some(reason) = reason {
        rendered["error"] = reason.into();
    }
    match &run.asked {
        Asked::Ids(..) => {}
        Asked::Matching(_, matching) => {
            let filter: Map<String, Value> = matching
                .filter
                .pairs()
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect();
            rendered["filter"] = filter.into();
            if let Some(per_minute) = matching.per_minute {
                rendered["per_minute"] = per_minute.into();
            }
        }
        Asked::Undo(_, undone) => rendered["undoes"] = undone.number.into(),
    }
    rendered
}

fn stages(plan: &Plan) -> Value {
    let stages = plan.stages.iter();
    stages
        .map(|(stage, rows)| json!({"stage": stage, "rows": rows}))
        .collect()
}

/// Renders what became of retried rows.
pub fn became(became: &Became) -> Value {
    let counts = became.counts().into_iter();
    let counts = counts.map(|(word, rows)| (word.to_owned(), json!(rows)));
    Value::Object(counts.collect())
}
