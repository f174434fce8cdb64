//! The indexes that make a scrape cost the same however many finished rows the queue keeps, and a
//! page of failed rows however many failed.

use sqlx::{AssertSqlSafe, PgConnection, Row, query_as, query_scalar, raw_sql};

use crate::snapshot::{Scope, Statuses};
use crate::source::shape::{Form, Relation, Shape};

use super::order;
use super::values::text;
use super::words::{is_one_of, is_skipped, is_unfinished, known_statuses};

/// An index, as `CREATE INDEX` takes it.
#[derive(Debug, Clone)]
pub struct Index {
    /// Its name, by which it is found.
    pub name: &'static str,
    purpose: &'static str,
    definition: String,
}

/// A table or partition that an index is made on.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Partition {
    /// Its name, as SQL takes it.
    name: String,
    /// What its indexes are called after.
    oid: i64,
    /// Of which one it is a partition.
    parent: Option<i64>,
    /// Whether rows lie in it.
    is_leaf: bool,
}

const PARTITIONS: &str = "
SELECT relid::regclass::text AS name, relid::oid::bigint AS oid, parentrelid::oid::bigint AS parent,
       isleaf AS is_leaf
FROM pg_partition_tree(to_regclass('processing_queue'))
ORDER BY level DESC, relid";

/// Returns the indexes that serve a table of this shape.
pub fn all(queue: &Relation, scope: &Scope) -> Vec<Index> {
    let mut indexes = of_scrapes(queue, &scope.statuses);
    indexes.extend(of_lists(queue, scope));
    indexes
}

/// Returns the index that lists of failed rows are read by, where there can be one.
pub fn of_lists(queue: &Relation, scope: &Scope) -> Option<Index> {
    let columns = order::columns(queue, scope)?;
    let statuses = known_statuses(queue, &scope.statuses);
    let failed = is_one_of("status", &statuses.failed);
    Some(Index {
        name: "queueboard_failed",
        purpose: "Failed rows in the order of their list.",
        definition: format!("{columns} WHERE {failed}"),
    })
}

/// Returns the indexes that scrapes are answered by.
pub fn of_scrapes(queue: &Relation, statuses: &Statuses) -> Vec<Index> {
    let statuses = known_statuses(queue, statuses);
    let completed = is_one_of("status", &statuses.completed);
    let index = |name, purpose, definition| Index {
        name,
        purpose,
        definition,
    };
    let mut indexes = vec![
        index(
            "queueboard_unfinished",
            "Rows that wait, are worked on, failed, or have a status that is none of the four.",
            format!("(status, stage) WHERE {}", is_unfinished(&statuses)),
        ),
        index(
            "queueboard_completed",
            "What was completed lately, and of which document, read from the index alone.",
            format!("(completed_at, stage) INCLUDE (document_id) WHERE {completed}"),
        ),
    ];
    if let Some(skipped) = is_skipped(queue) {
        indexes.push(index(
            "queueboard_skipped",
            "What was skipped by a person; it stays small.",
            format!("(completed_at, stage) INCLUDE (document_id) WHERE {completed} AND {skipped}"),
        ));
    }
    indexes.push(index(
        "queueboard_created",
        "What was created lately, read from the index alone.",
        "(created_at, stage)".to_owned(),
    ));
    indexes
}

/// Returns the statements that make the indexes, as a table of this form takes them.
pub fn script(form: Form, indexes: &[Index], partitions: &[Partition]) -> String {
    let mut script = header(form).to_owned();
    for index in indexes {
        script.push_str(&format!("\n-- {}\n", index.purpose));
        match form {
            Form::View => {}
            Form::Partitioned => partitioned(index, partitions, &mut script),
            Form::Absent | Form::Table | Form::Materialized => {
                let (name, definition) = (index.name, &index.definition);
                script.push_str(&format!(
                    "CREATE INDEX CONCURRENTLY IF NOT EXISTS {name}\n    ON processing_queue {definition};\n"
                ));
            }
        }
    }
    script
}

fn header(form: Form) -> &'static str {
    match form {
        Form::View => {
            "-- processing_queue is a view, and PostgreSQL has no indexes on views. Where it only renames
-- the columns of one table, the same indexes on that table serve through it, under these names:
-- write the table's own columns and words into them. What they are for:
"
        }
        Form::Absent | Form::Table | Form::Partitioned | Form::Materialized => {
            "-- Indexes that make a scrape cost the same however many finished rows the queue keeps, and a page of
-- failed rows however many failed. Whoever owns processing_queue runs them once; they are built beside
-- the pipeline's work and lock nothing out:
--
--   queueboard-exporter indexes | psql \"$OWNER_DATABASE_URL\"
--
-- One that is stopped while it is built stays behind as INVALID and is not used: drop it, and run
-- these again. The exporter finds them by their names.
"
        }
    }
}

/// No index is built beside the work on a whole partitioned table, but on each partition one is,
/// and those are then attached.
fn partitioned(index: &Index, partitions: &[Partition], script: &mut String) {
    let Index {
        name, definition, ..
    } = index;
    let named = |of: &Partition| match of.parent {
        None => (*name).to_owned(),
        Some(_) => format!("{name}_{}", of.oid),
    };
    for partition in partitions {
        let (created, table) = (named(partition), &partition.name);
        let how = match partition.is_leaf {
            true => format!("INDEX CONCURRENTLY IF NOT EXISTS {created}\n    ON {table}"),
            false => format!("INDEX IF NOT EXISTS {created}\n    ON ONLY {table}"),
        };
        script.push_str(&format!("CREATE {how} {definition};\n"));
    }
    for partition in partitions {
        let parent = partitions
            .iter()
            .find(|other| Some(other.oid) == partition.parent);
        if let Some(parent) = parent {
            let (parent, own) = (named(parent), named(partition));
            script.push_str(&format!("ALTER INDEX {parent} ATTACH PARTITION {own};\n"));
        }
    }
}

/// Reads the partitions of the queue, those that are divided least last.
///
/// # Errors
///
/// What the database says.
pub async fn partitions(connection: &mut PgConnection) -> sqlx::Result<Vec<Partition>> {
    query_as(PARTITIONS)
        .persistent(false)
        .fetch_all(connection)
        .await
}

/// Reads whether an index is whole; nothing if it is not there.
///
/// # Errors
///
/// What the database says.
pub async fn is_valid(connection: &mut PgConnection, name: &str) -> sqlx::Result<Option<bool>> {
    query_scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)")
        .bind(name)
        .persistent(false)
        .fetch_optional(connection)
        .await
}

/// Reads whether the indexes of scrapes are there, whole, on the queue itself, and of use for what is asked,
/// whose plan is `explain`: one of another definition, or under a view that changes its columns,
/// only stands there.
pub(super) async fn serve(
    connection: &mut PgConnection,
    explain: &str,
    shape: &Shape,
    scope: &Scope,
) -> sqlx::Result<bool> {
    let indexes = of_scrapes(&shape.queue, &scope.statuses);
    if !are_there(connection, shape.queue.form, &indexes).await? {
        return Ok(false);
    }
    // The indexes of partitions have names of their own.
    if shape.queue.form == Form::Partitioned {
        return Ok(true);
    }
    let plan = plan(connection, explain).await;
    if plan.is_err() {
        raw_sql("ROLLBACK TO SAVEPOINT look")
            .execute(connection)
            .await?;
    }
    let plan = plan?;
    let is_used = |index: &Index| plan.iter().any(|line| line.contains(index.name));
    Ok(indexes.iter().all(is_used))
}

/// A view has no indexes of its own.
async fn are_there(
    connection: &mut PgConnection,
    form: Form,
    indexes: &[Index],
) -> sqlx::Result<bool> {
    let names: Vec<String> = indexes.iter().map(|index| text(index.name)).collect();
    let on_itself = match form {
        Form::View => "TRUE",
        _ => "indrelid = to_regclass('processing_queue')",
    };
    let question = format!(
        "SELECT count(*) = {} FROM pg_index, unnest(ARRAY[{}]) AS name
         WHERE indisvalid AND {on_itself} AND indexrelid = to_regclass(name)",
        names.len(),
        names.join(", ")
    );
    let question = query_scalar(AssertSqlSafe(question)).persistent(false);
    question.fetch_one(connection).await
}

/// Few rows are read in no time whatever the plan, so it is asked what the plan for many would be.
async fn plan(connection: &mut PgConnection, explain: &str) -> sqlx::Result<Vec<String>> {
    let script = format!(
        "SAVEPOINT look; SET LOCAL enable_seqscan = off; {explain};
         SET LOCAL enable_seqscan TO DEFAULT"
    );
    let rows = raw_sql(AssertSqlSafe(script)).fetch_all(connection).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}
