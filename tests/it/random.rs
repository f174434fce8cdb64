//! Random boards, realistic and hostile, that the same seed makes again.

use std::collections::HashSet;

use chrono::{DateTime, Datelike, Duration, NaiveTime, Timelike, Utc};
use chrono_tz::Tz;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::model::{bucket_starts, local_midnight};
use crate::rows::{Document, Job, QueueRow, Rows};

const KNOWN_STAGES: [&str; 11] = [
    "extract",
    "embed",
    "chunk",
    "markdown",
    "preview",
    "thumbnail",
    "fulltext",
    "stt",
    "classify",
    "summarize",
    "deep_summary",
];

const UNKNOWN_STAGES: [&str; 14] = [
    "",
    " ",
    "translate",
    "Summarize",
    "summarize ",
    "_other",
    "unassigned",
    "say \"hi\"",
    "back\\slash\\",
    "two\nlines",
    "tab\tand\rreturn",
    "{a=\"b\",c}",
    "요약 단계",
    "🗂\u{fe0f}é\u{301}",
];

const KINDS: [&str; 12] = [
    "global_digest",
    "morning_briefing",
    "section_summary",
    "hier_backfill",
    "hier_redecompose",
    "reindex",
    "Global_Digest",
    "_other",
    "",
    "quoted \"kind\"",
    "back\\slash\nline",
    "주간 보고",
];

const ENDED: [&str; 8] = [
    "done",
    "failed",
    "completed",
    "cancelled",
    "Running",
    "",
    "\"odd\"\\\n",
    "끝남",
];

const MODELS: [Option<&str>; 7] = [
    None,
    Some("qwen-macbook"),
    Some("qwen-macbook"),
    Some("qwen-macmini"),
    Some("Qwen-MacBook"),
    Some("qwen-macbook "),
    Some(""),
];

const TITLES: [&str; 9] = [
    "",
    " ",
    "계약서 최종.pdf",
    "He said \"no\"",
    "C:\\scans\\",
    "first\nsecond\r\n",
    "O'Brien; DROP TABLE documents;--",
    "%s {} $1 :name ?",
    "emoji 🧾 \u{202e}right to left",
];

const PATHS: [&str; 8] = [
    "",
    "/",
    "plain.txt",
    "/scans/2026/one.pdf",
    "/scans/2026/",
    "//",
    "C:\\scans\\two.pdf",
    "/보관함/영수증 \"3\".png",
];

/// Timestamps that conform although they look odd, whatever the clock says.
const ODD_TIMESTAMPS: [&str; 8] = [
    "9999-12-31T23:59:59-23:59",
    "9999-12-31 23:59:59.999999Z",
    "0001-01-01T00:00Z",
    "0001-01-01 00:00+23:59",
    "2028-02-29T12:00",
    "2096-02-29 00:00:00+0000",
    "2000-02-29T00:00:00.0-00:00",
    "2099-01-01T00:00:00.123456789+09",
];

/// Texts that are no timestamp, many of them in the future to a reader who is too kind.
const MALFORMED_TIMESTAMPS: [&str; 48] = [
    "",
    " ",
    "tomorrow",
    "now",
    "infinity",
    "2099",
    "4070908800",
    "2099-01-01",
    "2099-01-01T10",
    "2099-01-01T10Z",
    "2026-02-30T10:00:00Z",
    "2099-02-29T10:00:00Z",
    "2100-02-29T10:00:00Z",
    "2026-13-01 10:00",
    "2099-00-10 10:00",
    "2099-01-00 10:00",
    "2099-04-31 10:00",
    "2099-1-1T10:00:00Z",
    "20990101T100000Z",
    "2099/01/01 10:00",
    "2099-01-01t10:00:00Z",
    "2099-01-01T10:00:00z",
    "2099-01-01T10:00:00Z ",
    " 2099-01-01T10:00:00Z",
    "2099-01-01T10:00:00Z\n",
    "2099-01-01  10:00:00Z",
    "2099-01-01\t10:00:00Z",
    "2099-01-01_10:00:00Z",
    "2099-01-01T24:00:00Z",
    "2099-01-01T10:60:00Z",
    "2099-01-01T10:00:60Z",
    "2099-01-01T10:0Z",
    "2099-01-01T10:00:0Z",
    "2099-01-01T10:00:00.Z",
    "2099-01-01T10:00.5Z",
    "2099-01-01T10:00:00,5Z",
    "2099-01-01T10:00:00 Z",
    "2099-01-01T10:00:00+9",
    "2099-01-01T10:00:00+090",
    "2099-01-01T10:00:00+24:00",
    "2099-01-01T10:00:00+09:60",
    "2099-01-01T10:00:00+09:00:00",
    "2099-01-01T10:00:00\u{2212}09:00",
    "2099-01-01T10:00:00Z[Asia/Seoul]",
    "2099-01-01T10:00:00 Asia/Seoul",
    "12099-01-01T10:00:00Z",
    "+2099-01-01T10:00:00Z",
    "٢٠٩٩-٠١-٠١T١٠:٠٠:٠٠Z",
];

/// Statuses outside the four, many of them right to a reader who is too kind.
const UNKNOWN_STATUSES: [&str; 8] = [
    "cancelled",
    "Pending",
    "PROCESSING",
    "COMPLETED",
    "completed ",
    "done",
    "",
    "대기",
];

/// How far from now an instant is, in nanoseconds, that only a careless reader takes for now.
const WITHIN_A_MICROSECOND: [i64; 15] = [
    -1001, -1000, -999, -501, -500, -499, -1, 0, 1, 499, 500, 501, 999, 1000, 1001,
];

/// Makes one board; equal arguments make equal boards.
///
/// Those of small seeds have completed rows, if they have many rows at all.
pub(crate) fn board(seed: u64, size: usize, now: DateTime<Utc>, zone: Tz) -> Rows {
    let mut maker = Maker::new(seed, now, zone);
    let document_ids = maker.ids(size / 2 + 1);
    let documents = maker.documents(&document_ids);
    let mut queue = maker.queue(size, &document_ids);
    end_otherwise(seed, &mut queue);
    let jobs = maker.jobs();
    let macbook_enabled = !maker.chance(25);
    Rows {
        now,
        zone,
        macbook_enabled,
        documents,
        queue,
        jobs,
    }
}

/// Leaves some boards without a completed row, most of them with statuses that nobody explained.
fn end_otherwise(seed: u64, queue: &mut [QueueRow]) {
    let (instead, keeps_unknown) = match seed % 60 {
        19 => ("failed", false),
        29 => ("COMPLETED", true),
        59 => ("failed", true),
        _ => return,
    };
    for row in queue {
        let is_unknown = UNKNOWN_STATUSES.contains(&row.status.as_str());
        if row.status == "completed" || (is_unknown && !keeps_unknown) {
            row.status = instead.to_owned();
        }
    }
}

struct Maker {
    rng: Rng,
    now: DateTime<Utc>,
    /// The instants at which some window begins or ends.
    bounds: Vec<DateTime<Utc>>,
    /// A few instants that several rows get, so that there are ties.
    ties: Vec<DateTime<Utc>>,
    /// How many of a hundred times are recent, which makes backlogs drain or grow.
    recent: u32,
}

impl Maker {
    fn new(seed: u64, now: DateTime<Utc>, zone: Tz) -> Self {
        let mut maker = Maker {
            rng: Rng::with_seed(seed),
            now,
            bounds: bounds(now, zone),
            ties: Vec::new(),
            recent: 0,
        };
        maker.recent = maker.rng.u32(10..90);
        maker.ties = (0..3).map(|_| maker.fresh_time()).collect();
        maker
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(0..100) < percent
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.rng.usize(0..from.len())].clone()
    }

    /// Makes unique ids in no order, with gaps between them.
    fn ids(&mut self, how_many: usize) -> Vec<i64> {
        let mut ids: Vec<i64> = (1..).take(how_many * 2).collect();
        self.rng.shuffle(&mut ids);
        ids.truncate(how_many);
        ids
    }

    fn back(&mut self, at_most: Duration) -> DateTime<Utc> {
        self.now - Duration::milliseconds(self.rng.i64(0..=at_most.num_milliseconds()))
    }

    fn fresh_time(&mut self) -> DateTime<Utc> {
        if self.chance(4) {
            return self.now + Duration::milliseconds(self.rng.i64(1..120_000));
        }
        if self.chance(25) {
            let bound = self.pick(&self.bounds.clone());
            return self.near(bound);
        }
        if self.chance(self.recent) {
            self.back(Duration::minutes(90))
        } else {
            self.back(Duration::hours(30))
        }
    }

    fn time(&mut self) -> DateTime<Utc> {
        if self.chance(15) {
            self.pick(&self.ties.clone())
        } else {
            self.fresh_time()
        }
    }

    /// Makes an instant that is exactly at a bound or barely off it.
    fn near(&mut self, bound: DateTime<Utc>) -> DateTime<Utc> {
        bound + Duration::milliseconds(self.pick(&[0, 0, -1, 1, -1000, 1000]))
    }

    fn maybe_time(&mut self, percent: u32) -> Option<DateTime<Utc>> {
        let time = self.time();
        self.chance(percent).then_some(time)
    }

    fn documents(&mut self, ids: &[i64]) -> Vec<Document> {
        ids.iter().map(|id| self.document(*id)).collect()
    }

    fn document(&mut self, id: i64) -> Document {
        Document {
            id,
            title: self.maybe_text(&TITLES, 60),
            original_filename: self.maybe_text(&TITLES, 40),
            file_path: self.maybe_text(&PATHS, 70),
            ai_model_version: self.pick(&MODELS).map(str::to_owned),
        }
    }

    fn maybe_text(&mut self, texts: &[&str], percent: u32) -> Option<String> {
        if !self.chance(percent) {
            None
        } else if self.chance(5) {
            Some(long_text("제목 ", "!"))
        } else {
            Some(self.pick(texts).to_owned())
        }
    }

    /// Picks the stages of this board, so that some configured ones have no row at all.
    fn stages(&mut self) -> Vec<String> {
        let mut stages: Vec<String> = vec!["summarize".to_owned(); 2];
        for stage in KNOWN_STAGES {
            if self.chance(80) {
                stages.push(stage.to_owned());
            }
        }
        let long = [
            long_text("x\"\\ñ", "one"),
            long_text("x\"\\ñ", "two"),
            long_text("다", ""),
        ];
        let unknown = UNKNOWN_STAGES.iter().map(|stage| (*stage).to_owned());
        for stage in unknown.chain(long) {
            if self.chance(25) {
                stages.push(stage);
            }
        }
        stages
    }

    fn queue(&mut self, size: usize, document_ids: &[i64]) -> Vec<QueueRow> {
        let stages = self.stages();
        let mut row_stages: Vec<String> = (0..size).map(|_| self.pick(&stages)).collect();
        if self.chance(5) {
            row_stages.extend((0..150).map(|number| format!("bulk-{number:03}")));
        }
        let ids = self.ids(row_stages.len());
        let mut active = HashSet::new();
        ids.into_iter()
            .zip(row_stages)
            .map(|(id, stage)| self.queue_row(id, stage, document_ids, &mut active))
            .collect()
    }

    fn queue_row(
        &mut self,
        id: i64,
        stage: String,
        document_ids: &[i64],
        active: &mut HashSet<(i64, String)>,
    ) -> QueueRow {
        let document_id = self.document_id(document_ids);
        let mut status = self.status();
        let is_active = matches!(status, "pending" | "processing");
        // A document has at most one pending or processing row in a stage.
        if is_active && !active.insert((document_id, stage.clone())) {
            status = self.pick(&["completed", "failed"]);
        }
        let (created_at, started_at, completed_at) = self.row_times(status);
        QueueRow {
            id,
            document_id,
            stage,
            status: status.to_owned(),
            payload: self.payload(status),
            created_at,
            started_at,
            completed_at,
        }
    }

    /// Picks a document of the board or, now and then, one that has vanished.
    fn document_id(&mut self, ids: &[i64]) -> i64 {
        if self.chance(90) {
            return self.pick(ids);
        }
        // Ids of the board end at twice their number.
        let end = i64::try_from(ids.len() * 2).expect("a board is small");
        end + self.rng.i64(1..10)
    }

    fn status(&mut self) -> &'static str {
        match self.rng.u32(0..100) {
            0..35 => "pending",
            35..50 => "processing",
            50..85 => "completed",
            85..97 => "failed",
            _ => self.pick(&UNKNOWN_STATUSES),
        }
    }

    fn row_times(
        &mut self,
        status: &str,
    ) -> (DateTime<Utc>, Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        let mut times = [self.time(), self.time(), self.time()];
        if self.chance(60) {
            times.sort_unstable();
        }
        let (started, completed) = match status {
            "pending" => (10, 5),
            "processing" => (85, 5),
            "completed" => (90, 95),
            _ => (50, 50),
        };
        let [created_at, started_at, completed_at] = times;
        (
            created_at,
            self.chance(started).then_some(started_at),
            self.chance(completed).then_some(completed_at),
        )
    }

    fn payload(&mut self, status: &str) -> Option<Value> {
        let skipped = if status == "completed" { 20 } else { 3 };
        if self.chance(skipped) {
            Some(self.skip())
        } else if self.chance(8) {
            Some(self.pick(&no_skips()))
        } else {
            self.deferral()
        }
    }

    /// Makes the payload of a row that was skipped.
    fn skip(&mut self) -> Value {
        match self.rng.u32(0..4) {
            0 => json!({"deferred_until": self.timestamp(), "skipped_by_user": true}),
            1 => json!({"attempt": [{}], "skipped_by_user": true, "z": {"skipped_by_user": false}}),
            _ => json!({"skipped_by_user": true}),
        }
    }

    fn deferral(&mut self) -> Option<Value> {
        match self.rng.u32(0..16) {
            0..5 => None,
            5 => Some(self.pick(&plain_payloads())),
            6 => Some(json!({"attempt": 2, "note": "said \"wait\"\n"})),
            7 => Some(json!({"nested": {"deferred_until": "2099-01-01T00:00:00Z"}})),
            8 => Some(json!({"Deferred_Until": "2099-01-01T00:00:00Z", "deferred_until ": 1})),
            9 => Some(json!({"deferred_until": self.pick(&no_texts())})),
            10..12 => Some(json!({"deferred_until": self.pick(&MALFORMED_TIMESTAMPS)})),
            12 => Some(json!({"a": [1], "deferred_until": self.pick(&ODD_TIMESTAMPS)})),
            _ => Some(json!({"deferred_until": self.timestamp(), "z": null})),
        }
    }

    /// Writes an instant in one of the forms that conform, or a day that some months lack.
    fn timestamp(&mut self) -> String {
        let (offset, seconds) = self.offset();
        let local = (self.deferral_time() + Duration::seconds(seconds)).naive_utc();
        let date = if self.chance(25) {
            self.last_days()
        } else {
            local.date().to_string()
        };
        let separator = self.pick(&["T", " "]);
        format!(
            "{date}{separator}{}{offset}",
            self.time_of_day(local.time())
        )
    }

    fn time_of_day(&mut self, time: NaiveTime) -> String {
        if self.chance(20) {
            return time.format("%H:%M").to_string();
        }
        let text = time.format("%H:%M:%S").to_string();
        if self.chance(20) {
            return text;
        }
        let digits = format!("{:09}000", time.nanosecond());
        let width = self.rng.usize(1..=digits.len());
        format!("{text}.{}", &digits[..width])
    }

    /// Makes a date on one of the days that not every month has.
    fn last_days(&mut self) -> String {
        let now = self.now.year();
        let year = self.pick(&[now, now, now + 1, now + 2, 2000, 2028, 2096, 2100, 2400]);
        let (month, day) = if self.chance(30) {
            (2, 29)
        } else {
            (self.rng.u32(1..=12), self.rng.u32(29..=31))
        };
        format!("{year:04}-{month:02}-{day:02}")
    }

    fn deferral_time(&mut self) -> DateTime<Utc> {
        match self.rng.u32(0..5) {
            0 => self.near(self.now),
            1 => self.now + Duration::nanoseconds(self.pick(&WITHIN_A_MICROSECOND)),
            2 => self.back(Duration::days(3)),
            _ => self.now + Duration::milliseconds(self.rng.i64(1..260_000_000)),
        }
    }

    /// Makes an offset's text and its seconds.
    fn offset(&mut self) -> (String, i64) {
        let (sign, factor) = self.pick(&[("+", 1), ("-", -1)]);
        let is_farthest = self.chance(20);
        let hours = if is_farthest { 23 } else { self.rng.i64(0..24) };
        let minutes = self.pick(&[0, 0, 30, 45, 58, 59]);
        let seconds = factor * (hours * 3600 + minutes * 60);
        match self.rng.u32(0..5) {
            0 => ("Z".to_owned(), 0),
            1 => (String::new(), 0),
            2 => (format!("{sign}{hours:02}"), factor * hours * 3600),
            3 => (format!("{sign}{hours:02}{minutes:02}"), seconds),
            _ => (format!("{sign}{hours:02}:{minutes:02}"), seconds),
        }
    }

    fn jobs(&mut self) -> Option<Vec<Job>> {
        if self.chance(12) {
            return None;
        }
        let how_many = self.rng.usize(0..36);
        let mut kinds: Vec<String> = (0..how_many).map(|_| self.kind()).collect();
        if self.chance(5) {
            kinds.extend((0..150).map(|number| format!("kind-{number:03}")));
        }
        let ids = self.ids(kinds.len());
        let jobs = ids.into_iter().zip(kinds);
        Some(jobs.map(|(id, kind)| self.job(id, kind)).collect())
    }

    fn kind(&mut self) -> String {
        match self.rng.u32(0..30) {
            0 => long_text("k\"ß", "one"),
            1 => long_text("k\"ß", "two"),
            _ => self.pick(&KINDS).to_owned(),
        }
    }

    fn job(&mut self, id: i64, kind: String) -> Job {
        let running = self.chance(60);
        let state = self.job_state(running);
        let (processed, total) = self.progress();
        Job {
            id,
            kind,
            label: self.maybe_text(&TITLES, 80),
            state,
            processed,
            total,
            started_at: self.maybe_time(85),
            updated_at: self.heartbeat(),
            finished_at: self.finish(running),
            error: self.maybe_text(&TITLES, 25),
        }
    }

    fn job_state(&mut self, running: bool) -> String {
        if running {
            "running".to_owned()
        } else if self.chance(4) {
            long_text("ended ", "")
        } else {
            self.pick(&ENDED).to_owned()
        }
    }

    fn progress(&mut self) -> (Option<i64>, Option<i64>) {
        let total = self.rng.i64(1..5000);
        let processed = self.rng.i64(0..total);
        self.pick(&[
            (None, None),
            (Some(processed), None),
            (None, Some(total)),
            (Some(0), Some(total)),
            (Some(0), Some(0)),
            (Some(total), Some(total)),
            (Some(total + 1), Some(total)),
            (Some(processed), Some(total)),
            (Some(processed), Some(total)),
            (Some(processed), Some(total)),
        ])
    }

    fn heartbeat(&mut self) -> Option<DateTime<Utc>> {
        match self.rng.u32(0..5) {
            0 => None,
            1 => Some(self.near(self.now - Duration::minutes(5))),
            2 => Some(self.time()),
            _ => Some(self.back(Duration::minutes(8))),
        }
    }

    fn finish(&mut self, running: bool) -> Option<DateTime<Utc>> {
        if running && self.chance(90) {
            return None;
        }
        match self.rng.u32(0..5) {
            0 => self.maybe_time(50),
            1 => Some(self.near(self.now - Duration::hours(6))),
            _ => Some(self.back(Duration::hours(8))),
        }
    }
}

fn bounds(now: DateTime<Utc>, zone: Tz) -> Vec<DateTime<Utc>> {
    let windows = [0, 5, 15, 60, 360].map(|minutes| now - Duration::minutes(minutes));
    let starts = bucket_starts(now, zone);
    let mut bounds = windows.to_vec();
    // The windows come up more often than the many bucket starts.
    bounds.extend(windows.repeat(4));
    bounds.extend([local_midnight(now, zone); 6]);
    bounds.push(starts[0] + Duration::hours(1));
    bounds.extend(starts);
    bounds
}

/// Makes 300 characters and an ending, so that texts with other endings have the same beginning.
fn long_text(pattern: &str, ending: &str) -> String {
    let mut text: String = pattern.chars().cycle().take(300).collect();
    text.push_str(ending);
    text
}

fn plain_payloads() -> Vec<Value> {
    vec![
        json!(null),
        json!([]),
        json!(["deferred_until"]),
        json!([{"deferred_until": "2099-01-01T00:00:00Z"}]),
        json!("deferred_until"),
        json!("2099-01-01T00:00:00Z"),
        json!("{\"deferred_until\": \"2099-01-01T00:00:00Z\"}"),
        json!(""),
        json!(0),
        json!(-1.5),
        json!(true),
        json!({}),
    ]
}

/// Lists values of `deferred_until` that are no text.
fn no_texts() -> Vec<Value> {
    vec![
        json!(null),
        json!(4_070_908_800_i64),
        json!(1e300),
        json!(true),
        json!([]),
        json!(["2099-01-01T00:00:00Z"]),
        json!({}),
        json!({"deferred_until": "2099-01-01T00:00:00Z"}),
    ]
}

/// Lists payloads that speak of skipping, and of no row that was skipped.
fn no_skips() -> Vec<Value> {
    vec![
        json!({"skipped_by_user": "true"}),
        json!({"skipped_by_user": 1}),
        json!({"skipped_by_user": 1.0}),
        json!({"skipped_by_user": false}),
        json!({"skipped_by_user": null}),
        json!({"skipped_by_user": [true]}),
        json!({"skipped_by_user": {"skipped_by_user": true}}),
        json!({"nested": {"skipped_by_user": true}}),
        json!({"Skipped_By_User": true, "skipped_by_user ": true}),
        json!({"deferred_until": {"skipped_by_user": true}}),
        json!([{"skipped_by_user": true}]),
        json!(["skipped_by_user", true]),
        json!("skipped_by_user"),
        json!("{\"skipped_by_user\": true}"),
        json!(true),
    ]
}
