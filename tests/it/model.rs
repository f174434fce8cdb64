//! A naive model of every number that is derived from the database.
//!
//! It is meant to be read rather than to be fast: each number is a filter and a count over rows.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, NaiveDate, Timelike, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::rows::{Document, Job, QueueRow, Rows};

const MACHINES: [(&str, &str); 3] = [
    ("gpu", "GPU 서버"),
    ("macmini", "맥미니"),
    ("macbook", "맥북 M5 Max"),
];

const STAGES: [(&str, &str); 11] = [
    ("extract", "gpu"),
    ("embed", "gpu"),
    ("chunk", "gpu"),
    ("markdown", "gpu"),
    ("preview", "gpu"),
    ("thumbnail", "gpu"),
    ("fulltext", "gpu"),
    ("stt", "gpu"),
    ("classify", "macmini"),
    ("summarize", "macmini"),
    ("deep_summary", "macbook"),
];

const KINDS: [(&str, &str); 5] = [
    ("global_digest", "macmini"),
    ("morning_briefing", "macmini"),
    ("section_summary", "macmini"),
    ("hier_backfill", "gpu"),
    ("hier_redecompose", "gpu"),
];

const STATUSES: [&str; 3] = ["pending", "processing", "failed"];
const QUANTILES: [(&str, f64); 2] = [("0.5", 0.5), ("0.9", 0.9)];
/// Whose absence it means that rows of a stage are put off.
const DEFERRALS: [(&str, &str); 2] = [("summarize", "macbook"), ("deep_summary", "macbook")];
const POOL_MACHINES: [&str; 2] = ["macmini", "macbook"];
const UNASSIGNED: &str = "unassigned";
const OTHER: &str = "_other";
const MAX_NAMES: usize = 100;
const MAX_CHARS: usize = 256;

/// Every series of a scrape that derives from the database, by its canonical key.
pub(crate) type Series = BTreeMap<String, f64>;

/// Builds the canonical key of a series: labels sorted by name, values as they are.
pub(crate) fn series(name: &str, labels: &[(&str, &str)]) -> String {
    if labels.is_empty() {
        return name.to_owned();
    }
    let mut labels = labels.to_vec();
    labels.sort_unstable();
    let pairs: Vec<String> = labels
        .iter()
        .map(|(label, value)| format!("{label}=\"{value}\""))
        .collect();
    format!("{name}{{{}}}", pairs.join(","))
}

/// Computes every series that derives from the database, titles in labels included.
pub(crate) fn metrics(rows: &Rows) -> Series {
    let board = Board::new(rows);
    let mut out = Series::new();
    unknown_status_series(&board, &mut out);
    if is_refused(rows) {
        // What the configuration says is as sure as before.
        machine_info_series(MACHINES, &mut out);
    } else {
        stage_series(&board, &mut out);
        pool_series(&board, &mut out);
        trend_series(&board, &mut out);
        machine_series(&board, &mut out);
        current_series(&board, &mut out);
    }
    job_count_series(rows, &mut out);
    job_detail_series(rows, &mut out);
    out
}

/// Tells whether the statuses are words that nobody explained, so that no count of them is sure.
///
/// The stages, the trend and the current items have then failed, and there is no overview.
pub(crate) fn is_refused(rows: &Rows) -> bool {
    let is_any_completed = rows.queue.iter().any(|row| row.status == "completed");
    rows.queue.iter().any(has_unknown_status) && !is_any_completed
}

/// Computes the overview as JSON, of a board that is not refused.
pub(crate) fn overview(rows: &Rows) -> Value {
    let board = Board::new(rows);
    json!({
        "machines": MACHINES.iter().map(|(key, label)| machine_json(&board, key, label)).collect::<Vec<_>>(),
        "stages": board.stages.iter().map(|stage| stage_json(&board, stage)).collect::<Vec<_>>(),
        "summarize_eta": {
            "pending": board.with_status("summarize", "pending"),
            "done_rate_1h": board.completed("summarize", board.hour_ago()),
            "inflow_rate_1h": board.created_1h("summarize"),
            "eta_minutes": eta_minutes(&board, "summarize"),
        },
        "summarize_by_machine": {
            "macmini": pool_json(&board, "macmini"),
            "macbook": pool_json(&board, "macbook"),
        },
        "trend_24h": trend_json(&board),
        "totals": {
            "pending": board.count(|item| item.row.status == "pending"),
            "processing": board.count(|item| item.row.status == "processing"),
            "failed": board.count(|item| item.row.status == "failed"),
        },
        "background_jobs": jobs_json(rows),
    })
}

/// Finds the first instant of the local calendar date of `now`.
pub(crate) fn local_midnight(now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let today = now.with_timezone(&zone).date_naive();
    // No local day lasts 30 hours, so walking forward from there meets its first minute first.
    let mut instant = whole_minute(now) - Duration::hours(30);
    while instant.with_timezone(&zone).date_naive() != today {
        instant += Duration::minutes(1);
    }
    instant
}

/// Lists the starts of the 24 local clock hours up to the current one, latest first.
pub(crate) fn bucket_starts(now: DateTime<Utc>, zone: Tz) -> Vec<DateTime<Utc>> {
    let minutes = i64::from(now.with_timezone(&zone).minute());
    let current = whole_minute(now) - Duration::minutes(minutes);
    // The zones in use shift by whole hours, so every local hour lasts one hour.
    (0..24)
        .map(|hours| current - Duration::hours(hours))
        .collect()
}

fn whole_minute(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant
        - Duration::seconds(i64::from(instant.second()))
        - Duration::nanoseconds(i64::from(instant.nanosecond()))
}

fn hour_text(instant: DateTime<Utc>, zone: Tz) -> String {
    format!("{:02}:00", instant.with_timezone(&zone).hour())
}

/// A queue row with everything that attribution says about it.
struct Item<'a> {
    row: &'a QueueRow,
    stage: String,
    /// The machine that the stage belongs to.
    machine: &'static str,
    /// The machine that a completion of this row counts for.
    worker: &'static str,
    deferral: Deferral,
}

struct Board<'a> {
    rows: &'a Rows,
    midnight: DateTime<Utc>,
    /// The stages on the board, configured ones first.
    stages: Vec<String>,
    items: Vec<Item<'a>>,
}

impl<'a> Board<'a> {
    fn new(rows: &'a Rows) -> Self {
        let midnight = local_midnight(rows.now, rows.zone);
        let unknown: BTreeSet<String> = rows
            .queue
            .iter()
            .filter(|row| !is_configured_stage(&row.stage))
            .filter(|row| puts_stage_on_board(row, rows.now, midnight))
            .map(|row| cut(&row.stage))
            .collect();
        let configured = STAGES.iter().map(|(stage, _)| (*stage).to_owned());
        let all: Vec<String> = configured.chain(unknown).collect();
        let items = rows
            .queue
            .iter()
            .map(|row| item(rows, row, fold(&row.stage, &all)))
            .collect();
        Board {
            rows,
            midnight,
            stages: shown_stages(&all),
            items,
        }
    }

    fn count(&self, test: impl Fn(&Item) -> bool) -> usize {
        self.items.iter().filter(|item| test(item)).count()
    }

    fn hour_ago(&self) -> DateTime<Utc> {
        self.rows.now - Duration::hours(1)
    }

    fn quarter_ago(&self) -> DateTime<Utc> {
        self.rows.now - Duration::minutes(15)
    }

    fn windows(&self) -> [(&'static str, DateTime<Utc>); 3] {
        [
            ("15m", self.quarter_ago()),
            ("1h", self.hour_ago()),
            ("today", self.midnight),
        ]
    }

    fn with_status(&self, stage: &str, status: &str) -> usize {
        self.count(|item| item.stage == stage && item.row.status == status)
    }

    fn with_deferral(&self, stage: &str, deferral: Deferral) -> usize {
        self.count(|item| item.stage == stage && item.deferral == deferral)
    }

    fn completed(&self, stage: &str, after: DateTime<Utc>) -> usize {
        self.count(|item| item.stage == stage && completed_after(item.row, after))
    }

    fn skipped(&self, stage: &str, after: DateTime<Utc>) -> usize {
        self.count(|item| {
            item.stage == stage && completed_after(item.row, after) && is_skipped(item.row)
        })
    }

    fn with_unknown_status(&self, stage: &str) -> usize {
        self.count(|item| item.stage == stage && has_unknown_status(item.row))
    }

    /// Lists what `measure` finds for the rows of the last hour that were worked on, least first.
    fn worked_1h(
        &self,
        stage: &str,
        measure: impl Fn(&QueueRow) -> Option<Duration>,
    ) -> Vec<Duration> {
        let mut found: Vec<Duration> = self
            .items
            .iter()
            .filter(|item| item.stage == stage && worked_after(item.row, self.hour_ago()))
            .filter_map(|item| measure(item.row))
            .collect();
        found.sort_unstable();
        found
    }

    fn created_1h(&self, stage: &str) -> usize {
        self.count(|item| item.stage == stage && item.row.created_at > self.hour_ago())
    }

    fn oldest_pending(&self, stage: &str) -> Option<DateTime<Utc>> {
        self.items
            .iter()
            .filter(|item| item.stage == stage && item.row.status == "pending")
            .map(|item| item.row.created_at)
            .min()
    }

    fn oldest_processing(&self, stage: &str) -> Option<DateTime<Utc>> {
        self.items
            .iter()
            .filter(|item| item.stage == stage && item.row.status == "processing")
            .filter_map(|item| item.row.started_at)
            .min()
    }

    fn pool_completed(&self, machine: &str, after: DateTime<Utc>) -> usize {
        self.count(|item| {
            item.stage == "summarize" && item.worker == machine && completed_after(item.row, after)
        })
    }

    fn machine_with_status(&self, machine: &str, status: &str) -> usize {
        self.count(|item| item.machine == machine && item.row.status == status)
    }

    fn machine_completed(&self, machine: &str, after: DateTime<Utc>) -> usize {
        self.count(|item| item.worker == machine && completed_after(item.row, after))
    }

    fn machine_worked(&self, machine: &str, after: DateTime<Utc>) -> usize {
        self.count(|item| item.worker == machine && worked_after(item.row, after))
    }

    fn machine_deferred(&self, machine: &str) -> usize {
        self.count(|item| {
            item.deferral == Deferral::Deferred && deferral_machine(&item.stage) == Some(machine)
        })
    }

    fn machine_state(&self, machine: &str) -> &'static str {
        let is_working = self.machine_with_status(machine, "processing") > 0;
        if is_working || self.machine_worked(machine, self.quarter_ago()) > 0 {
            "active"
        } else if self.machine_deferred(machine) > 0 {
            "deferred"
        } else {
            "idle"
        }
    }

    /// Lists the machine lanes of the metrics, with their labels.
    fn lanes(&self) -> Vec<(&'static str, &'static str)> {
        let mut lanes = MACHINES.to_vec();
        if self.stages.len() > STAGES.len() {
            lanes.push((UNASSIGNED, UNASSIGNED));
        }
        lanes
    }

    fn current(&self, machine: &str) -> Vec<&Item<'a>> {
        let mut items: Vec<&Item> = self
            .items
            .iter()
            .filter(|item| item.machine == machine && item.row.status == "processing")
            .collect();
        items.sort_by_key(|item| latest_first(item.row.started_at, item.row.id));
        items.truncate(2);
        items
    }
}

fn item<'a>(rows: &Rows, row: &'a QueueRow, stage: String) -> Item<'a> {
    let machine = home(&stage, rows.macbook_enabled);
    let worker = match stage.as_str() {
        "summarize" => summarizer(rows, row),
        _ => machine,
    };
    let deferral = match row.status.as_str() {
        "pending" => deferral(row.payload.as_ref(), rows.now),
        _ => Deferral::None,
    };
    Item {
        row,
        stage,
        machine,
        worker,
        deferral,
    }
}

fn home(stage: &str, macbook_enabled: bool) -> &'static str {
    let found = STAGES.iter().find(|(name, _)| *name == stage);
    match found {
        Some((_, "macbook")) if !macbook_enabled => "macmini",
        Some((_, machine)) => machine,
        None => UNASSIGNED,
    }
}

fn document(rows: &Rows, id: i64) -> Option<&Document> {
    rows.documents.iter().find(|document| document.id == id)
}

fn summarizer(rows: &Rows, row: &QueueRow) -> &'static str {
    let model = document(rows, row.document_id).and_then(|found| found.ai_model_version.as_deref());
    if model == Some("qwen-macbook") {
        "macbook"
    } else {
        "macmini"
    }
}

/// Names the machine, enabled or not, that a stage's deferred rows wait for, if it is known.
fn deferral_machine(stage: &str) -> Option<&'static str> {
    let found = DEFERRALS.iter().find(|(name, _)| *name == stage);
    found.map(|(_, machine)| *machine)
}

fn is_configured_stage(stage: &str) -> bool {
    STAGES.iter().any(|(name, _)| *name == stage)
}

fn completed_after(row: &QueueRow, instant: DateTime<Utc>) -> bool {
    row.status == "completed" && row.completed_at.is_some_and(|at| at > instant)
}

fn has_unknown_status(row: &QueueRow) -> bool {
    row.status != "completed" && !STATUSES.contains(&row.status.as_str())
}

/// Tells whether somebody skipped the row, so that it was completed without work.
fn is_skipped(row: &QueueRow) -> bool {
    let payload = row.payload.as_ref().and_then(Value::as_object);
    payload.is_some_and(|object| object.get("skipped_by_user") == Some(&Value::Bool(true)))
}

fn worked_after(row: &QueueRow, instant: DateTime<Utc>) -> bool {
    completed_after(row, instant) && !is_skipped(row)
}

fn puts_stage_on_board(row: &QueueRow, now: DateTime<Utc>, midnight: DateTime<Utc>) -> bool {
    let hour_ago = now - Duration::hours(1);
    STATUSES.contains(&row.status.as_str())
        || has_unknown_status(row)
        || completed_after(row, midnight.min(hour_ago))
        || row.created_at > hour_ago
}

/// Cuts a label value to its first 256 characters.
fn cut(text: &str) -> String {
    text.chars().take(MAX_CHARS).collect()
}

/// Keeps the name if it is among the first hundred of `all`, which lists the distinct names in order of right.
fn fold(name: &str, all: &[String]) -> String {
    let name = cut(name);
    if all.iter().take(MAX_NAMES).any(|kept| *kept == name) {
        name
    } else {
        OTHER.to_owned()
    }
}

fn shown_stages(all: &[String]) -> Vec<String> {
    let (configured, unknown) = all.split_at(STAGES.len());
    let mut unknown: BTreeSet<String> = unknown.iter().map(|name| fold(name, all)).collect();
    // What is folded stands last; a stage that is really called so has its place by name.
    let folded = all.len() > MAX_NAMES && unknown.remove(OTHER);
    let other = folded.then(|| OTHER.to_owned());
    configured
        .iter()
        .cloned()
        .chain(unknown)
        .chain(other)
        .collect()
}

/// Sorts the latest start first, nulls last, then the highest id first.
fn latest_first(
    started_at: Option<DateTime<Utc>>,
    id: i64,
) -> (bool, Reverse<Option<DateTime<Utc>>>, Reverse<i64>) {
    (started_at.is_none(), Reverse(started_at), Reverse(id))
}

/// What a pending row's payload says about being put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deferral {
    None,
    Deferred,
    Malformed,
}

fn deferral(payload: Option<&Value>, now: DateTime<Utc>) -> Deferral {
    let Some(Value::Object(object)) = payload else {
        return Deferral::None;
    };
    let text = match object.get("deferred_until") {
        None | Some(Value::Null) => return Deferral::None,
        Some(Value::String(text)) => text,
        Some(_) => return Deferral::Malformed,
    };
    match parse_timestamp(text) {
        None => Deferral::Malformed,
        Some(until) if is_after(&until, now) => Deferral::Deferred,
        Some(_) => Deferral::None,
    }
}

/// A timestamp as whole seconds since 1970 in UTC and the digits of its fraction.
type Timestamp = (i64, String);

fn is_after((seconds, fraction): &Timestamp, now: DateTime<Utc>) -> bool {
    // Fractions may be longer than any number type, so equally long digit strings are compared.
    let now_fraction = format!("{:09}", now.nanosecond());
    let width = fraction.len().max(now_fraction.len());
    let fraction = format!("{fraction:0<width$}");
    let now_fraction = format!("{now_fraction:0<width$}");
    (*seconds, fraction) > (now.timestamp(), now_fraction)
}

fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let mut cursor = Cursor {
        rest: text.as_bytes(),
    };
    let year = cursor.digits(4)?;
    cursor.literal(b"-")?;
    let month = cursor.digits(2)?;
    cursor.literal(b"-")?;
    let day = cursor.digits(2)?;
    cursor.one_of(b"T ")?;
    let hour = cursor.digits(2)?;
    cursor.literal(b":")?;
    let minute = cursor.digits(2)?;
    let (second, fraction) = cursor.seconds()?;
    let offset = cursor.offset()?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let local = date.and_hms_opt(hour, minute, second)?;
    Some((local.and_utc().timestamp() - offset, fraction))
}

/// What is left to read of a timestamp; every reading is `None` when the text does not conform.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    fn literal(&mut self, expected: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    fn one_of(&mut self, expected: &[u8]) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        expected.contains(first).then_some(*first)
    }

    fn digit(&mut self) -> Option<u32> {
        let digit = self.one_of(b"0123456789")?;
        Some(u32::from(digit - b'0'))
    }

    fn digits(&mut self, how_many: usize) -> Option<u32> {
        let mut number = 0;
        for _ in 0..how_many {
            number = number * 10 + self.digit()?;
        }
        Some(number)
    }

    /// Reads the optional seconds and, only after them, the optional fraction.
    fn seconds(&mut self) -> Option<(u32, String)> {
        if self.literal(b":").is_none() {
            return Some((0, String::new()));
        }
        let second = self.digits(2)?;
        if self.literal(b".").is_none() {
            return Some((second, String::new()));
        }
        let mut fraction = self.digit()?.to_string();
        while self.rest.first().is_some_and(u8::is_ascii_digit) {
            fraction.push_str(&self.digit()?.to_string());
        }
        Some((second, fraction))
    }

    /// Reads the offset in seconds, which must end the text.
    fn offset(&mut self) -> Option<i64> {
        if self.rest.is_empty() || self.rest == b"Z" {
            return Some(0);
        }
        let sign = if self.one_of(b"+-")? == b'+' { 1 } else { -1 };
        let hours = self.digits(2)?;
        let minutes = if self.rest.is_empty() {
            0
        } else {
            // The colon between hours and minutes may be left out.
            let _ = self.literal(b":");
            self.digits(2)?
        };
        let conforms = self.rest.is_empty() && hours <= 23 && minutes <= 59;
        conforms.then_some(sign * i64::from(hours * 3600 + minutes * 60))
    }
}

/// Computes what people call a document, which may be gone.
pub(crate) fn display_title(rows: &Rows, document_id: i64) -> String {
    document(rows, document_id)
        .and_then(own_title)
        .unwrap_or_else(|| format!("문서 #{document_id}"))
}

fn own_title(document: &Document) -> Option<String> {
    let segment = document
        .file_path
        .as_deref()
        .and_then(|path| path.rsplit('/').next());
    let choices = [
        document.title.as_deref(),
        document.original_filename.as_deref(),
        segment,
    ];
    let first = choices
        .into_iter()
        .flatten()
        .find(|choice| !choice.is_empty());
    first.map(str::to_owned)
}

fn put(out: &mut Series, name: &str, labels: &[(&str, &str)], value: f64) {
    let key = series(name, labels);
    let before = out.insert(key.clone(), value);
    assert!(before.is_none(), "the model has {key} twice");
}

fn put_count(out: &mut Series, name: &str, labels: &[(&str, &str)], value: usize) {
    put(out, name, labels, value as f64);
}

fn put_known(out: &mut Series, name: &str, labels: &[(&str, &str)], value: Option<f64>) {
    if let Some(value) = value {
        put(out, name, labels, value);
    }
}

fn unix_seconds(instant: DateTime<Utc>) -> f64 {
    instant.timestamp_millis() as f64 / 1000.0
}

fn truth(value: bool) -> f64 {
    if value { 1.0 } else { 0.0 }
}

fn stage_series(board: &Board, out: &mut Series) {
    for stage in &board.stages {
        let machine = home(stage, board.rows.macbook_enabled);
        let labels = [("machine", machine), ("stage", stage.as_str())];
        stage_count_series(board, stage, labels, out);
        stage_duration_series(board, stage, labels, out);
        put_known(
            out,
            "queueboard_stage_oldest_pending_timestamp_seconds",
            &labels,
            board.oldest_pending(stage).map(unix_seconds),
        );
        put_known(
            out,
            "queueboard_stage_oldest_processing_timestamp_seconds",
            &labels,
            board.oldest_processing(stage).map(unix_seconds),
        );
        put_known(
            out,
            "queueboard_stage_eta_seconds",
            &labels,
            eta_hours(board, stage).map(|hours| hours * 3600.0),
        );
        for state in ["empty", "draining", "stalled", "growing"] {
            let labels = [labels[0], labels[1], ("state", state)];
            let holds = forecast(board, stage) == state;
            put(out, "queueboard_stage_forecast", &labels, truth(holds));
        }
    }
}

fn stage_count_series(board: &Board, stage: &str, labels: [(&str, &str); 2], out: &mut Series) {
    for status in STATUSES {
        let labels = [labels[0], labels[1], ("status", status)];
        let items = board.with_status(stage, status);
        put_count(out, "queueboard_stage_items", &labels, items);
    }
    for (window, after) in board.windows() {
        let name = format!("queueboard_stage_completed_{window}");
        put_count(out, &name, &labels, board.completed(stage, after));
        let name = format!("queueboard_stage_skipped_{window}");
        put_count(out, &name, &labels, board.skipped(stage, after));
    }
    put_count(
        out,
        "queueboard_stage_created_1h",
        &labels,
        board.created_1h(stage),
    );
    put_count(
        out,
        "queueboard_stage_deferred",
        &labels,
        board.with_deferral(stage, Deferral::Deferred),
    );
    put_count(
        out,
        "queueboard_stage_deferred_malformed",
        &labels,
        board.with_deferral(stage, Deferral::Malformed),
    );
}

fn stage_duration_series(board: &Board, stage: &str, labels: [(&str, &str); 2], out: &mut Series) {
    let waits = board.worked_1h(stage, |row| Some(row.started_at? - row.created_at));
    let works = board.worked_1h(stage, |row| Some(row.completed_at? - row.started_at?));
    for (name, durations) in [("wait", waits), ("processing", works)] {
        let name = format!("queueboard_stage_{name}_seconds");
        for (label, part) in QUANTILES {
            let labels = [labels[0], labels[1], ("quantile", label)];
            put_known(out, &name, &labels, quantile(&durations, part));
        }
    }
}

/// Finds the seconds below which a part of the sorted durations lies, on the straight line between
/// the two neighbours of its place.
fn quantile(durations: &[Duration], part: f64) -> Option<f64> {
    let last = durations.len().checked_sub(1)?;
    let place = part * last as f64;
    let below = place.floor();
    let lower = seconds(durations[below as usize]);
    let upper = seconds(durations[place.ceil() as usize]);
    Some(lower + (upper - lower) * (place - below))
}

fn unknown_status_series(board: &Board, out: &mut Series) {
    for stage in &board.stages {
        let machine = home(stage, board.rows.macbook_enabled);
        put_count(
            out,
            "queueboard_stage_unknown_status",
            &[("machine", machine), ("stage", stage)],
            board.with_unknown_status(stage),
        );
    }
}

fn eta_hours(board: &Board, stage: &str) -> Option<f64> {
    let completed = board.completed(stage, board.hour_ago());
    let created = board.created_1h(stage);
    if completed <= created {
        return None;
    }
    Some(board.with_status(stage, "pending") as f64 / (completed - created) as f64)
}

fn eta_minutes(board: &Board, stage: &str) -> Option<usize> {
    let completed = board.completed(stage, board.hour_ago());
    let created = board.created_1h(stage);
    if completed <= created {
        return None;
    }
    let minutes = board.with_status(stage, "pending") * 60;
    Some(divide_half_even(minutes, completed - created))
}

fn divide_half_even(dividend: usize, divisor: usize) -> usize {
    let quotient = dividend / divisor;
    let twice_remainder = 2 * (dividend % divisor);
    if twice_remainder > divisor || (twice_remainder == divisor && quotient % 2 == 1) {
        quotient + 1
    } else {
        quotient
    }
}

fn forecast(board: &Board, stage: &str) -> &'static str {
    let completed = board.completed(stage, board.hour_ago());
    let created = board.created_1h(stage);
    if board.with_status(stage, "pending") == 0 {
        "empty"
    } else if completed > created {
        "draining"
    } else if completed < created {
        "growing"
    } else {
        "stalled"
    }
}

fn pool_series(board: &Board, out: &mut Series) {
    for machine in POOL_MACHINES {
        for (window, after) in board.windows() {
            let name = format!("queueboard_pool_completed_{window}");
            let labels = [("stage", "summarize"), ("machine", machine)];
            put_count(out, &name, &labels, board.pool_completed(machine, after));
        }
    }
}

/// The created and completed counts of one local clock hour of summarize.
struct Bucket {
    hour: String,
    created: usize,
    completed: usize,
}

/// Counts the 24 buckets, latest first.
fn buckets(board: &Board) -> Vec<Bucket> {
    bucket_starts(board.rows.now, board.rows.zone)
        .into_iter()
        .map(|start| bucket(board, start))
        .collect()
}

fn bucket(board: &Board, start: DateTime<Utc>) -> Bucket {
    let inside = |at: DateTime<Utc>| at >= start && at < start + Duration::hours(1);
    Bucket {
        hour: hour_text(start, board.rows.zone),
        created: board.count(|item| item.stage == "summarize" && inside(item.row.created_at)),
        completed: board.count(|item| {
            item.stage == "summarize"
                && item.row.status == "completed"
                && item.row.completed_at.is_some_and(inside)
        }),
    }
}

fn trend_series(board: &Board, out: &mut Series) {
    for (hours_ago, bucket) in buckets(board).iter().enumerate() {
        let hours_ago = hours_ago.to_string();
        let labels = [
            ("stage", "summarize"),
            ("hours_ago", hours_ago.as_str()),
            ("hour", bucket.hour.as_str()),
        ];
        put_count(out, "queueboard_trend_created", &labels, bucket.created);
        put_count(out, "queueboard_trend_completed", &labels, bucket.completed);
    }
}

fn machine_info_series<'a>(
    machines: impl IntoIterator<Item = (&'a str, &'a str)>,
    out: &mut Series,
) {
    for (machine, label) in machines {
        let labels = [("machine", machine), ("label", label)];
        put(out, "queueboard_machine_info", &labels, 1.0);
    }
}

fn machine_series(board: &Board, out: &mut Series) {
    machine_info_series(board.lanes(), out);
    for (machine, _) in board.lanes() {
        for state in ["active", "deferred", "idle"] {
            let labels = [("machine", machine), ("state", state)];
            let holds = board.machine_state(machine) == state;
            put(out, "queueboard_machine_state", &labels, truth(holds));
        }
        for status in STATUSES {
            let labels = [("machine", machine), ("status", status)];
            let items = board.machine_with_status(machine, status);
            put_count(out, "queueboard_machine_items", &labels, items);
        }
        for (window, after) in board.windows() {
            let name = format!("queueboard_machine_completed_{window}");
            let completed = board.machine_completed(machine, after);
            put_count(out, &name, &[("machine", machine)], completed);
        }
        let deferred = board.machine_deferred(machine);
        put_count(
            out,
            "queueboard_machine_deferred",
            &[("machine", machine)],
            deferred,
        );
    }
}

fn current_series(board: &Board, out: &mut Series) {
    for (machine, _) in board.lanes() {
        for (index, item) in board.current(machine).into_iter().enumerate() {
            let slot = (index + 1).to_string();
            let document_id = item.row.document_id.to_string();
            let title = cut(&display_title(board.rows, item.row.document_id));
            let labels = [
                ("machine", machine),
                ("slot", slot.as_str()),
                ("stage", item.stage.as_str()),
                ("document_id", document_id.as_str()),
                ("title", title.as_str()),
            ];
            put_known(
                out,
                "queueboard_current_item_started_timestamp_seconds",
                &labels,
                item.row.started_at.map(unix_seconds),
            );
        }
    }
}

fn is_running(job: &Job) -> bool {
    job.state == "running"
}

/// Lists the jobs that are running or lately finished, in display order.
fn shown_jobs(rows: &Rows) -> Vec<&Job> {
    let six_hours_ago = rows.now - Duration::hours(6);
    let lately = |job: &Job| job.finished_at.is_some_and(|at| at > six_hours_ago);
    let mut jobs: Vec<&Job> = rows
        .jobs
        .iter()
        .flatten()
        .filter(|job| is_running(job) || lately(job))
        .collect();
    jobs.sort_by_key(|job| (!is_running(job), latest_first(job.started_at, job.id)));
    jobs
}

fn detailed_jobs(rows: &Rows) -> Vec<&Job> {
    shown_jobs(rows).into_iter().take(20).collect()
}

/// Lists the distinct kinds of the shown jobs, configured ones first.
fn all_kinds(rows: &Rows) -> Vec<String> {
    let names: BTreeSet<String> = shown_jobs(rows).iter().map(|job| cut(&job.kind)).collect();
    let is_configured = |name: &String| KINDS.iter().any(|(kind, _)| kind == name);
    let (configured, unknown): (Vec<String>, Vec<String>) =
        names.into_iter().partition(is_configured);
    configured.into_iter().chain(unknown).collect()
}

fn job_machine(kind: &str) -> &'static str {
    let found = KINDS.iter().find(|(name, _)| *name == kind);
    found.map_or("gpu", |(_, machine)| machine)
}

fn job_count_series(rows: &Rows, out: &mut Series) {
    let all = all_kinds(rows);
    let mut groups: BTreeMap<(String, String), usize> = BTreeMap::new();
    for job in shown_jobs(rows) {
        *groups
            .entry((fold(&job.kind, &all), cut(&job.state)))
            .or_default() += 1;
    }
    for ((kind, state), jobs) in groups {
        let labels = [
            ("machine", job_machine(&kind)),
            ("kind", kind.as_str()),
            ("state", state.as_str()),
        ];
        put_count(out, "queueboard_background_jobs", &labels, jobs);
    }
}

fn job_detail_series(rows: &Rows, out: &mut Series) {
    let all = all_kinds(rows);
    for job in detailed_jobs(rows) {
        let id = job.id.to_string();
        let kind = fold(&job.kind, &all);
        let label = cut(job.label.as_deref().unwrap_or_default());
        let state = cut(&job.state);
        let labels = [
            ("id", id.as_str()),
            ("kind", kind.as_str()),
            ("label", label.as_str()),
            ("machine", job_machine(&kind)),
            ("state", state.as_str()),
        ];
        for (number, value) in job_numbers(job, rows.now) {
            let name = format!("queueboard_background_job_{number}");
            put_known(out, &name, &labels, value);
        }
    }
}

fn job_numbers(job: &Job, now: DateTime<Utc>) -> [(&'static str, Option<f64>); 7] {
    [
        ("processed_items", Some(job_processed(job) as f64)),
        ("expected_items", job.total.map(|items| items as f64)),
        ("elapsed_seconds", job_elapsed(job, now).map(seconds)),
        (
            "started_timestamp_seconds",
            job.started_at.map(unix_seconds),
        ),
        (
            "heartbeat_timestamp_seconds",
            job.updated_at.map(unix_seconds),
        ),
        ("stale", Some(truth(is_stale(job, now)))),
        ("eta_seconds", job_eta(job, now)),
    ]
}

fn seconds(duration: Duration) -> f64 {
    duration.num_milliseconds() as f64 / 1000.0
}

fn job_processed(job: &Job) -> i64 {
    job.processed.unwrap_or(0)
}

fn job_elapsed(job: &Job, now: DateTime<Utc>) -> Option<Duration> {
    let end = if is_running(job) {
        now
    } else {
        job.finished_at?
    };
    Some((end - job.started_at?).max(Duration::zero()))
}

fn job_eta(job: &Job, now: DateTime<Utc>) -> Option<f64> {
    let elapsed = job_elapsed(job, now)?;
    let (processed, total) = (job_processed(job), job.total?);
    if !is_running(job) || processed <= 0 || processed >= total {
        return None;
    }
    Some(seconds(elapsed) * (total - processed) as f64 / processed as f64)
}

fn is_stale(job: &Job, now: DateTime<Utc>) -> bool {
    let heartbeat = job.updated_at.or(job.started_at);
    is_running(job) && heartbeat.is_none_or(|at| at <= now - Duration::minutes(5))
}

fn machine_json(board: &Board, machine: &str, label: &str) -> Value {
    let stages: Vec<&str> = STAGES
        .iter()
        .map(|(stage, _)| *stage)
        .filter(|stage| home(stage, board.rows.macbook_enabled) == machine)
        .collect();
    json!({
        "key": machine,
        "label": label,
        "state": board.machine_state(machine),
        "stages": stages,
        "pending": board.machine_with_status(machine, "pending"),
        "processing": board.machine_with_status(machine, "processing"),
        "failed": board.machine_with_status(machine, "failed"),
        "done_1h": board.machine_completed(machine, board.hour_ago()),
        "done_today": board.machine_completed(machine, board.midnight),
        "deferred_pending": board.machine_deferred(machine),
        "current": current_json(board, machine),
    })
}

fn current_json(board: &Board, machine: &str) -> Vec<Value> {
    let items = board.current(machine).into_iter();
    items
        .map(|item| {
            json!({
                "document_id": item.row.document_id,
                "title": display_title(board.rows, item.row.document_id),
                "stage": item.stage,
            })
        })
        .collect()
}

fn stage_json(board: &Board, stage: &str) -> Value {
    json!({
        "stage": stage,
        "pending": board.with_status(stage, "pending"),
        "processing": board.with_status(stage, "processing"),
        "failed": board.with_status(stage, "failed"),
        "done_1h": board.completed(stage, board.hour_ago()),
        "created_1h": board.created_1h(stage),
        "done_today": board.completed(stage, board.midnight),
        "oldest_pending_age_sec": oldest_pending_age(board, stage),
        "eta_minutes": eta_minutes(board, stage),
        "forecast": forecast(board, stage),
    })
}

fn oldest_pending_age(board: &Board, stage: &str) -> Option<i64> {
    let age = board.rows.now - board.oldest_pending(stage)?;
    Some(age.max(Duration::zero()).num_seconds())
}

fn pool_json(board: &Board, machine: &str) -> Value {
    json!({
        "done_1h": board.pool_completed(machine, board.hour_ago()),
        "done_today": board.pool_completed(machine, board.midnight),
    })
}

fn trend_json(board: &Board) -> Vec<Value> {
    let oldest_first = buckets(board).into_iter().rev();
    oldest_first
        .map(|bucket| json!({"hour": bucket.hour, "inflow": bucket.created, "done": bucket.completed}))
        .collect()
}

fn jobs_json(rows: &Rows) -> Vec<Value> {
    let all = all_kinds(rows);
    let jobs = detailed_jobs(rows).into_iter();
    jobs.map(|job| job_json(job, fold(&job.kind, &all), rows.now))
        .collect()
}

fn job_json(job: &Job, kind: String, now: DateTime<Utc>) -> Value {
    json!({
        "id": job.id,
        "machine": job_machine(&kind),
        "kind": kind,
        "label": job.label,
        "state": cut(&job.state),
        "processed": job_processed(job),
        "total": job.total,
        "elapsed_sec": job_elapsed(job, now).map(|elapsed| elapsed.num_seconds()),
        "stale": is_stale(job, now),
        "error": job.error,
    })
}

#[cfg(test)]
fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("the test's instant is RFC 3339")
}

#[cfg(test)]
fn empty_board(now: &str, zone: Tz) -> Rows {
    Rows {
        now: at(now),
        zone,
        macbook_enabled: true,
        documents: Vec::new(),
        queue: Vec::new(),
        jobs: None,
    }
}

/// Appends a row that was enqueued long ago, and hands it back to be filled in.
#[cfg(test)]
fn add<'a>(rows: &'a mut Rows, stage: &str, status: &str) -> &'a mut QueueRow {
    let id = i64::try_from(rows.queue.len()).expect("a test has few rows") + 1;
    rows.queue.push(QueueRow {
        id,
        document_id: id,
        stage: stage.to_owned(),
        status: status.to_owned(),
        payload: None,
        created_at: rows.now - Duration::hours(30),
        started_at: None,
        completed_at: None,
    });
    rows.queue.last_mut().expect("a row was just added")
}

#[cfg(test)]
fn running_job(id: i64, kind: &str) -> Job {
    Job {
        id,
        kind: kind.to_owned(),
        label: None,
        state: "running".to_owned(),
        processed: None,
        total: None,
        started_at: None,
        updated_at: None,
        finished_at: None,
        error: None,
    }
}

#[test]
fn deferral_table() {
    let now = at("2026-05-10T03:00:00.500Z");
    let table = [
        ("2026-05-10T03:00:01Z", Deferral::Deferred),
        ("2026-05-10T03:00:00.5Z", Deferral::None),
        ("2026-05-10T03:00:00.500000000000Z", Deferral::None),
        ("2026-05-10T03:00:00.500000000001Z", Deferral::Deferred),
        ("2026-05-10T03:00:00Z", Deferral::None),
        ("2026-05-10T03:01", Deferral::Deferred),
        ("2026-05-10 12:01+09", Deferral::Deferred),
        ("2026-05-10 12:00+0900", Deferral::None),
        ("2026-05-09 22:30:01-04:30", Deferral::Deferred),
        ("2026-05-09 22:30:00.4-0430", Deferral::None),
        ("2028-02-29T00:00Z", Deferral::Deferred),
        ("9999-12-31T23:59:59-23:59", Deferral::Deferred),
        ("2027-02-29T00:00Z", Deferral::Malformed),
        ("2026-13-01 10:00", Deferral::Malformed),
        ("2026-05-10t03:00Z", Deferral::Malformed),
        ("2026-05-10T03:00z", Deferral::Malformed),
        ("2026-05-10T03:00Z ", Deferral::Malformed),
        ("2026-05-10T03:00 Z", Deferral::Malformed),
        ("2026-05-10T24:00Z", Deferral::Malformed),
        ("2026-05-10T03:00:60Z", Deferral::Malformed),
        ("2026-05-10T03:00.5Z", Deferral::Malformed),
        ("2026-05-10T03:00:00.Z", Deferral::Malformed),
        ("2026-05-10T03:00+24", Deferral::Malformed),
        ("2026-05-10T03:00+09:60", Deferral::Malformed),
        ("2026-05-10T03:00+9", Deferral::Malformed),
        ("2026-05-10T03:00+09:", Deferral::Malformed),
        ("2026-05-10T03:00+09000", Deferral::Malformed),
        ("2026-05-10", Deferral::Malformed),
        ("12026-05-10T03:00Z", Deferral::Malformed),
        ("2026-05-1٠T03:00Z", Deferral::Malformed),
        ("", Deferral::Malformed),
    ];
    for (text, expected) in table {
        let payload = json!({"deferred_until": text});
        assert_eq!(deferral(Some(&payload), now), expected, "{text:?}");
    }
}

#[test]
fn only_an_object_can_defer() {
    let now = at("2026-05-10T03:00:00Z");
    let table = [
        (None, Deferral::None),
        (Some(json!(null)), Deferral::None),
        (Some(json!(["deferred_until"])), Deferral::None),
        (Some(json!("deferred_until")), Deferral::None),
        (Some(json!({"other": 1})), Deferral::None),
        (Some(json!({"deferred_until": null})), Deferral::None),
        (
            Some(json!({"deferred_until": 4102444800_i64})),
            Deferral::Malformed,
        ),
        (Some(json!({"deferred_until": {}})), Deferral::Malformed),
    ];
    for (payload, expected) in table {
        assert_eq!(deferral(payload.as_ref(), now), expected, "{payload:?}");
    }
}

#[test]
fn first_instant_of_the_day() {
    use chrono_tz::{Africa::Cairo, America::Havana, Asia::Seoul};
    let table = [
        (Seoul, "2026-05-10T14:59:59.999Z", "2026-05-09T15:00:00Z"),
        (Seoul, "2026-05-10T15:00:00Z", "2026-05-10T15:00:00Z"),
        // The clock goes from 23:59:59 to 01:00 there.
        (Cairo, "2026-04-24T10:00:00Z", "2026-04-23T22:00:00Z"),
        // The clock shows 00:00 twice there.
        (Havana, "2026-11-01T20:00:00Z", "2026-11-01T04:00:00Z"),
    ];
    for (zone, now, expected) in table {
        assert_eq!(local_midnight(at(now), zone), at(expected), "{zone} {now}");
    }
}

#[test]
fn hours_of_daylight_saving_days() {
    let zone = chrono_tz::America::New_York;
    let hours = |now: &str| -> Vec<String> {
        let starts = bucket_starts(at(now), zone);
        starts.iter().map(|start| hour_text(*start, zone)).collect()
    };
    let spring = hours("2026-03-08T09:30:00Z");
    assert_eq!(spring[..4], ["05:00", "04:00", "03:00", "01:00"]);
    assert_eq!(spring[23], "05:00");
    let autumn = hours("2026-11-01T08:15:00.250Z");
    assert_eq!(autumn[..5], ["03:00", "02:00", "01:00", "01:00", "00:00"]);
    assert_eq!(autumn[23], "05:00");
    let starts = bucket_starts(at("2026-05-10T03:29:59Z"), chrono_tz::Asia::Kolkata);
    assert_eq!(starts[0], at("2026-05-10T02:30:00Z"));
}

#[test]
fn trend_bounds() {
    let mut rows = empty_board("2026-05-10T03:20:00Z", chrono_tz::Asia::Seoul);
    for created in [
        "2026-05-10T03:00:00Z",
        "2026-05-10T03:59:59.999Z",
        "2026-05-10T04:00:00Z",
        "2026-05-10T02:59:59.999Z",
        "2026-05-09T04:00:00Z",
        "2026-05-09T03:59:59.999Z",
    ] {
        add(&mut rows, "summarize", "failed").created_at = at(created);
    }
    let trend = &overview(&rows)["trend_24h"];
    assert_eq!(trend[23], json!({"hour": "12:00", "inflow": 2, "done": 0}));
    assert_eq!(trend[22], json!({"hour": "11:00", "inflow": 1, "done": 0}));
    assert_eq!(trend[0], json!({"hour": "13:00", "inflow": 1, "done": 0}));
    let key = r#"queueboard_trend_created{hour="12:00",hours_ago="0",stage="summarize"}"#;
    assert_eq!(metrics(&rows).get(key), Some(&2.0));
}

#[test]
fn estimates() {
    let mut rows = empty_board("2026-05-10T03:00:00Z", chrono_tz::Asia::Seoul);
    let now = rows.now;
    for _ in 0..5 {
        add(&mut rows, "embed", "pending");
    }
    for _ in 0..8 {
        add(&mut rows, "embed", "completed").completed_at = Some(now - Duration::minutes(20));
    }
    // 5 pending over 8 an hour are 37.5 minutes, and half goes to the even 38.
    let stage = &overview(&rows)["stages"][1];
    assert_eq!(stage["eta_minutes"], json!(38));
    assert_eq!(stage["forecast"], json!("draining"));
    assert_eq!(stage["oldest_pending_age_sec"], json!(108_000));
    let key = r#"queueboard_stage_eta_seconds{machine="gpu",stage="embed"}"#;
    assert_eq!(metrics(&rows).get(key), Some(&2250.0));
    for row in &mut rows.queue[..8] {
        row.created_at = now;
    }
    let stage = &overview(&rows)["stages"][1];
    assert_eq!(stage["eta_minutes"], Value::Null);
    assert_eq!(stage["forecast"], json!("stalled"));
    assert!(!metrics(&rows).contains_key(key));
    assert_eq!(divide_half_even(5, 2), 2);
    assert_eq!(divide_half_even(7, 2), 4);
    assert_eq!(divide_half_even(5, 3), 2);
}

#[test]
fn pool_split_and_deferral() {
    let mut rows = empty_board("2026-05-10T03:00:00Z", chrono_tz::Asia::Seoul);
    let now = rows.now;
    let document = Document {
        id: 1,
        title: Some(String::new()),
        original_filename: None,
        file_path: Some("/scans/one.pdf".to_owned()),
        ai_model_version: Some("qwen-macbook".to_owned()),
    };
    rows.documents = vec![document];
    for minutes in [10, 10, 15] {
        let row = add(&mut rows, "summarize", "completed");
        row.completed_at = Some(now - Duration::minutes(minutes));
    }
    let row = add(&mut rows, "deep_summary", "pending");
    row.payload = Some(json!({"deferred_until": "2026-05-10T12:30+09:00"}));
    rows.macbook_enabled = false;
    let found = metrics(&rows);
    let value = |key: &str| found.get(key).copied();
    assert_eq!(
        value(r#"queueboard_pool_completed_15m{machine="macbook",stage="summarize"}"#),
        Some(1.0)
    );
    assert_eq!(
        value(r#"queueboard_pool_completed_15m{machine="macmini",stage="summarize"}"#),
        Some(1.0)
    );
    assert_eq!(
        value(r#"queueboard_stage_completed_15m{machine="macmini",stage="summarize"}"#),
        Some(2.0)
    );
    assert_eq!(
        value(r#"queueboard_machine_completed_1h{machine="macmini"}"#),
        Some(2.0)
    );
    assert_eq!(
        value(r#"queueboard_stage_deferred{machine="macmini",stage="deep_summary"}"#),
        Some(1.0)
    );
    assert_eq!(
        value(r#"queueboard_machine_deferred{machine="macbook"}"#),
        Some(1.0)
    );
    assert_eq!(
        value(r#"queueboard_machine_items{machine="macmini",status="pending"}"#),
        Some(1.0)
    );
    let machines = &overview(&rows)["machines"];
    assert_eq!(
        machines[1]["stages"],
        json!(["classify", "summarize", "deep_summary"])
    );
    assert_eq!(machines[2]["stages"], json!([]));
    assert_eq!(machines[2]["state"], json!("active"));
    assert_eq!(display_title(&rows, 1), "one.pdf");
    assert_eq!(display_title(&rows, 2), "문서 #2");
}

#[test]
fn job_states() {
    let mut rows = empty_board("2026-05-10T03:00:00Z", chrono_tz::Asia::Seoul);
    let now = rows.now;
    let mut fresh = running_job(1, "global_digest");
    fresh.started_at = Some(now - Duration::minutes(10));
    fresh.updated_at = Some(now - Duration::minutes(5) + Duration::milliseconds(1));
    fresh.processed = Some(25);
    fresh.total = Some(100);
    let mut silent = running_job(2, "reindex");
    silent.started_at = Some(now - Duration::minutes(5));
    let mut old = running_job(3, "reindex");
    old.state = "done".to_owned();
    old.finished_at = Some(now - Duration::hours(6));
    assert!(!is_stale(&fresh, now));
    assert!(is_stale(&silent, now));
    assert!(is_stale(&running_job(4, "reindex"), now));
    assert!(!is_stale(&old, now));
    assert_eq!(job_eta(&fresh, now), Some(1800.0));
    rows.jobs = Some(vec![fresh, silent, old, running_job(4, "reindex")]);
    let ids: Vec<i64> = shown_jobs(&rows).iter().map(|job| job.id).collect();
    assert_eq!(ids, [2, 1, 4]);
    let key = r#"queueboard_background_jobs{kind="reindex",machine="gpu",state="running"}"#;
    assert_eq!(metrics(&rows).get(key), Some(&2.0));
    assert_eq!(
        overview(&rows)["background_jobs"][1]["elapsed_sec"],
        json!(600)
    );
}

#[test]
fn current_items() {
    let mut rows = empty_board("2026-05-10T03:00:00Z", chrono_tz::Asia::Seoul);
    let started = rows.now - Duration::minutes(1);
    add(&mut rows, "stt", "processing");
    add(&mut rows, "stt", "processing");
    add(&mut rows, "embed", "processing").started_at = Some(started);
    add(&mut rows, "odd", "processing").started_at = Some(started);
    let found = metrics(&rows);
    let current: Vec<&String> = found
        .keys()
        .filter(|key| key.starts_with("queueboard_current"))
        .collect();
    let name = "queueboard_current_item_started_timestamp_seconds";
    assert_eq!(
        current,
        [
            &format!(
                "{name}{{document_id=\"3\",machine=\"gpu\",slot=\"1\",stage=\"embed\",title=\"문서 #3\"}}"
            ),
            &format!(
                "{name}{{document_id=\"4\",machine=\"unassigned\",slot=\"1\",stage=\"odd\",title=\"문서 #4\"}}"
            ),
        ]
    );
    let gpu = &overview(&rows)["machines"][0]["current"];
    assert_eq!(gpu[1]["document_id"], json!(2));
    assert_eq!(gpu.as_array().map(Vec::len), Some(2));
}

#[test]
fn unknown_stages() {
    let mut rows = empty_board("2026-05-10T03:00:00Z", chrono_tz::Asia::Seoul);
    let now = rows.now;
    // The local midnight is twelve hours ago, so the first of these leaves no trace.
    add(&mut rows, "gone", "completed").completed_at = Some(now - Duration::hours(12));
    assert_eq!(overview(&rows)["stages"].as_array().map(Vec::len), Some(11));
    assert!(!metrics(&rows).contains_key(r#"queueboard_machine_deferred{machine="unassigned"}"#));
    add(&mut rows, "cancelling", "cancelled").created_at = now;
    for number in 0..90 {
        add(&mut rows, &format!("unknown-{number:02}"), "pending");
    }
    let found = metrics(&rows);
    let pending = |stage: &str| {
        let labels = [
            ("machine", UNASSIGNED),
            ("stage", stage),
            ("status", "pending"),
        ];
        found
            .get(&series("queueboard_stage_items", &labels))
            .copied()
    };
    assert_eq!(pending("gone"), None);
    assert_eq!(pending("cancelling"), Some(0.0));
    assert_eq!(pending("unknown-87"), Some(1.0));
    assert_eq!(pending("unknown-88"), None);
    assert_eq!(pending("_other"), Some(2.0));
    assert_eq!(overview(&rows)["totals"]["pending"], json!(90));
}

#[test]
fn long_names_are_cut_and_summed() {
    let mut rows = empty_board("2026-05-10T03:00:00Z", chrono_tz::Asia::Seoul);
    let stem = "길".repeat(256);
    add(&mut rows, &format!("{stem}a"), "pending");
    add(&mut rows, &format!("{stem}b"), "pending");
    let stages = &overview(&rows)["stages"];
    assert_eq!(stages[11]["stage"], json!(stem));
    assert_eq!(stages[11]["pending"], json!(2));
}

#[cfg(test)]
fn of_stage(name: &str, machine: &str, stage: &str) -> String {
    series(name, &[("machine", machine), ("stage", stage)])
}

#[test]
fn what_was_skipped_is_completed_and_no_work() {
    let mut rows = empty_board("2026-05-10T03:00:00Z", chrono_tz::Asia::Seoul);
    let now = rows.now;
    let payloads = [
        json!({"skipped_by_user": true}),
        json!({"skipped_by_user": true, "deferred_until": "2099-01-01T00:00Z"}),
        json!({"skipped_by_user": "true"}),
        json!({"skipped_by_user": 1}),
        json!({"skipped_by_user": null}),
        json!({"nested": {"skipped_by_user": true}}),
        json!([{"skipped_by_user": true}]),
        json!("skipped_by_user"),
    ];
    let minutes = [5, 30];
    for (index, payload) in payloads.into_iter().enumerate() {
        let row = add(&mut rows, "embed", "completed");
        row.payload = Some(payload);
        row.completed_at = Some(now - Duration::minutes(minutes[index % 2]));
    }
    // What is not completed may say so in vain.
    add(&mut rows, "embed", "pending").payload = Some(json!({"skipped_by_user": true}));
    let row = add(&mut rows, "classify", "completed");
    row.payload = Some(json!({"skipped_by_user": true}));
    row.completed_at = Some(now);
    let found = metrics(&rows);
    let value = |name: &str, machine, stage| found[&of_stage(name, machine, stage)];
    assert_eq!(value("queueboard_stage_skipped_15m", "gpu", "embed"), 1.0);
    assert_eq!(value("queueboard_stage_skipped_1h", "gpu", "embed"), 2.0);
    assert_eq!(value("queueboard_stage_skipped_today", "gpu", "embed"), 2.0);
    assert_eq!(value("queueboard_stage_skipped_today", "gpu", "stt"), 0.0);
    assert_eq!(value("queueboard_stage_completed_1h", "gpu", "embed"), 8.0);
    let macmini = &overview(&rows)["machines"][1];
    assert_eq!(macmini["state"], json!("idle"));
    assert_eq!(macmini["done_1h"], json!(1));
    assert_eq!(overview(&rows)["machines"][0]["state"], json!("active"));
}

#[test]
fn unknown_statuses() {
    let mut rows = empty_board("2026-05-10T03:00:00Z", chrono_tz::Asia::Seoul);
    assert!(!is_refused(&rows));
    add(&mut rows, "embed", "Pending");
    add(&mut rows, "embed", "pending");
    // It was made long ago, and is shown for its status alone.
    add(&mut rows, "odd", "");
    rows.jobs = Some(vec![running_job(1, "reindex")]);
    assert!(is_refused(&rows));
    let refused = metrics(&rows);
    let name = "queueboard_stage_unknown_status";
    let unknown = |found: &Series, machine, stage| found[&of_stage(name, machine, stage)];
    assert_eq!(unknown(&refused, "gpu", "embed"), 1.0);
    assert_eq!(unknown(&refused, "gpu", "stt"), 0.0);
    assert_eq!(unknown(&refused, UNASSIGNED, "odd"), 1.0);
    let others = refused.keys().filter(|key| !key.starts_with(name));
    assert!(others.clone().count() > 0);
    assert!(
        others
            .clone()
            .all(|key| key.starts_with("queueboard_background")
                || key.starts_with("queueboard_machine_info"))
    );
    // One completed row, however old, shows that the word is right.
    add(&mut rows, "stt", "completed");
    assert!(!is_refused(&rows));
    let found = metrics(&rows);
    assert_eq!(unknown(&found, "gpu", "embed"), 1.0);
    assert_eq!(unknown(&found, UNASSIGNED, "odd"), 1.0);
    assert_eq!(overview(&rows)["totals"]["pending"], json!(1));
    rows.queue.retain(|row| !has_unknown_status(row));
    rows.queue.retain(|row| row.status != "completed");
    assert!(!is_refused(&rows), "nothing is unknown");
}

#[test]
fn waits_and_durations() {
    let mut rows = empty_board("2026-05-10T03:00:00Z", chrono_tz::Asia::Seoul);
    let now = rows.now;
    let ago = |seconds| Some(now - Duration::seconds(seconds));
    // When each was made, begun and done, in seconds before now.
    for (created, started, completed) in [(100, 90, 50), (200, 180, 60), (50, 60, 70)] {
        let row = add(&mut rows, "embed", "completed");
        row.created_at = now - Duration::seconds(created);
        (row.started_at, row.completed_at) = (ago(started), ago(completed));
    }
    add(&mut rows, "embed", "completed").completed_at = ago(3599);
    for (stage, status, completed, payload) in [
        ("embed", "failed", 10, json!(null)),
        ("embed", "completed", 3600, json!(null)),
        ("embed", "completed", 10, json!({"skipped_by_user": true})),
        ("stt", "completed", 10, json!({"skipped_by_user": true})),
    ] {
        let row = add(&mut rows, stage, status);
        (row.started_at, row.completed_at) = (ago(5000), ago(completed));
        row.payload = Some(payload);
    }
    let found = metrics(&rows);
    let value = |name: &str, stage, quantile| {
        let labels = [("machine", "gpu"), ("stage", stage), ("quantile", quantile)];
        let name = format!("queueboard_stage_{name}_seconds");
        found.get(&series(&name, &labels)).copied()
    };
    // The waits are -10, 10 and 20; the durations are -10, 40 and 120.
    assert_eq!(value("wait", "embed", "0.5"), Some(10.0));
    assert_eq!(value("wait", "embed", "0.9"), Some(18.0));
    assert_eq!(value("processing", "embed", "0.5"), Some(40.0));
    assert_eq!(value("processing", "embed", "0.9"), Some(104.0));
    assert_eq!(value("wait", "stt", "0.5"), None);
    assert_eq!(value("processing", "chunk", "0.9"), None);
    let minutes: Vec<Duration> = (0..4).map(Duration::minutes).collect();
    assert_eq!(quantile(&minutes, 0.5), Some(90.0));
    assert_eq!(quantile(&minutes[3..], 0.9), Some(180.0));
}

#[test]
fn who_is_waited_for() {
    let mut rows = empty_board("2026-05-10T03:00:00Z", chrono_tz::Asia::Seoul);
    for stage in ["extract", "classify", "summarize", "deep_summary", "odd"] {
        let row = add(&mut rows, stage, "pending");
        row.payload = Some(json!({"deferred_until": "2099-01-01T00:00Z"}));
    }
    let found = metrics(&rows);
    let deferred = |machine| found[&series("queueboard_machine_deferred", &[("machine", machine)])];
    let machines = ["gpu", "macmini", "macbook", UNASSIGNED];
    assert_eq!(machines.map(deferred), [0.0, 0.0, 2.0, 0.0]);
    let of_extract = of_stage("queueboard_stage_deferred", "gpu", "extract");
    assert_eq!(found[&of_extract], 1.0);
    let machines = &overview(&rows)["machines"];
    let states = [0, 1, 2].map(|index| machines[index]["state"].clone());
    assert_eq!(states, ["idle", "idle", "deferred"]);
    assert_eq!(machines[0]["deferred_pending"], json!(0));
}

#[test]
fn progress_that_nobody_wrote_is_none_yet() {
    let mut rows = empty_board("2026-05-10T03:00:00Z", chrono_tz::Asia::Seoul);
    let mut job = running_job(1, "reindex");
    job.started_at = Some(rows.now - Duration::minutes(1));
    job.total = Some(10);
    assert_eq!(job_eta(&job, rows.now), None);
    rows.jobs = Some(vec![job]);
    let found = metrics(&rows);
    let mut processed = found
        .iter()
        .filter(|(key, _)| key.starts_with("queueboard_background_job_processed_items"));
    assert_eq!(processed.next().map(|(_, value)| *value), Some(0.0));
    assert_eq!(overview(&rows)["background_jobs"][0]["processed"], json!(0));
}
