//! What each machine works on now, under a title that a person can read.

use std::cmp::Ordering;

use crate::config::Pipeline;
use crate::config::pipeline::{UNASSIGNED, Words};
use crate::snapshot::{CurrentRow, Id, MAX_NAME, UnixSeconds};

use super::names::{Names, shown};

/// How many items are shown of each machine.
const SLOTS: usize = 2;

/// What one machine works on: its latest started items.
#[derive(Debug, Clone, PartialEq)]
pub struct Working {
    /// The machine's key.
    pub machine: String,
    /// At most two items, the latest started first.
    pub items: Vec<Item>,
}

/// A document being worked on.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The stage, folded when there are too many.
    pub stage: String,
    /// The document's id.
    pub document_id: Option<Id>,
    /// What people call the document.
    pub title: String,
    /// When work on it began.
    pub started_at: Option<UnixSeconds>,
}

/// Gives each machine its latest items, so that a busy one never hides another's.
pub(super) fn judge(rows: &[CurrentRow], names: &Names, pipeline: &Pipeline) -> Vec<Working> {
    let mut rows: Vec<&CurrentRow> = rows.iter().collect();
    rows.sort_by(|a, b| latest_first(a, b));
    let machines = pipeline.machines.iter().map(|machine| machine.key.as_str());
    let working = |machine: &str| Working {
        machine: machine.to_owned(),
        items: items(&rows, machine, names, pipeline),
    };
    machines.chain([UNASSIGNED]).map(working).collect()
}

fn items(rows: &[&CurrentRow], machine: &str, names: &Names, pipeline: &Pipeline) -> Vec<Item> {
    let folded = rows
        .iter()
        .map(|row| (*row, names.fold(row.stage.as_deref().unwrap_or_default())));
    let own = folded.filter(|(_, stage)| pipeline.machine_of(stage) == machine);
    own.take(SLOTS)
        .map(|(row, stage)| item(row, stage, &pipeline.words))
        .collect()
}

fn item(row: &CurrentRow, stage: &str, words: &Words) -> Item {
    Item {
        stage: stage.to_owned(),
        document_id: row.document_id.clone(),
        title: title(row, words),
        started_at: row.started_at.filter(|at| at.is_finite()),
    }
}

fn latest_first(a: &CurrentRow, b: &CurrentRow) -> Ordering {
    let started = |row: &CurrentRow| row.started_at.unwrap_or(f64::NEG_INFINITY);
    let known = b.started_at.is_some().cmp(&a.started_at.is_some());
    known
        .then(started(b).total_cmp(&started(a)))
        .then(b.id.cmp(&a.id))
}

fn title(row: &CurrentRow, words: &Words) -> String {
    let names = [row.title.as_deref(), row.original_filename.as_deref()];
    let file_path = row.file_path.as_deref();
    display_title(names, file_path, row.document_id.as_ref(), words)
}

/// Returns the first of title and uploaded name that is one, else the file's name, else the
/// document's number; cut at [`MAX_NAME`].
pub(super) fn display_title(
    names: [Option<&str>; 2],
    file_path: Option<&str>,
    document_id: Option<&Id>,
    words: &Words,
) -> String {
    let file_name = file_path.and_then(|path| path.rsplit('/').next());
    let mut names = names.into_iter().chain([file_name]).flatten();
    let name = names.find(|name| !name.is_empty());
    let number = || document_id.map_or("?", Id::as_str);
    name.map_or_else(
        || format!("{}{}", words.untitled, number()),
        |name| shown(name, MAX_NAME),
    )
}
