//! Metrics of machines.

use std::fmt;

use crate::judge::machines::{MachineLane, State};
use crate::judge::{Board, Lanes};

use super::Families;

/// The machines that there are; known even when the database is not.
pub(super) fn info(board: &Board, families: &mut Families) -> fmt::Result {
    families.gauge(
        "queueboard_machine_info",
        "The machines of the board, and what people call them.",
        board.machine_labels.iter().map(|(machine, label)| {
            (
                [("machine", machine.as_str()), ("label", label.as_str())],
                1_i64,
            )
        }),
    )
}

pub(super) fn encode(lanes: &Lanes, families: &mut Families) -> fmt::Result {
    let machines = &lanes.machines;
    families.gauge(
        "queueboard_machine_state",
        "What the machine does: 1 for the state that holds, 0 for the others.",
        machines.iter().flat_map(|lane| {
            State::ALL.map(|state| {
                let labels = [("machine", lane.key.as_str()), ("state", state.as_str())];
                (labels, i64::from(state == lane.state))
            })
        }),
    )?;
    families.gauge(
        "queueboard_machine_items",
        "Queue rows of the machine's stages by status now.",
        machines.iter().flat_map(|lane| {
            let machine = ("machine", lane.key.as_str());
            lane.items
                .by_status()
                .map(move |(status, rows)| ([machine, ("status", status)], rows))
        }),
    )?;
    counts(machines, families)
}

fn counts(machines: &[MachineLane], families: &mut Families) -> fmt::Result {
    let mut count = |name: &str, help: &str, value: fn(&MachineLane) -> i64| {
        let series = machines
            .iter()
            .map(|lane| ([("machine", lane.key.as_str())], value(lane)));
        families.gauge(name, help, series)
    };
    count(
        "queueboard_machine_completed_15m",
        "Rows that the machine completed in the last 15 minutes, its part of the pools included.",
        |lane| lane.completed.m15,
    )?;
    count(
        "queueboard_machine_completed_1h",
        "Rows that the machine completed in the last hour, its part of the pools included.",
        |lane| lane.completed.h1,
    )?;
    count(
        "queueboard_machine_completed_today",
        "Rows that the machine completed since local midnight, its part of the pools included.",
        |lane| lane.completed.today,
    )?;
    count(
        "queueboard_machine_deferred",
        "Deferred rows that wait for the machine.",
        |lane| lane.deferred,
    )
}
