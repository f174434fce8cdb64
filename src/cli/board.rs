//! The board in the terminal, once or again and again.

use std::io::ErrorKind;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::exporter::Exporter;
use crate::judge::Board;
use crate::render::terminal::{Sheet, Width};
use crate::snapshot::Collector;

use super::flags::seconds;
use super::screen::Screen;
use super::stop::{told_to_stop, until};
use super::{print, write};

/// How long it waits for the database.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The exit code of a board with problems, where that is asked for.
const PROBLEMS: u8 = 2;

/// The options of the command.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Options {
    /// Print every column; without it no line takes more than 80 columns of the terminal
    #[arg(long)]
    wide: bool,

    /// Print it anew every so often until Ctrl-C, every 10 seconds where no time is given
    #[arg(
        long, value_name = "SECONDS", num_args = 0..=1, require_equals = true,
        default_missing_value = "10", value_parser = period
    )]
    watch: Option<Duration>,

    /// Exit with 2 when there are problems
    #[arg(long, conflicts_with = "watch")]
    fail_on_problems: bool,
}

/// Prints the board, and fails when it is not whole, so that a script can tell.
pub(super) async fn run(
    exporter: &Exporter,
    name: &str,
    options: Options,
) -> anyhow::Result<ExitCode> {
    let screen = Screen::here();
    let width = if options.wide {
        Width::Wide
    } else {
        Width::Narrow
    };
    let sheet = Sheet {
        name,
        width,
        ink: screen.ink(),
    };
    if let Some(period) = options.watch {
        return watch(exporter, sheet, screen, period).await;
    }
    let board = collect(exporter).await;
    print(&sheet.render(&board, &exporter.complaints()))?;
    let is_whole = board.up && board.outcomes.iter().all(|outcome| outcome.success);
    Ok(match board.problems.is_empty() {
        _ if !is_whole => ExitCode::FAILURE,
        false if options.fail_on_problems => ExitCode::from(PROBLEMS),
        _ => ExitCode::SUCCESS,
    })
}

/// Prints a board again and again. One that cannot be read leaves the last one in its place.
async fn watch(
    exporter: &Exporter,
    sheet: Sheet<'_>,
    screen: Screen,
    period: Duration,
) -> anyhow::Result<ExitCode> {
    let stop = told_to_stop()?;
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last: Option<(Instant, Board)> = None;
    loop {
        let next = async {
            ticks.tick().await;
            (Instant::now(), collect(exporter).await)
        };
        let (begun, board) = tokio::select! {
            next = next => next,
            () = until(stop.clone()) => {
                print(screen.end())?;
                return Ok(ExitCode::SUCCESS);
            }
        };
        let reasons = exporter.complaints();
        let page = match &last {
            Some((since, last)) if !board.up => {
                sheet.render_stale(last, since.elapsed().as_secs_f64(), &reasons)
            }
            _ => sheet.render(&board, &reasons),
        };
        if board.up {
            last = Some((begun, board));
        }
        match write(&screen.page(&page)) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            printed => printed.context(super::PRINTING)?,
        }
    }
}

async fn collect(exporter: &Exporter) -> Board {
    let deadline = Instant::now() + TIMEOUT;
    // The terminal has no room for why rows failed.
    let mut wanted = Collector::ALL.to_vec();
    wanted.retain(|collector| *collector != Collector::Causes);
    exporter.board(wanted, deadline).await
}

/// A time between two boards.
fn period(text: &str) -> Result<Duration, String> {
    let period = seconds(text)?;
    let is_long_enough = period >= Duration::from_secs(1);
    is_long_enough
        .then_some(period)
        .ok_or_else(|| "give a second or more".to_owned())
}
