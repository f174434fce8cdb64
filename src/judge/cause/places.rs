//! Where things are: paths, URLs, addresses.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::words::ENDS;

/// What stands for a path, or for the name of a document.
pub(super) const PATH: &str = "<path>";

/// What stands for a URL.
pub(super) const URL: &str = "<url>";

/// What stands for an address of the internet, with its port.
pub(super) const ADDRESS: &str = "<address>";

/// What stands for an address of mail.
pub(super) const EMAIL: &str = "<email>";

/// What the names of documents end in, as opposed to those of programs and their libraries.
const DOCUMENTS: [&str; 44] = [
    "aac", "avi", "bmp", "csv", "doc", "docx", "eml", "epub", "flac", "gif", "heic", "htm", "html",
    "hwp", "hwpx", "jpeg", "jpg", "jsonl", "m4a", "md", "mkv", "mov", "mp3", "mp4", "msg", "odt",
    "ogg", "opus", "parquet", "pdf", "png", "ppt", "pptx", "rtf", "svg", "tif", "tiff", "tmp",
    "txt", "wav", "webm", "webp", "xlsx", "zip",
];

/// How much is looked through for the other quote, in bytes.
const MOST_IN_QUOTES: usize = 300;

/// How many words a path may go on after a blank, until the end that documents have.
const MOST_WORDS: usize = 10;

/// How long the path in the quotes is that the rest begins with.
pub(super) fn quoted(rest: &str) -> Option<usize> {
    let end = in_quotes(rest)?;
    let inside = &rest[1..=end];
    let last_blank = inside.rfind(' ').unwrap_or(0);
    // A path with a blank in its last part must end as documents do: 'c/d is missing' is none.
    let is_whole = last_blank == 0 || inside.rfind(is_separator) > Some(last_blank);
    let is_path = (is_rooted(inside) && is_whole) || is_document(inside);
    (is_path && !inside.contains(": ") && !inside.contains("://")).then_some(end)
}

/// How long what is in the quotes is that the rest begins with.
pub(super) fn in_quotes(rest: &str) -> Option<usize> {
    let quote = rest.chars().next().filter(|c| "\"'`".contains(*c))?;
    let inside = &rest[1..];
    let most = inside.floor_char_boundary(MOST_IN_QUOTES);
    let closes = |at: &usize| !inside[at + 1..].starts_with(char::is_alphanumeric);
    let mut quotes = inside[..most].match_indices(quote).map(|(at, _)| at);
    quotes.find(closes)
}

/// What the rest begins with, if it is a place, and how long that is.
pub(super) fn place(rest: &str) -> Option<(&'static str, usize)> {
    None.or_else(|| url(rest).map(|length| (URL, length)))
        .or_else(|| address(rest).map(|length| (ADDRESS, length)))
        .or_else(|| email(rest).map(|length| (EMAIL, length)))
        .or_else(|| path(rest).map(|length| (PATH, length)))
}

/// The part of a path after its last separator.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(is_separator).next().unwrap_or(path)
}

fn is_separator(c: char) -> bool {
    c == '/' || c == '\\'
}

/// What the rest begins with, until a blank or one of some marks; what closes a sentence is left.
fn until<'a>(rest: &'a str, marks: &str) -> &'a str {
    let ends = |c: char| c.is_whitespace() || marks.contains(c);
    let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
    word.trim_end_matches(|c: char| ".,;:!?)]}".contains(c))
}

fn url(rest: &str) -> Option<usize> {
    let word = until(rest, "\"'`<>|");
    let (scheme, _) = word.split_once("://")?;
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.:".contains(c);
    let begins = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    (begins && scheme.chars().all(is_scheme)).then_some(word.len())
}

fn address(rest: &str) -> Option<usize> {
    if let Some((inside, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        inside.parse::<Ipv6Addr>().ok()?;
        let port = after.strip_prefix(':').map_or(0, super::amounts::digits);
        return Some(inside.len() + 2 + if port > 0 { port + 1 } else { 0 });
    }
    let ends = |c: char| !c.is_ascii_hexdigit() && c != '.' && c != ':';
    let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
    let word = word.trim_end_matches(['.', ':']);
    let is_address = word.parse::<IpAddr>().is_ok() || word.parse::<SocketAddr>().is_ok();
    let goes_on = rest[word.len()..].starts_with(char::is_alphanumeric);
    (is_address && !goes_on).then_some(word.len())
}

fn email(rest: &str) -> Option<usize> {
    let word = until(rest, ENDS);
    let (name, host) = word.split_once('@')?;
    let of_name = |c: char| c.is_ascii_alphanumeric() || "._%+-".contains(c);
    let of_host = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    let named = !name.is_empty() && name.chars().all(of_name);
    let hosted = host.contains('.') && host.chars().all(of_host);
    // A package of Node has a version, and no letter, after its @.
    let has_end = host.ends_with(|c: char| c.is_ascii_alphabetic());
    (named && hosted && has_end).then_some(word.len())
}

fn path(rest: &str) -> Option<usize> {
    if is_rooted(rest) {
        let word = until(rest, "\"'`<>|;");
        return (!word.is_empty()).then(|| with_blanks(rest, word.len()));
    }
    let word = until(rest, ENDS);
    if word.matches(is_separator).count() > 1 && word.starts_with(char::is_alphanumeric) {
        return Some(word.len());
    }
    let name = word.split(':').next().unwrap_or_default();
    is_document(name).then_some(name.len())
}

/// A path begins at a root, of a system or a drive, or at the folder where one is.
fn is_rooted(text: &str) -> bool {
    let bytes = text.as_bytes();
    let drive = bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.get(1) == Some(&b':')
        && matches!(bytes.get(2), Some(b'/' | b'\\'));
    let roots = ["~/", "./", "../", "\\\\", "/"];
    let after = roots.iter().find_map(|root| text.strip_prefix(root));
    let goes_on = |text: &str| text.starts_with(|c: char| c.is_alphanumeric() || "._~".contains(c));
    drive || after.is_some_and(goes_on)
}

/// The length of a path whose first word has a length: a name with blanks ends as documents do.
fn with_blanks(rest: &str, length: usize) -> usize {
    if file_name(&rest[..length]).contains('.') || !rest[length..].starts_with(' ') {
        return length;
    }
    let mut end = length;
    for word in rest[length + 1..].split(' ').take(MOST_WORDS) {
        let name = word.trim_end_matches([':', ',', '.', ')', '"', '\'']);
        if word.contains(is_separator) || name.contains(|c: char| ENDS.contains(c) || c == ':') {
            break;
        }
        if is_document(name) {
            return end + 1 + name.len();
        }
        if name.len() < word.len() {
            break;
        }
        end += 1 + word.len();
    }
    length
}

fn is_document(name: &str) -> bool {
    let ending = name.rsplit_once('.').filter(|(name, _)| !name.is_empty());
    let ending = ending.map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| DOCUMENTS.contains(&ending.as_str()))
}
