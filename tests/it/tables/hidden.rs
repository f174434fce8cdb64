use super::case::{Case, Refusal, failure, judge_all};
use super::table::Table;
use crate::support::Engine;

/// What a role of this database's own may do; it is subject to the policies of the tables.
const ROLE: &str = "
    DO $$ BEGIN
        EXECUTE format('CREATE ROLE %I LOGIN', 'reader_of_' || current_database());
        EXECUTE format('GRANT SELECT ON processing_queue, documents, background_jobs TO %I',
                       'reader_of_' || current_database());
        EXECUTE format('GRANT UPDATE ON processing_queue TO %I', 'reader_of_' || current_database());
    END $$";

const MAY_BYPASS: &str = "
    DO $$ BEGIN
        EXECUTE format('ALTER ROLE %I BYPASSRLS', 'reader_of_' || current_database());
    END $$";

const HIDE_THE_QUEUE: &str = "ALTER TABLE processing_queue ENABLE ROW LEVEL SECURITY";

/// What hides rows, the collectors that fail for it, the words of `check`, and what mends it.
const HIDDEN: [(&str, &str, Refusal); 8] = [
    (
        "no policy for the queue, and a role that may bypass",
        HIDE_THE_QUEUE,
        Refusal {
            collectors: &["stages", "trend", "outlook"],
            words: &["processing_queue", "security", "BYPASSRLS", "policy"],
            mend: (MAY_BYPASS, ""),
        },
    ),
    (
        "no policy for the queue, and one that permits every row",
        HIDE_THE_QUEUE,
        Refusal {
            collectors: &["stages", "trend", "outlook"],
            words: &["processing_queue", "security", "BYPASSRLS", "policy"],
            mend: (
                "CREATE POLICY everything ON processing_queue USING (true)",
                "",
            ),
        },
    ),
    (
        "a policy for somebody else",
        "ALTER TABLE processing_queue ENABLE ROW LEVEL SECURITY;
         CREATE POLICY of_owner ON processing_queue TO postgres USING (true)",
        Refusal {
            collectors: &["stages", "trend", "outlook"],
            words: &["processing_queue", "security"],
            mend: (MAY_BYPASS, ""),
        },
    ),
    (
        "a policy that permits some rows",
        "ALTER TABLE processing_queue ENABLE ROW LEVEL SECURITY;
         CREATE POLICY some_stages ON processing_queue USING (stage <> 'stt')",
        Refusal {
            collectors: &["stages", "trend", "outlook"],
            words: &["processing_queue", "security"],
            mend: (MAY_BYPASS, ""),
        },
    ),
    (
        "a policy that permits every row, and one that forbids some",
        "ALTER TABLE processing_queue ENABLE ROW LEVEL SECURITY;
         CREATE POLICY everything ON processing_queue USING (true);
         CREATE POLICY not_stt ON processing_queue AS RESTRICTIVE USING (stage <> 'stt')",
        Refusal {
            collectors: &["stages", "trend", "outlook"],
            words: &["processing_queue", "security"],
            mend: ("DROP POLICY not_stt ON processing_queue", ""),
        },
    ),
    (
        "no policy for the documents",
        "ALTER TABLE documents ENABLE ROW LEVEL SECURITY",
        Refusal {
            collectors: &["stages"],
            words: &["documents", "security"],
            mend: (MAY_BYPASS, ""),
        },
    ),
    (
        "every row of the queue, and no policy for the documents",
        "ALTER TABLE processing_queue ENABLE ROW LEVEL SECURITY;
         CREATE POLICY everything ON processing_queue USING (true);
         ALTER TABLE documents ENABLE ROW LEVEL SECURITY",
        Refusal {
            collectors: &["stages"],
            words: &["documents", "security"],
            mend: ("CREATE POLICY everything ON documents USING (true)", ""),
        },
    ),
    (
        "no policy for the jobs",
        "ALTER TABLE background_jobs ENABLE ROW LEVEL SECURITY",
        Refusal {
            collectors: &["background_jobs"],
            words: &["background_jobs", "security"],
            mend: (
                "CREATE POLICY everything ON background_jobs USING (true)",
                "",
            ),
        },
    ),
];

async fn hidden(name: &'static str, sql: &'static str, engine: Engine) -> Table {
    let case = Case {
        name,
        sql,
        ..Case::RIGHT
    };
    let mut table = Table::of(case, engine).await;
    table.script(ROLE).await;
    table.reader = table.url_of(&table.role("reader"));
    table.operator = table.reader.clone();
    table
}

async fn are_refused_and_mended(engine: Engine) {
    let mut failures = Vec::new();
    for (name, sql, refusal) in HIDDEN {
        let judged = tokio::spawn(async move {
            let mut table = hidden(name, sql, engine).await;
            let exporter = table.serve("");
            table.is_refused(exporter, refusal).await;
        });
        failures.extend(failure(judged.await, name, engine));
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

#[tokio::test]
async fn hidden_rows_are_refused_and_mended() {
    are_refused_and_mended(Engine::Postgres).await;
}

#[tokio::test]
async fn hidden_rows_are_refused_and_mended_with_indexes() {
    are_refused_and_mended(Engine::Indexed).await;
}

/// The list and the actions know no more than the numbers do.
#[tokio::test]
async fn hidden_rows_are_no_empty_list() {
    let table = hidden("hidden", HIDE_THE_QUEUE, Engine::Postgres).await;
    let exporter = table.serve("");
    let list = exporter.ask("/api/queue/failed");
    assert_eq!(list.status, 503, "{}", list.text());
    for action in ["retry", "skip"] {
        let answer = exporter.act(&format!("/api/queue/{action}"), r#"{"ids": [181, 186]}"#);
        assert!(
            answer.status >= 400 && answer.status != 500,
            "{action}: {}",
            answer.text()
        );
        assert!(
            answer.text().contains("nothing was changed"),
            "{action}: {}",
            answer.text()
        );
    }
}

/// Whoever is above the policies sees everything, and is told nothing of them.
#[tokio::test]
async fn the_owner_is_subject_to_no_policy() {
    let case = Case {
        name: "the owner reads",
        sql: HIDE_THE_QUEUE,
        ..Case::RIGHT
    };
    judge_all(&[case]).await;
}
