//! Machines, what they work on, and stages.

use super::ink::Tone;
use super::table::{Cell, Column, set};
use super::{Sheet, Width, drain};
use crate::judge::current::Working;
use crate::judge::forecast::Forecast;
use crate::judge::machines::{MachineLane, State};
use crate::judge::prospect::Prospect;
use crate::judge::prospects::Prospects;
use crate::judge::stages::StageLane;
use crate::judge::{Board, Lanes};
use crate::render::words::{span, stage_name};

const MACHINES: [Column; 8] = [
    Column::words("MACHINE"),
    Column::words("STATE"),
    Column::numbers("PENDING"),
    Column::numbers("PROCESSING"),
    Column::numbers("FAILED"),
    Column::numbers("DEFERRED"),
    Column::numbers("DONE 1H"),
    Column::numbers("TODAY"),
];

const WORKING: [Column; 3] = [
    Column::words("MACHINE"),
    Column::words("STAGE"),
    Column::words("WORKING ON"),
];

const STAGES: [Column; 12] = [
    Column::words("STAGE"),
    Column::words("MACHINE"),
    Column::numbers("PENDING"),
    Column::numbers("PROCESSING"),
    Column::numbers("FAILED"),
    Column::numbers("DONE 1H").only_wide(),
    Column::numbers("IN 1H").only_wide(),
    Column::numbers("TODAY").only_wide(),
    Column::numbers("OLDEST").only_wide(),
    Column::numbers("ETA").only_wide(),
    Column::words("OUTLOOK"),
    Column::words("DONE IN"),
];

impl Sheet<'_> {
    /// Renders what there is of machines and stages.
    pub(super) fn lanes(&self, lanes: &Lanes, board: &Board) -> String {
        let machines = lanes.machines.iter().map(machine).collect();
        let machines = set(&MACHINES, machines, self.width, self.ink);
        let stages = lanes.stages.iter();
        let stages = stages.map(|lane| stage(lane, board.prospects.as_ref(), self.width));
        let stages = set(&STAGES, stages.collect(), self.width, self.ink);
        let working = match &board.current {
            Some(current) => self.working(current, board),
            None => self.sentence("What machines work on could not be read.", Tone::Bad),
        };
        let parts = [machines, working, stages].into_iter();
        let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
        parts.join("\n")
    }

    fn working(&self, current: &[Working], board: &Board) -> String {
        let row = |working: &Working| {
            let machine = board.machine_label(&working.machine).to_owned();
            let items = working.items.iter();
            let cells = items.map(|item| {
                [&machine, stage_name(&item.stage), &item.title]
                    .map(Cell::from)
                    .into()
            });
            cells.collect::<Vec<Vec<Cell>>>()
        };
        let rows: Vec<Vec<Cell>> = current.iter().flat_map(row).collect();
        if rows.is_empty() {
            return String::new();
        }
        set(&WORKING, rows, self.width, self.ink)
    }
}

fn machine(lane: &MachineLane) -> Vec<Cell> {
    let tone = match lane.state {
        State::Active => Tone::Good,
        State::Deferred => Tone::Waiting,
        State::Idle => Tone::Quiet,
    };
    let (items, completed) = (lane.items, lane.completed);
    vec![
        Cell::from(&lane.label),
        Cell::new(lane.state.as_str(), tone),
        items.pending.into(),
        items.processing.into(),
        failed(items.failed),
        lane.deferred.into(),
        completed.h1.into(),
        completed.today.into(),
    ]
}

fn stage(lane: &StageLane, prospects: Option<&Prospects>, width: Width) -> Vec<Cell> {
    let items = lane.items;
    let prospect = prospects.and_then(|prospects| prospects.of(&lane.stage));
    let outlook = match prospect.map(|prospect| prospect.outlook) {
        Some(outlook) if outlook.is_trouble() => Cell::new(drain::outlook(outlook), Tone::Bad),
        Some(outlook) => Cell::from(drain::outlook(outlook)),
        None => Cell::from("-"),
    };
    vec![
        Cell::from(stage_name(&lane.stage)),
        Cell::from(&lane.machine),
        items.pending.into(),
        items.processing.into(),
        failed(items.failed),
        lane.completed.h1.into(),
        lane.created_1h.into(),
        lane.completed.today.into(),
        lane.oldest_pending_age
            .map_or_else(|| "-".to_owned(), span)
            .into(),
        eta(lane).into(),
        outlook,
        prospect
            .and_then(|prospect| done_in(prospect, width))
            .unwrap_or_default()
            .into(),
    ]
}

fn done_in(prospect: &Prospect, width: Width) -> Option<String> {
    match width {
        Width::Narrow => prospect.drain.filter(|left| *left > 0.0).map(drain::time),
        Width::Wide => drain::drain(prospect),
    }
}

fn failed(rows: i64) -> Cell {
    Cell::new(rows, if rows > 0 { Tone::Bad } else { Tone::Normal })
}

fn eta(lane: &StageLane) -> String {
    match (lane.forecast(), lane.eta()) {
        (Forecast::Empty, _) => "empty".to_owned(),
        (_, Some(eta)) => span(eta.seconds()),
        (forecast, None) => format!("none, {}", forecast.as_str()),
    }
}
