//! What a table is like, and what should come of it.

use serde_json::Value;

use super::names::Names;
use super::table::Table;
use crate::rows::Rows;
use crate::support::Engine;

pub(super) const POSTGRES: &[Engine] = &[Engine::Postgres, Engine::Indexed];
pub(super) const SQLITE: &[Engine] = &[Engine::Sqlite];

/// A kind of id: what a number of the board becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ids {
    Number,
    Uuid,
    Text,
}

impl Ids {
    /// Returns an id as JSON holds it.
    pub(super) fn json(self, id: i64) -> Value {
        match self {
            Self::Number => id.into(),
            Self::Uuid => format!("00000000-0000-4000-8000-{id:012}").into(),
            Self::Text => format!("row-{id}").into(),
        }
    }

    /// Returns an id as a label holds it.
    pub(super) fn text(self, id: i64) -> String {
        self.json(id).to_string().replace('"', "")
    }
}

/// What should come of a table.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expected {
    /// Every number, list and action.
    Right,
    /// Every number and list; retry and skip say that nothing was changed.
    ReadOnly,
    /// No number, until it is mended.
    Refused(Refusal),
    /// Either is good; but refused, it is in these words.
    RightOrRefused(&'static [&'static str]),
}

/// How a table is refused, and how it is mended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal {
    pub collectors: &'static [&'static str],
    pub words: &'static [&'static str],
    /// A script, and a configuration, one of which is empty.
    pub mend: (&'static str, &'static str),
}

/// One table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub name: &'static str,
    pub engines: &'static [Engine],
    /// What turns the usual tables into these.
    pub sql: &'static str,
    pub configuration: &'static str,
    pub expected: Expected,
    pub names: Names,
    /// The columns of the queue that are not there.
    pub absent: &'static [&'static str],
    /// The words for what is pending and completed, as a retry and a skip write them, and failed.
    pub words: [&'static str; 3],
    /// A row that is asked to change and does not, and its word if that is another.
    pub untouched: Option<(i64, &'static str)>,
    /// The error message of a failed row.
    pub error: fn(i64) -> String,
    /// What the script means, said of the rows.
    pub rows: fn(&mut Rows),
    /// Series that nobody says anything of.
    pub loose: &'static [&'static str],
    /// Queries of texts after everything, and what they answer.
    pub after: &'static [(&'static str, &'static [&'static str])],
    /// Whether `deploy/roles.sql` is run, and its roles are used.
    pub roles: bool,
}

impl Case {
    pub(super) const RIGHT: Self = Self {
        name: "",
        engines: POSTGRES,
        sql: "",
        configuration: "",
        expected: Expected::Right,
        names: Names::NUMBERS,
        absent: &[],
        words: ["pending", "completed", "failed"],
        untouched: None,
        error: |id| format!("Error {id}"),
        rows: |_| {},
        loose: &[],
        after: &[],
        roles: false,
    };
}

/// Judges every case on its engines, and then names all those that failed.
pub(super) async fn judge_all(cases: &[Case]) {
    let mut failures = Vec::new();
    for case in cases {
        for &engine in case.engines {
            let case = *case;
            let judged = tokio::spawn(async move { Table::of(case, engine).await.judge().await });
            failures.extend(failure(judged.await, case.name, engine));
        }
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

/// Returns how a case failed.
pub(super) fn failure(
    judged: Result<(), tokio::task::JoinError>,
    name: &str,
    engine: Engine,
) -> Option<String> {
    let panic = judged.err()?.into_panic();
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or(panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
    Some(format!(
        "- {name} ({engine:?}): {}",
        text.unwrap_or_default()
    ))
}
