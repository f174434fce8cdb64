//! The statements that a server was really sent, with their parameters, as its log tells them:
//! prepared by the protocol, by `PREPARE`, or not at all.

use std::collections::HashMap;

use anyhow::{Context, Result};

use crate::database::Database;

/// What is added to a URL so that the server logs what it is sent.
pub(crate) const LOGGED: &str = "?options=-c%20log_statement%3Dall";

/// A statement, its parameters as SQL expressions, and their types where they were declared.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Statement {
    pub text: String,
    pub parameters: Vec<String>,
    pub types: Vec<String>,
}

impl Statement {
    pub(crate) fn is_query(&self) -> bool {
        self.text.starts_with("SELECT") || self.text.starts_with("WITH")
    }
}

/// Statements that were sent together.
pub(crate) type Message = Vec<Statement>;

/// A place in the server's log.
pub(crate) struct Mark(i64);

impl Mark {
    pub(crate) async fn now(database: &mut Database) -> Result<Self> {
        let size = sqlx::query_scalar("SELECT (pg_stat_file('log')).size");
        Ok(Self(size.fetch_one(&mut database.connection).await?))
    }

    /// Returns what was logged since.
    pub(crate) async fn messages(&self, database: &mut Database) -> Result<Vec<Message>> {
        let log = sqlx::query_scalar("SELECT pg_read_file('log', $1, 1 << 24)").bind(self.0);
        let log: String = log.fetch_one(&mut database.connection).await?;
        read(&log)
    }
}

/// Returns the messages of the last transaction.
pub(crate) fn last_transaction(messages: &[Message]) -> &[Message] {
    let begins = |message: &Message| message.iter().any(|one| one.text.starts_with("BEGIN"));
    let last = messages.iter().rposition(begins);
    messages.split_at(last.unwrap_or_default()).1
}

/// Reads a log. A line that begins with a tab continues the one before it.
fn read(log: &str) -> Result<Vec<Message>> {
    let mut messages: Vec<Message> = Vec::new();
    let mut prepared = HashMap::new();
    for entry in log.replace("\n\t", "\r").lines() {
        let entry = entry.replace('\r', "\n");
        if let Some((_, text)) = entry.split_once("LOG:  statement: ") {
            messages.push(message(text, &mut prepared)?);
        } else if let Some((_, execute)) = entry.split_once("LOG:  execute ") {
            let (_, text) = execute.split_once(": ").context("an unnamed execute")?;
            messages.push(message(text, &mut prepared)?);
        } else if let Some((_, detail)) = entry.split_once("DETAIL:  ")
            && let Some((_, list)) = detail.split_once("arameters: $1 = ")
            && let Some([statement]) = messages.last_mut().map(Vec::as_mut_slice)
        {
            let value = |part: &str| Some(part.split_once(" = ")?.1.to_owned());
            let list = format!("$1 = {list}");
            statement.parameters = split(&list, ',').into_iter().filter_map(value).collect();
        }
    }
    Ok(messages)
}

/// Reads statements sent together; what is executed by a name stands for what was prepared by it.
fn message(text: &str, prepared: &mut HashMap<String, Statement>) -> Result<Message> {
    let mut message = Message::new();
    for text in split(text, ';') {
        // What a block prepares where it is not known.
        if let Some((_, block)) = text.split_once("$prepare$PREPARE ")
            && let Some((prepare, _)) = block.split_once("$prepare$")
        {
            let (name, text) = prepare.split_once(" AS ").context("a PREPARE without AS")?;
            let statement = Statement {
                text: text.trim().to_owned(),
                ..Statement::default()
            };
            prepared.insert(name.to_owned(), statement);
        }
        if let Some(prepare) = text.strip_prefix("PREPARE ") {
            let (head, text) = prepare.split_once(" AS ").context("a PREPARE without AS")?;
            let (name, types) = call(head);
            let statement = Statement {
                text: text.trim().to_owned(),
                types,
                ..Statement::default()
            };
            prepared.insert(name, statement);
        } else if let Some(execute) = text.strip_prefix("EXECUTE ") {
            let (name, parameters) = call(execute);
            let statement = prepared.get(&name);
            let statement = statement.with_context(|| format!("{name} was not prepared"))?;
            message.push(Statement {
                parameters,
                ..statement.clone()
            });
        } else {
            message.push(Statement {
                text: text.to_owned(),
                ..Statement::default()
            });
        }
    }
    Ok(message)
}

/// Reads `name(a, b)` or `name`.
fn call(text: &str) -> (String, Vec<String>) {
    let (name, list) = text.split_once('(').unwrap_or((text, ""));
    let list = list.trim_end().strip_suffix(')').unwrap_or_default();
    let list = split(list, ',').into_iter().map(str::to_owned).collect();
    (name.trim().to_owned(), list)
}

/// Splits where the separator stands outside of quotes and brackets; leaves out empty parts.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut depth, mut dollars) = (false, 0, None);
    let (mut parts, mut start) = (Vec::new(), 0);
    for (place, character) in text.char_indices() {
        let rest = &text[place..];
        match (character, dollars) {
            // What stands between two of the same, such as `$do$`, is quoted.
            ('$', None) if !quoted => dollars = tag(rest).map(|tag| (tag, place)),
            ('$', Some((tag, opened))) if place > opened && rest.starts_with(tag) => {
                dollars = None;
            }
            (_, Some(_)) => {}
            ('\'', None) => quoted = !quoted,
            ('(' | '[', None) if !quoted => depth += 1,
            (')' | ']', None) if !quoted => depth -= 1,
            (_, None) if character == separator && !quoted && depth == 0 => {
                parts.push(&text[start..place]);
                start = place + character.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    let parts = parts.into_iter();
    let parts = parts.map(str::trim);
    parts.filter(|part| !part.is_empty()).collect()
}

/// Returns the quote that a text begins with, such as `$do$`; a parameter such as `$1` is none.
fn tag(text: &str) -> Option<&str> {
    let name = text[1..].split('$').next()?;
    let is_name = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_lowercase());
    let end = name.len() + 2;
    (is_name && text[end - 1..].starts_with('$')).then(|| &text[..end])
}
