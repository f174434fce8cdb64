//! The two text formats in which metrics are exposed.

use std::fmt;

use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;

/// A text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The classic text format, 0.0.4.
    Classic,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// Returns the value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Classic => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// Writes several registries as one page.
    ///
    /// # Errors
    ///
    /// What a collector in a registry answers; ours never do.
    pub fn encode(self, registries: &[&Registry]) -> Result<String, fmt::Error> {
        let mut page = String::with_capacity(32 << 10);
        for registry in registries {
            match self {
                Self::Classic => prometheus_text::encode(&mut page, registry)?,
                Self::OpenMetrics => text::encode_registry(&mut page, registry)?,
            }
        }
        if self == Self::OpenMetrics {
            text::encode_eof(&mut page)?;
        }
        Ok(page)
    }
}
