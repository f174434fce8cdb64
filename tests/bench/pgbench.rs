//! The statements of a scrape, run by pgbench: what the database costs without an exporter.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use crate::database::Database;
use crate::numbers::Spread;
use crate::statements::{Message, Statement};

/// A script with its parameters.
pub(crate) struct Script {
    folder: TempDir,
    variables: Vec<String>,
    database_url: String,
}

impl Script {
    /// Writes what one scrape sent. Statements that were sent together are sent together here.
    pub(crate) async fn new(database: &mut Database, messages: &[Message]) -> Result<Self> {
        let (mut text, mut variables) = (String::new(), Vec::new());
        for message in messages {
            let mut together = Vec::new();
            for statement in message {
                together.push(with_variables(database, statement, &mut variables).await?);
            }
            match &together[..] {
                [one] => writeln!(text, "{one};")?,
                _ => writeln!(
                    text,
                    "\\startpipeline\n{};\n\\endpipeline",
                    together.join(";\n")
                )?,
            }
        }
        let folder = TempDir::new()?;
        std::fs::write(folder.path().join("script"), text)?;
        Ok(Self {
            folder,
            variables,
            database_url: database.url(),
        })
    }

    /// Runs it some times on one connection; returns the median in milliseconds.
    pub(crate) fn run(&self, times: usize) -> Result<f64> {
        let folder = self.folder.path();
        let mut command = Command::new("pgbench");
        command
            .current_dir(folder)
            .args(["-n", "-M", "prepared", "-f", "script"]);
        command.args(["-l", "--log-prefix=times", "-t", &times.to_string()]);
        for variable in &self.variables {
            command.args(["-D", variable]);
        }
        let output = command
            .arg(&self.database_url)
            .output()
            .context("running pgbench")?;
        ensure!(
            output.status.success(),
            "pgbench: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        times_logged(folder)
    }
}

/// Puts variables in the place of parameters; pgbench makes parameters of them again.
async fn with_variables(
    database: &mut Database,
    statement: &Statement,
    variables: &mut Vec<String>,
) -> Result<String> {
    let mut sql = statement.text.clone();
    // From the last, so that $1 is not taken for the beginning of $10.
    for (place, parameter) in statement.parameters.iter().enumerate().rev() {
        let query = AssertSqlSafe(format!("SELECT ({parameter})::text"));
        let query = sqlx::query_scalar(query);
        let value: Option<String> = query.fetch_one(&mut database.connection).await?;
        let mut by = "NULL".to_owned();
        if let Some(value) = value {
            let name = format!("p{}", variables.len());
            by = format!(":{name}");
            variables.push(format!("{name}={value}"));
        }
        if let Some(kind) = statement.types.get(place) {
            by += &format!("::{kind}");
        }
        sql = sql.replace(&format!("${}", place + 1), &by);
    }
    Ok(sql)
}

/// Reads and removes the log, of which the third column is a transaction's time in microseconds.
fn times_logged(folder: &Path) -> Result<f64> {
    let mut times = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some() {
            let log = std::fs::read_to_string(&path)?;
            let columns = log.lines().filter_map(|line| line.split(' ').nth(2));
            times.extend(columns.filter_map(|time| time.parse::<f64>().ok()));
            std::fs::remove_file(path)?;
        }
    }
    ensure!(!times.is_empty(), "pgbench has logged no times");
    Ok(Spread::of(times).median / 1e3)
}
