use serde_json::Value;

use crate::support::{Database, Engine, Exporter, Options};

const ROWS: &str = "
    DROP TABLE IF EXISTS background_jobs;
    CREATE TABLE background_jobs (id bigint PRIMARY KEY, kind text, label text, state text,
        processed bigint, total bigint, started_at timestamptz, updated_at timestamptz,
        finished_at timestamptz, error text);
    INSERT INTO background_jobs VALUES (1, 'global_digest', 'one', 'running', 3, 9,
        '2026-11-24T04:30:00Z', '2026-11-24T04:59:00Z', NULL, NULL);
    INSERT INTO documents (id, title) SELECT n, 'Title ' || n FROM generate_series(1, 40) AS n;
    INSERT INTO processing_queue (id, document_id, stage, status, created_at, started_at, completed_at)
    SELECT n, n, (ARRAY['stt', 'summarize', 'embed'])[n % 3 + 1], status, at, at + interval '1 min',
           CASE WHEN status IN ('completed', 'failed') THEN at + interval '2 min' END
    FROM generate_series(1, 80) AS n,
    LATERAL (SELECT (ARRAY['failed', 'pending', 'processing', 'completed'])[n % 4 + 1] AS status,
                    '2026-11-24T05:00:00Z'::timestamptz - n * interval '4 min' AS at) AS row";

/// Keys as narrow as they may be, and timestamps without a zone: UTC, wherever the server is.
const NARROW: &str = "
    ALTER TABLE documents ALTER id TYPE int;
    ALTER TABLE background_jobs ALTER id TYPE int, ALTER processed TYPE int, ALTER total TYPE int,
        ALTER started_at TYPE timestamp USING started_at AT TIME ZONE 'UTC',
        ALTER updated_at TYPE timestamp USING updated_at AT TIME ZONE 'UTC';
    ALTER TABLE processing_queue ALTER id TYPE int, ALTER document_id TYPE int,
        ALTER created_at TYPE timestamp USING created_at AT TIME ZONE 'UTC',
        ALTER started_at TYPE timestamp USING started_at AT TIME ZONE 'UTC',
        ALTER completed_at TYPE timestamp USING completed_at AT TIME ZONE 'UTC';
    DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Seoul''', current_database());
    END $$";

const COMPLETED: &str = "SELECT id || to_char(completed_at, ' HH24:MI') FROM processing_queue
    WHERE status = 'completed' ORDER BY id";

/// What is shown before and after rows are retried and skipped, and what that answers.
fn answers(exporter: &Exporter) -> Vec<Value> {
    let failed = exporter.ask("/api/queue/failed").json();
    let overview = exporter.overview().json();
    let act = |action, ids| exporter.act(&format!("/api/queue/{action}"), ids).json();
    let retried = act("retry", r#"{"ids": [4, 8, 12, 13]}"#);
    let skipped = act("skip", r#"{"ids": [16, 20, 12]}"#);
    assert_eq!(
        (&failed["total"], &retried["retried"]),
        (&20.into(), &3.into())
    );
    let after = exporter.overview().json();
    vec![failed, overview, retried, skipped, after]
}

#[tokio::test]
async fn narrow_keys_and_timestamps_without_a_zone_tell_the_same() {
    let mut answered = Vec::new();
    for change in ["", NARROW] {
        let mut database = Database::create(Engine::Postgres).await;
        database.run(&format!("{ROWS};{change}")).await;
        let now = "2026-11-24T05:00:00Z".parse().expect("an instant");
        database.set_clock(now).await;
        let exporter = Exporter::serve(database.url(), &Options::default());
        let mut answers = answers(&exporter);
        // What a skip wrote is read in the zone of the test's own connection.
        database.run("SET timezone = 'UTC'").await;
        answers.extend(database.texts(COMPLETED).await.into_iter().map(Value::from));
        answered.push(answers);
    }
    assert_eq!(answered[0], answered[1]);
}
