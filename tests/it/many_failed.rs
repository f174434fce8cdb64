use serde_json::Value;

use crate::support::{Database, Engine, Exporter, Options, run};

/// How many rows failed, for the planner to take them seriously.
const VERY_MANY: i64 = 60_000;

/// How many failed, where it is enough that not all are counted.
const MANY: i64 = 15_000;

/// How many rows of the queue a page of 500 may have read: a later part of it begins behind those before.
const MOST_READ: i64 = 2000;

/// A queue in which very many rows failed, many of them at the same moment.
async fn queue(engine: Engine, failed: i64) -> Database {
    let mut database = Database::create(engine).await;
    database
        .run(&format!(
            "INSERT INTO processing_queue (id, document_id, stage, status, created_at, started_at, completed_at)
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {failed})
             SELECT i, i, CASE WHEN i % 4 = 0 THEN 'chunk' WHEN i % 4 = 1 THEN 'stt' ELSE 'summarize' END,
                    'failed', '2026-11-24T01:00:00Z', NULL,
                    CASE WHEN i % 3 = 0 THEN '2026-11-24T02:00:00Z' WHEN i % 3 = 1 THEN '2026-11-24T02:00:00.5Z' END
                    {}
             FROM n",
            if engine == Engine::Sqlite { "" } else { "::timestamptz" }
        ))
        .await;
    database
}

#[tokio::test]
async fn a_page_is_read_from_the_index_alone_wherever_it_stands() {
    let mut database = queue(Engine::Indexed, VERY_MANY).await;
    database
        .run(
            "INSERT INTO processing_queue (id, document_id, stage, status, created_at)
             VALUES (0, 0, 'stt', 'completed', now())",
        )
        .await;
    database.run("VACUUM ANALYZE processing_queue").await;
    // The first page, one in the middle of rows that failed at the same moment, and the last ones.
    let exporter = Exporter::serve(database.url(), &Options::default());
    let first = page(&exporter, "limit=500");
    let middle = page(&exporter, "stage=summarize&limit=1000");
    let last = page(
        &exporter,
        "stage=stt&failed_before=2026-11-24T02:00:00.2Z&limit=1000",
    );
    drop(exporter);
    for query in [
        "limit=500".to_owned(),
        "stage=summarize&limit=500".to_owned(),
        after("", &first),
        after("", &middle),
        after("stage=summarize", &middle),
        after("machine=gpu", &last),
    ] {
        let read = rows_read(&mut database, &query).await;
        println!("{query}: {read} rows");
        assert!((500..MOST_READ).contains(&read), "{query}: {read} rows");
    }
}

/// The query of the page after another.
fn after(filter: &str, page: &Value) -> String {
    let next = page["next"].as_str().expect("a next page");
    format!("{filter}&limit=500&after={next}")
}

fn page(exporter: &Exporter, query: &str) -> Value {
    let page = exporter.ask(&format!("/api/queue/failed?{query}"));
    assert_eq!(page.status, 200, "{}", page.text());
    page.json()
}

/// Returns how many rows of the queue a list reads, as the server counts them when the session is over;
/// what is read from an index alone is none.
async fn rows_read(database: &mut Database, query: &str) -> i64 {
    let others = "SELECT pid::text FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()
                    AND backend_type <> 'autovacuum worker'";
    let count = "SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::text
                 FROM pg_stat_user_tables WHERE relname = 'processing_queue'";
    let mut counts = Vec::new();
    database.run("SELECT pg_stat_force_next_flush()").await;
    for is_asked in [false, true] {
        if is_asked {
            let exporter = Exporter::serve(database.url(), &Options::default());
            let items = page(&exporter, query)["items"].as_array().map(Vec::len);
            assert_eq!(items, Some(500), "{query}");
        }
        while !database.texts(others).await.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let count = database.texts(count).await.remove(0);
        counts.push(count.parse::<i64>().expect("a count"));
    }
    counts[1] - counts[0]
}

#[tokio::test]
async fn more_failed_rows_than_are_counted_are_told_as_more() {
    for engine in [Engine::Postgres, Engine::Sqlite] {
        let mut database = queue(engine, MANY).await;
        let exporter = Exporter::serve(database.url(), &Options::default());
        let list = page(&exporter, "limit=1");
        assert_eq!(
            (&list["total"], &list["total_is_at_least"]),
            (&10_000.into(), &true.into())
        );
        let shown = exporter.ask("/");
        let words = "Showing 300 of more than 10,000 failed rows.";
        assert!(shown.text().contains(words), "{}", exporter.log());
        // What is acted on is counted to the last row.
        let asked = exporter.act("/api/queue/retry", r#"{"filter": {}, "dry_run": true}"#);
        assert_eq!(asked.json()["matching"], MANY, "{}", asked.text());
        drop(exporter);
        database
            .run("DELETE FROM processing_queue WHERE id > 10000")
            .await;
        let exporter = Exporter::serve(database.url(), &Options::default());
        let list = page(&exporter, "limit=1");
        assert_eq!(
            (&list["total"], &list["total_is_at_least"]),
            (&10_000.into(), &Value::Null)
        );
    }
}

#[tokio::test]
async fn check_tells_of_the_index_of_lists_where_it_would_help() {
    let database = queue(Engine::Indexed, MANY).await;
    let check = || {
        let output = run(&["check", "--database-url", database.url()], &[]);
        String::from_utf8(output.stdout).expect("text")
    };
    assert!(!check().contains("queueboard_failed"), "{}", check());
    let drop = Database::ask_at(database.url(), "DROP INDEX queueboard_failed").await;
    drop.expect("it is dropped");
    let missing = format!(
        "queueboard_failed not there: each page of the list sorts all of {MANY} failed rows"
    );
    assert!(check().contains(&missing), "{}", check());
}
