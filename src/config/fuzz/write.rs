//! Writes a file in one of the many ways of YAML.

use std::cell::Cell;
use std::fmt::Write;

use proptest::prelude::*;

use super::model::Model;

/// The choices of a writer, taken in turn; without any it writes the plainest file.
pub(super) fn style() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..60)
}

/// Returns the text of a file.
pub(super) fn write(model: &Model, style: &[u8]) -> String {
    let writer = Writer {
        style,
        next: Cell::new(0),
    };
    let mut text = writer.node(&tree(model), 0);
    if writer.chooses(4) == 3 {
        text = format!("# Whose work is what\n---{text}\n...\n");
    }
    if writer.chooses(6) == 5 {
        text = text.replace('\n', "\r\n");
    }
    text
}

enum Node {
    Text(String),
    Bool(bool),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

fn text(text: &str) -> Node {
    Node::Text(text.to_owned())
}

fn list<'a>(items: impl IntoIterator<Item = &'a String>) -> Node {
    Node::List(items.into_iter().map(|item| text(item)).collect())
}

fn map(fields: impl IntoIterator<Item = (&'static str, Option<Node>)>) -> Node {
    let given = |(key, value): (&str, Option<Node>)| Some((key.to_owned(), value?));
    Node::Map(fields.into_iter().filter_map(given).collect())
}

fn tree(model: &Model) -> Node {
    let machines = |machines: &Vec<super::model::Machine>| {
        let fields = machines.iter().map(|machine| {
            map([
                ("key", Some(text(&machine.key))),
                ("label", machine.label.as_deref().map(text)),
                ("enabled", (!machine.enabled).then_some(Node::Bool(false))),
                ("fallback", machine.fallback.as_deref().map(text)),
                ("stages", Some(list(&machine.stages))),
            ])
        });
        Node::List(fields.collect())
    };
    let pools = |pools: &Vec<(String, Vec<(String, String)>)>| {
        let member = |(model, machine): &(String, String)| {
            map([
                ("model", Some(text(model))),
                ("machine", Some(text(machine))),
            ])
        };
        let pool = |(stage, members): &(String, Vec<_>)| {
            let members = members.iter().map(member).collect();
            map([
                ("stage", Some(text(stage))),
                ("members", Some(Node::List(members))),
            ])
        };
        Node::List(pools.iter().map(pool).collect())
    };
    let deferrals = |deferrals: &Vec<(String, Vec<String>)>| {
        let deferral = |(machine, stages): &(String, Vec<String>)| {
            map([
                ("machine", Some(text(machine))),
                ("stages", Some(list(stages))),
            ])
        };
        Node::List(deferrals.iter().map(deferral).collect())
    };
    let jobs = |(default, kinds): &(String, std::collections::BTreeMap<String, String>)| {
        let kinds = kinds
            .iter()
            .map(|(kind, machine)| (kind.clone(), text(machine)));
        map([
            ("default", Some(text(default))),
            ("kinds", Some(Node::Map(kinds.collect()))),
        ])
    };
    let statuses = |words: &[Option<Vec<String>>; 4]| {
        let names = ["pending", "processing", "completed", "failed"];
        let words = words.iter().map(|words| words.as_ref().map(list));
        map(names.into_iter().zip(words))
    };
    let queue = |zone: &Option<String>| map([("naive_timestamps", zone.as_deref().map(text))]);
    let words = |(item, untitled): &(String, String)| {
        map([
            ("item", Some(text(item))),
            ("untitled", Some(text(untitled))),
        ])
    };
    let deadlines = |deadlines: &Vec<(String, String)>| {
        let deadline = |(stage, by): &(String, String)| {
            map([("stage", Some(text(stage))), ("by", Some(text(by)))])
        };
        Node::List(deadlines.iter().map(deadline).collect())
    };
    map([
        ("preset", model.preset.as_deref().map(text)),
        ("timezone", model.timezone.as_deref().map(text)),
        ("machines", model.machines.as_ref().map(machines)),
        ("pools", model.pools.as_ref().map(pools)),
        ("deferrals", model.deferrals.as_ref().map(deferrals)),
        ("background_jobs", model.jobs.as_ref().map(jobs)),
        ("trend", model.trend.as_ref().map(list)),
        ("statuses", model.statuses.as_ref().map(statuses)),
        ("queue", model.queue.as_ref().map(queue)),
        ("deadlines", model.deadlines.as_ref().map(deadlines)),
        ("words", model.words.as_ref().map(words)),
    ])
}

struct Writer<'a> {
    style: &'a [u8],
    next: Cell<usize>,
}

impl Writer<'_> {
    /// The next choice of so many; the first when there are none left.
    fn chooses(&self, count: u8) -> u8 {
        let next = self.next.replace(self.next.get() + 1);
        // The choices are taken again from the start, to vary the whole file.
        let choice = self.style.get(next % self.style.len().max(1));
        choice.map_or(0, |choice| choice % count)
    }

    /// Writes what stands after a key or a dash: on its line, or on lines of its own.
    fn node(&self, node: &Node, depth: usize) -> String {
        let indent = format!("\n{}", "  ".repeat(depth));
        match node {
            Node::Bool(value) => format!(" {value}"),
            Node::Text(text) => format!(" {}", self.scalar(text)),
            Node::List(items) if !items.is_empty() && self.chooses(2) == 1 => items
                .iter()
                .map(|item| {
                    format!(
                        "{indent}-{}{}",
                        self.comment(item),
                        self.node(item, depth + 1)
                    )
                })
                .collect(),
            Node::Map(fields) if !fields.is_empty() && self.chooses(2) == 1 => {
                let field = |(key, value): &(String, Node)| {
                    let key = self.key(key, &indent);
                    format!(
                        "{indent}{key}:{}{}",
                        self.comment(value),
                        self.node(value, depth + 1)
                    )
                };
                self.shuffled(fields).into_iter().map(field).collect()
            }
            flow => format!(" {}", self.flow(flow)),
        }
    }

    /// A remark, where the value stands on lines of its own for sure.
    fn comment(&self, node: &Node) -> &'static str {
        match node {
            Node::Text(_) if self.chooses(9) == 8 => " # said below\n            ",
            _ => "",
        }
    }

    fn flow(&self, node: &Node) -> String {
        let comma = [",", ", ", " ,\n              "][usize::from(self.chooses(3))];
        match node {
            Node::Bool(value) => value.to_string(),
            Node::Text(text) => self.scalar(text),
            Node::List(items) => {
                let items: Vec<String> = items.iter().map(|item| self.flow(item)).collect();
                format!("[{}]", items.join(comma))
            }
            Node::Map(fields) => {
                let field = |(key, value): &(String, Node)| {
                    format!(
                        "{}: {}",
                        self.key(key, "\n              "),
                        self.flow(value)
                    )
                };
                let fields: Vec<String> = self.shuffled(fields).into_iter().map(field).collect();
                format!("{{{}}}", fields.join(comma))
            }
        }
    }

    fn shuffled<'a>(&self, fields: &'a [(String, Node)]) -> Vec<&'a (String, Node)> {
        let mut fields: Vec<_> = fields.iter().collect();
        let first = usize::from(self.chooses(6)) % fields.len().max(1);
        fields.rotate_left(first);
        fields
    }

    /// A key; a long one must be marked as one, and then its colon stands on a line of its own.
    fn key(&self, key: &str, line: &str) -> String {
        let written = self.scalar(key);
        if written.chars().count() < 1000 {
            written
        } else {
            format!("? {written}{line}")
        }
    }

    fn scalar(&self, text: &str) -> String {
        let is_plain = text.starts_with(|c: char| c.is_alphanumeric())
            && text
                .chars()
                .all(|c| c.is_alphanumeric() || "_-./".contains(c))
            && !["null", "true", "false"].contains(&&*text.to_lowercase());
        let has_one_line =
            !text.contains(|c: char| c.is_control() || "\u{2028}\u{2029}\u{feff}".contains(c));
        let tag = ["", "", "", "!!str "][usize::from(self.chooses(4))];
        match self.chooses(3) {
            1 if is_plain => format!("{tag}{text}"),
            2 if has_one_line => format!("{tag}'{}'", text.replace('\'', "''")),
            _ => format!("{tag}{}", quoted(text)),
        }
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            ' '..='~' | '가'..='힣' => quoted.push(c),
            _ => write!(quoted, "\\U{:08X}", u32::from(c)).expect("a string takes all"),
        }
    }
    quoted + "\""
}
