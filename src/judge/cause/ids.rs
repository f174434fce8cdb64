//! Ids, and names that have digits.

use super::codes::is_sqlstate;

/// What is counted, so that a number joined to it is one of many: `page7`, `worker-3`.
const COUNTED: [&str; 52] = [
    "attempt", "batch", "block", "call", "case", "chunk", "cpu", "device", "doc", "document",
    "entry", "file", "frame", "gpu", "host", "id", "image", "img", "index", "inv", "invoice",
    "item", "job", "key", "line", "msg", "node", "obj", "object", "offset", "order", "org", "page",
    "part", "pid", "pod", "pool", "process", "rank", "record", "req", "request", "row", "run",
    "scan", "shard", "step", "task", "thread", "tid", "user", "worker",
];

/// Ends of the names of exceptions, which no id has.
const NAMES: [&str; 4] = ["Error", "Exception", "Failure", "Warning"];

/// The length of the address or of the base64 that the rest begins with.
pub(super) fn length(rest: &str) -> Option<usize> {
    address(rest).or_else(|| base64(rest))
}

fn address(rest: &str) -> Option<usize> {
    let digits = rest
        .strip_prefix("0x")
        .or_else(|| rest.strip_prefix("0X"))?;
    let length = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
    (length > 0 && !digits[length..].starts_with(is_of_name)).then_some(2 + length)
}

fn base64(rest: &str) -> Option<usize> {
    let is_base64 = |c: &u8| c.is_ascii_alphanumeric() || *c == b'+' || *c == b'/';
    let length = rest.bytes().take_while(is_base64).count();
    let (text, after) = rest.split_at(length);
    let unpadded = after.trim_start_matches('=');
    let padding = after.len() - unpadded.len();
    let mixed = has_digit(text) && text.contains(|c: char| c.is_ascii_uppercase());
    let random = mixed && is_restless(text);
    let padded = padding > 0 && (mixed || is_restless(text));
    let ends = !unpadded.starts_with(is_of_name);
    (length >= 16 && ends && (random || padded)).then_some(length + padding)
}

/// Returns a name of letters, digits, `-` and `_` without its ids and without most of its numbers.
pub(super) fn without(name: &str) -> String {
    if is_name(name) {
        return name.to_owned();
    }
    if !has_digit(name) {
        return without_key(name);
    }
    if is_hexadecimal(name) {
        return "#".to_owned();
    }
    let pieces: Vec<&str> = name.split(['-', '_']).collect();
    if let Some(id) = first_id(&pieces) {
        let kept = pieces[..id].iter().take_while(|piece| is_plain(piece));
        let kept: usize = kept.map(|piece| piece.len() + 1).sum();
        return format!("{}#", &name[..kept]);
    }
    numbered(name)
}

/// A key after what it is of may have no digit at all.
fn without_key(name: &str) -> String {
    let Some((of, key)) = name.split_once(['-', '_']) else {
        return name.to_owned();
    };
    if is_counted(of) && key.len() >= 6 && is_restless(key) {
        return format!("{}#", &name[..=of.len()]);
    }
    name.to_owned()
}

fn first_id(pieces: &[&str]) -> Option<usize> {
    let is_id = |at: usize| {
        let counted = at > 0 && is_counted(pieces[at - 1]);
        let mixed = has_digit(pieces[at]) && has_letter(pieces[at]);
        is_id(pieces[at]) || (counted && mixed && pieces[at].len() >= 4)
    };
    (0..pieces.len()).find(|at| is_id(*at))
}

/// Whether a name that begins with a digit is a word all the same: `4xx`, `42P01`.
pub(super) fn is_name(name: &str) -> bool {
    is_sqlstate(name) || (name.len() == 3 && name.ends_with("xx"))
}

/// Whether a name looks drawn by chance: letters and digits that take turns, or hexadecimal.
pub(super) fn is_id(name: &str) -> bool {
    if is_hexadecimal(name) {
        return true;
    }
    let is_extent = name
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'x');
    let is_exception = NAMES.iter().any(|end| name.ends_with(end));
    let is_word = is_extent || is_exception || is_sqlstate(name);
    if is_word || !name.is_ascii() || !has_digit(name) || !has_letter(name) {
        return false;
    }
    let runs = name.split(|c: char| !c.is_ascii_digit());
    let runs = runs.filter(|run| !run.is_empty()).count();
    match name.len() {
        0..=4 => false,
        5..=9 => runs >= 2 || changes(name) >= 4,
        _ => runs >= 2 || is_restless(name),
    }
}

fn is_hexadecimal(name: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    name.len() >= 8 && name.bytes().all(is_digit) && has_digit(name) && has_letter(name)
}

/// Whether small letters, capitals and digits change more often than in words.
fn is_restless(text: &str) -> bool {
    changes(text) * 5 >= text.len() * 2
}

fn changes(text: &str) -> usize {
    let kind = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
    let bytes = text.as_bytes();
    let pairs = bytes.windows(2);
    pairs.filter(|pair| kind(pair[0]) != kind(pair[1])).count()
}

/// Whether a piece before an id tells what it is of.
fn is_plain(piece: &str) -> bool {
    let small = piece.bytes().skip(1).all(|byte| byte.is_ascii_lowercase());
    piece.len() >= 2 && has_letter(piece) && (small || is_capital(piece))
}

/// Replaces the numbers of a name, but for those that are part of it: `utf8`, `ORA-00942`.
fn numbered(name: &str) -> String {
    let mut plain = String::new();
    let mut letters = "";
    let mut rest = name;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        let ends = |c: char| !c.is_ascii_digit();
        let (digits, after) = number.split_at(number.find(ends).unwrap_or(number.len()));
        let named = before.trim_end_matches(['-', '_']);
        let between = &before[named.len()..];
        if !named.is_empty() {
            letters = named.rsplit(['-', '_']).next().unwrap_or(named);
        }
        let is_part = digits.len() <= most_digits(letters, between)
            && !(digits.len() > 1 && digits.starts_with('0') && !is_capital(letters));
        plain += before;
        plain += if is_part { digits } else { "#" };
        rest = after;
    }
    plain + rest
}

/// How many digits may be part of a name: few, and more after capitals, as codes have them.
fn most_digits(letters: &str, between: &str) -> usize {
    if letters.is_empty() || is_counted(letters) {
        0
    } else if is_capital(letters) {
        5
    } else if between.is_empty() {
        4
    } else {
        2
    }
}

fn is_capital(letters: &str) -> bool {
    letters.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Whether the last word of a name is of what is counted: `ForkPoolWorker`.
fn is_counted(letters: &str) -> bool {
    let is_mixed = !is_capital(letters);
    let last = letters.rfind(|c: char| c.is_ascii_uppercase() && is_mixed);
    let last = letters[last.unwrap_or(0)..].to_ascii_lowercase();
    COUNTED.contains(&last.as_str())
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

fn has_letter(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}
