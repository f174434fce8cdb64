use super::case::{Case, Expected, Refusal, judge_all};
use super::table::Table;
use crate::support::Engine;

/// Changes the words of the statuses, on which the queue's index depends.
macro_rules! worded {
    ($sql:literal) => {
        concat!("DROP INDEX uq_queue_active; ", $sql)
    };
}

const UPPER: &str = "
statuses:
  pending: [PENDING]
  processing: [PROCESSING]
  completed: [COMPLETED]
  failed: [FAILED]
";

const TEXT: &str = worded!(
    "UPDATE processing_queue SET status = upper(status);
     CREATE UNIQUE INDEX uq_queue_active ON processing_queue (document_id, stage)
        WHERE status IN ('PENDING', 'PROCESSING')"
);

const ENUM: &str = worded!(
    "CREATE TYPE word AS ENUM ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED');
     ALTER TABLE processing_queue ALTER status TYPE word USING upper(status)::word;
     CREATE UNIQUE INDEX uq_queue_active ON processing_queue (document_id, stage)
        WHERE status IN ('PENDING', 'PROCESSING')"
);

const UNSAID: Refusal = Refusal {
    collectors: &["stages", "trend", "outlook"],
    words: &["PENDING", "PROCESSING", "COMPLETED", "FAILED", "statuses"],
    mend: ("", UPPER),
};

const AS_WRITTEN: [&str; 3] = ["PENDING", "COMPLETED", "FAILED"];

const OF_UPPER_CASE: [Case; 5] = [
    Case {
        name: "statuses in upper case, said",
        engines: &Engine::ALL,
        sql: TEXT,
        configuration: UPPER,
        words: AS_WRITTEN,
        ..Case::RIGHT
    },
    Case {
        name: "statuses in upper case, not said",
        engines: &Engine::ALL,
        sql: TEXT,
        expected: Expected::Refused(UNSAID),
        words: AS_WRITTEN,
        ..Case::RIGHT
    },
    Case {
        name: "an ENUM in upper case, said",
        sql: ENUM,
        configuration: UPPER,
        words: AS_WRITTEN,
        ..Case::RIGHT
    },
    Case {
        name: "an ENUM in upper case, not said",
        sql: ENUM,
        expected: Expected::Refused(UNSAID),
        words: AS_WRITTEN,
        ..Case::RIGHT
    },
    Case {
        name: "an ENUM whose labels are other words",
        sql: worded!(
            "CREATE TYPE word AS ENUM ('Waiting', 'At work', 'Done', 'Broken');
             ALTER TABLE processing_queue ALTER status TYPE word USING (CASE status
                WHEN 'pending' THEN 'Waiting' WHEN 'processing' THEN 'At work'
                WHEN 'completed' THEN 'Done' ELSE 'Broken' END)::word"
        ),
        configuration: "statuses: {pending: [Waiting], processing: [At work], completed: [Done],
                                   failed: [Broken]}",
        words: ["Waiting", "Done", "Broken"],
        ..Case::RIGHT
    },
];

/// Half of the pending rows, the sibling of a failed one among them, are called queued.
const QUEUED: &str = worded!(
    "UPDATE processing_queue SET status = 'queued'
     WHERE status = 'pending' AND (id % 2 = 1)"
);

const SEVERAL: &str = "statuses: {pending: [pending, queued], processing: [processing],
                                  completed: [completed], failed: [failed]}";

const SEVERAL_QUEUED_FIRST: &str = "statuses: {pending: [queued, pending],
    processing: [processing], completed: [completed], failed: [failed]}";

const OF_SEVERAL: [Case; 5] = [
    Case {
        name: "two words for pending, the usual one first",
        engines: &Engine::ALL,
        sql: QUEUED,
        configuration: SEVERAL,
        untouched: Some((183, "queued")),
        ..Case::RIGHT
    },
    Case {
        name: "two words for pending, the other one first",
        engines: &Engine::ALL,
        sql: QUEUED,
        configuration: SEVERAL_QUEUED_FIRST,
        words: ["queued", "completed", "failed"],
        ..Case::RIGHT
    },
    Case {
        name: "two words for completed in an ENUM",
        sql: worded!(
            "CREATE TYPE word AS ENUM ('pending', 'processing', 'completed', 'done', 'failed');
             ALTER TABLE processing_queue ALTER status TYPE word USING (CASE
                WHEN status = 'completed' AND id <> 104 THEN 'done' ELSE status END)::word"
        ),
        configuration: "statuses: {pending: [pending], processing: [processing],
                                   completed: [completed, done], failed: [failed]}",
        ..Case::RIGHT
    },
    Case {
        name: "a word of an ENUM that no row has",
        sql: worded!(
            "CREATE TYPE word AS ENUM ('pending', 'processing', 'completed', 'failed', 'unused');
             ALTER TABLE processing_queue ALTER status TYPE word USING status::word"
        ),
        ..Case::RIGHT
    },
    Case {
        name: "a word of the configuration that the ENUM has not",
        sql: worded!(
            "CREATE TYPE word AS ENUM ('pending', 'processing', 'completed', 'failed');
             ALTER TABLE processing_queue ALTER status TYPE word USING status::word"
        ),
        configuration: SEVERAL,
        ..Case::RIGHT
    },
];

#[tokio::test]
async fn statuses_in_upper_case_are_said_or_refused() {
    judge_all(&OF_UPPER_CASE).await;
}

#[tokio::test]
async fn several_words_mean_one_status() {
    judge_all(&OF_SEVERAL).await;
}

const PAUSED: &str = "INSERT INTO processing_queue (id, document_id, stage, status, created_at)
    SELECT 195, 295, 'stt', 'paused', created_at FROM processing_queue WHERE id = 181";

/// One odd row beside sound ones is counted and named, and the board is whole.
#[tokio::test]
async fn a_status_that_nobody_knows_is_counted_and_named() {
    for engine in Engine::ALL {
        let case = Case {
            name: "one row is paused",
            sql: PAUSED,
            rows: |rows| {
                let mut paused = rows.queue.iter().find(|row| row.id == 181).cloned();
                if let Some(row) = &mut paused {
                    (row.id, row.document_id) = (195, 295);
                    row.status = "paused".to_owned();
                    (row.started_at, row.completed_at) = (None, None);
                }
                rows.queue.extend(paused);
            },
            ..Case::RIGHT
        };
        let mut table = Table::of(case, engine).await;
        let exporter = table.serve("");
        super::judge::numbers(&table, &exporter);
        super::judge::failures(&table, &exporter);
        let page = exporter.scrape();
        let unknown = |machine: &str, stage: &str| {
            let labels = format!("{{machine=\"{machine}\",stage=\"{stage}\"}}");
            page.get(&format!("queueboard_stage_unknown_status{labels}"))
                .copied()
        };
        assert_eq!(unknown("gpu", "stt"), Some(1.0), "{engine:?}");
        assert_eq!(unknown("gpu", "embed"), Some(0.0), "{engine:?}");
        let (is_sound, broken) = table.check("", true).await;
        assert!(
            !is_sound && broken.contains("paused"),
            "{engine:?}: {broken}"
        );

        let said = SEVERAL.replace("queued", "paused");
        drop(exporter);
        for row in table.rows.queue.iter_mut().filter(|row| row.id == 195) {
            row.status = "pending".to_owned();
        }
        let exporter = table.serve(&said);
        table.is_right(&exporter, &said).await;
        let page = exporter.scrape();
        let key = r#"queueboard_stage_unknown_status{machine="gpu",stage="stt"}"#;
        assert_eq!(page.get(key), Some(&0.0), "{engine:?}");
    }
}
