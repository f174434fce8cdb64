//! A board as metric families, made anew for each scrape.
//!
//! One file a subject; name and help of a metric stand together, and nowhere else. Closed label
//! sets are exposed whole, zeros included; what is unknown is absent.

mod causes;
mod current;
mod jobs;
mod machines;
mod outlook;
mod stages;
mod trend;

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::judge::Board;

/// Returns a registry that exposes a board; documents' titles are left out unless asked for.
pub fn registry(board: Arc<Board>, titles: bool) -> Registry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(BoardMetrics { board, titles }));
    registry
}

#[derive(Debug)]
struct BoardMetrics {
    board: Arc<Board>,
    titles: bool,
}

impl Collector for BoardMetrics {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let families = &mut Families { encoder };
        scrape(&self.board, families)?;
        machines::info(&self.board, families)?;
        if let Some(lanes) = &self.board.lanes {
            stages::encode(lanes, families)?;
            machines::encode(lanes, families)?;
        }
        stages::unknown_statuses(&self.board.unknown_statuses, families)?;
        if let Some(causes) = &self.board.causes {
            causes::encode(causes, families)?;
        }
        if let Some(prospects) = &self.board.prospects {
            outlook::encode(prospects, families)?;
        }
        if let Some(trends) = &self.board.trends {
            trend::encode(trends, families)?;
        }
        if let Some(current) = &self.board.current {
            current::encode(current, self.titles, families)?;
        }
        if let Some(jobs) = &self.board.jobs {
            jobs::encode(jobs, families)?;
        }
        Ok(())
    }
}

fn scrape(board: &Board, families: &mut Families) -> fmt::Result {
    families.gauge(
        "queueboard_up",
        "Whether this scrape got its snapshot of the database.",
        [([], i64::from(board.up))],
    )?;
    families.gauge(
        "queueboard_scrape_duration_seconds",
        "How long the collection of this scrape took.",
        [([], board.scrape_seconds)],
    )?;
    families.gauge(
        "queueboard_collector_success",
        "Whether the collector's numbers are in this scrape.",
        board.outcomes.iter().map(|outcome| {
            (
                [("collector", outcome.collector.as_str())],
                i64::from(outcome.success),
            )
        }),
    )?;
    families.gauge(
        "queueboard_collector_duration_seconds",
        "How long the collector's questions took; absent when it was not asked.",
        board.outcomes.iter().filter_map(|outcome| {
            let labels = [("collector", outcome.collector.as_str())];
            Some((labels, outcome.duration?.as_secs_f64()))
        }),
    )
}

/// Labels of one series, in the order of the contract with its users.
type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

struct Families<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl Families<'_> {
    /// Writes one family of gauges.
    fn gauge<'s, const N: usize, V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'s, N>, V)>,
    ) -> fmt::Result {
        self.family(MetricType::Gauge, name, help, series)
    }

    /// Writes one family of quantiles. They are gauges, but `promtool check metrics` allows the
    /// label `quantile` to no gauge, and a summary would need counts that nobody reads.
    fn quantiles<'s, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'s, N>, f64)>,
    ) -> fmt::Result {
        self.family(MetricType::Unknown, name, help, series)
    }

    /// Writes one family; one without series is not written at all.
    fn family<'s, const N: usize, V: EncodeGaugeValue>(
        &mut self,
        kind: MetricType,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'s, N>, V)>,
    ) -> fmt::Result {
        let mut series = series.into_iter().peekable();
        if series.peek().is_none() {
            return Ok(());
        }
        // The encoder joins name and unit again, and says the unit in OpenMetrics.
        let (name, unit) = match name.strip_suffix("_seconds") {
            Some(base) => (base, Some(&Unit::Seconds)),
            None => (name, None),
        };
        let mut family = self.encoder.encode_descriptor(name, help, unit, kind)?;
        for (labels, value) in series {
            family.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }
}
