use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;

use chrono::DateTime;
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::random;
use crate::support::{Database, Demo, Engine, Exporter, Options, Prometheus, get, repository_file};

/// What Grafana 10 to 13 has without a plugin, as far as it is used here.
const PANELS: [&str; 5] = ["stat", "table", "timeseries", "barchart", "state-timeline"];
const UNITS: [&str; 11] = [
    "dtdhms",
    "none",
    "short",
    "s",
    "dtdurations",
    "percentunit",
    "bytes",
    "locale",
    "string",
    "reqps",
    "dateTimeAsLocalNoDateIfToday",
];
const TRANSFORMATIONS: [&str; 4] = ["merge", "organize", "sortBy", "convertFieldType"];
const REDUCERS: [&str; 2] = ["lastNotNull", "sum"];
const OVERRIDES: [&str; 11] = [
    "color",
    "custom.align",
    "custom.cellOptions",
    "custom.width",
    "decimals",
    "links",
    "mappings",
    "max",
    "min",
    "thresholds",
    "unit",
];

const COLLECTION_SLOW: f64 = 5.0;
const ITEM_STUCK: f64 = 7200.0;
const JOB_STALE: f64 = 300.0;
const ETA_LONG: f64 = 86_400.0;
const PENDING_OLD: f64 = 21_600.0;

/// From where on a number is coloured: its panel, the column if it has several, the number.
const THRESHOLDS: [(&str, &str, f64); 14] = [
    ("Collection takes", "", COLLECTION_SLOW),
    ("Stages", "Longest processing", ITEM_STUCK),
    ("Failed rows", "", 1.0),
    ("Stale jobs", "", 1.0),
    ("Failed jobs", "", 1.0),
    ("Longest ETA", "", ETA_LONG),
    ("Oldest wait", "", PENDING_OLD),
    ("${machine:text}: rows now", "Failed", 1.0),
    ("When each stage is done", "", ETA_LONG),
    ("Stages", "Failed", 1.0),
    ("Stages", "Oldest pending", PENDING_OLD),
    ("Stages", "ETA", ETA_LONG),
    ("Background jobs", "Stale", 1.0),
    ("Background jobs", "Last sign of life", JOB_STALE),
];

/// Answers that may be empty: a panel, and why.
const MAY_BE_EMPTY: [(&str, &str); 1] = [(
    "${machine:text}: works on",
    "a machine may be between two rows, and the macbook sleeps",
)];
/// Columns that may be missing: a label, and why.
const MAY_BE_MISSING: [(&str, &str); 1] = [("title", "only with --collector.current.titles")];

/// The machines as configured by default.
const MACHINES: [(&str, &str); 3] = [
    ("gpu", "GPU 서버"),
    ("macbook", "맥북 M5 Max"),
    ("macmini", "맥미니"),
];

/// Returns every dashboard by the name of its file.
fn dashboards() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards");
    let entries = std::fs::read_dir(folder).expect("the folder of dashboards");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.into_string().expect("a name of text"));
    let found: BTreeMap<String, Value> = names
        .filter(|name| name.ends_with(".json"))
        .map(|name| {
            let text = repository_file(&format!("dashboards/{name}"));
            let dashboard =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, dashboard)
        })
        .collect();
    assert_eq!(found.len(), 2, "{:?}", found.keys());
    found
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn keys(value: &Value) -> impl Iterator<Item = &str> {
    let object = value.as_object().into_iter().flatten();
    object.map(|(key, _)| key.as_str())
}

/// Returns the panels that show something.
fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    let panels = list(&dashboard["panels"]).iter();
    panels.filter(|panel| panel["type"] != "row")
}

fn variables(dashboard: &Value) -> &[Value] {
    list(&dashboard["templating"]["list"])
}

/// Returns one target of a panel.
fn target<'a>(dashboard: &'a Value, title: &str, reference: &str) -> &'a Value {
    let panel = panels(dashboard).find(|panel| panel["title"] == title);
    let mut targets = list(&panel.expect(title)["targets"]).iter();
    let found = targets.find(|target| target["refId"] == reference);
    found.expect(reference)
}

/// What is wrong with a dashboard: nothing, it is hoped.
#[derive(Default)]
struct Complaints(Vec<String>);

impl Complaints {
    fn unless(&mut self, holds: bool, place: &str, rule: &str) {
        if !holds {
            self.0.push(format!("{place}: {rule}"));
        }
    }
}

/// The rules of Grafana's dashboard-linter, for every type of panel, and further ones.
fn lint(dashboard: &Value) -> Vec<String> {
    let mut found = Complaints::default();
    lint_dashboard(&mut found, dashboard);
    lint_variables(&mut found, dashboard);
    lint_grid(&mut found, dashboard);
    for panel in panels(dashboard) {
        lint_panel(&mut found, panel);
        lint_fields(&mut found, panel);
        list(&panel["targets"])
            .iter()
            .for_each(|target| lint_target(&mut found, panel, target));
    }
    found.0
}

fn lint_dashboard(found: &mut Complaints, dashboard: &Value) {
    let place = "dashboard";
    let uid = text(&dashboard["uid"]);
    found.unless(!uid.is_empty() && uid.len() <= 40, place, "uid");
    for key in ["title", "description", "refresh"] {
        found.unless(!text(&dashboard[key]).is_empty(), place, key);
    }
    found.unless(dashboard["editable"] == false, place, "uneditable");
    found.unless(dashboard["schemaVersion"] == 39, place, "schema version");
    found.unless(dashboard["tags"] == json!(["queueboard"]), place, "tags");
    found.unless(dashboard["time"]["to"] == "now", place, "time range");
    // What an export leaves behind, and what a provisioned file may not have.
    for key in ["id", "__inputs", "__requires", "iteration"] {
        found.unless(dashboard.get(key).is_none(), place, key);
    }
    let all = dashboard.to_string();
    found.unless(!all.contains("\"actions\""), place, "no buttons that act");
    for annotation in list(&dashboard["annotations"]["list"]) {
        let is_ours = annotation["builtIn"] != 1;
        let uid = &annotation["datasource"]["uid"];
        found.unless(!is_ours || uid == "${datasource}", place, "annotations");
    }
    for url in all.split("\"url\":\"").skip(1) {
        let url = url.split('"').next().unwrap_or_default();
        let is_known = url.is_empty() || url.starts_with("${failures:raw}");
        let is_ours = url.starts_with("/d/queueboard-");
        found.unless(is_known || is_ours, place, url);
    }
}

fn lint_variables(found: &mut Complaints, dashboard: &Value) {
    let named = |name: &str| {
        let variable = variables(dashboard)
            .iter()
            .find(|known| known["name"] == name);
        variable.unwrap_or(&Value::Null)
    };
    let source = named("datasource");
    found.unless(source["type"] == "datasource", "datasource", "type");
    found.unless(source["query"] == "prometheus", "datasource", "query");
    found.unless(source["label"] == "Data source", "datasource", "label");
    for (name, label) in [("job", "Job"), ("instance", "Instance")] {
        let variable = named(name);
        found.unless(variable["type"] == "query", name, "type");
        found.unless(variable["label"] == label, name, "label");
        found.unless(variable["multi"] == true, name, "multi");
    }
    for variable in variables(dashboard) {
        let place = format!("variable {}", variable["name"]);
        found.unless(!text(&variable["label"]).is_empty(), &place, "label");
        if variable["type"] != "query" {
            continue;
        }
        let query = text(&variable["query"]["query"]);
        let is_known = query.starts_with("label_values(") || query.starts_with("query_result(");
        found.unless(is_known && query.ends_with(')'), &place, "query");
        found.unless(variable["definition"] == query, &place, "definition");
        found.unless(variable["refresh"] == 2, &place, "refresh");
        let is_variable = variable["datasource"]["uid"] == "${datasource}";
        found.unless(is_variable, &place, "data source");
        // `.*` would also match series without the label.
        let all = variable["includeAll"] == true;
        let matches_all = variable["allValue"] == ".+" && variable["multi"] == true;
        found.unless(!all || matches_all, &place, "all");
        found.unless(variable["current"]["value"] != json!([]), &place, "current");
    }
}

/// Panels lie on a grid of 24 columns; nothing overlaps and no corner is empty.
fn lint_grid(found: &mut Complaints, dashboard: &Value) {
    let mut ids = BTreeSet::new();
    let mut taken = BTreeMap::<(u64, u64), &str>::new();
    for panel in list(&dashboard["panels"]) {
        let title = text(&panel["title"]);
        let place = &panel["gridPos"];
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| place[key].as_u64().unwrap_or(999));
        let id = panel["id"].as_u64();
        found.unless(id.is_some() && ids.insert(id), title, "id");
        found.unless(x + w <= 24 && w > 0 && h > 0, title, "columns");
        let repeats = panel.get("repeat").is_some();
        found.unless(!repeats || (x, w) == (0, 24), title, "repeated");
        for cell in (y..y + h).flat_map(|row| (x..x + w).map(move |column| (row, column))) {
            let other = taken.insert(cell, title);
            found.unless(other.is_none(), title, "overlaps");
        }
    }
    let height = taken.keys().map(|(row, _)| row + 1).max().unwrap_or(0);
    let is_full = taken.len() as u64 == height * 24;
    found.unless(is_full, "dashboard", "an empty corner");
}

fn lint_panel(found: &mut Complaints, panel: &Value) {
    let title = text(&panel["title"]);
    let kind = text(&panel["type"]);
    found.unless(!title.is_empty(), "panel", "title");
    found.unless(PANELS.contains(&kind), title, "type");
    let description = text(&panel["description"]);
    found.unless(description.ends_with('.'), title, "description");
    let uid = &panel["datasource"]["uid"];
    found.unless(uid == "${datasource}", title, "data source");
    let targets = list(&panel["targets"]);
    let refs: BTreeSet<&str> = targets
        .iter()
        .map(|target| text(&target["refId"]))
        .collect();
    found.unless(!targets.is_empty(), title, "targets");
    found.unless(refs.len() == targets.len(), title, "refIds");
    for transformation in list(&panel["transformations"]) {
        let id = text(&transformation["id"]);
        found.unless(TRANSFORMATIONS.contains(&id), title, id);
    }
    let options = &panel["options"];
    let calculations = list(&options["reduceOptions"]["calcs"]).iter();
    for reducer in calculations.chain(list(&options["legend"]["calcs"])) {
        found.unless(REDUCERS.contains(&text(reducer)), title, "reducer");
    }
    found.unless(options.get("footer").is_none(), title, "footer");
}

fn lint_fields(found: &mut Complaints, panel: &Value) {
    let title = text(&panel["title"]);
    let config = &panel["fieldConfig"];
    let defaults = &config["defaults"];
    let unit = text(&defaults["unit"]);
    found.unless(UNITS.contains(&unit), title, "unit");
    found.unless(!text(&defaults["noValue"]).is_empty(), title, "no value");
    found.unless(maps_nulls(&defaults["mappings"]), title, "nulls");
    let steps = &defaults["thresholds"]["steps"];
    found.unless(steps[0]["value"].is_null(), title, "first threshold");
    let is_coloured = panel["type"] != "stat" || defaults["color"]["mode"] == "thresholds";
    found.unless(is_coloured, title, "colours");
    for field in list(&config["overrides"]) {
        found.unless(field["matcher"]["id"] == "byName", title, "matcher");
        for property in list(&field["properties"]) {
            let id = text(&property["id"]);
            found.unless(OVERRIDES.contains(&id), title, id);
            let is_known = id != "unit" || UNITS.contains(&text(&property["value"]));
            found.unless(is_known, title, "unit of a column");
        }
    }
}

/// A null and a NaN are given a text of their own.
fn maps_nulls(mappings: &Value) -> bool {
    list(mappings).iter().any(|mapping| {
        mapping["options"]["match"] == "null+nan"
            && !text(&mapping["options"]["result"]["text"]).is_empty()
    })
}

fn lint_target(found: &mut Complaints, panel: &Value, target: &Value) {
    let place = format!("{} {}", text(&panel["title"]), text(&target["refId"]));
    let kind = text(&panel["type"]);
    let is_history = ["timeseries", "state-timeline"].contains(&kind);
    let is_table = ["table", "barchart"].contains(&kind);
    let uid = &target["datasource"]["uid"];
    found.unless(uid == "${datasource}", &place, "data source");
    found.unless(target["range"] == is_history, &place, "range");
    found.unless(target["instant"] == !is_history, &place, "instant");
    let format = if is_table { "table" } else { "time_series" };
    found.unless(target["format"] == format, &place, "format");
    let legend = text(&target["legendFormat"]);
    found.unless(legend.is_empty() == is_table, &place, "legend");
    let query = Query::read(text(&target["expr"]));
    found.unless(!query.selectors.is_empty(), &place, "query");
    for selector in &query.selectors {
        for label in ["job", "instance"] {
            let wanted = (label.to_owned(), format!("=~${label}"));
            found.unless(selector.matchers.contains(&wanted), &place, label);
        }
        let function = selector.function.as_str();
        let is_rate = ["rate", "irate"].contains(&function);
        let range = selector.range.as_deref();
        let is_right = !is_rate || range == Some("$__rate_interval");
        found.unless(is_right, &place, "rate interval");
        let is_counter = selector.metric.ends_with("_total");
        let is_counted = is_rate || function == "increase";
        found.unless(!is_counter || is_counted, &place, "counter");
    }
}

/// What a query asks for.
#[derive(Debug, Default)]
struct Query {
    selectors: Vec<Selector>,
    /// Labels by which it groups or matches.
    labels: BTreeSet<String>,
    /// Labels that it makes itself.
    made: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Selector {
    metric: String,
    /// Labels, each with its operator and value.
    matchers: Vec<(String, String)>,
    range: Option<String>,
    /// The function that it is the first argument of.
    function: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Range(String),
    Sign(char),
}

fn tokens(query: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = query.trim_start();
    while let Some(first) = rest.chars().next() {
        let inside = |end: char| {
            let (inside, after) = rest[1..].split_once(end).expect("its end");
            (inside.to_owned(), after)
        };
        let is_word = |letter: char| letter.is_alphanumeric() || "_.:".contains(letter);
        let (token, after) = match first {
            '"' => {
                let (text, after) = inside('"');
                (Token::Text(text), after)
            }
            '[' => {
                let (range, after) = inside(']');
                (Token::Range(range), after)
            }
            letter if is_word(letter) => {
                let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
                (Token::Word(rest[..end].to_owned()), &rest[end..])
            }
            sign => (Token::Sign(sign), &rest[sign.len_utf8()..]),
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

impl Query {
    fn read(query: &str) -> Self {
        const GROUPING: [&str; 6] = [
            "by",
            "without",
            "on",
            "ignoring",
            "group_left",
            "group_right",
        ];
        const OPERATORS: [&str; 4] = ["and", "or", "unless", "bool"];
        let tokens = tokens(query);
        let mut read = Self::default();
        let mut makes_label = false;
        let mut at = 0;
        while at < tokens.len() {
            let is_called = tokens.get(at + 1) == Some(&Token::Sign('('));
            let is_grouped = matches!(tokens.get(at + 1), Some(Token::Word(next)) if next == "by");
            match &tokens[at] {
                Token::Text(label) if makes_label => {
                    read.made.insert(label.clone());
                    makes_label = false;
                }
                Token::Word(word) if GROUPING.contains(&word.as_str()) => {
                    let inside = tokens[at + 1..]
                        .iter()
                        .take_while(|token| is_called && **token != Token::Sign(')'));
                    let labels = inside.filter_map(|token| match token {
                        Token::Word(label) => Some(label.clone()),
                        _ => None,
                    });
                    let labels: Vec<String> = labels.collect();
                    if is_called {
                        let end = tokens[at..]
                            .iter()
                            .position(|token| *token == Token::Sign(')'));
                        at += end.expect("the end of the labels");
                    }
                    read.labels.extend(labels);
                }
                Token::Word(word) if OPERATORS.contains(&word.as_str()) => {}
                Token::Word(word) if is_called || is_grouped => {
                    makes_label |= word == "label_replace";
                }
                Token::Word(word) if !word.starts_with(|digit: char| digit.is_ascii_digit()) => {
                    let (selector, end) = Selector::read(&tokens, at);
                    read.selectors.push(selector);
                    at = end;
                }
                _ => {}
            }
            at += 1;
        }
        read
    }
}

impl Selector {
    /// Reads the selector that begins at a token; returns its last token as well.
    fn read(tokens: &[Token], start: usize) -> (Self, usize) {
        let mut read = Self::default();
        if let Token::Word(metric) = &tokens[start] {
            read.metric.clone_from(metric);
        }
        if let Some([Token::Word(function), Token::Sign('(')]) =
            start.checked_sub(2).map(|before| &tokens[before..start])
        {
            read.function.clone_from(function);
        }
        let mut at = start + 1;
        if tokens.get(at) == Some(&Token::Sign('{')) {
            let mut operator = String::new();
            let mut label = String::new();
            while tokens[at] != Token::Sign('}') {
                match &tokens[at] {
                    Token::Word(word) => (label, operator) = (word.clone(), String::new()),
                    Token::Text(value) => {
                        let value = format!("{operator}{value}");
                        read.matchers.push((label.clone(), value));
                    }
                    Token::Sign(sign) => operator.push(*sign),
                    Token::Range(_) => {}
                }
                at += 1;
            }
            at += 1;
        }
        if let Some(Token::Range(range)) = tokens.get(at) {
            read.range = Some(range.clone());
            at += 1;
        }
        (read, at - 1)
    }
}

/// Returns what dashboards ask Prometheus, by place.
fn queries(dashboard: &Value) -> Vec<(String, Query)> {
    let of_panels = panels(dashboard).flat_map(|panel| {
        let title = text(&panel["title"]);
        let targets = list(&panel["targets"]).iter();
        targets.map(move |target| (title.to_owned(), text(&target["expr"])))
    });
    let of_variables = variables(dashboard).iter().filter_map(|variable| {
        let query = text(&variable["query"]["query"]);
        let (_, selector) = query.strip_suffix(')')?.split_once('(')?;
        let selector = match selector.rsplit_once(", ") {
            Some((selector, _)) => selector,
            None => selector,
        };
        Some((text(&variable["name"]).to_owned(), selector))
    });
    of_panels
        .chain(of_variables)
        .map(|(place, query)| (place, Query::read(query)))
        .collect()
}

#[test]
fn every_rule_of_the_linter_holds() {
    for (name, dashboard) in dashboards() {
        assert_eq!(lint(&dashboard), Vec::<String>::new(), "{name}");
    }
}

/// Each of these is one thing gone wrong: where, what stands there then, and the complaint.
#[test]
fn the_linter_finds_what_is_wrong() {
    let wrong = [
        ("/editable", json!(true), "dashboard: uneditable"),
        ("/panels/0/description", json!(""), "Database: description"),
        ("/panels/0/type", json!("singlestat"), "Database: type"),
        (
            "/panels/0/datasource/uid",
            json!("abc"),
            "Database: data source",
        ),
        (
            "/panels/0/fieldConfig/defaults/unit",
            json!("parsecs"),
            "Database: unit",
        ),
        (
            "/panels/0/fieldConfig/defaults/mappings",
            json!([]),
            "Database: nulls",
        ),
        (
            "/panels/0/targets/0/instant",
            json!(false),
            "Database A: instant",
        ),
        (
            "/panels/0/targets/0/expr",
            json!("queueboard_up"),
            "Database A: job",
        ),
        (
            "/panels/0/targets/0/expr",
            json!("rate(a_total{job=~\"$job\",instance=~\"$instance\"}[5m])"),
            "Database A: rate interval",
        ),
        (
            "/panels/0/targets/0/expr",
            json!("sum(a_total{job=~\"$job\",instance=~\"$instance\"})"),
            "Database A: counter",
        ),
        ("/panels/1/id", json!(1), "Collectors: id"),
        ("/panels/1/gridPos/x", json!(0), "Collectors: overlaps"),
        (
            "/panels/0/gridPos/w",
            json!(2),
            "dashboard: an empty corner",
        ),
        (
            "/templating/list/1/refresh",
            json!(1),
            "variable \"job\": refresh",
        ),
        (
            "/templating/list/1/allValue",
            json!(".*"),
            "variable \"job\": all",
        ),
        (
            "/links/0/url",
            json!("https://example.invalid"),
            "dashboard: https://example.invalid",
        ),
    ];
    let lanes = &dashboards()["machine-lanes.json"];
    for (place, value, complaint) in wrong {
        let mut spoilt = lanes.clone();
        *spoilt.pointer_mut(place).expect(place) = value;
        let found = lint(&spoilt);
        assert!(
            found.iter().any(|found| found == complaint),
            "{place}: {found:?}"
        );
    }
}

/// Returns the README's table: each metric's labels.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let readme = repository_file("README.md");
    let rows = readme.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let name = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
        let is_metric = ["queueboard_", "process_"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        let labels = cells.get(2)?.split(',').map(str::trim);
        let labels = labels.filter(|label| !label.is_empty());
        is_metric.then(|| (name.to_owned(), labels.map(str::to_owned).collect()))
    });
    rows.collect()
}

#[test]
fn dashboards_ask_only_for_metrics_and_labels_that_exist() {
    let documented = documented();
    let given = ["job", "instance"].map(str::to_owned);
    for (name, dashboard) in dashboards() {
        for (place, query) in queries(&dashboard) {
            let mut known: BTreeSet<String> = given.iter().cloned().collect();
            known.extend(query.made);
            for selector in &query.selectors {
                let labels = documented.get(&selector.metric);
                let labels =
                    labels.unwrap_or_else(|| panic!("{name}: {place}: {}", selector.metric));
                for (label, _) in &selector.matchers {
                    let is_known = labels.contains(label) || given.contains(label);
                    assert!(is_known, "{name}: {place}: {}: {label}", selector.metric);
                }
                known.extend(labels.iter().cloned());
            }
            let unknown: Vec<&String> = query.labels.difference(&known).collect();
            assert!(unknown.is_empty(), "{name}: {place}: {unknown:?}");
        }
    }
}

#[test]
fn every_metric_is_on_a_dashboard() {
    let asked: BTreeSet<String> = dashboards()
        .values()
        .flat_map(queries)
        .flat_map(|(_, query)| query.selectors)
        .map(|selector| selector.metric)
        .collect();
    let documented: BTreeSet<String> = documented().into_keys().collect();
    assert!(documented.len() > 40);
    assert_eq!(documented, asked);
}

#[test]
fn numbers_are_coloured_where_they_become_wrong() {
    let dashboards = dashboards();
    for (title, column, value) in THRESHOLDS {
        let mut panels = dashboards.values().flat_map(panels);
        let panel = panels.find(|panel| panel["title"] == title);
        let config = &panel.expect(title)["fieldConfig"];
        let field = list(&config["overrides"])
            .iter()
            .find(|field| field["matcher"]["options"] == column);
        let property = field.and_then(|field| {
            let properties = list(&field["properties"]).iter();
            let mut wanted = properties.filter(|property| property["id"] == "thresholds");
            wanted.next().map(|property| &property["value"])
        });
        let thresholds = if column.is_empty() {
            Some(&config["defaults"]["thresholds"])
        } else {
            property
        };
        let steps = list(&thresholds.expect(column)["steps"]);
        let values: Vec<Option<f64>> = steps.iter().map(|step| step["value"].as_f64()).collect();
        assert_eq!(values, [None, Some(value)], "{title} {column}");
    }
}

/// A Prometheus that has scraped an exporter for a while.
fn scraping(metrics: SocketAddr) -> Prometheus {
    let configuration = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
         scrape_configs: [{{job_name: queueboard, static_configs: [{{targets: ['{}']}}]}}]\n",
        metrics
    );
    let prometheus = Prometheus::start(&configuration, &[]);
    let is_enough = "min(count_over_time(queueboard_http_requests_total[1m])) >= bool 4";
    prometheus.wait_for(is_enough, 1.0);
    prometheus
}

/// Asks Prometheus as Grafana does, and returns the data of its answer.
fn ask(prometheus: &Prometheus, path: &str, parameters: &[(&str, &str)]) -> Value {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let answer = get(
        prometheus.address(),
        &format!("{path}?{}", query.finish()),
        &[],
    );
    let mut answer = answer.json();
    assert_eq!(answer["status"], "success", "{parameters:?}: {answer}");
    answer["data"].take()
}

/// Puts the variables' values in, as Grafana does before it asks.
fn substitute(query: &str, values: &[(&str, &str)]) -> String {
    let put_in =
        |query: String, (name, value): &(&str, &str)| query.replace(&format!("${name}"), value);
    let query = values.iter().fold(query.to_owned(), put_in);
    let left = query.replace("\"$1\"", "");
    assert!(!left.contains('$'), "an unknown variable in {query}");
    query
}

const ALL: [(&str, &str); 4] = [
    ("job", ".+"),
    ("instance", ".+"),
    ("trend_stage", "summarize"),
    // Four scrapes, but no less than what the step of a short range is.
    ("__rate_interval", "15s"),
];

/// What is left of a time range of a minute, at a step of a second.
const MINUTE: f64 = 60.0;

/// A series that a target answers, and its latest value.
struct Series {
    labels: Value,
    value: f64,
}

/// Runs one target.
fn run(prometheus: &Prometheus, target: &Value, machine: &str) -> Vec<Series> {
    let values = [&ALL[..], &[("machine", machine)]].concat();
    let query = substitute(text(&target["expr"]), &values);
    let data = if target["range"] == true {
        let now = prometheus.value("vector(time())").expect("the time");
        let (start, end) = ((now - MINUTE).to_string(), now.to_string());
        let parameters = [
            ("query", &*query),
            ("start", &start),
            ("end", &end),
            ("step", "1"),
        ];
        ask(prometheus, "/api/v1/query_range", &parameters)
    } else {
        ask(prometheus, "/api/v1/query", &[("query", &query)])
    };
    let series = list(&data["result"]).iter().map(|series| {
        let latest = list(&series["values"]).last().unwrap_or(&series["value"]);
        Series {
            labels: series["metric"].clone(),
            value: text(&latest[1]).parse().expect("a number"),
        }
    });
    series.collect()
}

/// Returns the name that a legend gives a series.
fn named(legend: &str, labels: &Value) -> String {
    let put_in =
        |name: String, label: &str| name.replace(&format!("{{{{{label}}}}}"), text(&labels[label]));
    let name = keys(labels).fold(legend.to_owned(), put_in);
    assert!(!name.contains("{{"), "{legend} of {labels}");
    name
}

/// Runs every target of a panel; returns the names of its fields before any transformation.
fn fields(prometheus: &Prometheus, panel: &Value, machine: &str) -> Option<BTreeSet<String>> {
    let title = text(&panel["title"]);
    let targets = list(&panel["targets"]);
    let is_table = targets[0]["format"] == "table";
    let mut fields = BTreeSet::from_iter(is_table.then(|| "Time".to_owned()));
    for target in targets {
        let series = run(prometheus, target, machine);
        let reference = text(&target["refId"]);
        if series.is_empty() {
            let is_right = MAY_BE_EMPTY.iter().any(|(known, _)| *known == title);
            assert!(is_right, "{title} {reference} of {machine} is empty");
            return None;
        }
        if is_table {
            let labels = series.iter().flat_map(|series| keys(&series.labels));
            let labels = labels.map(str::to_owned);
            fields.extend(labels);
            fields.insert(match targets.len() {
                1 => "Value".to_owned(),
                _ => format!("Value #{reference}"),
            });
        } else {
            let legend = text(&target["legendFormat"]);
            fields.extend(series.iter().map(|series| named(legend, &series.labels)));
        }
    }
    fields.extend(MAY_BE_MISSING.map(|(label, _)| label.to_owned()));
    Some(fields)
}

/// What transformations, overrides and options name is there when their turn comes.
fn check_names(panel: &Value, mut fields: BTreeSet<String>) {
    let title = text(&panel["title"]);
    let is_there = |fields: &BTreeSet<String>, name: &str| {
        assert!(fields.contains(name), "{title}: no {name} in {fields:?}");
    };
    for transformation in list(&panel["transformations"]) {
        let options = &transformation["options"];
        let sorts = list(&options["sort"]).iter().map(|sort| &sort["field"]);
        let conversions = list(&options["conversions"]).iter();
        let converted = conversions.map(|conversion| &conversion["targetField"]);
        sorts
            .chain(converted)
            .for_each(|name| is_there(&fields, text(name)));
        for key in ["excludeByName", "indexByName", "renameByName"] {
            keys(&options[key]).for_each(|name| is_there(&fields, name));
        }
        for name in keys(&options["excludeByName"]) {
            fields.remove(name);
        }
        for name in keys(&options["renameByName"]) {
            fields.remove(name);
            fields.insert(text(&options["renameByName"][name]).to_owned());
        }
    }
    let overrides = list(&panel["fieldConfig"]["overrides"]).iter();
    let overrides = overrides.map(|field| &field["matcher"]["options"]);
    let sorts = list(&panel["options"]["sortBy"]).iter();
    let sorts = sorts.map(|sort| &sort["displayName"]);
    let axis = panel["options"].get("xField");
    for name in overrides.chain(sorts).chain(axis) {
        is_there(&fields, text(name));
    }
}

#[test]
fn a_real_prometheus_answers_every_query() {
    let demo = Demo::start();
    let prometheus = scraping(demo.metrics);
    for (name, dashboard) in dashboards() {
        let mut asked = 0;
        for panel in panels(&dashboard) {
            let repeated = MACHINES.map(|(machine, _)| machine);
            let machines: &[&str] = match panel.get("repeat") {
                Some(variable) if variable == "machine" => &repeated,
                Some(variable) => panic!("{name}: repeated by {variable}"),
                None => &[".+"],
            };
            for machine in machines {
                if let Some(fields) = fields(&prometheus, panel, machine) {
                    check_names(panel, fields);
                }
                asked += 1;
            }
        }
        assert!(asked > 10, "{name}");
        check_variables(&prometheus, &dashboard);
    }
    check_labels(&prometheus);
}

/// Every variable has values; the machines' are their keys, by the labels that people know.
fn check_variables(prometheus: &Prometheus, dashboard: &Value) {
    for variable in variables(dashboard) {
        let query = substitute(text(&variable["query"]["query"]), &ALL);
        let Some((function, arguments)) = query.split_once('(') else {
            continue;
        };
        let arguments = arguments.trim_end_matches(')');
        if let (Some((selector, label)), "label_values") = (arguments.rsplit_once(", "), function) {
            let path = format!("/api/v1/label/{label}/values");
            let values = ask(prometheus, &path, &[("match[]", selector)]);
            assert!(!list(&values).is_empty(), "{query}");
        } else {
            let data = ask(prometheus, "/api/v1/query", &[("query", arguments)]);
            let labels = list(&data["result"]).iter().map(|series| &series["metric"]);
            let machines = labels.map(|labels| (text(&labels["machine"]), text(&labels["label"])));
            assert_eq!(machines.collect::<BTreeSet<_>>(), BTreeSet::from(MACHINES));
        }
    }
}

/// The machines' labels are joined to their numbers: to each lane's its own, and to no other.
fn check_labels(prometheus: &Prometheus) {
    let lanes = &dashboards()["machine-lanes.json"];
    let of = |title: &str, machine: &str| -> BTreeSet<String> {
        let series = run(prometheus, target(lanes, title, "A"), machine);
        let labels = series.iter().map(|series| text(&series.labels["label"]));
        labels.map(str::to_owned).collect()
    };
    for (machine, label) in MACHINES {
        let expected = BTreeSet::from([label.to_owned()]);
        assert_eq!(of("${machine:text}", machine), expected);
    }
    let all: BTreeSet<String> = MACHINES.map(|(_, label)| label.to_owned()).into();
    for title in ["What the machines did", "Done in the hour before", "Stages"] {
        assert_eq!(of(title, ".+"), all, "{title}");
    }
}

/// A row of a stage where nothing else ever happened.
const STALLED: &str = "\
    INSERT INTO processing_queue (id, document_id, stage, status, created_at)
    VALUES (99999999, 99999999, 'translate', 'pending', '2026-11-24T01:00:00Z')";

/// An exporter of a board of every kind of row, whose clock stands still.
async fn standing_still() -> (Database, Exporter) {
    let mut database = Database::create(Engine::Sqlite).await;
    let now = DateTime::from_timestamp(1_795_500_000, 0).expect("an instant");
    database
        .load(&random::board(6, 3000, now, Tz::Asia__Seoul))
        .await;
    database.run(STALLED).await;
    let options = Options {
        clock: database.clock(),
        ..Options::default()
    };
    let exporter = Exporter::serve(database.url(), &options);
    (database, exporter)
}

/// What the board's panels show, beside what the exporter says to whoever asks for JSON.
struct Shown {
    prometheus: Prometheus,
    lanes: Value,
    overview: Value,
}

impl Shown {
    fn of(&self, title: &str, reference: &str, machine: &str) -> Vec<Series> {
        run(
            &self.prometheus,
            target(&self.lanes, title, reference),
            machine,
        )
    }

    fn check_lanes(&self) {
        let numbers = [
            ("${machine:text}: rows now", "A", "pending"),
            ("${machine:text}: rows now", "B", "processing"),
            ("${machine:text}: rows now", "C", "failed"),
            ("${machine:text}: rows now", "D", "deferred_pending"),
            ("${machine:text}: done", "B", "done_1h"),
            ("${machine:text}: done", "C", "done_today"),
        ];
        for machine in list(&self.overview["machines"]) {
            let name = text(&machine["key"]);
            for (title, reference, key) in numbers {
                let found = self.of(title, reference, name);
                assert_eq!(found.len(), 1);
                assert_eq!(Some(found[0].value), machine[key].as_f64(), "{name}: {key}");
            }
            let state = &self.of("${machine:text}", "A", name)[0];
            let code = match text(&machine["state"]) {
                "active" => 2.0,
                "deferred" => 1.0,
                _ => 0.0,
            };
            assert_eq!(state.value, code, "{machine}");
            assert_eq!(state.labels["label"], machine["label"]);
        }
    }

    fn check_trend(&self) {
        for (reference, key) in [("A", "inflow"), ("B", "done")] {
            let title = "24 hours of $trend_stage: came in and done";
            let found = self.of(title, reference, ".+");
            assert_eq!(found.len(), 24);
            for series in found {
                let ago: usize = text(&series.labels["hours_ago"]).parse().expect("a number");
                let hour = &self.overview["trend_24h"][23 - ago];
                assert_eq!(series.labels["hour"], hour["hour"]);
                assert_eq!(Some(series.value), hour[key].as_f64(), "{hour}: {key}");
            }
        }
    }

    fn check_pool(&self) {
        for (reference, key) in [("B", "done_1h"), ("C", "done_today")] {
            let found = self.of("Who does the shared stages", reference, ".+");
            assert_eq!(found.len(), 2);
            for series in found {
                let machine = text(&series.labels["machine"]);
                let part = &self.overview["summarize_by_machine"][machine][key];
                assert_eq!(Some(series.value), part.as_f64(), "{machine}: {key}");
            }
        }
    }

    /// A backlog that grows, one that stands still, none, and one that will be done are told apart.
    fn check_times(&self) {
        let times = self.of("When each stage is done", "A", ".+");
        let mut forecasts = BTreeSet::new();
        for stage in list(&self.overview["stages"]) {
            let is_it = |series: &&Series| series.labels["stage"] == stage["stage"];
            // Stages beyond the hundredth are summed.
            let Some(series) = times.iter().find(is_it) else {
                continue;
            };
            let forecast = text(&stage["forecast"]);
            forecasts.insert(forecast);
            let minutes = stage["eta_minutes"].as_f64();
            let is_right = match forecast {
                "growing" => series.value == -1.0,
                "stalled" => series.value == -2.0,
                "empty" => series.value == 0.0,
                _ => minutes.is_some_and(|minutes| (series.value / 60.0 - minutes).abs() <= 1.0),
            };
            assert!(is_right, "{stage}: {}", series.value);
        }
        assert_eq!(forecasts.len(), 4, "{forecasts:?}");
    }
}

#[tokio::test]
async fn the_board_in_grafana_is_the_board_as_json() {
    let (_database, exporter) = standing_still().await;
    let shown = Shown {
        prometheus: scraping(exporter.metrics),
        lanes: dashboards()["machine-lanes.json"].clone(),
        overview: exporter.overview().json(),
    };
    shown.check_lanes();
    shown.check_trend();
    shown.check_pool();
    shown.check_times();
}

/// What is not known is no board of zeros.
#[test]
fn a_lost_database_is_told_from_an_empty_queue() {
    let lost = Exporter::serve("sqlite:///nowhere/pipeline.db", &Options::default());
    let prometheus = scraping(lost.metrics);
    let lanes = &dashboards()["machine-lanes.json"];
    for panel in panels(lanes) {
        let title = text(&panel["title"]);
        for target in list(&panel["targets"]) {
            let found = run(&prometheus, target, ".+");
            let values: Vec<f64> = found.iter().map(|series| series.value).collect();
            match title {
                "Database" => assert_eq!(values, [0.0]),
                "Collectors" => assert_eq!(values, [3.0]),
                _ => assert!(values.is_empty(), "{title}: {values:?}"),
            }
        }
    }
    drop(lost);
    prometheus.wait_for("absent(queueboard_up)", 1.0);
    let values = run(&prometheus, target(lanes, "Database", "A"), ".+");
    assert_eq!(values[0].value, -1.0, "it is not scraped");
}

/// Links between dashboards, and from the alerts to them, lead to one that is there.
#[test]
fn links_lead_to_dashboards() {
    let dashboards = dashboards();
    let uids: BTreeSet<&str> = dashboards
        .values()
        .map(|known| text(&known["uid"]))
        .collect();
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts/rules.yml");
    let rules = std::fs::read_to_string(rules).unwrap_or_default();
    let pages = dashboards.values().map(Value::to_string).chain([rules]);
    let mut links = 0;
    for page in pages {
        for link in page.split("/d/").skip(1) {
            let end = link.find(|letter: char| !letter.is_alphanumeric() && letter != '-');
            let uid = &link[..end.unwrap_or(link.len())];
            assert!(uids.contains(uid), "no dashboard {uid}");
            links += 1;
        }
    }
    assert!(links > 1);
}

#[test]
fn provisioning_loads_the_files_that_are_there() {
    let sources = repository_file("dashboards/provisioning/datasources/queueboard.yml");
    let provider = repository_file("dashboards/provisioning/dashboards/queueboard.yml");
    for file in [&sources, &provider] {
        assert!(file.contains("\napiVersion: 1\n"), "{file}");
        // Grafana would put variables of its environment in.
        assert!(!file.contains('$'), "{file}");
    }
    assert!(sources.contains("type: prometheus"));
    assert!(provider.contains("type: file"));
}
