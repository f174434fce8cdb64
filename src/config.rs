//! Configuration: raw YAML becomes a validated [`Pipeline`], or is refused.
//!
//! Only here, and in [`crate::cli`], are files and the environment read. [`mod@file`] knows how
//! the YAML is written, [`validate`] refuses what contradicts itself, [`pipeline`] is what is left:
//! values that the rest of the exporter can trust. [`web`] is the file that says how the listeners
//! are reached.

pub mod file;
pub mod pipeline;
pub mod secret;
pub mod validate;
pub mod web;

use std::path::Path;

use anyhow::Context;

pub use pipeline::Pipeline;

/// Reads the configuration file, or the built-in default when there is none.
///
/// # Errors
///
/// One line with the file, the place and the reason, when the file cannot be read, is not the
/// YAML expected, or contradicts itself.
pub fn load(path: Option<&Path>) -> anyhow::Result<Pipeline> {
    let Some(path) = path else {
        return Ok(built_in()?);
    };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("reading the configuration file {}", path.display()))?;
    let parsed = parse(&text);
    parsed.map_err(|refusal| anyhow::anyhow!("{}:{refusal}", path.display()))
}

/// Parses and validates the text of a configuration file.
///
/// # Errors
///
/// The first [`validate::Refusal`] met.
pub fn parse(text: &str) -> Result<Pipeline, validate::Refusal> {
    let file: file::File = file::parse(text)?;
    let default = file.default()?;
    validate::validate(file, default)
}

fn built_in() -> Result<Pipeline, validate::Refusal> {
    parse("{}")
}

#[cfg(test)]
mod fuzz;
