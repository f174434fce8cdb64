/// Lives of a stage, as the exporter judges them and Prometheus remembers them.
mod lives;
/// Changes of the rules, each of which a test must find.
mod mutation;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::{pipe, repository_file};

/// Tests of all alerts at once.
const LIVES: [&str; 2] = ["real_life", "two_clusters"];
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
    files.extend(LIVES.map(test_file));
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

/// Returns the names of all alerts.
pub(crate) fn names() -> BTreeSet<String> {
    alerts().iter().map(name).collect()
}

/// Returns the expressions of an alert's rules.
pub(crate) fn expressions(alert: &str) -> Vec<String> {
    let alerts = alerts().into_iter().filter(|rule| name(rule) == alert);
    let expression = |rule: Value| rule["expr"].as_str().unwrap_or_default().to_owned();
    alerts.map(expression).collect()
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
