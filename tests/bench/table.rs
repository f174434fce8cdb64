//! The results as the README holds them.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Result;
use sqlx::{Connection, PgConnection};

use crate::bars::bars;
use crate::cells::Cell;
use crate::cpu::Cost;
use crate::database::Shape;
use crate::numbers::{Spread, digits, thousands};
use crate::results::Results;

/// Returns what the numbers were made on, in a sentence.
pub(crate) async fn machine(server: &str) -> Result<String> {
    let mut connection = PgConnection::connect(&format!("{server}/postgres")).await?;
    let version: String = sqlx::query_scalar("SELECT split_part(version(), ' on ', 1)")
        .fetch_one(&mut connection)
        .await?;
    let settings: Vec<String> = sqlx::query_scalar(
        "SELECT name || '=' || current_setting(name) FROM pg_settings
         WHERE source = 'command line' AND name NOT IN ('port', 'listen_addresses', 'unix_socket_directories')
         ORDER BY name",
    )
    .fetch_all(&mut connection)
    .await?;
    let cores = std::thread::available_parallelism()?;
    let settings = settings.join(", ");
    Ok(format!(
        "Measured with {version} ({settings}; else its defaults) and the exporter on one machine \
         with {cores} cores."
    ))
}

pub(crate) fn print(results: &Results, machine: &str) -> Result<()> {
    let mut text = format!("{machine}\n\n");
    text += "| what | bar | measured | |\n|---|---|---|---|\n";
    for bar in bars(results) {
        let met = if bar.met { "met" } else { "**missed**" };
        writeln!(
            text,
            "| {} | {} | {} | {met} |",
            bar.what, bar.bar, bar.measured
        )?;
    }
    if !results.cells.is_empty() {
        cells(results, &mut text)?;
    }
    notes(results, &mut text)?;
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

fn cells(results: &Results, text: &mut String) -> Result<()> {
    *text += "\n| rows | a day | live | our indexes | naive, ms | scrape, ms | collecting, ms | naive ÷ scrape \
              | rows read | 8 KiB pages read |\n|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|\n";
    for cell in &results.cells {
        let [rows, a_day, live] =
            [cell.shape.rows, cell.shape.a_day, cell.shape.live].map(thousands);
        let indexed = if cell.indexed { "with" } else { "without" };
        let times = [cell.pairs.first(), cell.pairs.second(), cell.collecting];
        let [naive, scrape, collecting] = times.map(digits);
        let Spread {
            lower,
            median,
            upper,
        } = cell.pairs.ratio();
        let [lower, median, upper] = [lower, median, upper].map(digits);
        let read = |naive: f64, scrape: f64| {
            format!("{} → {}", thousands(naive as i64), thousands(scrape as i64))
        };
        let rows_read = read(cell.naive_work.rows, cell.scrape_work.rows);
        let pages_read = read(cell.naive_work.pages, cell.scrape_work.pages);
        writeln!(
            text,
            "| {rows} | {a_day} | {live} | {indexed} | {naive} | {scrape} | {collecting} \
             | {median} ({lower} to {upper}) | {rows_read} | {pages_read} |"
        )?;
    }
    Ok(())
}

fn notes(results: &Results, text: &mut String) -> Result<()> {
    if let Some(cost) = results.cpu {
        split(results, cost, text)?;
    }
    if let Some(wire) = results.wire {
        writeln!(
            text,
            "\nA warm scrape takes {} round trips.",
            wire.round_trips
        )?;
    }
    if let Some(day) = &results.day {
        let day = crate::bars::ratio(day);
        writeln!(
            text,
            "\nTen times as many rows a day, 25,000 and 2,500 at 1 million with our indexes: {day}."
        )?;
    }
    if !results.indexes.is_empty() {
        let size = |(name, size): &(String, i64)| {
            format!("`{name}` {} MiB", digits(*size as f64 / f64::from(1 << 20)))
        };
        let sizes: Vec<String> = results.indexes.iter().map(size).collect();
        writeln!(
            text,
            "\nThe indexes at 10 million rows: {}.",
            sizes.join(", ")
        )?;
    }
    Ok(())
}

/// Says where the time of a scrape goes at ten thousand rows.
fn split(results: &Results, cost: Cost, text: &mut String) -> Result<()> {
    let parts = [cost.judging, cost.encoding, cost.own_metrics];
    let [judging, encoding, own_metrics] = parts.map(digits);
    writeln!(
        text,
        "\nOf CPU, judging takes {judging} µs, encoding the board {encoding} µs, and encoding the \
         exporter's own metrics {own_metrics} µs."
    )?;
    let indexed = |cell: &&Cell| cell.indexed && cell.shape == Shape::small(10_000);
    if let Some(cell) = results.cells.iter().find(indexed) {
        let (all, collecting) = (cell.pairs.second(), cell.collecting);
        let rest = all - collecting - parts.iter().sum::<f64>() / 1e3;
        let [all, collecting, rest] = [all, collecting, rest].map(digits);
        writeln!(
            text,
            "Of the {all} ms of a scrape at 10 thousand rows with our indexes, {collecting} ms \
             wait for the database and {rest} ms are left for gzip and HTTP."
        )?;
    }
    Ok(())
}
