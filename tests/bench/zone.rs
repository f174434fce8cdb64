//! The time zone in which a run takes place.

use anyhow::Result;
use chrono::{DateTime, Timelike, Utc};
use queueboard_exporter::config::{self, Pipeline};

/// The hour that it is: late, so that a whole day counts as today, and not so late that the day
/// ends while a run lasts. Every run costs the same at whatever time it is made.
const HOUR: i64 = 22;

/// A zone of whole hours.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    offset: i64,
}

impl Zone {
    pub(crate) fn at(now: DateTime<Utc>) -> Self {
        let offset = HOUR - i64::from(now.hour());
        // There are zones from 12 hours behind to 14 ahead.
        let offset = if offset > 14 { offset - 24 } else { offset };
        Self { offset }
    }

    /// Returns its name; these names are signed as in POSIX.
    pub(crate) fn name(&self) -> String {
        format!("Etc/GMT{:+}", -self.offset)
    }

    /// Returns the configuration of an exporter in this zone.
    pub(crate) fn configuration(&self) -> String {
        format!("timezone: {}\n", self.name())
    }

    pub(crate) fn pipeline(&self) -> Result<Pipeline> {
        Ok(config::parse(&self.configuration())?)
    }
}
