//! What judging a board and encoding it cost, without a database.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use prometheus_client::registry::Registry;
use tokio::time::{Duration, Instant};

use crate::database::Database;
use crate::numbers::Spread;
use queueboard_exporter::collect::collect;
use queueboard_exporter::collect::memory::Memory;
use queueboard_exporter::judge::judge;
use queueboard_exporter::render::exposition::Format;
use queueboard_exporter::render::metrics::registry;
use queueboard_exporter::snapshot::{Collector, Snapshot};
use queueboard_exporter::source::Source;
use queueboard_exporter::telemetry::Telemetry;

const BATCHES: usize = 15;
const A_BATCH: u32 = 400;

/// Microseconds of CPU.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub judging: f64,
    pub encoding: f64,
    /// Encoding the exporter's own metrics, for which it reads `/proc`.
    pub own_metrics: f64,
}

/// Measures both on the board of a database.
pub(crate) async fn measure(database: &Database) -> Result<Cost> {
    let pipeline = database.zone.pipeline()?;
    let snapshot = snapshot(database).await?;
    let board = judge(&snapshot, &pipeline);
    let (stages, machines) = (pipeline.stages.len(), pipeline.machines.len());
    let jobs = board.jobs.as_ref().map_or(0, |jobs| jobs.details.len());
    ensure!(
        (stages, machines, jobs) == (11, 3, 20),
        "{stages} stages, {machines} machines and {jobs} jobs are not the default board"
    );
    let judging = microseconds(|| {
        black_box(judge(black_box(&snapshot), &pipeline));
    })?;
    let board = Arc::new(board);
    let encoding = microseconds(|| encode(&registry(Arc::clone(&board), false)))?;
    let telemetry = Telemetry::new();
    let own_metrics = microseconds(|| encode(&telemetry.registry))?;
    Ok(Cost {
        judging,
        encoding,
        own_metrics,
    })
}

fn encode(registry: &Registry) {
    let page = Format::OpenMetrics.encode(&[black_box(registry)]);
    black_box(page.is_ok());
}

async fn snapshot(database: &Database) -> Result<Snapshot> {
    let source = Source::new(&database.url())?;
    let scope = database.zone.pipeline()?.scope();
    let deadline = Instant::now() + Duration::from_secs(60);
    let memory = Memory::default();
    Ok(collect(&source, &scope, &Collector::ALL, deadline, &memory).await)
}

/// Returns what one call costs, in the median batch of calls.
fn microseconds(mut call: impl FnMut()) -> Result<f64> {
    let mut batches = Vec::new();
    for _ in 0..BATCHES {
        let begun = cpu_time()?;
        for _ in 0..A_BATCH {
            call();
        }
        batches.push((cpu_time()? - begun) / f64::from(A_BATCH) / 1e3);
    }
    Ok(Spread::of(batches).median)
}

/// Returns the nanoseconds for which this thread has run.
fn cpu_time() -> Result<f64> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let running = times.split(' ').next().context("an empty schedstat")?;
    Ok(running.parse()?)
}
