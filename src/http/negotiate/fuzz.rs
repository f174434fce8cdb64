//! Random headers. What is asked for is drawn first, and only then written in one of the many ways
//! that RFC 9110 allows; so what must be answered is known without reading the header.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// A member of a list, as its author means it; q in thousandths.
#[derive(Debug, Clone)]
struct Meant {
    value: &'static str,
    version: Option<&'static str>,
    q: u32,
}

const OPEN_METRICS: &str = "application/openmetrics-text";
const MEDIA: [&str; 12] = [
    OPEN_METRICS,
    OPEN_METRICS,
    "text/plain",
    OPEN_METRICS,
    "text/plain",
    "text/plain",
    "text/*",
    "application/*",
    "*/*",
    "text/html",
    "text/plainer",
    "application/openmetrics",
];
const CODINGS: [&str; 8] = [
    "gzip", "gzip", "x-gzip", "*", "identity", "br", "deflate", "gzip2",
];

/// Members whose q says nothing; such a member is as if it were not there.
const NONSENSE: [&str; 11] = [
    "",
    "1.001",
    "2",
    "-0.5",
    "+0.5",
    "abc",
    "1e-1",
    "nan",
    "inf",
    "0.5.5",
    "99999999999999999999999999999999999999999999",
];

/// Parameters that say nothing about the member that has them.
const PARAMETERS: [&str; 9] = [
    "",
    " ",
    "charset=utf-8",
    "escaping=allow-utf-8",
    r#"title="a, b""#,
    r#"title="gzip;q=0, text/plain;version=0.0.4;q=1, */*""#,
    r#"title="3\" wide, or so;q=0""#,
    r#"title="a \\""#,
    "flag",
];

fn q() -> impl Strategy<Value = u32> {
    prop_oneof![
        Just(0),
        Just(1),
        Just(999),
        Just(1000),
        Just(1000),
        0..=1000_u32
    ]
}

fn medium() -> impl Strategy<Value = Meant> {
    let version = select(vec![
        None,
        None,
        None,
        Some("1.0.0"),
        Some("1.0.0"),
        Some("0.0.4"),
        Some("0.0.4"),
        Some("0.0.1"),
        Some("1.0.00"),
        Some(""),
    ]);
    (select(&MEDIA[..]), version, q()).prop_map(|(value, version, q)| Meant { value, version, q })
}

fn coding() -> impl Strategy<Value = Meant> {
    (select(&CODINGS[..]), q()).prop_map(|(value, q)| Meant {
        value,
        version: None,
        q,
    })
}

/// A header and the members that it means.
fn header(
    member: impl Strategy<Value = Meant> + 'static,
) -> impl Strategy<Value = (String, Vec<Meant>)> {
    let values = [&MEDIA[..], &CODINGS[..]].concat();
    let nonsense = (select(values), select(&NONSENSE[..]));
    let item = prop_oneof![
        8 => member.prop_map(Ok),
        1 => nonsense.prop_map(|(value, q)| Err(format!("{value};q={q}"))),
        1 => Just(Err(String::new())),
    ];
    let choices = prop::collection::vec(any::<usize>(), 1..60);
    (prop::collection::vec(item, 0..8), choices).prop_map(|(items, choices)| {
        let mut choices = choices.into_iter().cycle();
        let mut choose = |count| choices.next().expect("another") % count;
        let texts: Vec<String> = items
            .iter()
            .map(|item| match item {
                Ok(meant) => written(meant, &mut choose),
                Err(text) => text.clone(),
            })
            .collect();
        (texts.join(","), items.into_iter().flatten().collect())
    })
}

/// Writes a member in one of the ways that there are.
fn written(meant: &Meant, choose: &mut impl FnMut(usize) -> usize) -> String {
    let mut parts = vec![meant.value.to_owned()];
    let other = |parts: &mut Vec<String>, chosen: usize| {
        parts.extend(PARAMETERS.get(chosen).map(|&part| part.to_owned()));
    };
    other(&mut parts, choose(2 * PARAMETERS.len()));
    if let Some(version) = meant.version {
        let quote = ["", "\""][choose(2)];
        parts.push(format!("version={quote}{version}{quote}"));
    }
    if meant.q < 1000 || choose(2) == 0 {
        let q = format!("{}.{:03}", meant.q / 1000, meant.q % 1000);
        let shortest = q.trim_end_matches('0').trim_end_matches('.').len();
        parts.push(format!(
            "q={}",
            &q[..shortest + choose(q.len() - shortest + 1)]
        ));
    }
    other(&mut parts, choose(2 * PARAMETERS.len()));
    for part in &mut parts {
        let space = ["", "", "", " ", "\t "];
        *part = format!("{}{part}{}", space[choose(5)], space[choose(5)]);
        if choose(3) == 0 {
            part.make_ascii_uppercase();
        }
    }
    parts.join(";")
}

/// RFC 9110, 12.5.1: the most specific range that matches decides; nothing matching is a q of 0.
/// Of members that are equally specific the kindest is taken. Also returns whether it was named.
fn media_q(meant: &[Meant], name: &str, version: &str) -> (u32, bool) {
    let family = format!("{}/*", name.split('/').next().unwrap_or_default());
    let greatest = |matches: &dyn Fn(&Meant) -> bool| {
        let matching = meant.iter().filter(|range| matches(range));
        matching.map(|range| range.q).max()
    };
    let named = greatest(&|range| range.value == name && range.version == Some(version))
        .or_else(|| greatest(&|range| range.value == name && range.version.is_none()));
    let q = named
        .or_else(|| greatest(&|range| range.value == family))
        .or_else(|| greatest(&|range| range.value == "*/*"));
    (q.unwrap_or(0), named.is_some())
}

proptest! {
    #[test]
    fn the_format_is_the_one_that_is_valued_most((text, meant) in header(medium())) {
        let (open_metrics, is_named) = media_q(&meant, OPEN_METRICS, "1.0.0");
        let (classic, _) = media_q(&meant, "text/plain", "0.0.4");
        let is_open = open_metrics > classic || (open_metrics == classic && is_named && classic > 0);
        let expected = if is_open { Format::OpenMetrics } else { Format::Classic };
        prop_assert_eq!(format(&text), expected, "{:?}", meant);
    }

    #[test]
    fn gzip_is_used_unless_refused_or_valued_less_than_plain((text, meant) in header(coding())) {
        let greatest = |names: &[&str]| {
            let matching = meant.iter().filter(|coding| names.contains(&coding.value));
            matching.map(|coding| coding.q).max()
        };
        let gzipped = greatest(&["gzip", "x-gzip"]).or_else(|| greatest(&["*"])).unwrap_or(0);
        let plain = greatest(&["identity"]).unwrap_or(0);
        prop_assert_eq!(gzip(&text), gzipped > 0 && gzipped >= plain, "{:?}", meant);
    }

    #[test]
    fn broken_headers_get_what_they_at_least_name(
        (text, _) in prop_oneof![header(medium()), header(coding())],
        cuts in prop::collection::vec((any::<prop::sample::Index>(), select(vec!["", "\"", "\\", ";", ",", "=", "q", "é", "\u{0}"])), 0..4),
    ) {
        let mut text = text;
        for (at, extra) in cuts {
            let mut place = at.index(text.len() + 1);
            while !text.is_char_boundary(place) {
                place -= 1;
            }
            let rest = text.split_off(place);
            text.push_str(extra);
            text.extend(rest.chars().skip(usize::from(extra.is_empty())));
        }
        let lower = text.to_ascii_lowercase();
        let names = |words: [&str; 2]| words.iter().any(|word| lower.contains(word));
        prop_assert!(format(&text) == Format::Classic || names(["application/", "*/*"]), "{}", text);
        prop_assert!(!gzip(&text) || names(["gzip", "*"]), "{}", text);
    }

    #[test]
    fn no_header_panics(header in "\\PC{0,200}") {
        let _ = (format(&header), gzip(&header));
    }
}
