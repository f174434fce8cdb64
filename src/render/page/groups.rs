//! Failed rows put together: by stage and machine, in it by cause.

use crate::judge::failures::Failure;

/// The rows of one stage on one machine.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// The stage.
    pub(super) stage: &'a str,
    /// The machine's key.
    pub(super) machine: &'a str,
    /// Its rows by cause.
    pub(super) causes: Vec<Cause<'a>>,
}

/// The rows that share a cause.
#[derive(Debug)]
pub(super) struct Cause<'a> {
    /// The cause.
    pub(super) cause: &'a str,
    /// Its rows.
    pub(super) rows: Vec<&'a Failure>,
}

impl Group<'_> {
    /// Returns how many rows it has.
    pub(super) fn len(&self) -> usize {
        self.causes.iter().map(|cause| cause.rows.len()).sum()
    }
}

/// Groups rows; groups, causes and rows stand in the order in which they are first seen.
pub(super) fn of(rows: &[Failure]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group> = Vec::new();
    for row in rows {
        let same = |group: &Group| group.stage == row.stage && group.machine == row.machine;
        let at = place(&mut groups, same, || Group {
            stage: &row.stage,
            machine: &row.machine,
            causes: Vec::new(),
        });
        let causes = &mut groups[at].causes;
        let at = place(
            causes,
            |cause| cause.cause == row.cause,
            || Cause {
                cause: &row.cause,
                rows: Vec::new(),
            },
        );
        causes[at].rows.push(row);
    }
    groups
}

/// Where the one that is sought stands; it is put at the end when there is none.
fn place<T>(all: &mut Vec<T>, sought: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> usize {
    all.iter().position(sought).unwrap_or_else(|| {
        all.push(new());
        all.len() - 1
    })
}
