use chrono::TimeDelta;

use super::case::{Case, Expected, Refusal, SQLITE, judge_all};
use crate::rows::Rows;

/// Makes both tables anew with columns of a type, and an expression for every timestamp.
macro_rules! timed {
    ($of:literal, $before:literal, $after:literal) => {
        concat!(
            "CREATE TABLE queue (id INTEGER PRIMARY KEY, document_id INTEGER, stage TEXT, status TEXT,
                attempts INTEGER, max_attempts INTEGER, error_message TEXT, payload TEXT,
                created_at ", $of, " NOT NULL, started_at ", $of, ", completed_at ", $of, ");
             INSERT INTO queue SELECT id, document_id, stage, status, attempts, max_attempts,
                error_message, payload, ", $before, "created_at", $after, ",
                ", $before, "started_at", $after, ", ", $before, "completed_at", $after, "
                FROM processing_queue;
             DROP TABLE processing_queue;
             ALTER TABLE queue RENAME TO processing_queue;
             CREATE TABLE jobs (id INTEGER PRIMARY KEY, kind TEXT, label TEXT, state TEXT,
                processed INTEGER, total INTEGER, started_at ", $of, ", updated_at ", $of, ",
                finished_at ", $of, ", error TEXT);
             INSERT INTO jobs SELECT id, kind, label, state, processed, total,
                ", $before, "started_at", $after, ", ", $before, "updated_at", $after, ",
                ", $before, "finished_at", $after, ", error FROM background_jobs;
             DROP TABLE background_jobs;
             ALTER TABLE jobs RENAME TO background_jobs"
        )
    };
}

const BASE: Case = Case {
    engines: SQLITE,
    ..Case::RIGHT
};

fn half_a_second_later(rows: &mut Rows) {
    let half = TimeDelta::milliseconds(500);
    for row in &mut rows.queue {
        row.created_at += half;
        row.started_at = row.started_at.map(|at| at + half);
        row.completed_at = row.completed_at.map(|at| at + half);
    }
    for job in rows.jobs.iter_mut().flatten() {
        job.started_at = job.started_at.map(|at| at + half);
        job.updated_at = job.updated_at.map(|at| at + half);
        job.finished_at = job.finished_at.map(|at| at + half);
    }
}

/// The kind of what a skip wrote, which is that of the other rows, and that it is now.
const KIND: &str = "SELECT typeof(completed_at) FROM processing_queue WHERE id IN (186, 188)";

const NUMBERS: [Case; 5] = [
    Case {
        name: "Unix seconds as integers",
        sql: timed!("INTEGER", "unixepoch(", ")"),
        after: &[
            (KIND, &["integer", "integer"]),
            (
                "SELECT CAST(max(abs(completed_at - unixepoch('now'))) < 600 AS text)
                 FROM processing_queue WHERE id IN (186, 187, 188, 189)",
                &["1"],
            ),
        ],
        ..BASE
    },
    Case {
        name: "Unix seconds as integers in a column without a type",
        sql: timed!("", "unixepoch(", ")"),
        after: &[(KIND, &["integer", "integer"])],
        ..BASE
    },
    Case {
        name: "Unix seconds as integers in a column called timestamp",
        sql: timed!("TIMESTAMP", "unixepoch(", ")"),
        after: &[(KIND, &["integer", "integer"])],
        ..BASE
    },
    Case {
        name: "Unix seconds as reals",
        sql: timed!("REAL", "0.5 + unixepoch(", ")"),
        rows: half_a_second_later,
        after: &[(KIND, &["real", "real"])],
        ..BASE
    },
    Case {
        name: "Unix seconds as digits of text",
        sql: timed!("TEXT", "unixepoch(", ")"),
        expected: Expected::RightOrRefused(&["created_at"]),
        after: &[(KIND, &["text", "text"])],
        ..BASE
    },
];

const OFFSETS: [Case; 6] = [
    Case {
        name: "text with +09:00",
        sql: timed!(
            "TEXT",
            "strftime('%Y-%m-%dT%H:%M:%S+09:00', ",
            ", '+9 hours')"
        ),
        after: &[(KIND, &["text", "text"])],
        ..BASE
    },
    Case {
        name: "text with +0900",
        sql: timed!(
            "TEXT",
            "strftime('%Y-%m-%dT%H:%M:%S+0900', ",
            ", '+9 hours')"
        ),
        after: &[(KIND, &["text", "text"])],
        ..BASE
    },
    Case {
        name: "text with +09",
        sql: timed!("TEXT", "strftime('%Y-%m-%d %H:%M:%S+09', ", ", '+9 hours')"),
        after: &[(KIND, &["text", "text"])],
        ..BASE
    },
    Case {
        name: "text with -03:30 and a fraction",
        sql: timed!(
            "TEXT",
            "strftime('%Y-%m-%dT%H:%M:%f-03:30', ",
            ", '-3 hours', '-30 minutes')"
        ),
        after: &[(KIND, &["text", "text"])],
        ..BASE
    },
    Case {
        name: "text with Z",
        sql: timed!("TEXT", "strftime('%Y-%m-%dT%H:%M:%SZ', ", ")"),
        after: &[(KIND, &["text", "text"])],
        ..BASE
    },
    Case {
        name: "text that ends in UTC",
        sql: timed!("TEXT", "strftime('%Y-%m-%d %H:%M:%S UTC', ", ")"),
        expected: Expected::RightOrRefused(&["created_at", "UTC"]),
        ..BASE
    },
];

const REFUSED: [Case; 4] = [
    Case {
        name: "milliseconds",
        sql: timed!("INTEGER", "1000 * unixepoch(", ")"),
        expected: Expected::Refused(Refusal {
            collectors: &["stages", "trend", "outlook"],
            words: &["created_at", "millisecond"],
            mend: (
                "UPDATE processing_queue SET created_at = created_at / 1000,
                    started_at = started_at / 1000, completed_at = completed_at / 1000;
                 UPDATE background_jobs SET started_at = started_at / 1000,
                    updated_at = updated_at / 1000, finished_at = finished_at / 1000",
                "",
            ),
        }),
        ..BASE
    },
    Case {
        name: "milliseconds as reals",
        sql: timed!("REAL", "1000 * unixepoch(", ")"),
        expected: Expected::Refused(Refusal {
            collectors: &["stages", "trend", "outlook"],
            words: &["created_at", "millisecond"],
            mend: (
                "UPDATE processing_queue SET created_at = created_at / 1000,
                    started_at = started_at / 1000, completed_at = completed_at / 1000;
                 UPDATE background_jobs SET started_at = started_at / 1000,
                    updated_at = updated_at / 1000, finished_at = finished_at / 1000",
                "",
            ),
        }),
        ..BASE
    },
    Case {
        name: "one created_at that is no timestamp",
        sql: "UPDATE processing_queue SET created_at = 'yesterday' || created_at WHERE id = 133",
        expected: Expected::Refused(Refusal {
            collectors: &["stages", "trend", "outlook"],
            words: &["created_at", "yesterday"],
            mend: (
                "UPDATE processing_queue SET created_at = replace(created_at, 'yesterday', '')",
                "",
            ),
        }),
        ..BASE
    },
    Case {
        name: "one completed_at that is no timestamp",
        sql: "UPDATE processing_queue SET completed_at = 'today ' || completed_at WHERE id = 136",
        expected: Expected::Refused(Refusal {
            collectors: &["stages", "trend", "outlook"],
            words: &["completed_at", "today"],
            mend: (
                "UPDATE processing_queue SET completed_at = replace(completed_at, 'today ', '')",
                "",
            ),
        }),
        ..BASE
    },
];

const PAYLOADS: [Case; 2] = [
    Case {
        name: "payloads that are no JSON",
        sql: "UPDATE processing_queue SET payload = 'no {json' WHERE id IN (101, 103, 188);
              UPDATE processing_queue SET payload = NULL WHERE id = 104",
        rows: |rows| {
            for row in &mut rows.queue {
                match row.id {
                    188 => row.payload = Some("no {json".into()),
                    101 | 103 | 104 => row.payload = None,
                    _ => {}
                }
            }
        },
        // Whether that is a malformed deferral is not said.
        loose: &[r#"queueboard_stage_deferred_malformed{machine="gpu",stage="extract"}"#],
        ..BASE
    },
    Case {
        name: "a column deferred_until of Unix seconds",
        sql: "ALTER TABLE processing_queue ADD deferred_until INTEGER;
              UPDATE processing_queue SET deferred_until = unixepoch('now', '+9 hours')
              WHERE status = 'pending' AND stage IN ('summarize', 'stt') AND id <> 183",
        rows: super::types::deferred_by_column,
        ..BASE
    },
];

#[tokio::test]
async fn unix_seconds_are_read_and_written() {
    judge_all(&NUMBERS).await;
}

#[tokio::test]
async fn text_with_any_offset_is_read() {
    judge_all(&OFFSETS).await;
}

#[tokio::test]
async fn what_is_no_timestamp_is_refused_and_mended() {
    judge_all(&REFUSED).await;
}

#[tokio::test]
async fn payloads_of_sqlite_are_read_and_written() {
    judge_all(&PAYLOADS).await;
}
