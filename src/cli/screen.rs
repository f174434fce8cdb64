//! What standard output is, and what it obeys.

use std::io::IsTerminal;

use crate::render::terminal::Ink;

/// What a board is printed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Screen {
    /// A file, a pipe, or a terminal that obeys nothing.
    Paper,
    /// A terminal that obeys control codes.
    Terminal,
}

impl Screen {
    /// Looks at standard output.
    pub(super) fn here() -> Self {
        let obeys = std::io::stdout().is_terminal() && variable("TERM") != "dumb";
        if obeys { Self::Terminal } else { Self::Paper }
    }

    /// Returns whether it is to have colours.
    pub(super) fn ink(self) -> Ink {
        match self {
            Self::Terminal if variable("NO_COLOR").is_empty() => Ink::Coloured,
            _ => Ink::Plain,
        }
    }

    /// Returns what shows a page after another one.
    pub(super) fn page(self, page: &str) -> String {
        match self {
            // From the upper left corner on, with nothing below it.
            Self::Terminal => format!("\x1b[H\x1b[J{page}"),
            Self::Paper => format!("{page}\n"),
        }
    }

    /// Returns what leaves the screen to others.
    pub(super) fn end(self) -> &'static str {
        match self {
            // Of Ctrl-C a terminal shows the sign, and the line goes on.
            Self::Terminal => "\n",
            Self::Paper => "",
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line reads the environment"
)]
fn variable(name: &str) -> String {
    let value = std::env::var_os(name).unwrap_or_default();
    value.to_string_lossy().into_owned()
}
