//! *Naive* and a scrape in turn on the same rows.

use anyhow::Result;
use tokio::runtime::Runtime;

use crate::database::{Database, Shape};
use crate::exporter::Exporter;
use crate::naive::Naive;
use crate::numbers::{Spread, rows};
use crate::plans::{Work, work};
use crate::progress::progress;
use crate::statements::{LOGGED, Mark, Message, last_transaction};
use crate::turns::Pairs;

/// What was measured of one database.
#[derive(Debug)]
pub(crate) struct Cell {
    pub shape: Shape,
    pub indexed: bool,
    /// Naive, then the scrape.
    pub pairs: Pairs,
    /// The part of a scrape that goes into collecting, in milliseconds.
    pub collecting: f64,
    pub naive_work: Work,
    pub scrape_work: Work,
}

pub(crate) fn measure(runtime: &Runtime, database: &mut Database, indexed: bool) -> Result<Cell> {
    let (of, with) = (
        rows(database.shape.rows),
        if indexed { "with" } else { "without" },
    );
    progress(&format!(
        "naive and a scrape in turn, {of} rows {with} the indexes"
    ));
    let exporter = Exporter::serve(&database.url(), &database.zone)?;
    let (mut naive, mut scraper) = (Naive::connect(runtime, database, "")?, exporter.warm()?);
    let mut collecting = Vec::new();
    let pairs = Pairs::measure(
        || naive.run(),
        || {
            let page = scraper.scrape()?;
            collecting.push(page.value("queueboard_scrape_duration_seconds")? * 1e3);
            Ok(page.took)
        },
    )?;
    let (asked, scraped) = (
        of_naive(runtime, database)?,
        of_a_scrape(runtime, database)?,
    );
    Ok(Cell {
        shape: database.shape,
        indexed,
        pairs,
        collecting: Spread::of(collecting).median,
        naive_work: runtime.block_on(work(database, &asked))?,
        scrape_work: runtime.block_on(work(database, &scraped))?,
    })
}

/// Runs naive on one database and a scrape on another with the same rows.
pub(crate) fn in_turn(runtime: &Runtime, naive: &Database, scraped: &Database) -> Result<Pairs> {
    progress("naive without the indexes and a scrape with them in turn");
    let exporter = Exporter::serve(&scraped.url(), &scraped.zone)?;
    let (mut naive, mut scraper) = (Naive::connect(runtime, naive, "")?, exporter.warm()?);
    Pairs::measure(|| naive.run(), || Ok(scraper.scrape()?.took))
}

fn of_naive(runtime: &Runtime, database: &mut Database) -> Result<Vec<Message>> {
    let mut naive = Naive::connect(runtime, database, LOGGED)?;
    let mark = runtime.block_on(Mark::now(database))?;
    naive.run()?;
    runtime.block_on(mark.messages(database))
}

/// Returns what one warm scrape sends. The log is read from the first scrape on, for that one
/// prepares what the others execute.
pub(crate) fn of_a_scrape(runtime: &Runtime, database: &mut Database) -> Result<Vec<Message>> {
    let mark = runtime.block_on(Mark::now(database))?;
    let exporter = Exporter::serve(&(database.url() + LOGGED), &database.zone)?;
    exporter.warm()?;
    let messages = runtime.block_on(mark.messages(database))?;
    Ok(last_transaction(&messages).to_vec())
}
