//! The statements that a server was really sent, with their parameters, as its log tells them.

use anyhow::Result;

use crate::database::Database;

/// What is added to a URL so that the server logs what it is sent.
pub(crate) const LOGGED: &str = "?options=-c%20log_statement%3Dall";

/// A statement, and its parameters as SQL literals.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Statement {
    pub text: String,
    pub parameters: Vec<String>,
}

impl Statement {
    pub(crate) fn is_query(&self) -> bool {
        let text = self.text.trim_start();
        text.starts_with("SELECT") || text.starts_with("WITH")
    }
}

/// A place in the server's log.
pub(crate) struct Mark(i64);

impl Mark {
    pub(crate) async fn now(database: &mut Database) -> Result<Self> {
        let size = sqlx::query_scalar("SELECT (pg_stat_file('log')).size");
        Ok(Self(size.fetch_one(&mut database.connection).await?))
    }

    /// Returns the statements logged since.
    pub(crate) async fn statements(&self, database: &mut Database) -> Result<Vec<Statement>> {
        let log = sqlx::query_scalar("SELECT pg_read_file('log', $1, 1 << 24)").bind(self.0);
        let log: String = log.fetch_one(&mut database.connection).await?;
        Ok(parse(&log))
    }
}

/// Reads a log. A line that begins with a tab continues the one before it.
fn parse(log: &str) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    for entry in log.replace("\n\t", "\r").lines() {
        let entry = entry.replace('\r', "\n");
        if let Some((_, text)) = entry.split_once("LOG:  statement: ") {
            statements.push(Statement {
                text: text.to_owned(),
                parameters: Vec::new(),
            });
        } else if let Some((_, execute)) = entry.split_once("LOG:  execute ") {
            let text = execute.split_once(": ").map_or(execute, |(_, text)| text);
            statements.push(Statement {
                text: text.to_owned(),
                parameters: Vec::new(),
            });
        } else if let Some((_, parameters)) = entry.split_once("DETAIL:  ")
            && let Some((_, parameters)) = parameters.split_once("arameters: ")
            && let Some(statement) = statements.last_mut()
        {
            statement.parameters = literals(parameters);
        }
    }
    statements
}

/// Splits `$1 = 'a', $2 = 'b, c', $3 = NULL`; a quote within a literal stands there twice.
fn literals(parameters: &str) -> Vec<String> {
    let mut literals = vec![String::new()];
    let mut quoted = false;
    for character in parameters.chars() {
        quoted ^= character == '\'';
        match literals.last_mut() {
            Some(literal) if quoted || character != ',' => literal.push(character),
            _ => literals.push(String::new()),
        }
    }
    let value = |literal: &String| Some(literal.split_once(" = ")?.1.to_owned());
    literals.iter().filter_map(value).collect()
}
