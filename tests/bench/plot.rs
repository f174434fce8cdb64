//! Cost against rows, as a drawing.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;

use crate::cells::Cell;
use crate::database::Shape;
use crate::numbers::{digits, rows, thousands};

const FILE: &str = "deploy/cost.svg";
const ROWS: [i64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

/// The milliseconds at the lines across: the first is the bottom, the last the top.
const LEVELS: [i64; 5] = [1, 10, 100, 1_000, 10_000];

const LEFT: f64 = 70.0;
const RIGHT: f64 = 560.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 340.0;

const HEAD: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 390" width="720" height="390">
<style>
text { font: 13px system-ui, sans-serif; fill: #6b7280 }
.title { font-size: 16px; font-weight: 600; fill: #1f2937 }
.across { stroke: #e5e7eb }
g path { fill: none; stroke: currentColor; stroke-width: 2.5 }
g circle, g text { fill: currentColor }
g text { stroke: #ffffff; stroke-width: 3; paint-order: stroke }
.name { font-weight: 600 }
</style>
<rect width="720" height="390" fill="#ffffff"/>
<text class="title" x="24" y="30">What a scrape costs: milliseconds, by rows in the queue</text>
"##;

/// A line of the drawing. Its name stands at its right end, its numbers off its points.
struct Line {
    name: &'static str,
    color: &'static str,
    numbers_at: (f64, f64),
    points: Vec<(i64, f64)>,
}

/// Draws the databases that have as many live rows, and as many a day.
pub(crate) fn draw(cells: &[Cell]) -> Result<()> {
    let points = |indexed, time: fn(&Cell) -> f64| {
        let point = |rows| {
            let is_it = |cell: &&Cell| cell.shape == Shape::small(rows) && cell.indexed == indexed;
            Some((rows, time(cells.iter().find(is_it)?)))
        };
        ROWS.into_iter().filter_map(point).collect()
    };
    let lines = [
        Line {
            name: "scrape, our indexes",
            color: "#0f766e",
            numbers_at: (0.0, 20.0),
            points: points(true, |cell| cell.pairs.second()),
        },
        Line {
            name: "naive",
            color: "#9a3412",
            numbers_at: (0.0, -10.0),
            points: points(false, |cell| cell.pairs.first()),
        },
        Line {
            name: "scrape, no indexes",
            color: "#b7791f",
            numbers_at: (12.0, 18.0),
            points: points(false, |cell| cell.pairs.second()),
        },
    ];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    Ok(std::fs::write(path, svg(&lines)?)?)
}

fn svg(lines: &[Line]) -> Result<String> {
    let mut svg = HEAD.to_owned();
    for level in LEVELS {
        let (y, label) = (y(level as f64), thousands(level));
        let (end, below) = (LEFT - 10.0, y + 4.5);
        writeln!(svg, r#"<path class="across" d="M{LEFT} {y}H{RIGHT}"/>"#)?;
        writeln!(
            svg,
            r#"<text x="{end}" y="{below}" text-anchor="end">{label}</text>"#
        )?;
    }
    for number in ROWS {
        text(&mut svg, (x(number), BOTTOM + 24.0), &rows(number))?;
    }
    for line in lines {
        one(line, &mut svg)?;
    }
    svg += "</svg>\n";
    Ok(svg)
}

fn one(line: &Line, svg: &mut String) -> Result<()> {
    let place = |&(rows, time): &(i64, f64)| (x(rows), y(time));
    let places: Vec<(f64, f64)> = line.points.iter().map(place).collect();
    let path = places.iter().map(|(x, y)| format!("{x:.1} {y:.1}"));
    let path = path.collect::<Vec<String>>().join("L");
    writeln!(svg, r#"<g color="{}"><path d="M{path}"/>"#, line.color)?;
    for ((x, y), (_, time)) in places.iter().zip(&line.points) {
        let (right, down) = line.numbers_at;
        writeln!(svg, r#"<circle cx="{x:.1}" cy="{y:.1}" r="4"/>"#)?;
        text(svg, (x + right, y + down), &digits(*time))?;
    }
    if let Some((x, y)) = places.last() {
        let (x, y) = (x + 14.0, y + 4.5);
        writeln!(
            svg,
            r#"<text class="name" x="{x:.1}" y="{y:.1}">{}</text>"#,
            line.name
        )?;
    }
    svg.push_str("</g>\n");
    Ok(())
}

/// Writes a text whose middle stands at a place.
fn text(svg: &mut String, (x, y): (f64, f64), what: &str) -> Result<()> {
    writeln!(
        svg,
        r#"<text x="{x:.1}" y="{y:.1}" text-anchor="middle">{what}</text>"#
    )?;
    Ok(())
}

fn x(rows: i64) -> f64 {
    let [first, .., last] = ROWS.map(|rows| (rows as f64).log10());
    LEFT + 30.0 + ((rows as f64).log10() - first) / (last - first) * (RIGHT - LEFT - 40.0)
}

fn y(milliseconds: f64) -> f64 {
    let [bottom, .., top] = LEVELS.map(|level| (level as f64).log10());
    BOTTOM - (milliseconds.log10() - bottom) / (top - bottom) * (BOTTOM - TOP)
}
