//! Two things measured in turn, so that whatever else the machine does meets both.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::numbers::{Spread, milliseconds};

const FEWEST: usize = 7;
const MOST: usize = 201;
const LONG_ENOUGH: Duration = Duration::from_secs(8);

/// How long both took, pair by pair, in milliseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pairs {
    times: Vec<(f64, f64)>,
}

impl Pairs {
    /// Runs both in turn, once without looking at the clock and then until it is enough.
    pub(crate) fn measure(
        mut first: impl FnMut() -> Result<Duration>,
        mut second: impl FnMut() -> Result<Duration>,
    ) -> Result<Self> {
        first()?;
        second()?;
        let (begun, mut pairs) = (Instant::now(), Self::default());
        while pairs.times.len() < FEWEST
            || (pairs.times.len() < MOST && begun.elapsed() < LONG_ENOUGH)
        {
            pairs.push(milliseconds(first()?), milliseconds(second()?));
        }
        Ok(pairs)
    }

    pub(crate) fn push(&mut self, first: f64, second: f64) {
        self.times.push((first, second));
    }

    /// Returns the median of the first.
    pub(crate) fn first(&self) -> f64 {
        Spread::of(self.times.iter().map(|(first, _)| *first)).median
    }

    /// Returns the median of the second.
    pub(crate) fn second(&self) -> f64 {
        Spread::of(self.times.iter().map(|(_, second)| *second)).median
    }

    /// Returns the ratios of the pairs, the first over the second.
    pub(crate) fn ratio(&self) -> Spread {
        Spread::of(self.times.iter().map(|(first, second)| first / second))
    }
}
