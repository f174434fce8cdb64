/// The same of SQLite.
mod sqlite;

use std::io;
use std::path::Path;

use queueboard_exporter::source::fault::{self, Fault, reason};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;

use crate::support::{Database, Exporter, Options, Server};

/// Of PostgreSQL's translations; its words share no letter with English ones.
const LANGUAGE: &str = "ko";

/// Who is let in, and by what.
const RULES: &str = "
host all with_password all scram-sha-256
host all rejected      all reject
host all postgres,reader,limited,unknown all trust
";

/// Besides, a role named in no rule.
const ROLES: &str = "
CREATE ROLE with_password LOGIN PASSWORD 'right';
CREATE ROLE rejected LOGIN; CREATE ROLE unlisted LOGIN; CREATE ROLE reader LOGIN;
CREATE ROLE limited LOGIN CONNECTION LIMIT 0;
CREATE TABLE locked (); CREATE TABLE taken (id int PRIMARY KEY);
CREATE TABLE guarded (); GRANT SELECT ON guarded TO reader;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY";

/// What is done, and what its error is taken for.
const OF_STATEMENTS: [(&str, Fault); 22] = [
    ("SET lock_timeout = 50; TABLE locked", Fault::Locked),
    (
        "SET statement_timeout = 50; SELECT pg_sleep(60)",
        Fault::TimedOut,
    ),
    (
        "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(1)",
        Fault::TimedOut,
    ),
    (
        "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(1)",
        Fault::Ended,
    ),
    (
        "SET idle_in_transaction_session_timeout = 20; BEGIN",
        Fault::Lost,
    ),
    ("INSERT INTO taken VALUES (1), (1)", Fault::Overtaken),
    ("BEGIN READ ONLY; DROP TABLE taken", Fault::ReadOnly),
    ("SET ROLE reader; TABLE taken", Fault::Forbidden),
    (
        "SET ROLE reader; SET row_security = off; TABLE guarded",
        Fault::Hidden,
    ),
    ("TABLE nothing", Fault::WrongSchema),
    ("TABLE nothing.nothing", Fault::WrongSchema),
    ("SELECT nothing FROM taken", Fault::WrongSchema),
    ("SELECT nothing()", Fault::WrongSchema),
    ("SELECT 'nothing'::int", Fault::WrongSchema),
    ("SELECT 1 = 'a'::text", Fault::WrongSchema),
    (
        "SELECT CASE WHEN true THEN 1 ELSE now() END",
        Fault::WrongSchema,
    ),
    ("raise 40001", Fault::Conflict),
    ("raise 40P01", Fault::Overtaken),
    ("raise 57P03", Fault::Down),
    ("raise 57P04", Fault::Lost),
    ("raise 08006", Fault::Lost),
    ("raise P0001", Fault::Other),
];

/// Who connects to what, and how; and what the error is taken for.
const OF_CONNECTING: [(&str, Fault); 7] = [
    ("with_password:wr0ng@HOST/postgres", Fault::Credentials),
    ("unknown:wr0ng@HOST/postgres", Fault::Credentials),
    ("rejected:wr0ng@HOST/postgres", Fault::NotAdmitted),
    ("unlisted:wr0ng@HOST/postgres", Fault::NotAdmitted),
    ("limited:wr0ng@HOST/postgres", Fault::TooManyConnections),
    ("postgres:wr0ng@HOST/nothing", Fault::NoDatabase),
    (
        "postgres:wr0ng@HOST/postgres?sslmode=require",
        Fault::Insecure,
    ),
];

/// A server that speaks no English, with a table that is locked for good.
async fn server(folder: &Path) -> (Server, PgConnection) {
    let rules = folder.join("rules");
    std::fs::write(&rules, RULES).expect("the rules are written");
    open_to_all(folder);
    let settings = format!("hba_file = '{}'\n", rules.display());
    let server = Server::start_speaking(LANGUAGE, &settings);
    let mut connection = connect(&format!("{}/postgres", server.url()))
        .await
        .expect("the server");
    run(&mut connection, ROLES).await.expect("the roles");
    let lock = "BEGIN; LOCK TABLE locked";
    run(&mut connection, lock).await.expect("the lock");
    (server, connection)
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder, open).expect("it is opened");
}

async fn connect(url: &str) -> sqlx::Result<PgConnection> {
    PgConnection::connect(url).await
}

async fn run(connection: &mut PgConnection, script: &str) -> sqlx::Result<()> {
    let raise = script.strip_prefix("raise ").map(|code| {
        format!(
            "DO $$ BEGIN RAISE 'it says' USING ERRCODE = '{code}', DETAIL = E'at\\nlength',
             HINT = 'advice'; END $$"
        )
    });
    let script = AssertSqlSafe(raise.unwrap_or(script.to_owned()));
    connection.execute(sqlx::raw_sql(script)).await.map(drop)
}

/// Checks what an error is taken for, and that it is said on one line, without a password and
/// without a line of the server's source code.
fn assert_fault(done: &str, error: &sqlx::Error, expected: Fault) {
    let said = reason(error);
    assert_eq!(Fault::of(error), expected, "{done}: {error:?}");
    assert!(!said.contains('\n') && !said.is_empty(), "{done}: {said}");
    assert!(!said.contains("at line"), "{done}: {said}");
    assert!(!said.contains("wr0ng"), "{done}: {said}");
}

#[tokio::test]
async fn what_postgresql_answers_is_known_in_any_language() {
    let folder = TempDir::new().expect("a folder");
    let (server, _lock) = server(folder.path()).await;
    let url = format!("{}/postgres", server.url());
    let mut translated = 0;
    for (script, expected) in OF_STATEMENTS {
        let mut session = connect(&url).await.expect("a session");
        let mut outcome = run(&mut session, script).await;
        if outcome.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            outcome = run(&mut session, "SELECT 1").await;
        }
        let error = outcome.expect_err(script);
        assert_fault(script, &error, expected);
        translated += usize::from(!reason(&error).is_ascii());
    }
    for (whom, expected) in OF_CONNECTING {
        let whom = whom.replace("HOST", &server.address().to_string());
        let error = connect(&format!("postgres://{whom}")).await.err();
        assert_fault(&whom, &error.expect("a refusal"), expected);
    }
    let translations = format!("/usr/share/locale/{LANGUAGE}/LC_MESSAGES/postgres-15.mo");
    if Path::new(&translations).exists() {
        assert!(translated > 10, "the server speaks English");
    }
    let mut session = connect(&url).await.expect("a session");
    let error = run(&mut session, "raise P0001").await.expect_err("it");
    assert_eq!(reason(&error), "it says; at length; advice");
    server.stop();
    assert_fault(
        "stopped",
        &connect(&url).await.expect_err("it"),
        Fault::Lost,
    );
}

#[tokio::test]
async fn the_log_tells_in_english_what_a_server_says_in_another_language() {
    let folder = TempDir::new().expect("a folder");
    let (server, _lock) = server(folder.path()).await;
    for (whom, advice) in [
        ("with_password:wr0ng", "check user and password"),
        ("unlisted", "pg_hba.conf"),
        ("limited", "raise the limit of its role"),
    ] {
        let url = format!("postgres://{whom}@{}/postgres", server.address());
        let exporter = Exporter::serve(&url, &Options::default());
        exporter.page();
        let log = exporter.log_with(advice);
        assert!(!log.contains("wr0ng"), "{log}");
    }

    let mut database = Database::on(&server).await;
    database
        .run(
            "ALTER TABLE processing_queue RENAME TO rows;
             CREATE VIEW processing_queue AS SELECT rows.* FROM rows, pg_sleep(60)",
        )
        .await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    exporter.page_within(std::time::Duration::from_secs(3));
    let log = exporter.log_with("it took too long");
    assert!(!log.contains("it gave way"), "{log}");

    let exporter = Exporter::serve(database.url(), &Options::default());
    let address = exporter.metrics;
    let scrape = std::thread::spawn(move || crate::support::get(address, "/metrics", &[]));
    while !scrape.is_finished() {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        database
            .run("ALTER TABLE rows ALTER COLUMN attempts SET DEFAULT 0")
            .await;
    }
    let log = exporter.log_with("it gave way to somebody");
    assert!(!log.contains("it took too long"), "{log}");
}

#[test]
fn a_certificates_file_that_is_not_there_is_named() {
    let url = "postgres://u:wr0ng@localhost/d?sslmode=verify-full&sslrootcert=/nowhere/ca.pem";
    let options: PgConnectOptions = url.parse().expect("a URL");
    let silent = sqlx::Error::Io(io::ErrorKind::NotFound.into());
    let error = fault::of_connecting(silent, &options);
    assert_fault(url, &error, Fault::Insecure);
    assert!(reason(&error).contains("sslrootcert /nowhere/ca.pem"));
    let refused = sqlx::Error::Io(io::ErrorKind::ConnectionRefused.into());
    let error = fault::of_connecting(refused, &options);
    assert_fault(url, &error, Fault::Lost);
}
