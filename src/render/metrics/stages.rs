//! Metrics of stages and pools.

use std::fmt;

use crate::judge::forecast::Forecast;
use crate::judge::quantiles::Quantiles;
use crate::judge::stages::{Completed, Items, StageLane};
use crate::judge::{Lanes, UnknownStatuses};

use super::{Families, Labels};

const UNKNOWN_STATUS: &str = "queueboard_stage_unknown_status";
const UNKNOWN_STATUS_HELP: &str =
    "Rows of the stage whose status is none of the four; they are in no other count of statuses.";

impl Items {
    /// Each status by its name.
    pub(super) fn by_status(self) -> [(&'static str, i64); 3] {
        [
            ("pending", self.pending),
            ("processing", self.processing),
            ("failed", self.failed),
        ]
    }
}

pub(super) fn encode(lanes: &Lanes, families: &mut Families) -> fmt::Result {
    let stages = &lanes.stages;
    families.gauge(
        "queueboard_stage_items",
        "Queue rows of the stage by status now; pending includes deferred rows.",
        stages.iter().flat_map(|lane| {
            let [machine, stage] = labels(lane);
            let series = move |(status, rows)| ([machine, stage, ("status", status)], rows);
            lane.items.by_status().map(series)
        }),
    )?;
    counts(stages, families)?;
    times(stages, families)?;
    quantiles(stages, families)?;
    pools(lanes, families)
}

fn counts(stages: &[StageLane], families: &mut Families) -> fmt::Result {
    let mut count = |name: &str, help: &str, value: fn(&StageLane) -> i64| {
        families.gauge(
            name,
            help,
            stages.iter().map(|lane| (labels(lane), value(lane))),
        )
    };
    count(
        "queueboard_stage_deferred",
        "Pending rows of the stage that wait for a time still to come.",
        |lane| lane.deferred,
    )?;
    count(
        "queueboard_stage_deferred_malformed",
        "Pending rows of the stage whose deferred_until is no timestamp; they are not deferred.",
        |lane| lane.deferred_malformed,
    )?;
    count(UNKNOWN_STATUS, UNKNOWN_STATUS_HELP, |lane| {
        lane.unknown_status
    })?;
    count(
        "queueboard_stage_completed_15m",
        "Rows of the stage completed in the last 15 minutes.",
        |lane| lane.completed.m15,
    )?;
    count(
        "queueboard_stage_completed_1h",
        "Rows of the stage completed in the last hour.",
        |lane| lane.completed.h1,
    )?;
    count(
        "queueboard_stage_completed_today",
        "Rows of the stage completed since local midnight.",
        |lane| lane.completed.today,
    )?;
    count(
        "queueboard_stage_skipped_15m",
        "Rows of the stage skipped in the last 15 minutes; they are among those completed.",
        |lane| lane.skipped.m15,
    )?;
    count(
        "queueboard_stage_skipped_1h",
        "Rows of the stage skipped in the last hour; they are among those completed.",
        |lane| lane.skipped.h1,
    )?;
    count(
        "queueboard_stage_skipped_today",
        "Rows of the stage skipped since local midnight; they are among those completed.",
        |lane| lane.skipped.today,
    )?;
    count(
        "queueboard_stage_created_1h",
        "Rows of the stage created in the last hour, whatever their status.",
        |lane| lane.created_1h,
    )
}

fn times(stages: &[StageLane], families: &mut Families) -> fmt::Result {
    let mut time = |name: &str, help: &str, value: fn(&StageLane) -> Option<f64>| {
        let known = stages
            .iter()
            .filter_map(|lane| Some((labels(lane), value(lane)?)));
        families.gauge(name, help, known)
    };
    time(
        "queueboard_stage_oldest_pending_timestamp_seconds",
        "When the oldest pending row of the stage was created; absent when none is pending.",
        |lane| lane.oldest_pending,
    )?;
    time(
        "queueboard_stage_oldest_processing_timestamp_seconds",
        "When the longest processing row of the stage was started; absent when there is none.",
        |lane| lane.oldest_processing,
    )?;
    time(
        "queueboard_stage_eta_seconds",
        "Time until the backlog is worked off at the last hour's pace; absent when it does not drain.",
        |lane| lane.eta().map(|eta| eta.seconds()),
    )?;
    families.gauge(
        "queueboard_stage_forecast",
        "Where the backlog of the stage is going: 1 for the state that holds, 0 for the others.",
        stages.iter().flat_map(|lane| {
            let ([machine, stage], forecast) = (labels(lane), lane.forecast());
            Forecast::ALL.map(|state| {
                (
                    [machine, stage, ("state", state.as_str())],
                    i64::from(state == forecast),
                )
            })
        }),
    )
}

fn quantiles(stages: &[StageLane], families: &mut Families) -> fmt::Result {
    let mut quantile = |name: &str, help: &str, value: fn(&StageLane) -> &Quantiles| {
        let known = stages.iter().flat_map(|lane| {
            let [machine, stage] = labels(lane);
            Quantiles::ALL
                .into_iter()
                .filter_map(move |(label, quantile)| {
                    let seconds = value(lane).seconds(quantile)?;
                    Some(([machine, stage, ("quantile", label)], seconds))
                })
        });
        families.quantiles(name, help, known)
    };
    quantile(
        "queueboard_stage_wait_seconds",
        "How long the rows completed in the last hour had waited; absent when there are none.",
        |lane| &lane.wait,
    )?;
    quantile(
        "queueboard_stage_processing_seconds",
        "How long the rows completed in the last hour were worked on; absent when there are none.",
        |lane| &lane.processing,
    )
}

/// Writes the one number that is told of stages whose others are in doubt.
pub(super) fn unknown_statuses(stages: &[UnknownStatuses], families: &mut Families) -> fmt::Result {
    let series = stages.iter().map(|stage| {
        let labels = [
            ("machine", stage.machine.as_str()),
            ("stage", stage.stage.as_str()),
        ];
        (labels, stage.rows)
    });
    families.gauge(UNKNOWN_STATUS, UNKNOWN_STATUS_HELP, series)
}

fn pools(lanes: &Lanes, families: &mut Families) -> fmt::Result {
    let mut count = |name: &str, help: &str, value: fn(&Completed) -> i64| {
        let shares = lanes.pools.iter();
        let series = shares.map(|share| {
            let labels = [
                ("stage", share.stage.as_str()),
                ("machine", share.machine.as_str()),
            ];
            (labels, value(&share.completed))
        });
        families.gauge(name, help, series)
    };
    count(
        "queueboard_pool_completed_15m",
        "Rows of the pool's stage that the machine completed in the last 15 minutes.",
        |completed| completed.m15,
    )?;
    count(
        "queueboard_pool_completed_1h",
        "Rows of the pool's stage that the machine completed in the last hour.",
        |completed| completed.h1,
    )?;
    count(
        "queueboard_pool_completed_today",
        "Rows of the pool's stage that the machine completed since local midnight.",
        |completed| completed.today,
    )
}

fn labels(lane: &StageLane) -> Labels<'_, 2> {
    [("machine", &lane.machine), ("stage", &lane.stage)]
}
