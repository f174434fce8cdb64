use std::collections::BTreeMap;

use fastrand::Rng;
use proptest::prelude::*;

use super::*;

/// Errors as they were met; what differs from row to row stands in «».
const ERRORS: &str = include_str!("errors.txt");

/// An error, and its cause.
struct Case {
    name: &'static str,
    error: &'static str,
    cause: &'static str,
}

fn cases() -> Vec<Case> {
    let blocks = ERRORS.split("\n## ").skip(1);
    blocks
        .map(|block| {
            let (name, block) = block.split_once('\n').expect("a name");
            let (error, cause) = block.rsplit_once("\n=> ").expect(name);
            let cause = cause.trim();
            Case { name, error, cause }
        })
        .collect()
}

/// The error with each marked part replaced.
fn varied(error: &str, mut part: impl FnMut(&str) -> String) -> String {
    let mut parts = error.split('«');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for marked in parts {
        let (inside, after) = marked.split_once('»').expect("the end of a part");
        text += &part(inside);
        text += after;
    }
    text
}

/// Another part of the same kind.
fn another(rng: &mut Rng, part: &str) -> String {
    let sizes = ["bytes", "KiB", "MiB", "GiB"];
    let spans = ["ms", "s", "seconds", "minutes"];
    let unit = part.trim_start_matches(|c: char| c.is_ascii_digit() || ". ".contains(c));
    if let Some(digits) = part.strip_prefix("0x") {
        format!("0x{}", drawn(rng, digits, HEXADECIMAL))
    } else if sizes.contains(&unit) {
        format!("{}.{} {}", rng.u16(..), rng.u8(..), sizes[rng.usize(..4)])
    } else if spans.contains(&unit) {
        format!("{} {}", rng.u16(..), spans[rng.usize(..4)])
    } else if unit.is_empty() && !part.contains('.') {
        (rng.u64(..) >> rng.u32(20..60)).to_string()
    } else if part.contains(['/', '\\', '.', ':']) && !part.ends_with('=') {
        let name = part.rfind('.').unwrap_or(part.len());
        let (name, ending) = part.split_at(name);
        name.chars()
            .map(|c| alike(rng, c))
            .chain(ending.chars())
            .collect()
    } else {
        id(rng, part)
    }
}

/// A character that may stand in the same place of a path, an address or a time.
fn alike(rng: &mut Rng, c: char) -> char {
    match c {
        '1'..='9' => rng.char('1'..=c),
        'a'..='z' => rng.lowercase(),
        '가'..='힣' => rng.char('가'..='힣'),
        c => c,
    }
}

const HEXADECIMAL: &str = "0123456789abcdef";

/// An id of the same length, of the kinds of characters that are in a sample.
fn id(rng: &mut Rng, sample: &str) -> String {
    let hexadecimal = sample.chars().all(|c| c == '-' || HEXADECIMAL.contains(c));
    let has_small = sample.contains(|c: char| c.is_ascii_lowercase());
    let has_capital = sample.contains(|c: char| c.is_ascii_uppercase());
    let kinds = match (hexadecimal, has_small, has_capital) {
        (true, ..) => HEXADECIMAL,
        (_, false, _) => "0123456789ABCDEFGHJKMNPQRSTVWXYZ",
        (_, _, false) => "0123456789abcdefghijklmnopqrstuvwxyz",
        _ => "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    };
    loop {
        let id = drawn(rng, sample, kinds);
        // What has its digits in one place may be a name, such as `sha256`.
        let apart = |c: char| c.is_ascii_alphabetic();
        let runs = id
            .split(apart)
            .filter(|run| run.contains(|c: char| c.is_ascii_digit()));
        if runs.count() >= 2 {
            return id;
        }
    }
}

/// Draws every letter and digit of a sample anew.
fn drawn(rng: &mut Rng, sample: &str, kinds: &str) -> String {
    let kinds = kinds.as_bytes();
    let draw = |c: char| {
        if c.is_ascii_alphanumeric() {
            kinds[rng.usize(..kinds.len())].into()
        } else {
            c
        }
    };
    sample.chars().map(draw).collect()
}

#[test]
fn every_error_has_its_cause() {
    let cases = cases();
    let mut wrong = String::new();
    for Case { name, error, cause } in &cases {
        let told = of(&varied(error, str::to_owned));
        if told != *cause {
            wrong += &format!("## {name}\n=> {told}\n");
        }
        assert_eq!(of(&told), told, "{name}");
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(cases.len() >= 60);
}

#[test]
fn what_differs_from_row_to_row_makes_no_other_cause() {
    let mut rng = Rng::with_seed(1);
    for Case { name, error, cause } in cases() {
        for _ in 0..40 {
            let error = varied(error, |part| another(&mut rng, part));
            assert_eq!(of(&error), cause, "{name}: {error}");
        }
    }
}

#[test]
fn different_errors_have_different_causes() {
    let mut names = BTreeMap::new();
    for Case { name, cause, .. } in cases() {
        assert_eq!(names.insert(cause, name), None, "{name}: {cause}");
    }
}

#[test]
fn numbers_that_are_part_of_what_happened_stay() {
    for same in [
        "utf8 codec",
        "sha256 and x86_64 and utf-8",
        "HTTP/1.1 503",
        "error[E0425]: no such value",
        "ORA-00942: table or view does not exist",
        "SQLSTATE 23505",
        "SQLSTATE[42S02]: no table",
        "ERROR: 42P01: no relation",
        "CUDA error 700: an illegal memory access",
        "exit code 137",
        "exited with code 1",
        "exit status -11",
        "exit code 3221225477",
        "status 404",
        "404 Not Found",
        "(404) Not Found",
        "errno 28",
        "[Errno 28] No space left on device",
        "(os error 2)",
        "ERROR 1045 (28000): access denied",
        "(1062, \"Duplicate entry\")",
        "curl: (28) timed out",
        "error 0x80070005",
        "model gpt-4o-mini, TLSv1.3, python3.11",
        "Base64DecodeError of an OAuth2TokenExpiredException",
        "4xx of the server",
        "HTTP error: 503",
        "<Response [503]>",
        "responseCode=502, rc=1",
    ] {
        assert_eq!(of(same), same);
    }
}

#[test]
fn all_other_numbers_go() {
    for (message, cause) in [
        (
            "timeout after 30.5 s (request 8812)",
            "timeout after <duration> (request #)",
        ),
        (
            "Timeout: job #42, attempt 3/5",
            "Timeout: job #, attempt #/#",
        ),
        ("Error: 30 pages are blank", "Error: # pages are blank"),
        ("returned 12 rows", "returned # rows"),
        ("the code 882104 is wrong", "the code # is wrong"),
        (
            "Duplicate entry 'a b' for key 'k'",
            "Duplicate entry '#' for key 'k'",
        ),
        ("page7 of doc-12 by worker_3", "page# of doc-# by worker_#"),
        ("at -3.5e-7, +1,204 and 99%", "at # and #%"),
        ("missing pages 3, 5 and 9", "missing pages # and #"),
        ("the 21st of 640x480", "the # of #x#"),
        ("after 1h30m", "after <duration>"),
        ("after 1 hour 5 minutes", "after <duration>"),
        ("12GB of 800 MiB", "<size> of <size>"),
        ("메모리 부족 12GB", "메모리 부족 <size>"),
    ] {
        assert_eq!(of(message), cause, "{message}");
    }
}

#[test]
fn ids_go() {
    for id in [
        "7d9f3c1e-0b1a-4c8e-9d55-0123456789ab",
        "507f1f77bcf86cd799439011",
        "01HXYZ3N5V8K2M7QWERTYBCDFG",
        "0x7ffdeadbeef1",
        "8f3kQ2",
        "dGhpcyBpcyBhIHRlc3Q0Mg==",
        "Zm9vYmFy/2JheitxdXV4MTIz",
        "\"d41d8cd98f00b204e9800998ecf8427e\"",
    ] {
        let cause = of(&format!("document {id} is gone"));
        assert_eq!(cause.replace('"', ""), "document # is gone", "{id}");
    }
    for (id, cause) in [
        ("job-8f3kQ2", "job-#"),
        ("req_01HXYZ3N5V8K2M7QWERTYBCDFG", "req_#"),
        ("sk-proj-aB3dE9xQ2wR7tY", "sk-proj-#"),
        ("worker-7d9f8b6c5-x2k4q", "worker-#"),
    ] {
        assert_eq!(of(id), cause);
    }
}

#[test]
fn places_go() {
    for (message, cause) in [
        (
            "cannot open /data/in/2026/a b.pdf: No such file",
            "cannot open <path>: No such file",
        ),
        ("C:\\scans\\x.pdf is locked", "<path> is locked"),
        ("no 'C:\\Program Files\\x' there", "no '<path>' there"),
        ("no \"/data/in/a b.pdf\" there", "no \"<path>\" there"),
        ("'/data/in/a is missing'", "'<path> is missing'"),
        ("no (/data/a), ~/b or ../c", "no (<path>), <path> or <path>"),
        ("s3://bucket/key missing", "<url> missing"),
        (
            "GET https://a.example/b?c=1&d=2: refused",
            "GET <url>: refused",
        ),
        (
            "dial tcp 10.0.0.1:5432: refused",
            "dial tcp <address>: refused",
        ),
        (
            "from [2001:db8::1]:443 or ::1",
            "from <address> or <address>",
        ),
        (
            "mail to a.b+c@example.org bounced",
            "mail to <email> bounced",
        ),
        ("보고서_최종.pdf is damaged", "<path> is damaged"),
        ("read and/or write failed", "read and/or write failed"),
        (
            "libcudart.so.12: cannot open",
            "libcudart.so.12: cannot open",
        ),
    ] {
        assert_eq!(of(message), cause, "{message}");
    }
}

#[test]
fn times_go() {
    for time in [
        "2026-11-24T10:00:00Z",
        "2026-11-24T10:00:00.123456+09:00",
        "2026-11-24 10:00:00,123",
        "2026-11-24 10:00:00.5 UTC",
        "2026-11-24",
        "2026/11/24 10:00",
        "20261124T100000Z",
        "Tue, 24 Nov 2026 10:00:00 GMT",
        "24 Nov 2026 10:00:00 +0900",
        "Nov 24 10:00:00",
        "Nov  4 10:00:00",
        "Tue Nov 24 10:00:00 2026",
        "Tue Nov 24 10:00:00 UTC 2026",
        "24/Nov/2026:10:00:00 +0000",
        "10:00:00.123",
    ] {
        for (before, after) in [("since ", " no answer"), ("[", "] no answer"), ("at: ", "")] {
            let message = format!("{before}{time}{after}");
            assert_eq!(of(&message), format!("{before}<time>{after}"), "{message}");
        }
    }
}

#[test]
fn of_a_long_line_both_ends_stay() {
    let long = |reason: &str| {
        of(&format!(
            "stage failed: {}{reason}",
            "because of it, ".repeat(90)
        ))
    };
    let cause = long("connection refused");
    assert!(cause.starts_with("stage failed: because") && cause.ends_with("connection refused"));
    assert_ne!(cause, long("no route to host"));
    assert_eq!(cause.chars().count(), MOST_CHARACTERS);
}

#[test]
fn an_error_without_words_is_told() {
    for message in ["", "  \n", "\n\n\t"] {
        assert_eq!(of(message), NONE);
    }
}

#[test]
fn of_a_long_text_the_ends_count() {
    for unit in [
        "a",
        "{\"",
        "<html",
        "1.",
        "/a ",
        "'",
        "a=",
        "(1, 'x) ",
        "한 ",
        "Caused by: \n",
    ] {
        let text = unit.repeat((1 << 20) / unit.len());
        assert!(of(&text).chars().count() <= MOST_CHARACTERS, "{unit}");
    }
    let frames = "  File \"a.py\", line 1, in f\n    f()\n".repeat(30_000);
    let text = format!("Traceback (most recent call last):\n{frames}RecursionError: too deep");
    assert_eq!(of(&text), "RecursionError: too deep");
}

/// Pieces that mean something here, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let pieces = [
        "#",
        "<path>",
        "<time>",
        "<size>",
        "<",
        ">",
        "'",
        "\"",
        "/a",
        "C:\\",
        "://",
        "http",
        "@x.io",
        "12",
        "1.5",
        "-",
        "_",
        " ",
        " ",
        ":",
        ",",
        ".",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "=",
        "error",
        "code",
        "404",
        "Not",
        "MiB",
        "s",
        "h",
        "10:00:00",
        "2026-11-24",
        "Nov",
        "0x1f",
        "8f3kQ2",
        "::1",
        "10.0.0.1",
        "Caused by: ",
        "\n",
        "\n\n",
        "  ",
        "Traceback (most recent call last)",
        "File \"a\", line 1",
        "thread 'a' panicked at ",
        "', ",
        "<html",
        "<title>",
        "</title>",
        "\"message\":",
        "\\",
        "\\n",
        "^",
        "한글",
        "é",
        "page",
        "x",
        ".pdf",
        "HTTP/",
        "xx",
        "5",
        "goroutine 1:",
        "panic: ",
        "Exception in thread \"",
        "\" ",
        "+09:00",
        "Z",
        "no error message",
    ];
    let pieces = proptest::sample::select(pieces.to_vec());
    proptest::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_cause_is_one_short_line_and_its_own_cause(
        message in prop_oneof![pieces(), "\\PC{0,300}", "(?s).{0,300}"],
    ) {
        let cause = of(&message);
        prop_assert!(cause.chars().count() <= MOST_CHARACTERS);
        prop_assert!(!cause.is_empty() && !cause.contains('\n'));
        prop_assert_eq!(of(&cause), cause);
    }

    #[test]
    fn a_number_does_not_matter(a in 0_u64..1_000_000_000, b in 0_u64..1_000_000_000) {
        let message = |n: u64| format!("row {n} of 10 timed out after {n}ms");
        prop_assert_eq!(of(&message(a)), of(&message(b)));
    }
}
