use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{alerts, name, test_file, tokens};
use crate::support::repository_file;

/// Every change of a rule is found by the tests of that rule.
#[test]
fn the_tests_find_every_mutation_of_every_rule() {
    let alerts = alerts();
    for name in alerts.iter().map(name) {
        let same = alerts.iter().filter(|alert| super::name(alert) == name);
        let (passes, said) = passes(&name, &same.cloned().collect::<Vec<_>>());
        assert!(passes, "{name} unchanged: {said}");
    }
    let mut mutants = Vec::new();
    for (place, alert) in alerts.iter().enumerate() {
        for (change, mutant) in mutations(alert) {
            let mut rules = alerts.clone();
            rules[place] = mutant;
            rules.retain(|other| name(other) == name(alert));
            mutants.push((format!("{}: {change}", name(alert)), name(alert), rules));
        }
    }
    assert!(mutants.len() > 20 * alerts.len(), "{}", mutants.len());
    let next = AtomicUsize::new(0);
    let survivors = Mutex::new(BTreeSet::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((change, alert, rules)) =
                    mutants.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let (passes, said) = passes(alert, rules);
                    // A rule that nobody can read would be found by anything; one that matches
                    // too much is found by a test in which there is too much.
                    let is_found = said.contains("got:") || said.contains("duplicate series");
                    let is_rule = is_found && !said.contains("parse error");
                    if passes || !is_rule {
                        let line = format!("{change}\n{}", if passes { "" } else { &said });
                        survivors.lock().expect("the survivors").insert(line);
                    }
                }
            });
        }
    });
    let survivors = survivors.into_inner().expect("the survivors");
    let list: String = survivors.into_iter().collect();
    assert_eq!(list, "", "of {} mutants these survive", mutants.len());
}

/// Runs the tests of an alert with other rules; returns whether they pass, and what was said.
fn passes(alert: &str, rules: &[Value]) -> (bool, String) {
    let folder = TempDir::new().expect("a folder");
    let tests = folder.path().join("tests");
    std::fs::create_dir(&tests).expect("a folder of tests");
    // Prometheus reads YAML, and JSON is YAML.
    let rules = json!({"groups": [{"name": "mutant", "rules": rules}]});
    std::fs::write(folder.path().join("rules.yml"), rules.to_string()).expect("the rules");
    let file = tests.join("test.yml");
    std::fs::write(&file, repository_file(&test_file(alert))).expect("the tests");
    let output = Command::new("promtool")
        .args(["test", "rules"])
        .arg(&file)
        .output()
        .unwrap_or_else(|error| panic!("running promtool: {error}; use tests/run"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.success(), said)
}

/// Returns changed copies of a rule, each with what was changed.
fn mutations(alert: &Value) -> Vec<(String, Value)> {
    let mut mutants = Vec::new();
    let mut change = |place: &[&str], new: Value| {
        let mut mutant = alert.clone();
        let (last, path) = place.split_last().expect("a place");
        let at = path.iter().fold(&mut mutant, |at, key| &mut at[*key]);
        if new.is_null() {
            at.as_object_mut().expect("an object").remove(*last);
        } else {
            at[*last] = new.clone();
        }
        mutants.push((format!("{} = {new}", place.join(".")), mutant));
    };
    let expression = alert["expr"].as_str().expect("an expression");
    for new in expressions(expression) {
        change(&["expr"], new.into());
    }
    let wait = seconds(alert["for"].as_str().expect("a duration"));
    for new in [0, wait / 2, wait * 2, wait * 100] {
        change(&["for"], format!("{new}s").into());
    }
    if let Some(kept) = alert["keep_firing_for"].as_str().map(seconds) {
        change(&["keep_firing_for"], Value::Null);
        change(&["keep_firing_for"], format!("{}s", kept / 2).into());
        change(&["keep_firing_for"], format!("{}s", kept * 2).into());
    } else {
        change(&["keep_firing_for"], "1h".into());
    }
    let other = if alert["labels"]["severity"] == "critical" {
        "warning"
    } else {
        "critical"
    };
    change(&["labels", "severity"], other.into());
    for (key, text) in alert["annotations"].as_object().expect("annotations") {
        let text = text.as_str().expect("a text");
        change(&["annotations", key], format!("{text}!").into());
        // Without its number, its machine, its stage.
        for (at, _) in text.match_indices("{{ $") {
            let end = text[at..].find("}}").expect("an end") + 2;
            let new = format!("{}{}", &text[..at], &text[at + end..]);
            change(&["annotations", key], new.into());
        }
    }
    mutants
}

/// Returns changed copies of an expression: a token of it, a clause of it, or all of it.
fn expressions(expression: &str) -> Vec<String> {
    let tokens = tokens(expression);
    let mut mutants = vec!["vector(0) > 1".to_owned(), "absent(nothing)".to_owned()];
    for (place, token) in tokens.iter().enumerate() {
        for new in instead_of(token) {
            let mut changed: Vec<_> = tokens.iter().map(|token| (*token).to_owned()).collect();
            changed[place] = new;
            mutants.push(changed.concat());
        }
    }
    // With a label less by which it groups or matches.
    let mut groups = false;
    for (place, token) in tokens.iter().enumerate() {
        let is_word = token.chars().all(char::is_alphabetic);
        if groups && is_word {
            let (before, after) = (tokens[..place].concat(), tokens[place + 1..].concat());
            mutants.push(format!("{before}nothing{after}"));
        }
        groups = match *token {
            "without" | "ignoring" => true,
            ")" => false,
            _ => groups,
        };
    }
    // Without one of its clauses, the first included.
    let is_set = |token: &str| matches!(token, "and" | "or" | "unless");
    let mut starts: Vec<_> = (0..tokens.len()).filter(|at| is_set(tokens[*at])).collect();
    if let Some(first) = starts.first() {
        let rest = tokens[first + 1..].concat();
        let rest = rest.trim_start();
        let matching = rest.strip_prefix("ignoring (");
        let matching = matching.and_then(|labels| labels.split_once(')'));
        mutants.push(matching.map_or(rest, |(_, rest)| rest).to_owned());
    }
    starts.push(tokens.len());
    for clause in starts.windows(2) {
        mutants.push(
            [&tokens[..clause[0]], &tokens[clause[1]..]]
                .concat()
                .concat(),
        );
    }
    mutants
}

/// Returns what may stand in the place of a token and means something else.
fn instead_of(token: &str) -> Vec<String> {
    let words: &[&str] = match token {
        "==" => &["!=", ">", "<"],
        "!=" => &["=="],
        ">" => &["<", "=="],
        "<" => &[">", "=="],
        ">=" => &["<", ">"],
        "<=" => &["<", ">", "=="],
        "-" => &["+", "*"],
        "=" => &["!="],
        "=~" => &["!~"],
        "!~" => &["=~"],
        "and" => &["or", "unless"],
        "or" => &["and", "unless"],
        "unless" => &["and", "or"],
        "sum" => &["max", "min", "count"],
        "max" => &["min"],
        "avg_over_time" => &["max_over_time", "min_over_time", "last_over_time"],
        "last_over_time" => &["count_over_time"],
        "max_over_time" => &["min_over_time", "last_over_time"],
        "min_over_time" => &["max_over_time", "last_over_time"],
        "changes" => &["count_over_time"],
        "sum_over_time" => &["count_over_time", "max_over_time"],
        "count" => &["max"],
        "clamp_min" => &["clamp_max"],
        _ => &[],
    };
    let mut all: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    if token.starts_with('"') {
        all.push("\"nothing\"".to_owned());
    } else if let Some(range) = token.strip_prefix('[') {
        // The step of a subquery stays: it changes nothing but what it costs.
        let step = range.find(':').unwrap_or(range.len() - 1);
        let (range, rest) = (seconds(&range[..step]), &range[step..]);
        all.extend([range / 2, range * 2].map(|range| format!("[{range}s{rest}")));
    } else if let Ok(number) = token.parse::<f64>() {
        let others: &[f64] = if number == 0.0 {
            &[1.0, -1.0]
        } else {
            &[number / 2.0, number * 2.0, number * 1000.0]
        };
        all.extend(others.iter().map(f64::to_string));
    } else if token.starts_with(|first: char| first.is_ascii_digit()) {
        all.extend([seconds(token) / 2, seconds(token) * 2].map(|offset| format!("{offset}s")));
    }
    all
}

/// Returns the seconds of a duration of one unit.
fn seconds(duration: &str) -> u64 {
    let (number, unit) = duration.split_at(duration.len() - 1);
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => panic!("{duration}"),
    };
    unit * number.parse::<u64>().expect("a number")
}
