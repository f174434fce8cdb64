//! Messages that are documents, or end in one: JSON, HTML, XML, dictionaries of Python.

use std::borrow::Cow;

/// What holds the text for people, best first; written without `_` and in small letters.
const MESSAGES: [&str; 10] = [
    "message",
    "errormessage",
    "msg",
    "detail",
    "errordescription",
    "description",
    "reason",
    "faultstring",
    "title",
    "error",
];

/// What holds the reason where the message tells what failed, as in a line of a log.
const REASONS: [&str; 4] = ["err", "error", "exception", "cause"];

/// What tells errors apart that say the same, best first, and what a cause calls it.
const CODES: [(&str, &str); 7] = [
    ("code", "code"),
    ("errorcode", "code"),
    ("status", "status"),
    ("statuscode", "status"),
    ("errortype", "type"),
    ("type", "type"),
    ("faultcode", "code"),
];

/// What a page or an XML document begins with.
const PAGES: [&str; 5] = ["<!doctype", "<html", "<head", "<?xml", "<error>"];

/// Returns the message with the document in its first line replaced by what that tells people.
pub(super) fn opened(message: &str) -> Cow<'_, str> {
    page(message)
        .or_else(|| object(message))
        .map_or(message.into(), Cow::from)
}

fn page(message: &str) -> Option<String> {
    // Small letters of ASCII take the same place, so that positions are those of the message.
    let small = message.to_ascii_lowercase();
    let start = PAGES.iter().filter_map(|page| small.find(page)).min()?;
    let before = first_line(&message[..start])?;
    let element = |name: &str| element(message, &small, name);
    let text = ["message", "faultstring", "title", "h1", "h2", "body"]
        .into_iter()
        .find_map(element)
        .unwrap_or_else(|| without_tags(&message[start..]));
    let code = element("code").or_else(|| element("faultcode"));
    let code = code.as_deref().filter(|code| tells(code));
    let code = code.map(|code| ("code", code));
    Some(joined(before, code, &text))
}

/// The text of the first element of a name, if it has any.
fn element(message: &str, small: &str, name: &str) -> Option<String> {
    let open = format!("<{name}");
    let (at, _) = small
        .match_indices(&open)
        .find(|(at, _)| small[at + open.len()..].starts_with(['>', ' ', '\n']))?;
    let start = at + small[at..].find('>')? + 1;
    let end = small[start..].find(&format!("</{name}"));
    let end = end.map_or(message.len(), |end| start + end);
    Some(without_tags(&message[start..end])).filter(|text| !text.is_empty())
}

fn without_tags(text: &str) -> String {
    let mut plain = String::new();
    for part in text.split('<') {
        let part = part.split_once('>').map_or(part, |(_, after)| after);
        plain.push(' ');
        plain.push_str(part);
    }
    let plain = plain.replace("&nbsp;", " ").replace("&quot;", "\"");
    let plain = plain.replace("&#39;", "'").replace("&amp;", "&");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn object(message: &str) -> Option<String> {
    let opens = |at: &usize| message[at + 1..].trim_start().starts_with(['"', '\'']);
    let start = message
        .match_indices('{')
        .map(|(at, _)| at)
        .take(8)
        .find(opens)?;
    let before = first_line(&message[..start])?;
    let pairs = pairs(&message[start..]);
    let text = told(&pairs, &MESSAGES)?;
    let reason = told(&pairs, &REASONS).filter(|reason| !text.contains(reason));
    let text = reason.map_or_else(|| text.to_owned(), |reason| format!("{text}: {reason}"));
    let code = CODES.iter().find_map(|(name, called)| {
        let pair = pairs
            .iter()
            .find(|pair| pair.key == *name && tells(&pair.value))?;
        Some((*called, pair.value.as_str()))
    });
    let before = before.trim_end_matches(['[', '"', '\'']);
    Some(joined(before, code, &text))
}

/// The first text under the best of some names.
fn told<'a>(pairs: &'a [Pair], names: &[&str]) -> Option<&'a str> {
    let told = |pair: &&Pair| pair.is_text && !pair.value.is_empty();
    let of = |name: &&str| pairs.iter().filter(told).find(|pair| pair.key == *name);
    let pair = names.iter().find_map(of)?;
    Some(&pair.value)
}

/// What stands before a document, if that begins in the first line that has text.
fn first_line(before: &str) -> Option<&str> {
    let before = before.trim_start();
    (!before.contains('\n')).then_some(before)
}

fn joined(before: &str, code: Option<(&str, &str)>, text: &str) -> String {
    match code.filter(|(_, code)| !text.contains(code)) {
        Some((called, code)) => format!("{before}{called} {code}: {text}"),
        None => format!("{before}{text}"),
    }
}

/// A key of an object at any depth, and its value unless that has parts.
struct Pair {
    key: String,
    value: String,
    is_text: bool,
}

/// Whether a value tells errors apart.
fn tells(value: &str) -> bool {
    let says_nothing = [
        "null", "None", "true", "false", "True", "False", "error", "",
    ];
    let is_word = value.len() <= 60 && !value.contains([' ', ':', '/']);
    is_word && !says_nothing.contains(&value)
}

/// The pairs of an object, in order. It need not be whole, as long messages are cut.
fn pairs(text: &str) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'']) {
        let (key, after) = string(&rest[at..]);
        rest = after;
        let Some(value) = after.trim_start().strip_prefix(':').map(str::trim_start) else {
            continue;
        };
        let is_text = value.starts_with(['"', '\'']);
        let (value, after) = if is_text { string(value) } else { bare(value) };
        rest = after;
        let key = key.replace('_', "").to_ascii_lowercase();
        pairs.push(Pair {
            key,
            value,
            is_text,
        });
    }
    pairs
}

/// A number, a word or nothing, and what follows it.
fn bare(text: &str) -> (String, &str) {
    let ends = |c: char| c.is_whitespace() || ",{}[]\"'".contains(c);
    let (value, after) = text.split_at(text.find(ends).unwrap_or(text.len()));
    (value.to_owned(), after)
}

/// The string that begins here with a quote, and what follows it.
fn string(text: &str) -> (String, &str) {
    let mut characters = text.char_indices();
    let quote = characters.next().map_or('"', |(_, quote)| quote);
    let mut value = String::new();
    while let Some((at, c)) = characters.next() {
        match c {
            c if c == quote => return (value, &text[at + c.len_utf8()..]),
            '\\' => match characters.next() {
                Some((_, 'n' | 'r')) => value.push('\n'),
                Some((_, 't')) => value.push(' '),
                Some((at, 'u')) => {
                    let code = text.get(at + 1..at + 5);
                    let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
                    if let Some(c) = code.and_then(char::from_u32) {
                        value.push(c);
                        characters.nth(3);
                    }
                }
                Some((_, c)) => value.push(c),
                None => {}
            },
            c => value.push(c),
        }
    }
    (value, "")
}
