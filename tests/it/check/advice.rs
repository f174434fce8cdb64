use std::fs;

use tempfile::TempDir;

use super::{JOBS, check, finding};
use crate::support::{Database, Engine, TOKEN};

/// Tables that a role of their own may read, with as many connections as it needs.
fn prepare(role: &str) -> String {
    format!(
        "{JOBS};
         GRANT USAGE ON SCHEMA clock TO PUBLIC; GRANT SELECT ON clock.instant TO PUBLIC;
         DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN;
         GRANT SELECT ON processing_queue, documents, background_jobs TO {role};
         GRANT UPDATE (status, attempts, started_at, completed_at, payload)
             ON processing_queue TO {role}"
    )
}

/// What is done to sound tables, and which finding then names a statement that mends it.
const MENDED_BY_ITS_STATEMENT: [(&str, &str, &str); 5] = [
    (
        "documents",
        "REVOKE SELECT ON documents FROM {role}",
        "GRANT SELECT ON documents TO {role}",
    ),
    (
        "connections",
        "ALTER ROLE {role} CONNECTION LIMIT 2",
        "ALTER ROLE {role} CONNECTION LIMIT 4",
    ),
    (
        "retry and skip",
        "REVOKE UPDATE ON processing_queue FROM {role};
         GRANT UPDATE (status, attempts, started_at) ON processing_queue TO {role}",
        "GRANT UPDATE (completed_at, payload) ON processing_queue TO {role}",
    ),
    (
        "rows",
        "ALTER TABLE processing_queue ENABLE ROW LEVEL SECURITY",
        "ALTER ROLE {role} BYPASSRLS",
    ),
    (
        "rows",
        "ALTER TABLE background_jobs ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY {role} ON background_jobs FOR SELECT TO {role} USING (true)",
    ),
];

#[tokio::test]
async fn a_statement_that_is_advised_mends_what_it_is_advised_for() {
    for (number, (subject, change, mend)) in MENDED_BY_ITS_STATEMENT.into_iter().enumerate() {
        let role = format!("advised_{}_{number}", std::process::id());
        let of_role = |statement: &str| statement.replace("{role}", &role);
        let mut database = Database::create(Engine::Postgres).await;
        database.run(&prepare(&role)).await;
        let url = database.url().replace("postgres@", &format!("{role}@"));
        let token = [("QUEUEBOARD_ADMIN_TOKEN", TOKEN)];
        let (is_sound, text) = check(&url, &token);
        assert!(is_sound, "{subject}:\n{text}");

        database.run(&of_role(change)).await;
        let (_, text) = check(&url, &token);
        let found = finding(&text, subject);
        assert!(!found.starts_with("ok"), "{found}");
        assert!(found.contains(&of_role(mend)), "{found}");

        database.run(&of_role(mend)).await;
        let (is_sound, text) = check(&url, &token);
        assert!(is_sound, "{subject}:\n{text}");
        let is_gone = !text.lines().any(|line| line.starts_with("BROKEN"));
        let is_good = !text.contains(subject) || finding(&text, subject).starts_with("ok");
        assert!(is_gone && is_good, "{subject}:\n{text}");
        let own = format!("DROP OWNED BY {role}; DROP ROLE {role}");
        database.run(&own).await;
    }
}

/// Rows that a configuration explains: what is found of them, and the section that it advises.
const MENDED_BY_CONFIGURATION: [(&str, &str, &str, &str); 3] = [
    (
        "'stt', 'DONE', now()",
        "statuses",
        "statuses: {completed: [completed, DONE]}",
        "statuses: {completed: [completed, DONE]}",
    ),
    (
        "'stt', 'pending', now() AT TIME ZONE 'Asia/Seoul'",
        "timestamps",
        "queue: {naive_timestamps: Asia/Seoul}",
        "queue: {naive_timestamps: Asia/Seoul}",
    ),
    (
        "'translate', 'pending', now() AT TIME ZONE 'UTC'",
        "attribution",
        "give each to a machine in --config.file",
        "queue: {naive_timestamps: UTC}\nmachines: [{key: gpu, stages: [translate]}]\n\
         pools: []\ndeferrals: []\ntrend: []\nbackground_jobs: {default: gpu}",
    ),
];

#[tokio::test]
async fn a_configuration_that_is_advised_mends_what_it_is_advised_for() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("queueboard.yml");
    let path = file.to_str().expect("a path of text");
    for (values, subject, advice, configuration) in MENDED_BY_CONFIGURATION {
        let mut database = Database::create(Engine::Postgres).await;
        let naive = "ALTER TABLE processing_queue
            ALTER created_at TYPE timestamp USING created_at AT TIME ZONE 'UTC'";
        let row = format!(
            "INSERT INTO processing_queue (id, document_id, stage, status, created_at)
             VALUES (1, 1, {values})"
        );
        database.run(&format!("{JOBS}; {naive}; {row}")).await;
        let (_, text) = check(database.url(), &[]);
        let found = finding(&text, subject);
        assert!(!found.starts_with("ok"), "{found}");
        assert!(found.contains(advice), "{found}");
        fs::write(&file, configuration).expect("the configuration is written");
        let (is_sound, text) = check(database.url(), &[("QUEUEBOARD_CONFIG_FILE", path)]);
        assert!(is_sound, "{text}");
        let is_good = !text.contains(subject) || finding(&text, subject).starts_with("ok");
        assert!(is_good, "{subject}:\n{text}");
    }
}

#[tokio::test]
async fn what_else_is_advised_mends_what_it_is_advised_for() {
    let mut database = Database::create(Engine::Indexed).await;
    database
        .run(&format!(
            "{JOBS};
             UPDATE pg_index SET indisvalid = false
             WHERE indexrelid = 'queueboard_unfinished'::regclass;
             INSERT INTO processing_queue (id, document_id, stage, status, payload, created_at)
             VALUES (1, 1, 'stt', 'pending', '{{\"deferred_until\": \"tomorrow\"}}', now())"
        ))
        .await;
    let (_, text) = check(database.url(), &[]);
    for (subject, advice) in [
        ("indexes", "DROP INDEX CONCURRENTLY"),
        (
            "deferrals",
            "write it as ISO 8601, such as 2026-11-24T18:00:00+09:00",
        ),
    ] {
        let found = finding(&text, subject);
        assert!(
            found.starts_with("advice") && found.contains(advice),
            "{found}"
        );
    }
    database.run("DROP INDEX queueboard_unfinished").await;
    database.add_indexes().await;
    database
        .run(
            "UPDATE processing_queue
             SET payload = '{\"deferred_until\": \"2026-11-24T18:00:00+09:00\"}'",
        )
        .await;
    let (is_sound, text) = check(database.url(), &[]);
    assert!(is_sound, "{text}");
    assert!(finding(&text, "indexes").starts_with("ok"), "{text}");
    assert!(!text.contains("deferrals"), "{text}");

    let mut database = Database::create(Engine::Sqlite).await;
    database.run("PRAGMA journal_mode = DELETE").await;
    let (_, text) = check(database.url(), &[]);
    let found = finding(&text, "journal");
    assert!(found.contains("PRAGMA journal_mode = WAL"), "{found}");
    database.run("PRAGMA journal_mode = WAL").await;
    let (is_sound, text) = check(database.url(), &[]);
    assert!(is_sound && !text.contains("journal"), "{text}");
}
