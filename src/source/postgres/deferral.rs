//! Until when a row is deferred, as far as SQL can tell: a timestamp in a plain form is compared
//! where it lies, and only the others are sent, to be read by the one parser there is.

use crate::snapshot::BUCKET_SECONDS;
use crate::snapshot::deferral::{FUTURE, MAX_AHEAD_DAYS, NONE, ODD};
use crate::source::shape::{Kind, Relation};

use super::values::text;

/// A timestamp that PostgreSQL casts without fail, to the microsecond.
const PLAIN: &str = "^[12][0-9]{3}-\
    ((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)\
    [T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?\
    (Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?$";

/// How much of a document is read for its `deferred_until`, in characters.
const MAX_DOCUMENT: usize = 2000;

/// Whether a payload that is no jsonb may have the key at all.
const MENTIONS: &str = "(payload::text LIKE '%deferred_until%')";

/// A JSON object without objects or lists in it; what stands in brackets is its last
/// `deferred_until`, if that is a plain string or null.
fn flat_object() -> String {
    let space = "[[:space:]]*";
    let string = r#""(?:[^"\\]|\\.)*""#;
    let number = "-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:[eE][-+]?[0-9]+)?";
    let pair = format!("{string}{space}:{space}(?:{string}|{number}|true|false|null)");
    let key = format!(r#""deferred_until"{space}:{space}("[^"\\]*"|null)"#);
    let before = format!("(?:{pair}{space},{space})*");
    let after = format!("(?:{space},{space}{pair})*");
    text(&format!(
        "^{space}\\{{{space}{before}{key}{after}{space}\\}}{space}$"
    ))
}

/// Where the table keeps it.
enum Place {
    Nowhere,
    Column,
    Jsonb,
    Document,
}

fn place(queue: &Relation) -> Place {
    if queue.kind("deferred_until").is_some() {
        return Place::Column;
    }
    match queue.kind("payload") {
        None => Place::Nowhere,
        Some(Kind::Jsonb) => Place::Jsonb,
        Some(_) => Place::Document,
    }
}

/// Returns columns of the queue that [`of_row`] is made of.
pub(super) fn columns(queue: &Relation) -> Vec<(&'static str, String)> {
    match place(queue) {
        Place::Nowhere => vec![],
        Place::Column => vec![("until", "deferred_until".to_owned())],
        Place::Jsonb => vec![(
            "until",
            "left(payload ->> 'deferred_until', 200)".to_owned(),
        )],
        Place::Document => vec![
            (
                "until",
                format!(
                    "CASE WHEN {MENTIONS} THEN btrim(substring(payload::text FROM {}), '\"') END",
                    flat_object()
                ),
            ),
            ("mentions_until", MENTIONS.to_owned()),
            ("document", format!("left(payload::text, {MAX_DOCUMENT})")),
        ],
    }
}

/// Returns how a row is deferred at the instant `$1`, as one of the numbers of the snapshot.
pub(super) fn of_row(queue: &Relation) -> String {
    let is_null = match place(queue) {
        Place::Nowhere => return format!("{NONE}::bigint"),
        Place::Column => {
            return format!(
                "CASE WHEN q.is_pending AND q.until > $1 THEN {FUTURE} ELSE {NONE} END::bigint"
            );
        }
        Place::Jsonb => "q.until IS NULL",
        Place::Document => "(q.mentions_until IS NOT TRUE OR q.until = 'null')",
    };
    let instant = plain_instant();
    format!(
        "CASE WHEN NOT q.is_pending OR {is_null} THEN {NONE}
              WHEN q.until ~ '{PLAIN}' THEN CASE WHEN {instant} > $1 THEN {FUTURE} ELSE {NONE} END
              ELSE {ODD} END::bigint"
    )
}

/// Returns until when a row is deferred in Unix seconds, rounded up to a bucket's end; null where
/// it is not after the instant `$1`, or SQL cannot tell.
pub(super) fn until(queue: &Relation) -> String {
    let (is_plain, instant) = match place(queue) {
        Place::Nowhere => return "NULL::float8".to_owned(),
        Place::Column => ("TRUE".to_owned(), "q.until::timestamptz".to_owned()),
        Place::Jsonb | Place::Document => (format!("q.until ~ '{PLAIN}'"), plain_instant()),
    };
    format!(
        "CASE WHEN q.is_pending AND q.until IS NOT NULL AND {is_plain}
              THEN CASE WHEN {instant} > $1 THEN ceil(extract(epoch FROM
                       least({instant}, $1 + interval '{MAX_AHEAD_DAYS} days')) / {BUCKET_SECONDS})::float8
                       * {BUCKET_SECONDS} END END"
    )
}

/// The instant that a text in the plain form tells.
fn plain_instant() -> String {
    let zone = "CASE WHEN right(q.until, 1) = 'Z' OR strpos(substr(q.until, 12), '+') > 0
                       OR strpos(substr(q.until, 12), '-') > 0 THEN '' ELSE 'Z' END";
    format!("(q.until || {zone})::timestamptz")
}

/// Returns a JSON object that holds the `deferred_until` of a row, for the one parser.
pub(super) fn document(queue: &Relation) -> String {
    let document = match place(queue) {
        Place::Nowhere | Place::Column => "NULL::text",
        Place::Jsonb => "jsonb_build_object('deferred_until', q.until)::text",
        Place::Document => "q.document",
    };
    document.to_owned()
}
