//! Metrics of what is worked on now.

use std::fmt;

use crate::judge::current::{Item, Working};
use crate::judge::names::cut;

use super::Families;

const NAME: &str = "queueboard_current_item_started_timestamp_seconds";
const HELP: &str = "When the machine started one of the two items that it started last.";

/// The number of a slot is that of its item, the ones without a start time counted as well.
const SLOTS: [&str; 2] = ["1", "2"];

pub(super) fn encode(current: &[Working], titles: bool, families: &mut Families) -> fmt::Result {
    let items = current.iter().flat_map(|working| {
        let slots = SLOTS.into_iter().zip(&working.items);
        slots.map(|(slot, item)| (working.machine.as_str(), slot, item))
    });
    let started = items.filter_map(|(machine, slot, item)| {
        Some((
            machine,
            slot,
            item.document_id.as_ref().map_or("", |id| id.as_str()),
            item,
            item.started_at?,
        ))
    });
    let rows: Vec<(&str, &str, &str, &Item, f64)> = started.collect();
    let labelled = rows
        .iter()
        .map(|(machine, slot, document, item, started_at)| {
            let stage = ("stage", item.stage.as_str());
            (
                [
                    ("machine", *machine),
                    ("slot", slot),
                    stage,
                    ("document_id", document),
                ],
                item,
                started_at,
            )
        });
    if titles {
        let titled = labelled.map(|([machine, slot, stage, document], item, started_at)| {
            (
                [machine, slot, stage, document, ("title", cut(&item.title))],
                *started_at,
            )
        });
        families.gauge(NAME, HELP, titled)
    } else {
        families.gauge(
            NAME,
            HELP,
            labelled.map(|(labels, _, started_at)| (labels, *started_at)),
        )
    }
}
