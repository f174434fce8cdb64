//! The pipeline's tables as they are: which columns there are, and what each holds.

/// The three tables that are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// `processing_queue`.
    pub queue: Relation,
    /// `documents`.
    pub documents: Relation,
    /// `background_jobs`.
    pub jobs: Relation,
}

/// One table or view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relation {
    /// What stands under the table's name.
    pub form: Form,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// What stands under a table's name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// Nothing.
    #[default]
    Absent,
    /// A table.
    Table,
    /// A table whose rows lie in its partitions.
    Partitioned,
    /// A view.
    View,
    /// A view whose rows are kept.
    Materialized,
}

/// A column, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds, domains looked through.
    pub kind: Kind,
    /// Its type, as the database writes it.
    pub declared: String,
}

/// What a column holds, whatever its type is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Text, under which a word may also be compared as it is.
    Text,
    /// One of these words.
    Enum(Vec<String>),
    /// A whole number of at most 64 bits.
    Integer,
    /// Another number.
    Numeric,
    /// A UUID.
    Uuid,
    /// JSON that is kept as it was written.
    Json,
    /// JSON that was read when it was written.
    Jsonb,
    /// An instant.
    Instant,
    /// An instant whose zone is not told.
    NaiveInstant,
    /// A value whose type says nothing of its meaning.
    Any,
    /// Something else.
    Other,
}

impl Relation {
    /// Returns a queue as most have it, as far as its indexes depend on it.
    pub fn usual_queue() -> Self {
        let column = |name: &str, kind, declared: &str| Column {
            name: name.to_owned(),
            kind,
            declared: declared.to_owned(),
        };
        Self {
            form: Form::Table,
            columns: vec![
                column("id", Kind::Integer, "bigint"),
                column("stage", Kind::Text, "text"),
                column("status", Kind::Text, "text"),
                column("payload", Kind::Jsonb, "jsonb"),
                column("started_at", Kind::Instant, "timestamp with time zone"),
                column("completed_at", Kind::Instant, "timestamp with time zone"),
            ],
        }
    }

    /// Returns what a column holds; nothing if there is no such column.
    pub fn kind(&self, column: &str) -> Option<&Kind> {
        let mut columns = self.columns.iter();
        let column = columns.find(|known| known.name == column)?;
        Some(&column.kind)
    }

    /// Returns whether there is such a table.
    pub fn exists(&self) -> bool {
        self.form != Form::Absent
    }
}
