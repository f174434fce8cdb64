//! The rows and pages that statements read, as the server's own account of them says.

use std::ops::AddAssign;

use anyhow::{Result, ensure};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::database::{Database, run};
use crate::statements::{Message, Statement};

/// Rows and pages of 8 KiB read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Work {
    pub rows: f64,
    pub pages: f64,
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.pages += other.pages;
    }
}

/// Runs the queries among the statements once more, and adds up what they read.
pub(crate) async fn work(database: &mut Database, messages: &[Message]) -> Result<Work> {
    let mut work = Work::default();
    for statement in messages.iter().flatten().filter(|one| one.is_query()) {
        work += of(database, statement).await?;
    }
    ensure!(work.rows > 0.0, "no statement of the log has read a row");
    Ok(work)
}

async fn of(database: &mut Database, statement: &Statement) -> Result<Work> {
    let connection = &mut database.connection;
    let (types, parameters) = (list(&statement.types), list(&statement.parameters));
    let prepare = format!("PREPARE asked{types} AS {}", statement.text);
    run(connection, &prepare).await?;
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE asked{parameters}");
    let explain = sqlx::raw_sql(AssertSqlSafe(explain));
    let row = connection.fetch_one(explain).await?;
    run(connection, "DEALLOCATE asked").await?;
    let plan: Value = serde_json::from_str(row.try_get_unchecked(0)?)?;
    let root = &plan[0]["Plan"];
    Ok(Work {
        rows: rows(root),
        pages: number(root, "Shared Hit Blocks") + number(root, "Shared Read Blocks"),
    })
}

fn list(of: &[String]) -> String {
    match of {
        [] => String::new(),
        of => format!("({})", of.join(", ")),
    }
}

/// Adds up the rows of every node that reads a table, those included that a filter removed.
fn rows(node: &Value) -> f64 {
    let inner = node["Plans"].as_array().into_iter().flatten();
    let inner: f64 = inner.map(rows).sum();
    if node["Relation Name"].is_null() {
        return inner;
    }
    let read = number(node, "Actual Rows")
        + number(node, "Rows Removed by Filter")
        + number(node, "Rows Removed by Index Recheck");
    inner + read * number(node, "Actual Loops")
}

fn number(node: &Value, name: &str) -> f64 {
    node[name].as_f64().unwrap_or_default()
}
