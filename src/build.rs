//! Tells the binary which revision it is and which compiler made it.

use std::path::Path;
use std::process::Command;

fn main() {
    let revision = first_line("git", &["rev-parse", "--short=12", "HEAD"]);
    println!("cargo:rustc-env=QUEUEBOARD_REVISION={revision}");
    println!(
        "cargo:rustc-env=QUEUEBOARD_RUSTC={}",
        first_line(&rustc(), &["--version"])
    );
    println!("cargo:rerun-if-changed=src/build.rs");
    // The log of HEAD changes with each commit; a source archive has none.
    if Path::new(".git/logs/HEAD").exists() {
        println!("cargo:rerun-if-changed=.git/logs/HEAD");
    }
}

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script so")]
fn rustc() -> String {
    std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned())
}

fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let line = text
        .ok()
        .and_then(|text| text.lines().next().map(str::to_owned));
    line.unwrap_or_else(|| "unknown".to_owned())
}
