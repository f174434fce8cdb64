//! Names that come from the database, bounded so that no label set can grow without end.

use std::collections::BTreeSet;

/// How many distinct names are kept.
pub const MOST_NAMES: usize = 100;

pub use crate::snapshot::OTHER;

const MOST_CHARACTERS: usize = 256;

/// Cuts a label value at 256 characters.
pub fn cut(value: &str) -> &str {
    // No character is shorter than a byte, so most values need no counting.
    if value.len() <= MOST_CHARACTERS {
        return value;
    }
    let end = value.char_indices().nth(MOST_CHARACTERS);
    end.map_or(value, |(end, _)| &value[..end])
}

/// Returns a text with dots in place of what goes beyond so many characters.
pub(super) fn shown(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The names that are kept apart: the configured ones first, then the others by name.
#[derive(Debug)]
pub struct Names {
    known: usize,
    kept: Vec<String>,
    folds: bool,
}

impl Names {
    /// Bounds the names `seen` by [`MOST_NAMES`]; the `configured` ones are kept before others.
    pub fn new<'a>(
        configured: impl IntoIterator<Item = &'a str>,
        seen: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut kept: Vec<String> = configured.into_iter().map(str::to_owned).collect();
        let known = kept.len();
        let seen: BTreeSet<&str> = seen.into_iter().map(cut).collect();
        let unknown = seen
            .into_iter()
            .filter(|name| !kept[..known].iter().any(|k| k == name));
        let mut unknown: Vec<String> = unknown.map(str::to_owned).collect();
        let room = MOST_NAMES.saturating_sub(known);
        let folds = unknown.len() > room;
        if folds {
            unknown.truncate(room);
            // A name that is really `_other` joins those folded under it.
            unknown.retain(|name| name != OTHER);
        }
        kept.extend(unknown);
        Self { known, kept, folds }
    }

    /// Returns the name under which a row is counted.
    pub fn fold<'a>(&self, name: &'a str) -> &'a str {
        let name = cut(name);
        let kept = !self.folds || self.kept.iter().any(|kept| kept == name);
        if kept { name } else { OTHER }
    }

    /// Returns the kept names that are not configured, then [`OTHER`] if any name is folded.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        let kept = self.kept[self.known..].iter().map(String::as_str);
        kept.chain(self.folds.then_some(OTHER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_at_a_character() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"한".repeat(300)), "한".repeat(256));
        assert_eq!(cut(&"한".repeat(256)), "한".repeat(256));
    }

    #[test]
    fn names_beyond_the_bound_are_folded() {
        let seen: Vec<String> = (0..150).map(|n| format!("s{n:03}")).collect();
        let names = Names::new(["zz", "s149"], seen.iter().map(String::as_str));
        assert_eq!(names.unknown().count(), 99);
        assert_eq!(names.fold("zz"), "zz");
        assert_eq!(names.fold("s149"), "s149");
        assert_eq!(names.fold("s097"), "s097");
        assert_eq!(names.fold("s098"), OTHER);
    }
}
