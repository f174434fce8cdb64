//! The memory of an exporter over ten thousand scrapes.

use anyhow::{Context, Result};

use crate::exporter::Exporter;
use crate::numbers::Spread;

const SCRAPES: usize = 10_000;
const UNTIL_SETTLED: usize = 1_000;
const BETWEEN_LOOKS: usize = 50;

/// Resident memory, in KiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub peak: f64,
    /// By how much the last third of the settled scrapes holds more than their first third.
    pub drift: f64,
}

pub(crate) fn measure(exporter: &Exporter) -> Result<Memory> {
    let mut scraper = exporter.warm()?;
    let mut looks = Vec::new();
    for number in 1..=SCRAPES {
        scraper.scrape()?;
        if number > UNTIL_SETTLED && number % BETWEEN_LOOKS == 0 {
            looks.push(kibibytes(exporter, "VmRSS:")?);
        }
    }
    let third = looks.len() / 3;
    let median = |looks: &[f64]| Spread::of(looks.iter().copied()).median;
    Ok(Memory {
        peak: kibibytes(exporter, "VmHWM:")?,
        drift: median(&looks[2 * third..]) - median(&looks[..third]),
    })
}

fn kibibytes(exporter: &Exporter, name: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", exporter.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let size = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(size.with_context(|| format!("no {name}"))?.parse()?)
}
