use std::path::Path;

use queueboard_exporter::source::fault::Fault;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, SqliteConnection};
use tempfile::TempDir;

use super::assert_fault;

fn options(path: &Path) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new().filename(path);
    let options = options.journal_mode(SqliteJournalMode::Wal);
    options.busy_timeout(std::time::Duration::ZERO)
}

/// A file that is connected to, with a table.
async fn made(folder: &Path, name: &str) -> SqliteConnection {
    let options = options(&folder.join(name)).create_if_missing(true);
    let mut connection = options.connect().await.expect("a file");
    run(&mut connection, "CREATE TABLE taken (id)")
        .await
        .expect("a table");
    connection
}

async fn run(connection: &mut SqliteConnection, script: &str) -> sqlx::Result<()> {
    let script = sqlx::raw_sql(AssertSqlSafe(script.to_owned()));
    connection.execute(script).await.map(drop)
}

async fn assert_refused(connection: &mut SqliteConnection, script: &str, expected: Fault) {
    let error = run(connection, script).await.expect_err(script);
    assert_fault(script, &error, expected);
}

const WRITE: &str = "INSERT INTO taken VALUES (1)";

#[tokio::test]
async fn a_file_that_is_none_is_known() {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("text"), "no database ".repeat(400)).expect("a file");
    for (name, expected) in [
        ("nothing", Fault::CannotOpen),
        ("nothing/nothing", Fault::CannotOpen),
        (".", Fault::CannotOpen),
        ("text", Fault::Corrupt),
    ] {
        let opened = options(&folder.path().join(name)).connect().await;
        assert_fault(name, &opened.expect_err(name), expected);
    }
}

#[tokio::test]
async fn what_sqlite_answers_is_known() {
    let folder = TempDir::new().expect("a folder");
    let mut connection = made(folder.path(), "file").await;
    assert_refused(&mut connection, "SELECT * FROM nothing", Fault::WrongSchema).await;
    assert_refused(
        &mut connection,
        "SELECT nothing FROM taken",
        Fault::WrongSchema,
    )
    .await;

    let mut other = options(&folder.path().join("file"))
        .connect()
        .await
        .expect("it");
    run(&mut connection, "BEGIN; SELECT * FROM taken")
        .await
        .expect("a look");
    run(&mut other, WRITE).await.expect("a row");
    // The row is none of those looked at: a variety of being busy.
    assert_refused(&mut connection, WRITE, Fault::Locked).await;
    run(&mut connection, "ROLLBACK; BEGIN IMMEDIATE")
        .await
        .expect("the lock");
    assert_refused(&mut other, WRITE, Fault::Locked).await;
    run(&mut connection, "COMMIT").await.expect("the end");

    let mut handle = other.lock_handle().await.expect("the handle");
    handle.set_progress_handler(1, || false);
    drop(handle);
    assert_refused(&mut other, "SELECT * FROM taken", Fault::TimedOut).await;

    let reader = options(&folder.path().join("file")).read_only(true);
    let mut reader = reader.connect().await.expect("a reader");
    assert_refused(&mut reader, WRITE, Fault::ReadOnly).await;
}

#[tokio::test]
async fn a_file_that_was_moved_is_known() {
    let folder = TempDir::new().expect("a folder");
    let mut connection = made(folder.path(), "file").await;
    run(&mut connection, "PRAGMA journal_mode = DELETE")
        .await
        .expect("another mode");
    let (from, to) = (folder.path().join("file"), folder.path().join("moved"));
    std::fs::rename(from, to).expect("it is moved");
    assert_refused(&mut connection, WRITE, Fault::CannotOpen).await;
    connection.close().await.expect("the end");
}
