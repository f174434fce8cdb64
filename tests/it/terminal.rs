use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use unicode_width::UnicodeWidthStr;

use crate::support::{Database, Engine, binary, run};

/// Rows that wait, and nobody who works on them.
const STALLED: &str = "
INSERT INTO processing_queue (id, document_id, stage, status, created_at)
VALUES (1, 1, 'stt', 'pending', '2026-11-24T01:00:00Z')";

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// Prints a board as on a terminal.
fn on_a_terminal(url: &str, environment: &[(&str, &str)]) -> String {
    let program = env!("CARGO_BIN_EXE_queueboard-exporter");
    let command = format!("{program} board --database-url {url}");
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("Debian's bsdutils; use tests/run");
    assert!(output.status.success(), "{output:?}");
    text(&output.stdout).to_owned()
}

#[tokio::test]
async fn whatever_is_in_the_database_fits_eighty_columns() {
    for engine in Engine::ALL {
        for seed in 3..6 {
            let mut database = Database::create(engine).await;
            let now = chrono::DateTime::from_timestamp(1_795_500_000, 0).expect("an instant");
            database
                .load(&crate::random::board(seed, 300, now, chrono_tz::Tz::UTC))
                .await;
            let output = run(&["board", "--database-url", database.url()], &[]);
            let board = text(&output.stdout);
            assert_eq!(output.status.code(), Some(0), "{board}");
            assert!(board.starts_with("Queueboard, as of "), "{board}");
            for word in ["MACHINE", "맥미니", "STAGE", "summarize", "ETA"] {
                assert!(board.contains(word), "{board}");
            }
            for line in board.lines() {
                assert!(line.width() <= 80, "{line}");
                assert!(!line.contains(char::is_control), "{line:?}");
            }
            let wide = run(&["board", "--wide", "--database-url", database.url()], &[]);
            let wide = text(&wide.stdout);
            assert!(wide.lines().any(|line| line.width() > 80), "{wide}");
        }
    }
}

#[tokio::test]
async fn colours_are_for_terminals_that_want_them() {
    let database = Database::create(Engine::Sqlite).await;
    let is_coloured = |environment: &[(&str, &str)]| {
        let board = on_a_terminal(database.url(), environment);
        assert!(board.contains("MACHINE"), "{board}");
        board.contains('\x1b')
    };
    assert!(is_coloured(&[("TERM", "xterm")]));
    assert!(is_coloured(&[("TERM", "xterm"), ("NO_COLOR", "")]));
    assert!(!is_coloured(&[("TERM", "xterm"), ("NO_COLOR", "1")]));
    assert!(!is_coloured(&[("TERM", "dumb")]));
    let piped = run(
        &["board", "--database-url", database.url()],
        &[("TERM", "xterm")],
    );
    assert!(!text(&piped.stdout).contains('\x1b'));
}

#[tokio::test]
async fn the_exit_code_tells_how_it_is() {
    let mut database = Database::create(Engine::Sqlite).await;
    let code = |url: &str, options: &[&str]| {
        let arguments = [&["board", "--database-url", url], options].concat();
        run(&arguments, &[]).status.code()
    };
    let url = database.url().to_owned();
    assert_eq!(
        code(&url, &["--fail-on-problems"]),
        Some(0),
        "nothing is wrong"
    );
    database.run(STALLED).await;
    assert_eq!(
        code(&url, &["--fail-on-problems"]),
        Some(2),
        "rows wait for nobody"
    );
    assert_eq!(code(&url, &[]), Some(0), "nobody asked");
    assert_eq!(
        code(&url, &["--fail-on-problem"]),
        Some(64),
        "a mistake is no problem"
    );
    assert_eq!(code(&url, &["--fail-on-problems", "--watch"]), Some(64));
    assert_eq!(code(&url, &["--watch=0.5"]), Some(64));
    // Of what cannot be read nobody can say that it is well, nor that it is not.
    database
        .run("ALTER TABLE background_jobs DROP COLUMN kind")
        .await;
    assert_eq!(code(&url, &["--fail-on-problems"]), Some(1));
    let nowhere = "sqlite:///nowhere.db";
    assert_eq!(code(nowhere, &["--fail-on-problems"]), Some(1));
    let output = run(&["board", "--database-url", nowhere], &[]);
    let board = text(&output.stdout);
    assert!(
        board.contains("! The database cannot be reached"),
        "{board}"
    );
    assert!(
        board.contains("Note: reading the database failed: "),
        "{board}"
    );
    assert!(output.stderr.is_empty(), "{output:?}");
}

fn into(out: Stdio, arguments: &[&str]) -> Output {
    let mut command = binary();
    command.args(arguments).stdout(out).stderr(Stdio::piped());
    command
        .spawn()
        .expect("it starts")
        .wait_with_output()
        .expect("it ends")
}

#[tokio::test]
async fn what_cannot_be_printed_is_an_error_unless_nobody_reads_it() {
    let database = Database::create(Engine::Sqlite).await;
    for arguments in [
        &["board", "--database-url", database.url()][..],
        &["board", "--watch", "--database-url", database.url()],
        &["indexes"],
        &["--help"],
    ] {
        let full = std::fs::File::create("/dev/full").expect("a device");
        let output = into(full.into(), arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(
            said.contains("writing to standard output: No space left"),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");

        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = into(writer.into(), arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
    }
}

/// A board that is printed again and again.
struct Watch {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Watch {
    fn begin(url: &str) -> Self {
        let mut command = binary();
        command.args(["board", "--watch=1", "--database-url", url]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, lines }
    }

    /// Reads on to a line that begins so, and returns it.
    fn line(&mut self, beginning: &str) -> String {
        let mut lines = self.lines.by_ref().map_while(Result::ok);
        let found = lines.find(|line| line.starts_with(beginning));
        found.unwrap_or_else(|| panic!("it ended without {beginning}"))
    }

    fn interrupt(mut self) -> Option<i32> {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &process]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -INT");
        self.child.wait().expect("it ends").code()
    }
}

#[tokio::test]
async fn a_watched_board_survives_its_database() {
    let database = Database::create(Engine::Sqlite).await;
    let file = database.url().trim_start_matches("sqlite://");
    let file = file.split('?').next().expect("a path");
    let aside = format!("{file}.aside");
    let mut watch = Watch::begin(database.url());
    let first = watch.line("Queueboard, as of ");
    assert_ne!(watch.line("Queueboard, as of "), first, "it is read anew");
    std::fs::rename(file, &aside).expect("the file is moved");
    let stale = watch.line("STALE: this is ");
    assert!(
        stale.ends_with("s old. The last refresh failed."),
        "{stale}"
    );
    watch.line("Note: reading the database failed: ");
    watch.line("MACHINE ");
    let kept = watch.line("Queueboard, as of ");
    assert_ne!(watch.line("STALE: this is "), stale, "it grows older");
    assert_eq!(
        watch.line("Queueboard, as of "),
        kept,
        "and stays what it was"
    );
    std::fs::rename(&aside, file).expect("the file is moved back");
    while watch.line("Queueboard, as of ") == kept {}
    assert_eq!(watch.interrupt(), Some(0));
}

#[tokio::test]
async fn a_watched_board_that_never_was_says_why() {
    let mut watch = Watch::begin("sqlite:///nowhere.db");
    for _ in 0..2 {
        watch.line("Queueboard, no answer from the database");
        watch.line("! The database cannot be reached");
        watch.line("Note: reading the database failed: ");
    }
    assert_eq!(watch.interrupt(), Some(0));
}
