//! What passes between the exporter and its database.

use std::time::Duration;

use anyhow::Result;

use crate::database::Database;
use crate::exporter::Exporter;
use crate::numbers::{Spread, milliseconds};
use crate::scrapes::Scraper;
use crate::support::{Counts, counting_proxy};

const TOGETHER: usize = 100;
const BURSTS: usize = 25;

/// How far away the database is put.
pub(crate) const AWAY: Duration = Duration::from_millis(10);

/// Returns the round trips of a warm scrape.
pub(crate) fn round_trips(database: &Database) -> Result<usize> {
    let (address, counts) = counting_proxy(database.address()?, Duration::ZERO);
    let exporter = Exporter::serve(&database.url_through(address)?, &database.zone)?;
    let mut scraper = exporter.warm()?;
    Counts::take(&counts.round_trips);
    scraper.scrape()?;
    Ok(Counts::take(&counts.round_trips))
}

/// Returns the most transactions that a burst of scrapes makes the database see.
pub(crate) fn transactions_together(database: &Database) -> Result<usize> {
    let (address, counts) = counting_proxy(database.address()?, Duration::ZERO);
    let exporter = Exporter::serve(&database.url_through(address)?, &database.zone)?;
    let scrapers = (0..TOGETHER).map(|_| exporter.warm());
    let mut scrapers = scrapers.collect::<Result<Vec<Scraper>>>()?;
    let mut most = 0;
    for _ in 0..BURSTS {
        Counts::take(&counts.transactions);
        scrapers.iter_mut().try_for_each(Scraper::ask)?;
        for scraper in &mut scrapers {
            scraper.answer()?;
        }
        most = most.max(Counts::take(&counts.transactions));
    }
    Ok(most)
}

/// Returns what a warm scrape takes when the database is [`AWAY`], in milliseconds.
pub(crate) fn scrape_from_away(database: &Database) -> Result<f64> {
    let (address, _) = counting_proxy(database.address()?, AWAY);
    let exporter = Exporter::serve(&database.url_through(address)?, &database.zone)?;
    let mut scraper = exporter.warm()?;
    let times = (0..25).map(|_| Ok(milliseconds(scraper.scrape()?.took)));
    Ok(Spread::of(times.collect::<Result<Vec<f64>>>()?).median)
}
