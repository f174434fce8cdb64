//! What is measured.

use clap::{Parser, ValueEnum};

/// Measures what a scrape costs.
#[derive(Debug, Parser)]
#[command(name = "tests/bench/run", max_term_width = 100)]
pub(crate) struct Arguments {
    /// Databases of at most 100 thousand rows only
    #[arg(long)]
    pub quick: bool,
    /// Some parts only
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// The server on which databases are made, postgres://user@host:port
    #[arg(long, hide = true)]
    pub server: Option<String>,
    /// Said by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Naive and a scrape in turn, and growth
    Rows,
    /// A scrape and the same SQL through pgbench in turn
    Pgbench,
    /// Judging and encoding
    Cpu,
    /// Scrapes that arrive together, round trips, a database far away
    Wire,
    /// A scrape with the collector `outlook` and one without in turn
    Outlook,
    /// Memory over ten thousand scrapes
    Memory,
}

impl Arguments {
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    pub(crate) fn is_whole(&self) -> bool {
        !self.quick && self.only.is_empty()
    }
}
