//! Statements as each role that `deploy/roles.sql` makes: what each may do beyond its work.

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::raw_sql;

use crate::support::{Database, Engine, repository_file};

use super::{FINGERPRINT, ROW};

/// What a role must not be able to do, and SQLSTATE's word for why not.
const REFUSED: [(&str, &str); 41] = [
    ("INSERT INTO processing_queue (id) VALUES (2)", "42501"),
    ("DELETE FROM processing_queue", "42501"),
    ("TRUNCATE processing_queue", "42501"),
    ("UPDATE processing_queue SET id = 2", "42501"),
    ("UPDATE processing_queue SET stage = 'x'", "42501"),
    ("UPDATE processing_queue SET error_message = NULL", "42501"),
    ("INSERT INTO documents (id) VALUES (2)", "42501"),
    ("UPDATE documents SET title = NULL", "42501"),
    ("DELETE FROM documents", "42501"),
    ("UPDATE background_jobs SET id = 2", "42501"),
    ("DELETE FROM background_jobs", "42501"),
    ("LOCK TABLE documents IN EXCLUSIVE MODE", "42501"),
    ("LOCK TABLE documents IN ROW EXCLUSIVE MODE", "42501"),
    ("SELECT * FROM documents FOR UPDATE", "42501"),
    ("COPY processing_queue FROM PROGRAM 'echo'", "42501"),
    ("COPY processing_queue TO '/tmp/attack'", "42501"),
    ("COPY (SELECT 1) TO PROGRAM 'true'", "42501"),
    ("CREATE TABLE public.attack (id int)", "42501"),
    ("CREATE SCHEMA attack", "42501"),
    (
        "CREATE FUNCTION public.attack() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "42501",
    ),
    ("CREATE EXTENSION file_fdw", "42501"),
    ("CREATE ROLE attack", "42501"),
    ("ALTER DATABASE postgres SET work_mem = '1GB'", "42501"),
    ("ALTER TABLE processing_queue ADD attack int", "42501"),
    ("ALTER TABLE processing_queue DISABLE TRIGGER ALL", "42501"),
    ("CREATE INDEX attack ON processing_queue (id)", "42501"),
    ("DROP TABLE documents", "42501"),
    (
        "CREATE RULE attack AS ON INSERT TO documents DO INSTEAD NOTHING",
        "42501",
    ),
    ("COMMENT ON TABLE documents IS 'attack'", "42501"),
    ("GRANT SELECT ON hidden TO PUBLIC", "42501"),
    ("SELECT * FROM hidden", "42501"),
    ("SELECT rolpassword FROM pg_authid", "42501"),
    ("SELECT * FROM pg_shadow", "42501"),
    ("SELECT pg_read_file('/etc/passwd')", "42501"),
    ("SELECT pg_ls_dir('/')", "42501"),
    ("SELECT lo_import('/etc/passwd')", "42501"),
    ("SELECT pg_reload_conf()", "42501"),
    ("SELECT pg_terminate_backend(OTHER)", "42501"),
    ("SET ROLE postgres", "42501"),
    ("SET SESSION AUTHORIZATION postgres", "42501"),
    ("ALTER ROLE postgres PASSWORD 'attack'", "42501"),
];

/// What every role may do on a server as it comes; `docs/security.md` lists each, and what takes it.
const ALLOWED: [&str; 9] = [
    "CREATE TEMP TABLE attack (id int)",
    "NOTIFY attack",
    "LISTEN attack",
    "SELECT pg_advisory_lock(7163384699739271780)",
    "SELECT lo_create(0)",
    "SELECT set_config('statement_timeout', '0', false)",
    "SELECT usename, datname, application_name FROM pg_stat_activity",
    "LOCK TABLE processing_queue IN ACCESS SHARE MODE",
    "ALTER ROLE CURRENT_USER PASSWORD 'attacked'",
];

/// What the operator may do to the queue, and the reader may not.
const OPERATORS: [&str; 3] = [
    "UPDATE processing_queue SET status = 'pending', attempts = 0, started_at = NULL, completed_at = NULL",
    "UPDATE processing_queue SET payload = '{}'",
    "SELECT * FROM processing_queue FOR UPDATE",
];

/// Says a statement in a transaction that is taken back; returns the server's code for why not.
async fn refusal(url: &str, statement: String) -> Option<String> {
    let options: PgConnectOptions = url.parse().expect("a URL");
    let mut connection = options.connect().await.expect("a session");
    let script = format!("BEGIN; {statement}; ROLLBACK");
    let script = raw_sql(sqlx::AssertSqlSafe(script));
    let error = script.execute(&mut connection).await.err()?;
    let code = error.as_database_error().and_then(|error| error.code());
    Some(code.expect("a code").into_owned())
}

#[tokio::test]
async fn the_shipped_roles_may_do_their_work_and_little_else() {
    let mut database = Database::create(Engine::Postgres).await;
    database.run(ROW).await;
    database.run("CREATE TABLE public.hidden (id int)").await;
    // Until PostgreSQL 15 every role might make tables in this schema.
    database
        .run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        .await;
    let roles = repository_file("deploy/roles.sql").replace("queueboard_", "attacked_");
    database.run(&roles).await;
    let before = database.texts(FINGERPRINT).await;
    let other = database
        .texts("SELECT pg_backend_pid()::text")
        .await
        .remove(0);
    let url = database.url().split('?').next().expect("a URL").to_owned();
    for role in ["reader", "operator"] {
        let url = url.replace("postgres@", &format!("attacked_{role}@"));
        for (statement, code) in REFUSED {
            let said = statement.replace("OTHER", &other);
            let refused = refusal(&url, said).await;
            assert_eq!(refused.as_deref(), Some(code), "{role}: {statement}");
        }
        for statement in ALLOWED {
            let refused = refusal(&url, statement.to_owned()).await;
            assert_eq!(refused, None, "{role}: {statement}");
        }
        let expected = (role == "reader").then_some("42501");
        for statement in OPERATORS {
            let refused = refusal(&url, statement.to_owned()).await;
            assert_eq!(refused.as_deref(), expected, "{role}: {statement}");
        }
    }
    assert_eq!(database.texts(FINGERPRINT).await, before);
    // What the page advises takes these two.
    let advised = "REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC";
    let name = database
        .texts("SELECT current_database()::text")
        .await
        .remove(0);
    database.run(&advised.replace("{}", &name)).await;
    let large = "lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea)";
    let advised = format!("REVOKE EXECUTE ON FUNCTION {large} FROM PUBLIC");
    assert!(repository_file("docs/security.md").contains(&advised));
    database.run(&advised).await;
    let reader = url.replace("postgres@", "attacked_reader@");
    for statement in [ALLOWED[0], ALLOWED[4]] {
        let refused = refusal(&reader, statement.to_owned()).await;
        assert_eq!(refused.as_deref(), Some("42501"), "{statement}");
    }
}
