//! Random bodies against a second reading: what is allowed is so little that a list of tokens has it.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::order::Order;
use super::*;

#[derive(Debug, PartialEq)]
enum Token {
    Mark(u8),
    Number(i64),
    Text(String),
    Other,
}

/// The tokens of a body; whatever no allowed body has is `Other`.
fn tokens(mut rest: &[u8]) -> Vec<Token> {
    let mut tokens = Vec::new();
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'{' | b'}' | b'[' | b']' | b':' | b',' => tokens.push(Token::Mark(*first)),
            b'"' => {
                // A quote ends the text unless an odd number of backslashes stands before it.
                let is_end = |end: &usize| {
                    let before = rest[..*end].iter().rev();
                    rest[*end] == b'"' && before.take_while(|byte| **byte == b'\\').count() % 2 == 0
                };
                let end = (0..rest.len()).find(is_end).unwrap_or(rest.len());
                let quoted = [b"\"", &rest[..end], b"\""].concat();
                let text = serde_json::from_slice(&quoted).ok();
                let text = text.filter(|_| end < rest.len());
                tokens.push(text.map_or(Token::Other, Token::Text));
                rest = rest.get(end + 1..).unwrap_or_default();
            }
            b'-' | b'0'..=b'9' => {
                let end = rest.iter().position(|byte| !byte.is_ascii_digit());
                let (more, after) = rest.split_at(end.unwrap_or(rest.len()));
                let text = String::from_utf8([&[*first], more].concat()).expect("digits");
                // JSON has no number with a 0 in front, and -0 is no whole number to it.
                let is_plain = !text.trim_start_matches('-').starts_with('0') || text == "0";
                let number = text.parse().ok().filter(|_| is_plain);
                tokens.push(number.map_or(Token::Other, Token::Number));
                rest = after;
            }
            _ => tokens.push(Token::Other),
        }
    }
    tokens
}

/// The rows that a body names, each once.
fn expected(body: &[u8]) -> Option<Vec<Id>> {
    let tokens = tokens(body);
    let [
        Token::Mark(b'{'),
        Token::Text(key),
        Token::Mark(b':'),
        Token::Mark(b'['),
        list @ ..,
        Token::Mark(b']'),
        Token::Mark(b'}'),
    ] = &tokens[..]
    else {
        return None;
    };
    let mut ids = Vec::new();
    for (place, token) in list.iter().enumerate() {
        match token {
            Token::Number(id) if place % 2 == 0 => ids.push(id.to_string()),
            Token::Text(id) if place % 2 == 0 => ids.push(id.clone()),
            Token::Mark(b',') if place % 2 == 1 => {}
            _ => return None,
        }
    }
    let is_whole = list.len() % 2 == 1;
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    let is_id = |id: &String| !id.is_empty() && id.len() <= 256 && !id.contains('\0');
    let is_good = key == "ids" && is_whole && ids.len() <= 1000 && ids.iter().all(is_id);
    is_good.then(|| ids.iter().map(|id| id.as_str().into()).collect())
}

/// Things that stand in the list.
fn item() -> impl Strategy<Value = String> {
    const ODD: [&str; 27] = [
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "1e400",
        "1e3",
        "1.0",
        "-0",
        "00",
        "0x10",
        "+1",
        "1_000",
        "NaN",
        "null",
        "true",
        "\"1\"",
        "\"01\"",
        "\"\"",
        "\"7b1c-\\u00e9\"",
        "\"a\\u0000\"",
        "\"say \\\"hi\\\"\"",
        "[]",
        "[1]",
        "{}",
        "",
        "１",
    ];
    prop_oneof![
        8 => (-3..40_i64).prop_map(|id| id.to_string()),
        1 => any::<i64>().prop_map(|id| id.to_string()),
        1 => select(&ODD[..]).prop_map(str::to_owned),
    ]
}

/// Lists, short ones and ones about as long as may be.
fn list() -> impl Strategy<Value = Vec<String>> {
    let long = (998..1003_i64, 0..1500_usize).prop_map(|(distinct, more)| {
        (0..distinct)
            .chain(std::iter::repeat_n(7, more))
            .map(|id| id.to_string())
            .collect()
    });
    prop_oneof![6 => prop::collection::vec(item(), 0..6), 1 => long]
}

fn space() -> impl Strategy<Value = &'static str> {
    select(vec![
        "", "", "", " ", "\n", "\t\r\n ", "\u{b}", "\u{a0}", "/**/",
    ])
}

/// Bodies as a client may write them.
fn body() -> impl Strategy<Value = String> {
    let short = select(vec![
        "\"ids\"",
        "\"ids\"",
        "\"ids\"",
        "\"ids\"",
        "\"\\u0069d\\u0073\"",
        "\"\\u0069DS\"",
        "\"IDS\"",
        "\"id\"",
        "\"ids \"",
        "ids",
        "'ids'",
        "\"\"",
        "\"ids\\u0000\"",
    ]);
    let long = "[a-z]{300}".prop_map(|key| format!("{key:?}"));
    let key = prop_oneof![20 => short.prop_map(str::to_owned), 1 => long];
    let around = select(vec![
        ("", ""),
        ("", ""),
        ("", ""),
        ("", ""),
        ("", ""),
        ("\u{feff}", ""),
        ("", "\u{0}"),
        ("", "{}"),
        ("", ","),
        ("[", "]"),
        ("{\"ids\":", "}"),
        ("\"", "\""),
    ]);
    let field = (key, list(), space(), space())
        .prop_map(|(key, list, before, after)| {
            format!(
                "{before}{key}{after}:{before}[{after}{}{before}]{after}",
                list.join(&format!("{before},{after}"))
            )
        })
        .boxed();
    let fields = prop_oneof![8 => prop::collection::vec(field.clone(), 1), 2 => prop::collection::vec(field, 0..3)];
    let object = (fields, around)
        .prop_map(|(fields, (before, after))| format!("{before}{{{}}}{after}", fields.join(",")));
    let other = list().prop_map(|list| format!("[[{}]]", list.join(",")));
    prop_oneof![20 => object, 1 => other]
}

/// Bodies with bytes taken out, doubled and put in, and lists nested deep.
fn broken() -> impl Strategy<Value = Vec<u8>> {
    let splinters: [&[u8]; 18] = [
        b"",
        b"",
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b":",
        b"\"",
        b"\\",
        b"0",
        b"-",
        b".",
        b"e9",
        b"\xff",
        b"\xc3",
        b"\0",
        b"\"ids\":[1],",
    ];
    let splinter = (
        any::<Index>(),
        0..4_usize,
        any::<bool>(),
        select(splinters.to_vec()),
    );
    let cut = (body(), prop::collection::vec(splinter, 1..5)).prop_map(|(body, splinters)| {
        let mut body = body.into_bytes();
        for (at, length, doubles, splinter) in splinters {
            let from = at.index(body.len() + 1);
            let to = (from + length).min(body.len());
            let part = body[from..to].to_vec();
            let new = if doubles {
                [&part, splinter, &part].concat()
            } else {
                splinter.to_vec()
            };
            body.splice(from..to, new);
        }
        body
    });
    let deep = (
        1..30_000_usize,
        select(vec!["[", "{\"ids\":", "[[1],"]),
        any::<bool>(),
    )
        .prop_map(|(depth, open, closes)| {
            let close = if open.starts_with('{') { "}" } else { "]" };
            let (open, close) = (
                open.repeat(depth),
                close.repeat(if closes { depth } else { 0 }),
            );
            format!("{{\"ids\":[{open}1{close}]}}").into_bytes()
        });
    prop_oneof![30 => cut, 1 => deep]
}

fn check(body: &[u8]) -> Result<(), TestCaseError> {
    let pipeline = crate::config::parse("{}").expect("the default");
    let read = match Order::parse(body, &pipeline) {
        Ok(Order::Ids(ids)) => Ok(ids),
        Ok(other) => return Err(TestCaseError::fail(format!("{other:?}"))),
        Err(reason) => Err(reason),
    };
    prop_assert_eq!(read.clone().ok(), expected(body), "{:?}", read);
    if let Err(reason) = read {
        prop_assert!(
            reason.contains("body") || reason.contains("id"),
            "{}",
            reason
        );
        prop_assert!(reason.chars().count() < 300, "{}", reason);
    }
    Ok(())
}

proptest! {
    #[test]
    fn ids_are_numbers_or_texts_and_nothing_else(body in body()) {
        check(body.as_bytes())?;
    }

    #[test]
    fn broken_bodies_are_refused_unless_they_still_name_ids(body in broken()) {
        check(&body)?;
    }

    #[test]
    fn other_bytes_are_refused(body in prop::collection::vec(any::<u8>(), 0..80)) {
        check(&body)?;
    }

    #[test]
    fn a_cursor_is_read_back(stage in "[^\\x00]{0,30}", at in proptest::option::of(-1e12_f64..1e12),
        id in "-?[0-9]{1,20}|[^\\x00]{1,40}") {
        let (stage, id) = (stage.as_str().into(), id.as_str().into());
        let place = Position { stage, failed_at: at, id };
        prop_assert_eq!(position(&cursor(&place)), Ok(place));
    }

    #[test]
    fn a_query_is_read_or_refused_with_its_parameter(
        name in select(vec!["stage", "machine", "cause", "text", "failed_before", "limit", "after", "page"]),
        value in prop_oneof![
            "\\PC{0,20}", "[+-]?[0-9]{0,5}", "[A-Za-z0-9_-]{0,40}", "[a-z\\x00]{1,3}", "gpu|unassigned",
        ],
    ) {
        let pipeline = crate::config::parse("{}").expect("the default");
        let query = form_urlencoded::Serializer::new(String::new()).append_pair(name, &value).finish();
        let read = FailedRequest::parse(&query, &pipeline);
        let is_good = value.is_empty() || match name {
            "stage" | "cause" | "text" => !value.contains('\0'),
            "machine" => ["gpu", "macmini", "macbook", "unassigned"].contains(&&*value),
            "limit" => value.parse().is_ok_and(|limit: u128| (1..=1000).contains(&limit)),
            "after" | "failed_before" => read.is_ok(),
            _ => false,
        };
        prop_assert_eq!(read.is_ok(), is_good, "{:?}", read);
        prop_assert!(read.err().is_none_or(|reason| reason.contains(name)));
    }
}
