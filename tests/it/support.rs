//! What the tests stand on: databases of their own, the exporter's binary, an HTTP client.

mod browser;
mod certificates;
mod counts;
mod database;
mod demo;
mod exporter;
mod gateway;
mod http;
mod kept;
mod pages;
mod peers;
mod pooler;
mod proxy;
mod server;

pub(crate) use browser::Browser;
pub(crate) use certificates::Authority;
pub(crate) use counts::{Counts, counting_proxy};
pub(crate) use database::{Database, Engine};
pub(crate) use demo::Demo;
pub(crate) use exporter::{Exporter, Options, TOKEN, bearer, believing, binary, run};
pub(crate) use gateway::Gateway;
pub(crate) use http::{Answer, elsewhere, get, post, post_from, request, request_from, say, send};
pub(crate) use kept::Kept;
pub(crate) use pages::{Reader, Series, of_board};
pub(crate) use peers::{Alertmanager, Pager, Prometheus};
pub(crate) use pooler::Pooler;
pub(crate) use proxy::{Verdict, Word, contains, proxy};
pub(crate) use server::Server;

use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a program of the system with a text on its standard input; returns what it printed.
///
/// # Panics
///
/// When the program is missing or fails: `tests/run` installs what the tests need.
pub(crate) fn pipe(program: &str, arguments: &[&str], input: &str) -> String {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), input).expect("the input is written");
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::from(
            std::fs::File::open(file.path()).expect("the input"),
        ))
        .output()
        .unwrap_or_else(|error| panic!("running {program}: {error}; use tests/run"));
    let (out, err) = (output.stdout, output.stderr);
    let text = String::from_utf8_lossy(&[out, err].concat()).into_owned();
    assert!(
        output.status.success(),
        "{program} {arguments:?} failed:\n{text}"
    );
    text
}

/// Reads a file of this repository.
pub(crate) fn repository_file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Compares with a golden file. To accept a change, delete the file, run the test, read the diff.
pub(crate) fn compare(path: &str, actual: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if !file.exists() {
        std::fs::write(&file, actual).expect("the golden file is written");
        panic!("{path} was missing and is written: read it, and run again");
    }
    let expected = repository_file(path);
    for (number, (actual, expected)) in actual.lines().zip(expected.lines()).enumerate() {
        assert_eq!(actual, expected, "{path}:{}", number + 1);
    }
    assert_eq!(actual.lines().count(), expected.lines().count(), "{path}");
}
