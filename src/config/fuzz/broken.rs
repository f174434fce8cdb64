//! Files broken in the ways of YAML, and files that would grow without end.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::model::model;
use super::write::{style, write};
use crate::config::file::DEFAULT;

/// What is put into a file to break it, or to say the same in another way.
const SPLINTERS: [&str; 48] = [
    "",
    "",
    "",
    " ",
    "  ",
    "\n",
    "\n  ",
    "\t",
    "\r",
    ":",
    ": ",
    "-",
    "- ",
    "?",
    "? ",
    ",",
    "[",
    "]",
    "{",
    "}",
    "#",
    " # ",
    "'",
    "\"",
    "\\",
    "|\n",
    ">-\n",
    "&a ",
    "*a",
    " *a ",
    "<<: *a\n",
    "<<: {label: x}, ",
    "<<: ",
    "!!str ",
    "!!int ",
    "!!binary ",
    "!include ",
    "!<x> ",
    "~",
    "null",
    "---\n",
    "\n...\n",
    "%YAML 1.2\n---\n",
    "\u{feff}",
    "\u{0}",
    "\u{85}",
    "99999999999999999999999999999999999999",
    "한",
];

fn words() -> impl Strategy<Value = String> {
    const KEYS: [&str; 28] = [
        "timezone",
        "machines",
        "key",
        "label",
        "enabled",
        "fallback",
        "stages",
        "pools",
        "stage",
        "members",
        "model",
        "machine",
        "deferrals",
        "background_jobs",
        "default",
        "kinds",
        "trend",
        "statuses",
        "pending",
        "queue",
        "naive_timestamps",
        "deadlines",
        "by",
        "words",
        "item",
        "preset",
        "gpu",
        "x",
    ];
    const VALUES: [&str; 13] = [
        "",
        " [",
        " {",
        " a",
        " *a",
        " &a [x]",
        " |\n    a\n",
        " \"a\nb\"",
        " 1",
        " 08:00",
        " 24:00",
        " ~",
        " true",
    ];
    (select(&KEYS[..]), select(&VALUES[..])).prop_map(|(key, value)| format!("{key}:{value}"))
}

/// A configuration file that was broken.
pub(super) fn text() -> impl Strategy<Value = String> {
    broken(prop_oneof![
        (model(), style()).prop_map(|(model, style)| write(&model, &style)),
        Just(DEFAULT.to_owned()),
    ])
}

/// A file with parts of its lines taken out, doubled, and put in.
pub(super) fn broken(valid: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let new = prop_oneof![4 => select(&SPLINTERS[..]).prop_map(str::to_owned), 1 => words()];
    let splinter = (
        any::<Index>(),
        prop_oneof![3 => 0..4_usize, 1 => 0..60_usize],
        any::<bool>(),
        new,
    );
    (valid, prop::collection::vec(splinter, 1..6)).prop_map(|(text, splinters)| {
        let mut text: Vec<char> = text.chars().collect();
        for (at, length, doubles, new) in splinters {
            let from = at.index(text.len() + 1);
            let to = (from + length).min(text.len());
            let part: Vec<char> = text[from..to].to_vec();
            let mut all: Vec<char> = if doubles { part.clone() } else { Vec::new() };
            all.extend(new.chars());
            all.extend(if doubles { part } else { Vec::new() });
            text.splice(from..to, all);
        }
        text.into_iter().collect()
    })
}

/// A file that is small and means much: aliases of aliases, nesting, very many of something.
pub(super) fn bomb() -> impl Strategy<Value = String> {
    let place = select(vec![
        ("", ""),
        ("trend: ", ""),
        ("machines: ", ""),
        ("machines: [{key: a, stages: ", "}]"),
        ("background_jobs: {default: gpu, kinds: ", "}"),
        ("timezone: ", ""),
        ("deadlines: ", ""),
        ("words: ", ""),
        ("deadlines: [{stage: extract, by: ", "}]"),
        ("x: ", ""),
    ]);
    let laughs = (2..12_usize, 2..12_usize, any::<bool>()).prop_map(|(levels, width, merges)| {
        let mut last = "&a0 {k0: gpu}".to_owned();
        for level in 1..=levels {
            let aliases = vec![format!("*a{}", level - 1); width - 1].join(", ");
            last = match merges {
                true => format!("&a{level} {{<<: [{last}, {aliases}], k{level}: gpu}}"),
                false => format!("&a{level} [{last}, {aliases}]"),
            };
        }
        last
    });
    let nested = (
        1..20_000_usize,
        select(vec!["[", "{a: ", "- ", "? ", "!x ", "&a "]),
        any::<bool>(),
    )
        .prop_map(|(depth, open, closes)| {
            let close = match open {
                "[" => "]",
                "{a: " => "}",
                _ => "",
            };
            format!(
                "{}x{}",
                open.repeat(depth),
                close.repeat(if closes { depth } else { 0 })
            )
        });
    let many = (
        1..20_000_usize,
        select(vec!["gpu", "x", "{key: gpu}", "&a x", "'", "*b"]),
    )
        .prop_map(|(count, item)| format!("[{}]", vec![item; count].join(", ")));
    let distinct = (1..20_000_usize).prop_map(|count| {
        let names: Vec<String> = (0..count).map(|n| format!("s{n}")).collect();
        format!("[{}]", names.join(", "))
    });
    let itself = Just("&a [*a, *a]".to_owned());
    (
        place,
        prop_oneof![4 => laughs, 4 => nested, 1 => many, 1 => distinct, 1 => itself],
    )
        .prop_map(|((before, after), bomb)| format!("{before}{bomb}{after}"))
}
