//! All that is measured, in an order that keeps few databases at a time.

use anyhow::Result;
use tokio::runtime::Runtime;

use crate::arguments::{Arguments, Part};
use crate::cells::{self, Cell};
use crate::cpu::{self, Cost};
use crate::database::{Database, Shape};
use crate::exporter::{self, Exporter};
use crate::memory::{self, Memory};
use crate::numbers::{Spread, milliseconds};
use crate::pgbench::Script;
use crate::progress::progress;
use crate::turns::Pairs;
use crate::wire;

/// One million rows, of which a tenth as many come a day as in the busy shape.
const QUIETER: Shape = Shape {
    rows: 1_000_000,
    a_day: 2_500,
    live: 5_000,
};

/// How often pgbench and the exporter take turns, and how many scrapes a turn has.
const TURNS: usize = 15;
const SCRAPES_A_TURN: usize = 100;

/// What was measured; absent is what was not wanted.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub cells: Vec<Cell>,
    /// Naive at ten million rows without the indexes, then a scrape with them.
    pub before: Option<Pairs>,
    /// A scrape at ten million rows, then at ten thousand, with the indexes.
    pub growth: Option<Pairs>,
    /// A scrape with 25,000 rows a day, then with 2,500, with the indexes.
    pub day: Option<Pairs>,
    /// A scrape of ENUM columns, then of text, without the indexes and with them.
    pub enums: Option<[Pairs; 2]>,
    /// A scrape with the collector `outlook`, then without it, on the databases named.
    pub outlook: Vec<(&'static str, Pairs)>,
    /// A scrape, then the same SQL through pgbench.
    pub pgbench: Option<Pairs>,
    pub cpu: Option<Cost>,
    pub wire: Option<Wire>,
    pub memory: Option<Memory>,
    pub binary: u64,
    /// Names and bytes at ten million rows.
    pub indexes: Vec<(String, i64)>,
}

/// What passes between the exporter and its database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wire {
    pub round_trips: usize,
    pub transactions_together: usize,
    /// In milliseconds.
    pub scrape_from_away: f64,
}

impl Results {
    pub(crate) fn measure(runtime: &Runtime, server: &str, wanted: &Arguments) -> Result<Self> {
        let binary = exporter::size()?;
        let mut bench = Bench {
            runtime,
            server,
            results: Self {
                binary,
                ..Self::default()
            },
        };
        let rows = wanted.wants(Part::Rows);
        let mut small = bench.create(Shape::small(10_000))?;
        if rows {
            bench.cell(&mut small, false)?;
        }
        small.index()?;
        if rows {
            bench.cell(&mut small, true)?;
        }
        bench.small(&mut small, wanted)?;
        if rows {
            let middle = bench.both(Shape::small(100_000))?;
            runtime.block_on(middle.remove())?;
        }
        if rows && !wanted.quick {
            bench.large(&small)?;
        }
        runtime.block_on(small.remove())?;
        Ok(bench.results)
    }
}

struct Bench<'a> {
    runtime: &'a Runtime,
    server: &'a str,
    results: Results,
}

impl Bench<'_> {
    fn create(&self, shape: Shape) -> Result<Database> {
        self.runtime.block_on(Database::create(self.server, shape))
    }

    fn cell(&mut self, database: &mut Database, indexed: bool) -> Result<()> {
        let cell = cells::measure(self.runtime, database, indexed)?;
        self.results.cells.push(cell);
        Ok(())
    }

    /// Measures a shape without the indexes, then with them.
    fn both(&mut self, shape: Shape) -> Result<Database> {
        let mut database = self.create(shape)?;
        self.cell(&mut database, false)?;
        database.index()?;
        self.cell(&mut database, true)?;
        Ok(database)
    }

    /// What does not depend on the number of rows.
    fn small(&mut self, small: &mut Database, wanted: &Arguments) -> Result<()> {
        if wanted.wants(Part::Pgbench) {
            progress("a scrape and pgbench in turn");
            self.results.pgbench = Some(against_pgbench(self.runtime, small)?);
        }
        if wanted.wants(Part::Cpu) {
            progress("judging and encoding");
            self.results.cpu = Some(self.runtime.block_on(cpu::measure(small))?);
        }
        if wanted.wants(Part::Wire) {
            progress("scrapes together, and from away");
            self.results.wire = Some(Wire {
                round_trips: wire::round_trips(small)?,
                transactions_together: wire::transactions_together(small)?,
                scrape_from_away: wire::scrape_from_away(small)?,
            });
        }
        if wanted.wants(Part::Outlook) {
            self.outlook("10 thousand rows, our indexes", small)?;
        }
        if wanted.wants(Part::Memory) {
            progress("memory");
            let exporter = Exporter::serve(&small.url(), &small.zone)?;
            self.results.memory = Some(memory::measure(&exporter)?);
        }
        Ok(())
    }

    fn outlook(&mut self, of_what: &'static str, database: &Database) -> Result<()> {
        progress("scrapes with and without the outlook in turn");
        let without = ["--no-collector.outlook"];
        let with = Exporter::serve(&database.url(), &database.zone)?;
        let without = Exporter::serve_with(&database.url(), &database.zone, &without)?;
        let (mut with, mut without) = (with.warm()?, without.warm()?);
        let pairs = Pairs::measure(|| Ok(with.scrape()?.took), || Ok(without.scrape()?.took))?;
        self.results.outlook.push((of_what, pairs));
        Ok(())
    }

    fn large(&mut self, small: &Database) -> Result<()> {
        let runtime = self.runtime;
        let quiet = self.both(Shape::small(1_000_000))?;
        runtime.block_on(quiet.remove())?;

        let mut busy = self.create(Shape::busy(1_000_000))?;
        self.cell(&mut busy, false)?;
        self.outlook("1 million rows, no indexes of ours", &busy)?;
        busy.index()?;
        self.cell(&mut busy, true)?;
        let quieter = self.both(QUIETER)?;
        self.results.day = Some(scrapes_in_turn(&busy, &quieter)?);
        runtime.block_on(busy.remove())?;
        runtime.block_on(quieter.remove())?;

        let text = self.create(Shape::busy(1_000_000))?;
        let mut enums = self.create(Shape::busy(1_000_000))?;
        runtime.block_on(enums.enumerate())?;
        let without = scrapes_in_turn(&enums, &text)?;
        text.index()?;
        enums.index()?;
        self.results.enums = Some([without, scrapes_in_turn(&enums, &text)?]);
        runtime.block_on(text.remove())?;
        runtime.block_on(enums.remove())?;

        let long = self.both(Shape::small(10_000_000))?;
        self.results.growth = Some(scrapes_in_turn(&long, small)?);
        runtime.block_on(long.remove())?;

        // Another with the same rows is kept as it was, for the indexes help naive as well.
        let mut before = self.create(Shape::busy(10_000_000))?;
        self.cell(&mut before, false)?;
        let mut large = self.create(Shape::busy(10_000_000))?;
        large.index()?;
        self.cell(&mut large, true)?;
        self.outlook("10 million rows, our indexes", &large)?;
        self.results.before = Some(cells::in_turn(runtime, &before, &large)?);
        self.results.indexes = runtime.block_on(large.index_sizes())?;
        runtime.block_on(before.remove())?;
        runtime.block_on(large.remove())
    }
}

fn scrapes_in_turn(first: &Database, second: &Database) -> Result<Pairs> {
    progress("scrapes of two databases in turn");
    let first = Exporter::serve(&first.url(), &first.zone)?;
    let second = Exporter::serve(&second.url(), &second.zone)?;
    let (mut first, mut second) = (first.warm()?, second.warm()?);
    Pairs::measure(|| Ok(first.scrape()?.took), || Ok(second.scrape()?.took))
}

fn against_pgbench(runtime: &Runtime, database: &mut Database) -> Result<Pairs> {
    let messages = cells::of_a_scrape(runtime, database)?;
    let script = runtime.block_on(Script::new(database, &messages))?;
    let exporter = Exporter::serve(&database.url(), &database.zone)?;
    let mut scraper = exporter.warm()?;
    let mut pairs = Pairs::default();
    for _ in 0..TURNS {
        let mut times = Vec::new();
        for _ in 0..SCRAPES_A_TURN {
            times.push(milliseconds(scraper.scrape()?.took));
        }
        let scrape = Spread::of(times).median;
        pairs.push(scrape, script.run(SCRAPES_A_TURN)?);
    }
    Ok(pairs)
}
