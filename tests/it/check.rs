/// Each advice, carried out as it was printed.
mod advice;

use std::process::Output;

use crate::support::{Database, Engine, TOKEN, repository_file, run};

/// Runs `check`, and returns whether it found nothing broken, and what it printed.
fn check(url: &str, environment: &[(&str, &str)]) -> (bool, String) {
    let Output { status, stdout, .. } = run(&["check", "--database-url", url], environment);
    let text = String::from_utf8(stdout).expect("findings of text");
    assert!(matches!(status.code(), Some(0 | 1)), "{text}");
    (status.success(), text)
}

/// Returns the line of a subject, and the fix below it if there is one.
fn finding(text: &str, subject: &str) -> String {
    let is_it = |line: &&str| line[8..].starts_with(subject) && !line.starts_with(' ');
    let line = text
        .lines()
        .find(is_it)
        .unwrap_or_else(|| panic!("{subject}:\n{text}"));
    let below = text.split_once(line).expect("the line").1.lines().nth(1);
    let fix = below.filter(|below| below.trim_start().starts_with('→'));
    [line, fix.unwrap_or_default()].join("\n")
}

const JOBS: &str = "
    DROP TABLE background_jobs;
    CREATE TABLE background_jobs (id bigint PRIMARY KEY, kind text, label text, state text,
        processed bigint, total bigint, started_at timestamptz, updated_at timestamptz,
        finished_at timestamptz, error text)";

#[tokio::test]
async fn a_sound_pipeline_is_found_sound() {
    for engine in [Engine::Postgres, Engine::Indexed] {
        let mut database = Database::create(engine).await;
        database.run(JOBS).await;
        database
            .run("GRANT USAGE ON SCHEMA clock TO PUBLIC; GRANT SELECT ON clock.instant TO PUBLIC")
            .await;
        database.run(&repository_file("deploy/roles.sql")).await;
        let url = database.url().replace("postgres@", "queueboard_reader@");
        let (is_sound, text) = check(&url, &[]);
        assert!(is_sound, "{text}");
        assert!(text.lines().all(|line| line.starts_with("ok ")), "{text}");
        assert!(finding(&text, "connection").contains("as queueboard_reader"));
        let indexes = finding(&text, "indexes");
        let expected = match engine {
            Engine::Indexed => "all are there, and used",
            _ => "not there, and not needed yet",
        };
        assert!(indexes.contains(expected), "{indexes}");
    }
    let database = Database::create(Engine::Sqlite).await;
    let (is_sound, text) = check(database.url(), &[]);
    assert!(is_sound, "{text}");
}

/// What is broken: how it was, the subject, what is said of it and what to do.
const BROKEN: [(&str, &str, &[&str]); 8] = [
    (
        "DROP TABLE processing_queue",
        "processing_queue",
        &["BROKEN", "no such table", "search_path"],
    ),
    (
        "ALTER TABLE processing_queue DROP COLUMN stage, DROP COLUMN started_at",
        "processing_queue",
        &[
            "BROKEN",
            "it has no stage, started_at",
            "the pipeline's table",
        ],
    ),
    (
        "ALTER TABLE processing_queue ALTER COLUMN attempts TYPE text",
        "processing_queue",
        &["BROKEN", "attempts is text, not a number"],
    ),
    (
        "ALTER TABLE processing_queue ALTER COLUMN created_at TYPE text",
        "processing_queue",
        &["BROKEN", "created_at is text, not timestamptz"],
    ),
    (
        "DROP TABLE background_jobs; CREATE TABLE background_jobs (id int, kind text)",
        "background_jobs",
        &["BROKEN", "it has no label, state"],
    ),
    (
        "ALTER TABLE documents RENAME COLUMN id TO number",
        "documents",
        &["BROKEN", "it has no id"],
    ),
    (
        "ALTER TABLE documents RENAME COLUMN id TO number",
        "collectors",
        &["BROKEN", "stages, causes failed"],
    ),
    (
        "REVOKE SELECT ON documents FROM queueboard_reader",
        "documents",
        &[
            "BROKEN",
            "queueboard_reader may not read it",
            "GRANT SELECT ON documents TO queueboard_reader",
        ],
    ),
];

#[tokio::test]
async fn what_is_broken_is_named_with_its_fix() {
    for (broken, subject, words) in BROKEN {
        let mut database = Database::create(Engine::Postgres).await;
        database.run(JOBS).await;
        database
            .run("GRANT USAGE ON SCHEMA clock TO PUBLIC; GRANT SELECT ON clock.instant TO PUBLIC")
            .await;
        database.run(&repository_file("deploy/roles.sql")).await;
        database.run(broken).await;
        let url = database.url().replace("postgres@", "queueboard_reader@");
        let (is_sound, text) = check(&url, &[]);
        assert!(!is_sound, "{broken}:\n{text}");
        let finding = finding(&text, subject);
        for word in words {
            assert!(finding.contains(word), "{broken}: {word}:\n{finding}");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_broken() {
    let (is_sound, text) = check("sqlite:///nowhere/pipeline.db", &[]);
    assert!(!is_sound);
    assert!(
        finding(&text, "connection").contains("opening /nowhere/pipeline.db"),
        "{text}"
    );
}

#[tokio::test]
async fn the_role_that_acts_is_looked_at_when_people_may_act() {
    let mut database = Database::create(Engine::Postgres).await;
    database.run(&repository_file("deploy/roles.sql")).await;
    let as_role = |role: &str| database.url().replace("postgres@", &format!("{role}@"));
    let (reader, operator) = (as_role("queueboard_reader"), as_role("queueboard_operator"));
    let acting = |url: &str| {
        let token = ("QUEUEBOARD_ADMIN_TOKEN", TOKEN);
        check(
            database.url(),
            &[token, ("QUEUEBOARD_ADMIN_DATABASE_URL", url)],
        )
        .1
    };
    let found = finding(&acting(&operator), "retry and skip");
    assert!(found.starts_with("ok"), "{found}");
    let found = finding(&acting(&reader), "retry and skip");
    let fix = "GRANT UPDATE (status, attempts, started_at, completed_at, payload) ON \
               processing_queue TO queueboard_reader";
    assert!(
        found.starts_with("BROKEN") && found.contains(fix),
        "{found}"
    );
    let (_, without) = check(database.url(), &[]);
    assert!(!without.contains("retry and skip"), "{without}");
}

#[tokio::test]
async fn what_could_be_better_is_advised() {
    let mut database = Database::create(Engine::Indexed).await;
    database
        .run(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'queueboard_unfinished'::regclass;
             INSERT INTO processing_queue (id, document_id, stage, status, payload, created_at)
             VALUES (1, 1, 'translate', 'pending', '{\"deferred_until\": \"tomorrow\"}', now());
             UPDATE clock.instant SET at = pg_catalog.now() - interval '1 hour'",
        )
        .await;
    let (is_sound, text) = check(database.url(), &[]);
    for (subject, words) in [
        (
            "indexes",
            "queueboard_unfinished: broken off while being built",
        ),
        ("attribution", "no machine has the stages translate"),
        ("deferrals", "translate (1)"),
        ("rights", "postgres may do everything"),
    ] {
        let finding = finding(&text, subject);
        assert!(finding.starts_with("advice"), "{finding}");
        assert!(
            finding.contains(words) && finding.contains('→'),
            "{finding}"
        );
    }
    assert!(!is_sound, "its table of jobs has no columns:\n{text}");
}
