//! Text as a terminal shows it: how wide it is, and how it is made to fit.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many columns a text takes at the most: not every terminal joins what belongs together.
pub(super) fn columns(text: &str) -> usize {
    let apart: usize = text.chars().filter_map(UnicodeWidthChar::width).sum();
    apart.max(text.width())
}

/// Cuts a text that is wider than so many columns, and shows that it was cut.
pub(super) fn fit(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if columns(&kept) >= most {
            kept.pop();
            break;
        }
    }
    if most > 0 {
        kept.push('…');
    }
    kept
}

/// Breaks a sentence into lines of at most so many columns, the later ones indented.
pub(super) fn wrap(text: &str, most: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        let is_begun = !line.trim_start().is_empty();
        if is_begun && columns(&line) + 1 + columns(word) > most {
            lines.push(std::mem::replace(&mut line, "  ".to_owned()));
        } else if is_begun {
            line.push(' ');
        }
        line += &fit(word, most.saturating_sub(columns(&line)));
    }
    lines.push(line);
    lines
}

/// Returns a text without what a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    let is_obeyed = |c: char| c.is_control() || is_of_direction(c);
    text.chars()
        .map(|c| if is_obeyed(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Whether a character ends the line, or turns the text around that follows it.
fn is_of_direction(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_character_takes_two_columns() {
        for (text, most, fitted) in [
            ("맥미니", 6, "맥미니"),
            ("맥미니", 5, "맥미…"),
            ("맥미니", 4, "맥…"),
            ("macmini", 7, "macmini"),
            ("macmini", 6, "macmi…"),
            ("macmini", 1, "…"),
            ("macmini", 0, ""),
        ] {
            assert_eq!(fit(text, most), fitted, "{text} in {most}");
        }
    }

    #[test]
    fn whatever_is_fitted_fits() {
        for text in [
            "👩‍👩‍👧‍👦 family",
            "e\u{301}e\u{301}e\u{301}",
            "❤\u{fe0f}❤\u{fe0f}",
            "\u{200b}\u{200b}한글",
        ] {
            for most in 0..12 {
                assert!(columns(&fit(text, most)) <= most, "{text} in {most}");
            }
        }
    }

    #[test]
    fn a_sentence_is_broken_between_words() {
        assert_eq!(wrap("한글 is two wide", 80), ["한글 is two wide"]);
        assert_eq!(wrap("한글 is two wide", 9), ["한글 is", "  two", "  wide"]);
        assert_eq!(
            wrap("a tremendously long one", 8),
            ["a", "  treme…", "  long", "  one"]
        );
        assert_eq!(wrap("", 8), [""]);
    }

    #[test]
    fn a_terminal_is_given_nothing_to_obey() {
        assert_eq!(
            plain("a\x1b[2J\n\u{202e}b"),
            "a\u{fffd}[2J\u{fffd}\u{fffd}b"
        );
    }
}
