//! What a scrape costs. Run by `tests/bench/run`, which starts PostgreSQL; prints what stands in
//! the README under that heading, and draws `deploy/cost.svg`.

mod arguments;
mod bars;
mod cells;
mod cpu;
mod database;
mod exporter;
mod memory;
mod naive;
mod numbers;
mod pgbench;
mod plans;
mod plot;
mod progress;
mod results;
mod scrapes;
mod statements;
mod support;
mod table;
mod turns;
mod wire;
mod zone;

use anyhow::Result;
use clap::Parser;

use arguments::Arguments;
use results::Results;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let Some(server) = &arguments.server else {
        progress::progress("nothing is measured without a --server; use tests/bench/run");
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let results = Results::measure(&runtime, server, &arguments)?;
    let machine = runtime.block_on(table::machine(server))?;
    table::print(&results, &machine)?;
    if arguments.is_whole() {
        plot::draw(&results.cells)?;
    }
    Ok(())
}
