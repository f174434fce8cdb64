//! Metrics of what is to be expected: when stages are done, how sure that is, and where they go.

use std::fmt;

use crate::judge::deadline::Deadline;
use crate::judge::outlook::Outlook;
use crate::judge::prospect::Prospect;
use crate::judge::prospects::{PipelineProspect, Prospects, StageProspect};

use super::{Families, Labels};

pub(super) fn encode(prospects: &Prospects, families: &mut Families) -> fmt::Result {
    let stages = &prospects.stages;
    drain(stages, families)?;
    error(stages, families)?;
    families.gauge(
        "queueboard_stage_outlook",
        "Whether the backlog of the stage will shrink or grow: 1 for the one that holds, 0 for the others.",
        stages.iter().flat_map(|stage| {
            let [machine, name] = labels(stage);
            Outlook::ALL.into_iter().map(move |outlook| {
                let labels = [machine, name, ("state", outlook.as_str())];
                (labels, i64::from(outlook == stage.prospect.outlook))
            })
        }),
    )?;
    deadlines(&prospects.deadlines, families)?;
    match &prospects.pipeline {
        Some(whole) => pipeline(whole, stages, families),
        None => Ok(()),
    }
}

fn drain(stages: &[StageProspect], families: &mut Families) -> fmt::Result {
    let mut number = |name: &str, help: &str, value: fn(&Prospect) -> Option<f64>| {
        let known = stages
            .iter()
            .filter_map(|stage| Some((labels(stage), value(&stage.prospect)?)));
        families.gauge(name, help, known)
    };
    number(
        "queueboard_stage_drain_seconds",
        "How long until what is in the stage now is done; absent when it has no known pace.",
        |prospect| prospect.drain,
    )?;
    number(
        "queueboard_stage_drain_low_seconds",
        "How long until it is done at the earliest, in nine of ten cases; absent when the last day tells too little.",
        |prospect| prospect.drain_low,
    )?;
    number(
        "queueboard_stage_drain_high_seconds",
        "How long until it is done at the latest, in nine of ten cases; absent when the last day tells too little.",
        |prospect| prospect.drain_high,
    )?;
    number(
        "queueboard_stage_pace_items_per_second",
        "How many rows a second the stage completes while there is work; absent when that is not known.",
        |prospect| prospect.pace,
    )
}

fn error(stages: &[StageProspect], families: &mut Families) -> fmt::Result {
    let series = stages.iter().flat_map(|stage| {
        let [machine, name] = labels(stage);
        let score = stage.prospect.score.unwrap_or_default();
        let quantiles = [("0.5", score.median), ("0.9", score.high)];
        quantiles.into_iter().filter_map(move |(quantile, ratio)| {
            Some(([machine, name, ("quantile", quantile)], ratio?))
        })
    });
    families.quantiles(
        "queueboard_stage_drain_error_ratio",
        "Actual over predicted time until the stage was done, in the last day; absent when too few predictions can be checked.",
        series,
    )
}

fn deadlines(deadlines: &[Deadline], families: &mut Families) -> fmt::Result {
    families.gauge(
        "queueboard_stage_deadline_timestamp_seconds",
        "When what is in the stage is next to be done, by the configuration.",
        deadlines.iter().map(|one| (deadline_labels(one), one.at)),
    )?;
    families.gauge(
        "queueboard_stage_deadline_slack_seconds",
        "How long before its deadline the stage is done, by the high end of the band; negative when it may be missed, absent when that is not known.",
        deadlines
            .iter()
            .filter_map(|one| Some((deadline_labels(one), one.slack?))),
    )
}

fn pipeline(
    whole: &PipelineProspect,
    stages: &[StageProspect],
    families: &mut Families,
) -> fmt::Result {
    families.gauge(
        "queueboard_pipeline_drain_seconds",
        "How long until what is in all stages now has passed the last of them; absent when a stage with rows has no known pace.",
        [([], whole.drain)],
    )?;
    families.gauge(
        "queueboard_pipeline_bottleneck",
        "1 for the stage that is done last, 0 for the others; absent when that is not known.",
        stages.iter().map(|stage| {
            let is_last = whole.bottleneck.as_ref() == Some(&stage.stage);
            ([("stage", stage.stage.as_str())], i64::from(is_last))
        }),
    )
}

fn labels(stage: &StageProspect) -> Labels<'_, 2> {
    [("machine", &stage.machine), ("stage", &stage.stage)]
}

fn deadline_labels(deadline: &Deadline) -> Labels<'_, 2> {
    [("machine", &deadline.machine), ("stage", &deadline.stage)]
}
