//! The rows and pages that statements read, as the server's own account of them says.

use std::ops::AddAssign;

use anyhow::Result;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::database::{Database, run};
use crate::statements::Statement;

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
pub(crate) async fn work(database: &mut Database, statements: &[Statement]) -> Result<Work> {
    let mut work = Work::default();
    for statement in statements.iter().filter(|statement| statement.is_query()) {
        let connection = &mut database.connection;
        run(connection, &format!("PREPARE asked AS {}", statement.text)).await?;
        let parameters = match &statement.parameters[..] {
            [] => String::new(),
            parameters => format!("({})", parameters.join(", ")),
        };
        let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE asked{parameters}");
        let explain = sqlx::raw_sql(AssertSqlSafe(explain));
        let row = connection.fetch_one(explain).await?;
        let plan: Value = serde_json::from_str(row.try_get_unchecked(0)?)?;
        run(connection, "DEALLOCATE asked").await?;
        let root = &plan[0]["Plan"];
        let pages = number(root, "Shared Hit Blocks") + number(root, "Shared Read Blocks");
        work += Work {
            rows: rows(root),
            pages,
        };
    }
    Ok(work)
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
