//! Colours, for a screen that has them.

/// Whether there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Text and nothing else.
    Plain,
    /// With the colour codes that terminals obey.
    Coloured,
}

/// What a colour says of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Normal,
    Quiet,
    Good,
    Waiting,
    Bad,
}

impl Ink {
    /// Colours a text.
    pub(super) fn paint(self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Normal => "",
            Tone::Quiet => "2",
            Tone::Good => "32",
            Tone::Waiting => "33",
            Tone::Bad => "1;31",
        };
        if self == Self::Plain || code.is_empty() || text.is_empty() {
            return text.to_owned();
        }
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
