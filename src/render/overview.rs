//! The whole board as JSON, in the shape that clients of the former board read.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::judge::current::Working;
use crate::judge::jobs::{Job, Jobs};
use crate::judge::machines::MachineLane;
use crate::judge::problems::Problem;
use crate::judge::stages::{Items, PoolShare, StageLane};
use crate::judge::trend::Trend;
use crate::judge::{Board, Lanes};

use super::problems;

/// Renders the overview; nothing when a part of the board is missing, since a client would take
/// what is left for the whole.
pub fn render(board: &Board) -> Option<Value> {
    let (lanes, trends) = (board.lanes.as_ref()?, board.trends.as_ref()?);
    let (jobs, current) = (board.jobs.as_ref()?, board.current.as_ref()?);
    let mut overview = Map::new();
    overview.insert("machines".into(), machines(lanes, current));
    overview.insert("stages".into(), lanes.stages.iter().map(stage).collect());
    for pool in pooled_stages(lanes) {
        overview.insert(format!("{}_eta", pool.stage), eta(pool));
        overview.insert(
            format!("{}_by_machine", pool.stage),
            shares(&pool.stage, &lanes.pools),
        );
    }
    overview.insert("trend_24h".into(), trend(trends));
    overview.insert("totals".into(), totals(lanes));
    overview.insert("background_jobs".into(), background_jobs(jobs));
    overview.insert("problems".into(), problems(board));
    Some(Value::Object(overview))
}

/// The former board drew one lane a configured machine: `unassigned` is in the stages and totals.
fn machines(lanes: &Lanes, current: &[Working]) -> Value {
    let configured = lanes.machines.iter().filter(|lane| !lane.is_unassigned());
    configured.map(|lane| machine(lane, current)).collect()
}

fn machine(lane: &MachineLane, current: &[Working]) -> Value {
    let working = current.iter().filter(|working| working.machine == lane.key);
    let items = working.flat_map(|working| &working.items).map(
        |item| json!({"document_id": item.document_id, "title": item.title, "stage": item.stage}),
    );
    json!({
        "key": lane.key,
        "label": lane.label,
        "state": lane.state.as_str(),
        "stages": lane.stages,
        "pending": lane.items.pending,
        "processing": lane.items.processing,
        "failed": lane.items.failed,
        "done_1h": lane.completed.h1,
        "done_today": lane.completed.today,
        "deferred_pending": lane.deferred,
        "current": items.collect::<Vec<_>>(),
    })
}

fn stage(lane: &StageLane) -> Value {
    json!({
        "stage": lane.stage,
        "pending": lane.items.pending,
        "processing": lane.items.processing,
        "failed": lane.items.failed,
        "done_1h": lane.completed.h1,
        "created_1h": lane.created_1h,
        "done_today": lane.completed.today,
        "oldest_pending_age_sec": lane.oldest_pending_age.map(whole_seconds),
        "eta_minutes": lane.eta().map(|eta| eta.minutes()),
        "forecast": lane.forecast().as_str(),
    })
}

fn pooled_stages(lanes: &Lanes) -> impl Iterator<Item = &StageLane> {
    let pooled = |lane: &&StageLane| lanes.pools.iter().any(|share| share.stage == lane.stage);
    lanes.stages.iter().filter(pooled)
}

fn eta(lane: &StageLane) -> Value {
    json!({
        "pending": lane.items.pending,
        "done_rate_1h": lane.completed.h1,
        "inflow_rate_1h": lane.created_1h,
        "eta_minutes": lane.eta().map(|eta| eta.minutes()),
    })
}

fn shares(stage: &str, pools: &[PoolShare]) -> Value {
    let shares = pools.iter().filter(|share| share.stage == stage);
    let done = shares.map(|share| {
        let done = json!({"done_1h": share.completed.h1, "done_today": share.completed.today});
        (share.machine.clone(), done)
    });
    Value::Object(done.collect())
}

#[derive(Serialize)]
struct Hour<'a> {
    hour: &'a str,
    inflow: i64,
    done: i64,
}

/// Hour by hour over every stage that has a trend.
fn trend(trends: &[Trend]) -> Value {
    let mut hours: Vec<Hour> = Vec::new();
    for trend in trends {
        for (index, of_stage) in trend.hours.iter().enumerate() {
            if hours.len() == index {
                hours.push(Hour {
                    hour: &of_stage.label,
                    inflow: 0,
                    done: 0,
                });
            }
            hours[index].inflow += of_stage.created;
            hours[index].done += of_stage.completed;
        }
    }
    json!(hours)
}

fn totals(lanes: &Lanes) -> Value {
    let mut total = Items::default();
    lanes.stages.iter().for_each(|lane| total += lane.items);
    let Items {
        pending,
        processing,
        failed,
    } = total;
    json!({"pending": pending, "processing": processing, "failed": failed})
}

fn background_jobs(jobs: &Jobs) -> Value {
    jobs.details.iter().map(background_job).collect()
}

fn background_job(job: &Job) -> Value {
    json!({
        "id": job.id,
        "kind": job.kind,
        "label": job.label,
        "state": job.state,
        "processed": job.processed,
        "total": job.total,
        "elapsed_sec": job.elapsed.map(whole_seconds),
        "stale": job.stale,
        "error": job.error,
        "machine": job.machine,
    })
}

fn problems(board: &Board) -> Value {
    let problem = |problem: &Problem| {
        json!({
            "alert": problem.what.alert(),
            "machine": problem.machine,
            "stage": problem.stage,
            "text": problems::text(problem),
        })
    };
    board.problems.iter().map(problem).collect()
}

fn whole_seconds(seconds: f64) -> i64 {
    seconds.floor() as i64
}
