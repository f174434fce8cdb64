//! Which failed rows are meant, by what they have in common. Pure.

use chrono::{DateTime, Utc};

use crate::config::Pipeline;
use crate::config::pipeline::UNASSIGNED;
use crate::snapshot::FailedQuestion;

/// The names of what rows can have in common, as requests have them.
pub const NAMES: [&str; 5] = ["stage", "machine", "cause", "text", "failed_before"];

/// How long a text that is sought may be, in characters.
const MAX_TEXT: usize = 1000;

/// What failed rows have in common; nothing means all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only rows of this stage.
    pub stage: Option<String>,
    /// Only rows of this machine's stages.
    pub machine: Option<String>,
    /// Only rows that failed for this cause.
    pub cause: Option<String>,
    /// Only rows that have this in their error or their document's names, or as an id.
    pub text: Option<String>,
    /// Only rows that are known to have failed before this instant.
    pub failed_before: Option<DateTime<Utc>>,
}

impl Filter {
    /// Sets what a name of [`NAMES`] stands for; returns whether it is one of them.
    ///
    /// # Errors
    ///
    /// A sentence that names the field.
    pub fn set(&mut self, name: &str, value: &str, pipeline: &Pipeline) -> Result<bool, String> {
        let refusal = |what: &str| format!("{name}: {value:?} is no {what}");
        match name {
            "stage" => self.stage = Some(text(value).ok_or_else(|| refusal("stage"))?),
            "machine" => {
                let known = pipeline.machines.iter().any(|machine| machine.key == value);
                let machine = (known || value == UNASSIGNED).then(|| value.to_owned());
                self.machine = Some(machine.ok_or_else(|| refusal("machine"))?);
            }
            "cause" => self.cause = Some(text(value).ok_or_else(|| refusal("cause"))?),
            "text" => {
                let sought = text(value).ok_or_else(|| refusal("text of at most 1000 characters"));
                self.text = Some(sought?);
            }
            "failed_before" => {
                let instant = instant(value).ok_or_else(|| refusal("time of RFC 3339"))?;
                self.failed_before = Some(instant);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Sets what a name stands for as well as it can be done: an old link may name a machine that
    /// is gone, and has no rows then.
    pub fn set_anyhow(&mut self, name: &str, value: &str) {
        // No database has a NUL in a name.
        let text = value.replace('\0', "\u{fffd}");
        let text = Some(text.chars().take(MAX_TEXT).collect());
        match name {
            "stage" => self.stage = text,
            "machine" => self.machine = text,
            "cause" => self.cause = text,
            "text" => self.text = text,
            "failed_before" => self.failed_before = instant(value),
            _ => {}
        }
    }

    /// Returns what is set, by the names that requests have for it.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, String)> {
        let failed_before = self.failed_before.map(|instant| instant.to_rfc3339());
        let texts = [&self.stage, &self.machine, &self.cause, &self.text];
        let values = texts.map(Clone::clone).into_iter().chain([failed_before]);
        let pairs = NAMES.into_iter().zip(values);
        pairs.filter_map(|(name, value)| Some((name, value?)))
    }

    /// Returns the question that finds the rows, but for their cause.
    pub fn question(&self, pipeline: &Pipeline) -> FailedQuestion {
        let configured = pipeline.stages.iter();
        let mut question = FailedQuestion {
            only: self.stage.clone().map(|stage| vec![stage]),
            text: self.text.clone(),
            failed_before: self
                .failed_before
                .map(|instant| instant.timestamp_micros() as f64 / 1e6),
            ..FailedQuestion::default()
        };
        match self.machine.as_deref() {
            None => {}
            Some(machine) if machine == pipeline.rest() => {
                let others = configured.filter(|stage| stage.machine != machine);
                question.except = others.map(|stage| stage.name.clone()).collect();
            }
            Some(machine) => {
                let own = configured.filter(|stage| stage.machine == machine);
                let asked = |name: &&String| self.stage.as_ref().is_none_or(|stage| stage == *name);
                let own = own.map(|stage| &stage.name).filter(asked);
                question.only = Some(own.cloned().collect());
            }
        }
        question
    }
}

/// PostgreSQL has no text with a NUL in it.
fn text(value: &str) -> Option<String> {
    let is_text = !value.contains('\0') && value.chars().nth(MAX_TEXT).is_none();
    is_text.then(|| value.to_owned())
}

fn instant(value: &str) -> Option<DateTime<Utc>> {
    let instant = DateTime::parse_from_rfc3339(value).ok()?;
    Some(instant.to_utc())
}
