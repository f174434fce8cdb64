use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{pipe, repository_file};

const RULES: &str = "alerts/rules.yml";
const RUNBOOK: &str =
    "https://github.com/queueboard/queueboard-exporter/blob/main/alerts/RUNBOOK.md#";

#[test]
fn promtool_has_nothing_to_say_of_the_rules() {
    let rules = in_repository(RULES);
    let arguments = ["check", "rules", "--lint=all", "--lint-fatal", &rules];
    let said = pipe("promtool", &arguments, "");
    let expected = format!("SUCCESS: {} rules found", alerts().len());
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn the_rules_fire_when_they_should_and_not_otherwise() {
    let names: BTreeSet<String> = alerts().iter().map(name).collect();
    let mut files: Vec<_> = names.iter().map(|name| test_file(name)).collect();
    files.push("alerts/tests/real_life.yml".to_owned());
    for file in &files {
        pipe("promtool", &["test", "rules", &in_repository(file)], "");
    }
    let folder = std::fs::read_dir(in_repository("alerts/tests")).expect("the tests");
    assert_eq!(folder.count(), files.len(), "a test of no alert");
}

#[test]
fn every_alert_has_a_firing_a_not_yet_and_a_quiet_case() {
    for alert in alerts().iter().map(name) {
        let tests = repository_file(&test_file(&alert));
        assert!(tests.contains("exp_labels:"), "{alert} never fires");
        let not_yet = format!("alertname: {alert}, exp_alerts: []");
        assert!(tests.contains(&not_yet), "{alert} has no case of not yet");
        let quiet =
            format!("count_over_time(ALERTS{{alertname=\"{alert}\",alertstate=\"firing\"}}");
        assert!(tests.contains(&quiet), "{alert} has no quiet case");
    }
}

#[test]
fn every_alert_says_what_is_wrong_and_what_to_do() {
    let runbook = repository_file("alerts/RUNBOOK.md");
    let sections: BTreeSet<_> = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("## Queueboard"))
        .map(|rest| format!("Queueboard{rest}"))
        .collect();
    for alert in alerts() {
        let name = name(&alert);
        let severity = alert["labels"]["severity"].as_str();
        assert!(
            matches!(severity, Some("critical" | "warning")),
            "{name}: {severity:?}"
        );
        assert!(alert["for"].is_string(), "{name} has no for");
        let says = |key: &str| {
            let text = alert["annotations"][key].as_str();
            text.unwrap_or_else(|| panic!("{name} has no {key}"))
                .to_owned()
        };
        let summary = says("summary");
        assert!(
            summary.ends_with('.') && !summary.contains("{{"),
            "{name}: a summary is one sentence for all that are grouped: {summary}"
        );
        let description = says("description");
        // What is absent has no number.
        let number = description.contains("humanize") || name == "QueueboardAbsent";
        assert!(number, "{name} does not say the number: {description}");
        assert_eq!(
            says("runbook_url"),
            format!("{RUNBOOK}{}", name.to_lowercase())
        );
        assert!(
            sections.contains(&name),
            "the runbook has no section {name}"
        );
        assert!(says("dashboard_url").starts_with("https://grafana.example.com/d/queueboard-"));
    }
    let names: BTreeSet<_> = alerts().iter().map(name).collect();
    assert_eq!(sections, names, "the runbook's sections");
}

#[test]
fn every_metric_of_the_rules_is_one_of_ours() {
    let readme = repository_file("README.md");
    for alert in alerts() {
        for word in tokens(alert["expr"].as_str().expect("an expression")) {
            let is_ours = readme.contains(&format!("| `{word}` |"));
            assert!(!word.starts_with("queueboard_") || is_ours, "{word}");
        }
    }
}

#[test]
fn alertmanager_routes_pages_and_tickets() {
    let file = in_repository("alerts/alertmanager.example.yml");
    pipe("amtool", &["check-config", &file], "");
    for alert in alerts() {
        let severity = alert["labels"]["severity"].as_str().expect("a severity");
        let receiver = if severity == "critical" {
            "pager"
        } else {
            "ticket"
        };
        let config = format!("--config.file={file}");
        let verify = format!("--verify.receivers={receiver}");
        let (name, severity) = (
            format!("alertname={}", name(&alert)),
            format!("severity={severity}"),
        );
        let arguments = [
            "config", "routes", "test", &config, &verify, &name, &severity,
        ];
        pipe("amtool", &arguments, "");
    }
    let names: BTreeSet<_> = alerts().iter().map(name).collect();
    let routing = repository_file("alerts/alertmanager.example.yml");
    for word in routing.split(|letter: char| !letter.is_alphanumeric()) {
        let is_alert = word.starts_with("Queueboard") && word != "Queueboard";
        assert!(
            !is_alert || names.contains(word),
            "there is no alert {word}"
        );
    }
}

/// Every change of a rule is found by the tests of that rule.
#[test]
fn the_tests_find_every_mutation_of_every_rule() {
    let alerts = alerts();
    for name in alerts.iter().map(name) {
        let same = alerts.iter().filter(|alert| self::name(alert) == name);
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
        groups = match *token {
            "by" | "on" | "ignoring" => true,
            ")" => false,
            _ => groups,
        };
        if groups
            && matches!(
                *token,
                "job" | "instance" | "machine" | "stage" | "status" | "kind" | "label"
            )
        {
            let (before, after) = (tokens[..place].concat(), tokens[place + 1..].concat());
            mutants.push(format!("{before}nothing{after}"));
        }
    }
    // Without one of its clauses, the first included.
    let is_set = |token: &str| matches!(token, "and" | "or" | "unless");
    let mut starts: Vec<_> = (0..tokens.len()).filter(|at| is_set(tokens[*at])).collect();
    if let Some(first) = starts.first() {
        let rest = tokens[first + 1..].concat();
        let rest = rest.trim_start();
        let matching = rest
            .strip_prefix("on (")
            .and_then(|rest| rest.split_once(')'));
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
        "absent" => &["count"],
        _ => &[],
    };
    let mut all: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    if token.starts_with('"') {
        all.push("\"nothing\"".to_owned());
    } else if let Some(range) = token.strip_prefix('[') {
        let range = seconds(range.trim_end_matches(']'));
        all.extend([range / 2, range * 2].map(|range| format!("[{range}s]")));
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

/// Takes an expression apart; together the tokens are the expression again.
fn tokens(expression: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let is_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | ':' | '.');
        let is_operator = |letter: char| matches!(letter, '=' | '!' | '<' | '>' | '~');
        let closing = |end: char| rest[1..].find(end).map(|at| at + 2);
        let length = match first {
            '"' => closing('"'),
            '[' => closing(']'),
            _ if is_word(first) => rest.find(|letter| !is_word(letter)),
            _ if is_operator(first) => rest.find(|letter| !is_operator(letter)),
            _ => Some(first.len_utf8()),
        };
        let (token, after) = rest.split_at(length.unwrap_or(rest.len()));
        tokens.push(token);
        rest = after;
    }
    tokens
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

/// Returns the metric that an alert looks at first, and the number that it compares with first.
pub(crate) fn limit(alert: &str) -> (String, f64) {
    let alerts = alerts();
    let rule = alerts.iter().find(|rule| name(rule) == alert);
    let rule = rule.unwrap_or_else(|| panic!("no alert {alert}"));
    let words = tokens(rule["expr"].as_str().expect("an expression"));
    let metric = words.iter().find(|word| word.starts_with("queueboard_"));
    let mut after = words.iter().skip_while(|word| !matches!(**word, ">" | "<"));
    let number = after.find_map(|word| word.parse().ok());
    let metric = metric.expect("a metric").to_string();
    (metric, number.expect("a number"))
}

fn alerts() -> Vec<Value> {
    let file: Value = serde_saphyr::from_str(&repository_file(RULES)).expect("YAML");
    let groups = file["groups"].as_array().expect("groups");
    let rules = groups
        .iter()
        .flat_map(|group| group["rules"].as_array().expect("rules"));
    rules.cloned().collect()
}

fn name(alert: &Value) -> String {
    alert["alert"].as_str().expect("an alert").to_owned()
}

fn test_file(alert: &str) -> String {
    format!("alerts/tests/{alert}.yml")
}

fn in_repository(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    path.display().to_string()
}
