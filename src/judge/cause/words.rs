//! A line with what differs from row to row replaced by what it is.

use super::codes::Codes;
use super::{CUT, amounts, ids, places, times};

/// What stands for a number or an id: some ids have digits only, and so look like numbers.
const NUMBER: &str = "#";

/// Everything that stands for something else, the number apart.
pub(super) const MARKS: [&str; 7] = [
    places::PATH,
    places::URL,
    places::ADDRESS,
    places::EMAIL,
    times::TIME,
    amounts::DURATION,
    amounts::SIZE,
];

/// How much of either end of a line is read, in bytes; a cause is shorter.
const MOST_OF_AN_END: usize = 600;

/// What ends a word besides a blank.
pub(super) const ENDS: &str = "\"'`()[]{}<>,;|=“”‘’「」";

/// Returns a line without what differs from row to row, and without the middle of a long one.
pub(super) fn plain(line: &str) -> String {
    let mut words = Words::default();
    if line.len() <= 2 * MOST_OF_AN_END {
        words.read(line);
    } else {
        words.read(&line[..line.floor_char_boundary(MOST_OF_AN_END)]);
        words.text += CUT;
        words.read(&line[line.ceil_char_boundary(line.len() - MOST_OF_AN_END)..]);
    }
    words.text.trim_end().to_owned()
}

/// What stands before and after a place in a text, without the mark that it is in.
pub(super) fn around(text: &str, place: usize) -> (&str, &str) {
    let around = MARKS.iter().find_map(|mark| {
        let from = text.floor_char_boundary(place.saturating_sub(mark.len() - 1));
        let start = from + text[from..].find(mark)?;
        (start < place).then_some((start, start + mark.len()))
    });
    let (before, after) = around.unwrap_or((place, place));
    (&text[..before], &text[after..])
}

/// What has been read of a line.
#[derive(Default)]
struct Words {
    text: String,
    codes: Codes,
}

impl Words {
    fn read(&mut self, line: &str) {
        let mut rest = line.trim();
        while !rest.is_empty() {
            rest = self.step(rest);
        }
    }

    /// Reads what the rest begins with, and returns what follows it.
    fn step<'a>(&mut self, rest: &'a str) -> &'a str {
        if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            return self.put(mark, rest, mark.len());
        }
        if self.is_at_start() {
            if let Some(length) = self.codes.kept(&self.text, rest) {
                self.text += &rest[..length];
                return &rest[length..];
            }
            if let Some(length) = places::quoted(rest) {
                return self.put_quoted(places::PATH, rest, length);
            }
            if self.text.ends_with("Duplicate entry ")
                && let Some(length) = places::in_quotes(rest)
            {
                return self.put_quoted(NUMBER, rest, length);
            }
            if let Some((mark, length)) = replaced(rest) {
                return self.put(mark, rest, length);
            }
        }
        let name = &rest[..name_length(rest)];
        match rest.chars().next() {
            Some(c) if c.is_ascii_digit() && !ids::is_name(name) => self.number(rest, name),
            Some(c) if c.is_alphanumeric() => {
                self.push(&ids::without(name));
                self.codes.word(name);
                &rest[name.len()..]
            }
            Some(c) if c.is_whitespace() => {
                self.mark(' ');
                rest.trim_start()
            }
            Some('#') => self.put(NUMBER, rest, 1),
            Some(c) => {
                self.mark(c);
                &rest[c.len_utf8()..]
            }
            None => "",
        }
    }

    /// Whether a word may begin here, rather than go on.
    fn is_at_start(&self) -> bool {
        let last = self.text.chars().next_back();
        let goes_on = last.is_some_and(|c| c.is_alphanumeric() || "#/\\.@~_".contains(c));
        !goes_on && !MARKS.iter().any(|mark| self.text.ends_with(mark))
    }

    fn number<'a>(&mut self, rest: &'a str, name: &str) -> &'a str {
        let digits = amounts::digits(rest);
        let of_version = |before: &str| {
            before.ends_with(|c: char| c.is_ascii_digit()) || before.ends_with(".so")
        };
        if digits <= 2 && self.text.strip_suffix('.').is_some_and(of_version) {
            self.text += &rest[..digits];
            return &rest[digits..];
        }
        if ids::is_id(name) {
            return self.put(NUMBER, rest, name.len());
        }
        let number = amounts::number(rest);
        let rest = self.put(NUMBER, rest, number);
        let ends = |c: char| !c.is_alphanumeric();
        let glued = &rest[..rest.find(ends).unwrap_or(rest.len())];
        if !amounts::is_ordinal(glued) {
            self.push(&amounts::without_digits(glued));
        }
        &rest[glued.len()..]
    }

    fn push(&mut self, text: &str) {
        match text.strip_prefix(NUMBER) {
            Some(after) => {
                self.put(NUMBER, "", 0);
                self.text += after;
            }
            None => self.text += text,
        }
    }

    fn mark(&mut self, mark: char) {
        self.text.push(mark);
        self.codes.mark(mark);
    }

    /// Puts a mark where something of a length stood. Of a list of such things one mark is left.
    fn put<'a>(&mut self, mark: &str, rest: &'a str, length: usize) -> &'a str {
        let before = [", ", ",", " ", ""].into_iter().find_map(|between| {
            let before = self.text.strip_suffix(between)?;
            before.ends_with(mark).then_some(before.len())
        });
        match before {
            Some(before) => self.text.truncate(before),
            None => self.text += mark,
        }
        self.codes.word("");
        &rest[length..]
    }

    fn put_quoted<'a>(&mut self, mark: &str, rest: &'a str, length: usize) -> &'a str {
        let quotes = rest.chars().next().map_or(0, char::len_utf8);
        let (open, close) = (&rest[..quotes], &rest[quotes + length..]);
        self.text += open;
        let close = self.put(mark, close, 0);
        self.text += &close[..quotes];
        &close[quotes..]
    }
}

/// What the rest begins with, if that is to be replaced, and how long it is.
fn replaced(rest: &str) -> Option<(&'static str, usize)> {
    times::length(rest)
        .map(|length| (times::TIME, length))
        .or_else(|| ids::length(rest).map(|length| (NUMBER, length)))
        .or_else(|| places::place(rest))
        .or_else(|| amounts::measured(rest))
        .or_else(|| amounts::signed(rest).map(|length| (NUMBER, length)))
}

/// How long the letters, digits, `-` and `_` are that the rest begins with.
fn name_length(rest: &str) -> usize {
    let ends = |c: char| !c.is_alphanumeric() && c != '-' && c != '_';
    let name = &rest[..rest.find(ends).unwrap_or(rest.len())];
    name.trim_end_matches(['-', '_']).len()
}
