//! Judges simulated lives of a pipeline, and compares what it says with what came.
//!
//! The rows are those of `simulate.py`. A few lives are kept in `lives`, and are judged by every
//! `cargo test`; `tests/eta/run` makes all ten, twenty times each, and prints the tables.
//!
//! A life is judged at every five minutes by what a scrape would have read then; the buckets are
//! counted from its rows. What is said is compared with when the last of the rows that waited then
//! was finished, wherever ten rows or more waited. Several seeds of a life are pooled.
//!
//! Alert rules watch the lives as well, by a scrape a minute: whom they wake, and what for. The day
//! in `lives/watched` is too short for the bars of a forecast, and is watched alone.

/// What is asked of each life.
mod bars;
/// Background jobs.
mod jobs;
/// The rows of a life, and what was true of them.
mod life;
/// Alert rules, and what became of their pages.
mod pages;
/// What was said of a life against what came, as a drawing.
mod plot;
/// Rows become what a scrape would read at a moment.
mod table;
/// What was said of a life against what came.
mod tally;

use std::path::{Path, PathBuf};

use life::Life;
use pages::Pages;
use tally::Tally;

#[test]
fn the_kept_lives_are_judged_well() {
    let missed = judge(&folder("tests/eta/lives"));
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn the_kept_crash_wakes_somebody_once() {
    let missed = watch(&folder("tests/eta/lives/watched"));
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
#[ignore = "run by tests/eta/run, which simulates the lives"]
fn all_lives_are_judged_well() {
    let missed = judge(&folder("target/lives"));
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
#[ignore = "run by tests/eta/run, which simulates the lives"]
fn all_lives_wake_nobody_in_vain() {
    let missed = watch(&folder("target/lives"));
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
#[ignore = "run by tests/eta/run: it draws what stands in the README"]
fn a_life_is_drawn() {
    let files = life::files(&folder("target/lives"), "mixed");
    plot::draw(&Life::read(&files[0])).expect("a drawing");
}

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Judges every life of a folder, prints the table and returns which bars are missed.
#[expect(clippy::print_stdout, reason = "the table is what it is run for")]
fn judge(folder: &Path) -> Vec<String> {
    let mut table = vec![tally::head()];
    let (mut missed, mut bands) = (Vec::new(), (0, 0));
    for bar in bars::BARS {
        let mut tally = Tally::default();
        for path in life::files(folder, bar.life) {
            tally.add(&Life::read(&path), bar.nights);
        }
        if tally.is_empty() {
            continue;
        }
        table.push(tally.line(&bar.name()));
        let found = tally.found();
        missed.extend(bar.missed(&found));
        bands = (bands.0 + found.held, bands.1 + found.banded);
    }
    let pooled = bands.0 as f64 / bands.1 as f64;
    table.push(format!("all bands hold {:.1} %", pooled * 100.0));
    println!("{}", table.join("\n"));
    if pooled < bars::POOLED_BAND {
        missed.push(format!("all bands hold {pooled:.3}"));
    }
    missed
}

/// Lets the alert rules watch every life of a folder, prints the table and returns what they did
/// wrong.
#[expect(clippy::print_stdout, reason = "the table is what it is run for")]
fn watch(folder: &Path) -> Vec<String> {
    let (mut table, mut missed) = (vec![pages::head()], Vec::new());
    for bar in bars::BARS {
        let mut pages = Pages::default();
        for path in life::files(folder, bar.life) {
            pages.add(&Life::read(&path), bar.nights);
        }
        if !pages.is_empty() {
            table.push(pages.line(&bar.name()));
            missed.extend(pages.missed(&bar.name()));
        }
    }
    println!("{}", table.join("\n"));
    missed
}
