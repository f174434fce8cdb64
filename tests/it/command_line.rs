use std::net::TcpListener;

use crate::support::{Database, Engine, Exporter, Options, run};

/// What is refused before anything is served: the arguments, the exit code, and words of the one
/// line that the user gets.
const REFUSED: [(&[&str], i32, &str); 16] = [
    (&[], 1, "no database is named: give --database-url"),
    (
        &["--databse-url=x"],
        64,
        "unexpected argument '--databse-url'",
    ),
    (&["serve"], 64, "unrecognized subcommand 'serve'"),
    (
        &["--database-url=mysql://u:s3cret@h/d"],
        1,
        "use postgres://… or sqlite://…",
    ),
    (
        &["--database-url=s3cret"],
        1,
        "use postgres://… or sqlite://…",
    ),
    (
        &["--database-url=postgres://u:s3cret@h:port/d"],
        1,
        "reading the postgres:// URL",
    ),
    (
        &["--database-url=postgres://u:s3cret@h/d?sslmode=odd"],
        1,
        "reading the postgres:// URL",
    ),
    (
        &["--config.file=/nowhere/queueboard.yml"],
        1,
        "/nowhere/queueboard.yml: No such file",
    ),
    (
        &["--admin.token-file=/nowhere/token"],
        1,
        "reading --admin.token-file /nowhere/token",
    ),
    (
        &["--web.listen-address=localhost"],
        64,
        "it is no address such as 127.0.0.1:9886",
    ),
    (
        &["--admin.actor-header=X-Forwarded-User"],
        1,
        "give the addresses of the proxies that set it too",
    ),
    (
        &["--web.external-url=/queueboard"],
        64,
        "it is no address such as https://ops.example/queueboard/",
    ),
    (
        &["--web.allowed-hosts=ops.example,*.example"],
        64,
        "it is no host such as ops.example",
    ),
    (
        &["--web.telemetry-path=metrics"],
        64,
        "it is no path such as /metrics",
    ),
    (&["--board.name=a\n\x1b[2Jb"], 64, "it is to be one line"),
    (&["--log.level=loud"], 64, "invalid value 'loud'"),
];

#[test]
fn bad_input_gets_one_clear_line() {
    for (arguments, code, words) in REFUSED {
        let mut arguments = arguments.to_vec();
        if code == 1 && !arguments.is_empty() && !arguments[0].starts_with("--database") {
            arguments.push("--database-url=sqlite:///nowhere.db");
        }
        let output = run(&arguments, &[]);
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
        assert!(!said.contains("s3cret"), "{arguments:?}: {said}");
        let shown = said.trim_end();
        assert!(!shown.contains(char::is_control), "{arguments:?}: {said:?}");
    }
}

#[test]
fn flags_are_read_from_the_environment() {
    let environment = [("DATABASE_URL", "mysql://u:s3cret@h/d")];
    let said = String::from_utf8(run(&[], &environment).stderr).expect("text");
    assert!(
        said.contains("use postgres://… or sqlite://…") && !said.contains("s3cret"),
        "{said}"
    );
    let output = run(
        &["--database-url=sqlite:///x"],
        &[("QUEUEBOARD_ADMIN_TOKEN", " ")],
    );
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(
        said.contains("QUEUEBOARD_ADMIN_TOKEN: the admin token is empty"),
        "{said}"
    );
}

#[test]
fn a_taken_port_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let flag = format!("--web.listen-address={address}");
    let output = run(
        &[
            "--log.level=error",
            "--database-url=sqlite:///nowhere.db",
            &flag,
        ],
        &[],
    );
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains(&format!(
            "opening --web.listen-address {address}: choose another"
        )),
        "{said}"
    );
}

#[test]
fn help_and_version_are_answers() {
    for (flag, words) in [
        ("--help", "--collector.current.titles"),
        ("--version", "queueboard-exporter 0."),
    ] {
        let output = run(&[flag], &[]);
        assert_eq!(output.status.code(), Some(0));
        assert!(
            String::from_utf8(output.stdout)
                .expect("text")
                .contains(words)
        );
    }
    // A secret in the environment is not shown by the help.
    let help = run(&["--help"], &[("DATABASE_URL", "postgres://u:s3cret@h/d")]);
    assert!(
        !String::from_utf8(help.stdout)
            .expect("text")
            .contains("s3cret")
    );
}

#[test]
fn a_database_that_cannot_be_reached_is_no_reason_not_to_serve() {
    for (url, advice) in [
        (
            "postgres://u:s3cret@127.0.0.1:1/d",
            "check that the database runs and can be reached",
        ),
        (
            "sqlite:///nowhere/pipeline.db",
            "check the file's path in --database-url",
        ),
    ] {
        let exporter = Exporter::serve(url, &Options::default());
        for _ in 0..3 {
            let page = exporter.scrape();
            assert_eq!(page["queueboard_up"], 0.0);
            assert!(!page.keys().any(|key| key.starts_with("queueboard_stage")));
        }
        assert_eq!(exporter.overview().status, 503);
        let log = exporter.log_with(advice);
        assert_eq!(
            log.lines().count(),
            1,
            "the same failure is said once: {log}"
        );
        assert!(!log.contains("s3cret"), "{log}");
        let board = run(&["board", "--database-url", url], &[]);
        assert_eq!(board.status.code(), Some(1));
        assert!(
            String::from_utf8(board.stdout)
                .expect("text")
                .contains("cannot be reached")
        );
    }
}

#[tokio::test]
async fn a_wrong_password_is_said_and_not_shown() {
    let mut database = Database::create(Engine::Postgres).await;
    database
        .run("DROP ROLE IF EXISTS with_password; CREATE ROLE with_password LOGIN PASSWORD 'right'")
        .await;
    let url = database
        .url()
        .replace("postgres@", "with_password:wr0ng-s3cret@");
    let exporter = Exporter::serve(&url, &Options::default());
    assert_eq!(exporter.scrape()["queueboard_up"], 0.0);
    let log = exporter.log_with("check user and password in --database-url");
    assert!(!log.contains("wr0ng") && !log.contains("panicked"), "{log}");
}
