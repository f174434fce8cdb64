use std::process::Command;

use queueboard_exporter::config;

use crate::support::{repository_file, run};

const MACHINES: &str = "
machines:
  - {key: a, stages: [extract, summarize]}
  - {key: b, stages: [embed]}
pools: []
deferrals: []
background_jobs: {default: a}
";

/// Each contradiction: what is wrong, where it stands, and what the reader is told.
const REFUSED: [(&str, &str, &str); 35] = [
    (
        "preset: boss",
        "1:9",
        "there is no preset `boss`: use one of celery-results, ",
    ),
    (
        "machines:\n  - {key: a, stages: ['*']}\n  - {key: b, stages: ['*']}",
        "3:23",
        "stage `*` is on `a` already",
    ),
    (
        "preset: oban\ntrend: ['*']",
        "2:9",
        "trend: `*` stands only among the stages of a machine",
    ),
    ("words: {item: job}", "1:9", "missing field `untitled`"),
    (
        "timezone: Asia/Soul",
        "1:11",
        "timezone `Asia/Soul` is unknown",
    ),
    ("timezome: Asia/Seoul", "1:1", "unknown field `timezome`"),
    (
        "machines:\n  - {key: a, stagez: []}",
        "2:14",
        "unknown field `stagez`",
    ),
    ("machines:\n  - {stages: []}", "2:6", "missing field `key`"),
    ("machines: gpu", "1:11", ""),
    ("machines:\n  - {key: a, enabled: perhaps}", "2:23", ""),
    ("machines: [", "1:", ""),
    (
        "machines:\n  - {key: a}\n  - {key: a}",
        "3:11",
        "machine `a` is configured twice",
    ),
    (
        "machines:\n  - {key: unassigned}",
        "2:11",
        "`unassigned` cannot be the key of a machine",
    ),
    (
        "machines:\n  - {key: ''}",
        "2:11",
        "`` cannot be the key of a machine",
    ),
    (
        "machines:\n  - {key: a, stages: [x]}\n  - {key: b, stages: [x]}",
        "3:23",
        "stage `x` is on `a` already",
    ),
    (
        "machines:\n  - {key: a, stages: [x, x]}",
        "2:26",
        "stage `x` is on `a` already",
    ),
    (
        "machines:\n  - {key: a, stages: [x, _other]}",
        "2:26",
        "`_other` cannot be a stage",
    ),
    (
        "machines:\n  - {key: a, fallback: a}",
        "2:24",
        "machine `a` is its own fallback",
    ),
    (
        "machines:\n  - {key: a, fallback: z}",
        "2:24",
        "fallback `z` of `a` is no machine",
    ),
    (
        "machines:\n  - {key: a, fallback: \"two\\nlines\"}",
        "2:24",
        "fallback `two\\nlines` of `a` is no machine",
    ),
    (
        "machines:\n  - {key: a, enabled: false, fallback: b, stages: [x]}\n  - {key: b, enabled: false}",
        "2:40",
        "fallback `b` of `a` is switched off as well",
    ),
    (
        "machines:\n  - {key: a, enabled: false, stages: [x]}",
        "2:11",
        "machine `a` is switched off and its stages have no fallback",
    ),
    (
        "pools: [{stage: nowhere, members: []}]",
        "1:17",
        "stage `nowhere` is on no machine",
    ),
    (
        "pools: [{stage: extract, members: [{model: m, machine: z}]}]",
        "1:56",
        "`z` is no machine of `machines`",
    ),
    (
        "pools: [{stage: extract, members: [{model: m, machine: gpu}, {model: m, machine: gpu}]}]",
        "1:70",
        "model `m` is in one pool twice",
    ),
    (
        "pools: [{stage: embed, members: []}, {stage: embed, members: []}]",
        "1:46",
        "stage `embed` has two pools",
    ),
    (
        "deferrals: [{machine: gpu, stages: [nowhere]}]",
        "1:37",
        "stage `nowhere` is on no machine",
    ),
    (
        "deferrals: [{machine: gpu, stages: [stt]}, {machine: macmini, stages: [stt]}]",
        "1:72",
        "stage `stt` is listed twice",
    ),
    (
        "background_jobs: {default: z}",
        "1:28",
        "`z` is no machine of `machines`",
    ),
    ("trend: [stt, stt]", "1:14", "stage `stt` is listed twice"),
    (
        "deadlines:\n  - stage: nowhere\n    by: \"08:00\"",
        "2:12",
        "stage `nowhere` is on no machine",
    ),
    (
        "deadlines: [{stage: stt, by: \"8:00\"}]",
        "1:30",
        "`8:00` is no time of day: use one such as \"08:00\"",
    ),
    (
        "deadlines: [{stage: stt, by: 24:00}]",
        "1:30",
        "`24:00` is no time of day",
    ),
    (
        "deadlines: [{stage: stt, by: 08:00}, {stage: stt, by: 09:00}]",
        "1:46",
        "stage `stt` is listed twice",
    ),
    ("deadlines: [{stage: stt}]", "1:14", "missing field `by`"),
];

#[test]
fn a_contradiction_is_refused_with_its_place_and_reason() {
    for (text, place, reason) in REFUSED {
        let refusal = config::parse(text).expect_err(text).to_string();
        assert!(refusal.starts_with(place), "{text}\n{refusal}");
        assert!(refusal.contains(reason), "{text}\n{refusal}");
        assert_eq!(refusal.lines().count(), 1, "{refusal}");
    }
}

#[test]
fn a_section_that_does_not_fit_the_default_ones_is_refused() {
    // The default pools, deferrals and jobs speak of machines that this file does not have.
    let refusal = config::parse("machines: [{key: a, stages: [x]}]").expect_err("a contradiction");
    assert!(
        refusal
            .to_string()
            .contains("give that section in the file as well"),
        "{refusal}"
    );
}

#[test]
fn the_default_is_what_a_file_without_sections_says() {
    let default = config::load(None).expect("the default");
    for text in ["", "# nothing\n\n", "{}", config::file::DEFAULT] {
        let parsed = config::parse(text).expect(text);
        assert_eq!(format!("{parsed:?}"), format!("{default:?}"), "{text}");
    }
    assert_eq!(default.machine_of("deep_summary"), "macbook");
    assert_eq!(default.machine_of("nowhere"), "unassigned");
    assert_eq!(default.job_machine_of("section_summary"), "macmini");
    assert_eq!(default.job_machine_of("anything"), "gpu");
}

#[test]
fn sections_replace_the_default_ones() {
    let pipeline = config::parse(&format!("{MACHINES}\ntrend: [embed]")).expect("a pipeline");
    assert_eq!(pipeline.machine_of("extract"), "a");
    assert_eq!(pipeline.job_machine_of("hier_backfill"), "a");
    assert_eq!(pipeline.trend, ["embed"]);
    assert_eq!(pipeline.timezone, chrono_tz::Tz::Asia__Seoul);
}

#[test]
fn deadlines_are_times_of_day_with_quotes_or_without() {
    let none = config::load(None).expect("the default").deadlines;
    assert!(none.is_empty());
    let text = "deadlines: [{stage: stt, by: \"00:00\"}, {stage: embed, by: 23:59}]";
    let found = config::parse(text).expect("a pipeline").deadlines;
    let time = |text: &str| text.parse::<chrono::NaiveTime>().expect("a time");
    let expected = [("embed", "23:59:00"), ("stt", "00:00:00")];
    let expected = expected.map(|(stage, by)| (stage.to_owned(), time(by)));
    assert_eq!(found, expected.into());
}

#[test]
fn the_default_stands_in_the_readme() {
    let default = config::file::DEFAULT;
    let sections = default.split_once("timezone:").expect("the sections").1;
    assert!(
        repository_file("README.md").contains(sections),
        "the README shows another default"
    );
}

#[test]
fn a_refused_file_is_named() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("queueboard.yml");
    std::fs::write(&path, "timezone: Nowhere").expect("a file");
    let file = path.display().to_string();
    let output = run(
        &[
            "--config.file",
            &file,
            "--database-url=sqlite:///nowhere.db",
        ],
        &[],
    );
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("{file}:1:11: timezone `Nowhere` is unknown");
    assert!(
        said.contains(&expected) && said.lines().count() == 1,
        "{said}"
    );
}

/// Files that are small and would grow without end, or nest deeper than any stack.
fn bombs() -> [String; 5] {
    let level = |level| {
        format!(
            "&a{level} [{}]",
            vec![format!("*a{}", level - 1); 10].join(", ")
        )
    };
    let levels: Vec<String> = (1..20).map(level).collect();
    let merges = |level| format!("&a{level} {{<<: [*a{0}, *a{0}], k{level}: gpu}}", level - 1);
    let merges: Vec<String> = (1..40).map(merges).collect();
    [
        format!("trend: [&a0 gpu, {}]", levels.join(", ")),
        format!("trend: [&a0 {{k0: gpu}}, {}]", merges.join(", ")),
        format!("trend: {}", "[".repeat(1_000_000)),
        format!("trend:\n{}", "- ".repeat(1_000_000)),
        format!("machines: &a [{{key: *a}}, {}]", "*a, ".repeat(100_000)),
    ]
}

#[test]
fn a_file_that_would_grow_without_end_is_refused_in_little_time_and_memory() {
    let folder = tempfile::TempDir::new().expect("a folder");
    for (number, bomb) in bombs().iter().enumerate() {
        let path = folder.path().join(format!("{number}.yml"));
        std::fs::write(&path, bomb).expect("a file");
        let limited = "ulimit -v 1048576; ulimit -t 5; exec \"$0\" \"$@\"";
        let output = Command::new("sh")
            .args([
                "-c",
                limited,
                env!("CARGO_BIN_EXE_queueboard-exporter"),
                "--config.file",
            ])
            .arg(&path)
            .arg("--database-url=sqlite:///nowhere.db")
            .output()
            .expect("it starts");
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{number}: {said}");
        let place = [":1:", ":2:"].map(|line| format!("{}{line}", path.display()));
        let is_placed = place.iter().any(|place| said.contains(place));
        assert!(is_placed && said.lines().count() == 1, "{said}");
        assert!(said.len() < 500, "{said}");
    }
}
