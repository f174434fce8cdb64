//! The exporter's binary: parse, run, exit code.

use std::process::ExitCode;

use queueboard_exporter::cli;

fn main() -> ExitCode {
    cli::main(std::env::args_os())
}
