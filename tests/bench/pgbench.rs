//! The statements of a scrape, run by pgbench: what the database costs without an exporter.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::numbers::Spread;
use crate::statements::Statement;

/// A script with its parameters.
pub(crate) struct Script {
    folder: TempDir,
    variables: Vec<String>,
    database_url: String,
}

impl Script {
    /// Writes what one scrape sent. Statements that were sent together are sent together here.
    pub(crate) fn new(database_url: &str, statements: &[Statement]) -> Result<Self> {
        let folder = TempDir::new()?;
        let (mut text, mut variables) = (String::new(), Vec::new());
        for (number, statement) in statements.iter().enumerate() {
            let mut sql = statement.text.clone();
            // From the last, so that $1 is not taken for the beginning of $10.
            for (place, literal) in statement.parameters.iter().enumerate().rev() {
                let (mark, name) = (format!("${}", place + 1), format!("p{number}_{place}"));
                let is_text = literal.starts_with('\'');
                let by = if is_text {
                    format!(":{name}")
                } else {
                    literal.clone()
                };
                sql = sql.replace(&mark, &by);
                variables.extend(is_text.then(|| format!("{name}={}", unquoted(literal))));
            }
            let parts: Vec<&str> = sql
                .split(';')
                .filter(|part| !part.trim().is_empty())
                .collect();
            match parts[..] {
                [one] => writeln!(text, "{one};")?,
                _ => writeln!(
                    text,
                    "\\startpipeline\n{};\n\\endpipeline",
                    parts.join(";\n")
                )?,
            }
        }
        std::fs::write(folder.path().join("script"), text)?;
        let database_url = database_url.to_owned();
        Ok(Self {
            folder,
            variables,
            database_url,
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

fn unquoted(literal: &str) -> String {
    literal.trim_matches('\'').replace("''", "'")
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
