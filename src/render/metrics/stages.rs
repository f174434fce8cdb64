//! Metrics of stages and pools.

use std::fmt;

use crate::judge::Lanes;
use crate::judge::forecast::Forecast;
use crate::judge::stages::{Completed, Items, StageLane};

use super::{Families, Labels};

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
