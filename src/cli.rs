//! Commands and flags; the only place that prints.

mod board;
mod flags;
mod indexes;
mod logging;
mod reload;
mod screen;
mod serve;
mod stop;

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::error::ErrorKind as Mistake;
use clap::{Parser, Subcommand};

use crate::check;
use crate::check::finding::Level;
use crate::config;
use crate::exporter::Exporter;
use crate::render::findings;
use crate::source::Source;

use flags::Flags;

/// The exit code of arguments that cannot be followed: `EX_USAGE` of sysexits.h. The usual 2
/// would be taken for the problems of a board.
const USAGE: u8 = 64;

/// What fails when standard output takes no more.
const PRINTING: &str = "writing to standard output";

/// Prometheus exporter for a work queue kept in PostgreSQL or SQLite.
///
/// Without a command it serves metrics of the database named by --database-url.
#[derive(Debug, Parser)]
#[command(name = "queueboard-exporter", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Command {
    /// Serve a small live pipeline on an embedded database, made for the purpose
    Demo,
    /// Collect and print the board, once or again and again
    Board(board::Options),
    /// Look at the configuration and the database, and say what is wrong and how to mend it
    Check,
    /// Print the statements that make the indexes scrapes and lists are cheap with
    Indexes,
}

/// Runs the command that the arguments name, and returns the process's exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(message) => return refuse(&message),
    };
    match run(cli) {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    complain(&format!("{error:#}"));
    ExitCode::FAILURE
}

/// Help and version are answers; anything else is one line that says what is wrong.
fn refuse(message: &clap::Error) -> ExitCode {
    if matches!(
        message.kind(),
        Mistake::DisplayHelp | Mistake::DisplayVersion
    ) {
        return match print(&message.render().to_string()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        };
    }
    let text = message.render().to_string();
    let line = text.split("\n\n").next().unwrap_or_default();
    // It holds what was given, as it was given.
    let line = line.replace(char::is_control, "\u{fffd}");
    complain(&format!(
        "{}; see --help",
        line.trim_start_matches("error: ")
    ));
    ExitCode::from(USAGE)
}

fn run(mut cli: Cli) -> anyhow::Result<ExitCode> {
    // A board says itself what went wrong; a log line would tear it.
    if !matches!(cli.command, Some(Command::Board(_))) {
        logging::start(cli.flags.log_level, cli.flags.log_format);
    }
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(async {
        match cli.command {
            None => serve::database(&cli.flags)
                .await
                .map(|()| ExitCode::SUCCESS),
            Some(Command::Demo) => serve::demo(&mut cli.flags)
                .await
                .map(|()| ExitCode::SUCCESS),
            Some(Command::Board(options)) => {
                let exporter = exporter(&cli.flags, cli.flags.database_url()?)?;
                board::run(&exporter, &cli.flags.board_name, options).await
            }
            Some(Command::Check) => check(&cli.flags).await,
            Some(Command::Indexes) => indexes(&cli.flags).await,
        }
    })
}

/// Fails when something is broken, so that a script can tell.
async fn check(flags: &Flags) -> anyhow::Result<ExitCode> {
    let url = flags.database_url()?;
    let exporter = exporter(flags, url)?;
    flags
        .web_config_file
        .as_deref()
        .map(config::web::load)
        .transpose()?;
    flags.proxies()?;
    let acts = flags.admin_token()?.is_some();
    let admin_url = acts.then(|| flags.admin_database_url()).transpose()?;
    let findings = check::check(&exporter, url, admin_url).await;
    print(&findings::render(&findings))?;
    let is_broken = findings
        .iter()
        .any(|finding| finding.level == Level::Broken);
    Ok(if is_broken {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Prints what the table takes that the database has, or what most take where none is named.
async fn indexes(flags: &Flags) -> anyhow::Result<ExitCode> {
    let pipeline = config::load(flags.config_file.as_deref())?;
    let url = flags.database_url.as_deref();
    print(&indexes::script(url, &pipeline.scope()).await?)?;
    Ok(ExitCode::SUCCESS)
}

/// Prepares to read a database as the configuration says.
fn exporter(flags: &Flags, database_url: &str) -> anyhow::Result<Exporter> {
    let pipeline = config::load(flags.config_file.as_deref())?;
    let source = || Source::new(database_url).context("--database-url");
    Ok(Exporter::new(source()?, source()?, pipeline))
}

/// A reader that has gone away is no failure of ours.
fn print(text: &str) -> anyhow::Result<()> {
    match write(text) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context(PRINTING),
    }
}

fn write(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "queueboard-exporter: {line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Collector;
    use clap::CommandFactory;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_stand_before_or_after_the_command() {
        for arguments in [
            ["x", "--log.level=warn", "demo"],
            ["x", "demo", "--log.level=warn"],
        ] {
            let cli = Cli::try_parse_from(arguments).expect("valid arguments");
            assert_eq!(cli.flags.log_level, logging::Level::Warn);
        }
    }

    #[test]
    fn collectors_are_switched_by_flags() {
        let enabled = |arguments: &[&str]| {
            let arguments = ["x"].iter().chain(arguments);
            Cli::try_parse_from(arguments)
                .expect("valid arguments")
                .flags
                .collectors
                .enabled(false)
        };
        use Collector::{BackgroundJobs, Causes, Current, Outlook, Stages, Trend};
        assert_eq!(
            enabled(&[]),
            [BackgroundJobs, Trend, Stages, Outlook, Causes]
        );
        assert_eq!(
            enabled(&["--collector.current"]),
            [BackgroundJobs, Current, Trend, Stages, Outlook, Causes]
        );
        assert_eq!(
            enabled(&["--no-collector.trend", "--no-collector.outlook"]),
            [BackgroundJobs, Stages, Causes]
        );
        let last_wins = ["--no-collector.trend", "--collector.trend"];
        assert_eq!(
            enabled(&last_wins),
            [BackgroundJobs, Trend, Stages, Outlook, Causes]
        );
        let last_wins = ["--collector.current", "--no-collector.current"];
        assert_eq!(
            enabled(&last_wins),
            [BackgroundJobs, Trend, Stages, Outlook, Causes]
        );
    }
}
