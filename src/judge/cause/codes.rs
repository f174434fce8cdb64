//! Which numbers are part of what happened.
//!
//! A number that a word announces as a code stays (`exit code 137`, `errno 28`, `CUDA error 700`),
//! as do an HTTP status before its phrase (`404 Not Found`), the code that a tuple of Python begins
//! with, a SQLSTATE, and short digits in a name (`utf8`, `E0425`, `ORA-00942`). All others go.

/// The words after which a number is a code.
const ANNOUNCEMENTS: [&str; 20] = [
    "code",
    "exitcode",
    "returncode",
    "statuscode",
    "errorcode",
    "errcode",
    "status",
    "exit",
    "exited",
    "errno",
    "signal",
    "sqlstate",
    "hresult",
    "ntstatus",
    "curl",
    "winerror",
    "rc",
    "responsecode",
    "exitstatus",
    "occurred",
];

/// The words that may stand between an announcement and its code.
const LINKS: [&str; 10] = [
    "is",
    "was",
    "of",
    "with",
    "by",
    "the",
    "number",
    "unexpected",
    "non-zero",
    "error",
];

/// The first words of the phrases of HTTP statuses, and what libraries say in their place.
const PHRASES: [&str; 30] = [
    "Bad",
    "Client",
    "Conflict",
    "Content",
    "Error",
    "Expectation",
    "Forbidden",
    "Gateway",
    "Gone",
    "HTTP",
    "Insufficient",
    "Internal",
    "Length",
    "Locked",
    "Method",
    "Misdirected",
    "Network",
    "Not",
    "Payload",
    "Payment",
    "Precondition",
    "Proxy",
    "Range",
    "Request",
    "Server",
    "Service",
    "Slow",
    "Too",
    "Unauthorized",
    "Unprocessable",
];

/// Whether the number that comes next is a code.
#[derive(Debug, Default, Clone, Copy)]
pub(super) enum Codes {
    /// Only if it looks like one.
    #[default]
    Unannounced,
    /// A word announced it.
    Announced,
    /// `error` announced it, unless a mark comes first: `Error: 30 pages are blank`.
    Next,
    /// A code was just kept; one in parentheses belongs to it: `ERROR 1045 (28000)`.
    Kept,
    /// It is one if it is a status: `returned 503`, but `returned 12 rows`.
    Status,
}

impl Codes {
    /// Reads a word.
    pub(super) fn word(&mut self, word: &str) {
        let word = word.to_ascii_lowercase();
        let last = word.rsplit(['_', '-']).next().unwrap_or_default();
        let is_announcement = ANNOUNCEMENTS.contains(&last) || word.starts_with("http");
        *self = match (&*self, word.as_str()) {
            (Self::Announced, word) if LINKS.contains(&word) => Self::Announced,
            _ if is_announcement => Self::Announced,
            (_, "error" | "err") => Self::Next,
            (_, "returned" | "responded" | "answered" | "response") => Self::Status,
            _ => Self::Unannounced,
        };
    }

    /// Reads a mark or a blank.
    pub(super) fn mark(&mut self, mark: char) {
        *self = match (*self, mark) {
            (Self::Kept, '(' | '[') => Self::Announced,
            (Self::Kept, ' ' | ']') => Self::Kept,
            (Self::Status, ' ' | '[' | '(') => Self::Status,
            (Self::Next, ' ' | '=') => Self::Next,
            (Self::Announced, ',' | ';' | '.') => Self::Unannounced,
            (Self::Announced, _) => Self::Announced,
            _ => Self::Unannounced,
        };
    }

    /// How long the code is that the rest begins with, if it does.
    pub(super) fn kept(&mut self, before: &str, rest: &str) -> Option<usize> {
        if let Some(length) = protocol(rest) {
            *self = Self::Announced;
            return Some(length);
        }
        let length = code(rest)?;
        let is_status = is_status(&rest[..length]);
        let kept = match self {
            Self::Announced | Self::Next => true,
            Self::Status => is_status,
            Self::Unannounced | Self::Kept => false,
        };
        let kept = kept
            || is_sqlstate(&rest[..length])
            || (is_status && is_before_phrase(&rest[length..]))
            || is_first_of_tuple(before, rest, length);
        kept.then(|| {
            *self = Self::Kept;
            length
        })
    }
}

/// Whether a name is a SQLSTATE of digits and capitals: `42P01`, `0A000`.
pub(super) fn is_sqlstate(name: &str) -> bool {
    let bytes = name.as_bytes();
    let is_form = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    bytes.len() == 5
        && bytes.iter().all(is_form)
        && bytes.iter().any(u8::is_ascii_uppercase)
        && bytes[0].is_ascii_digit()
        && bytes[3..].iter().all(u8::is_ascii_digit)
}

/// The version that a status line begins with.
fn protocol(rest: &str) -> Option<usize> {
    let version = rest.strip_prefix("HTTP/")?;
    let ends = |c: char| !c.is_ascii_digit() && c != '.';
    let length = version.find(ends).unwrap_or(version.len());
    (length > 0).then_some("HTTP/".len() + length)
}

/// The length of a number as short as codes are, in hexadecimal too, or of a SQLSTATE. Those of
/// Windows have ten digits.
fn code(rest: &str) -> Option<usize> {
    let ends = |c: char| !c.is_alphanumeric() && c != '_';
    let sign = usize::from(rest.starts_with('-'));
    let unsigned = &rest[sign..];
    let length = unsigned.find(ends).unwrap_or(unsigned.len());
    let (code, after) = unsigned.split_at(length);
    let digits = code.strip_prefix("0x").map_or_else(
        || code.bytes().all(|byte| byte.is_ascii_digit()),
        |code| code.bytes().all(|byte| byte.is_ascii_hexdigit()),
    );
    let is_code = (digits && matches!(length, 1..=5 | 10)) || is_sqlstate(code);
    let mut after = after.chars();
    let goes_on = match after.next() {
        Some('.' | ',') => after.next().is_some_and(|c| c.is_ascii_digit()),
        Some('/' | '%' | '-') => true,
        Some(':') => after.next().is_some_and(|c| c.is_ascii_digit()),
        _ => false,
    };
    (is_code && !goes_on).then_some(sign + length)
}

fn is_status(code: &str) -> bool {
    code.len() == 3 && code.starts_with(['4', '5'])
}

fn is_before_phrase(rest: &str) -> bool {
    let phrase = rest.trim_start_matches([' ', ':', ')', '-', ']']);
    let ends = |c: char| !c.is_alphanumeric();
    let word = &phrase[..phrase.find(ends).unwrap_or(phrase.len())];
    PHRASES.contains(&word)
}

/// `(1062, "Duplicate entry …")`.
fn is_first_of_tuple(before: &str, rest: &str, length: usize) -> bool {
    let after = rest[length..].strip_prefix(',').map(str::trim_start);
    before.ends_with('(') && length <= 5 && after.is_some_and(|next| next.starts_with(['"', '\'']))
}
