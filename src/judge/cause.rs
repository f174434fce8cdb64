//! The cause that like errors share: what differs from row to row is taken out.

/// The cause of a row that tells no error.
const NONE: &str = "no error message";

/// How long a cause is at most, in characters.
const MOST_CHARACTERS: usize = 200;

/// Returns an error message with its paths, ids and numbers replaced by what they are.
///
/// Only the first line with text counts: what follows is mostly a stack trace.
pub fn of(message: &str) -> String {
    let line = message
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or(NONE);
    let words: Vec<String> = line.split_whitespace().map(word).collect();
    words.join(" ").chars().take(MOST_CHARACTERS).collect()
}

/// Replaces a word's inside, and keeps the marks around it.
fn word(text: &str) -> String {
    let is_mark = |c: char| !c.is_alphanumeric() && !matches!(c, '/' | '~' | '\\' | '#');
    let inside = text.trim_matches(is_mark);
    let Some(start) = text.find(inside).filter(|_| !inside.is_empty()) else {
        return text.to_owned();
    };
    let (before, after) = (&text[..start], &text[start + inside.len()..]);
    let inside = if is_path(inside) {
        "<path>".to_owned()
    } else if is_id(inside) {
        "<id>".to_owned()
    } else {
        numbers(inside)
    };
    format!("{before}{inside}{after}")
}

/// A path begins at a root, or has more than one separator; `and/or` is no path.
fn is_path(word: &str) -> bool {
    let separators = word.matches(['/', '\\']).count();
    let rooted = word.starts_with(['/', '~', '\\']) || word.contains("://") || word.contains(":\\");
    (rooted && separators > 0 && word.len() > 1) || separators > 1
}

/// An id is hexadecimal, long, and has a digit: a UUID, a hash, an address.
fn is_id(word: &str) -> bool {
    let word = word.strip_prefix("0x").unwrap_or(word);
    let hexadecimal = word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let letters = word.chars().any(|c| c.is_ascii_alphabetic());
    hexadecimal && letters && word.len() >= 8 && word.chars().any(|c| c.is_ascii_digit())
}

/// Replaces each run of digits, with its decimal point, by one mark.
fn numbers(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let number = &rest[start..];
        let end = number.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',');
        text += rest[..start].trim_end_matches('#');
        text.push('#');
        rest = &number[end.unwrap_or(number.len())..];
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn like_errors_share_a_cause() {
        for (message, cause) in [
            (
                "timeout after 30.5 s (request 8812)",
                "timeout after # s (request #)",
            ),
            (
                "Timeout: job #42, attempt 3/5",
                "Timeout: job #, attempt #/#",
            ),
            (
                "cannot open /data/in/2026/a b.pdf: No such file",
                "cannot open <path> b.pdf: No such file",
            ),
            ("s3://bucket/key missing", "<path> missing"),
            ("C:\\scans\\x.pdf is locked", "<path> is locked"),
            (
                "document 7d9f3c1e-0b1a-4c8e-9d55-0123456789ab gone",
                "document <id> gone",
            ),
            ("at 0x7ffdeadbeef1", "at <id>"),
            ("CUDA out of memory", "CUDA out of memory"),
            ("read and/or write failed", "read and/or write failed"),
            (
                "\n\n  ValueError: bad page 7\n  at line 3",
                "ValueError: bad page #",
            ),
            ("메모리 부족 12GB", "메모리 부족 #GB"),
            ("", NONE),
            ("  \n", NONE),
        ] {
            assert_eq!(of(message), cause, "{message}");
        }
    }

    proptest! {
        #[test]
        fn a_cause_is_short_and_its_own_cause(message in "\\PC{0,300}") {
            let cause = of(&message);
            prop_assert!(cause.chars().count() <= MOST_CHARACTERS);
        }

        #[test]
        fn a_number_does_not_matter(a in 0_u64..1_000_000_000, b in 0_u64..1_000_000_000) {
            let message = |n: u64| format!("row {n} of 10 timed out after {n}ms");
            prop_assert_eq!(of(&message(a)), of(&message(b)));
        }
    }
}
