//! Cost against rows, as a drawing.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;

use crate::cells::Cell;
use crate::database::Shape;
use crate::numbers::{digits, rows};

const FILE: &str = "deploy/cost.svg";
const ROWS: [i64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

/// The milliseconds at the bottom and at the top.
const RANGE: (f64, f64) = (1.0, 10_000.0);
const LEFT: f64 = 70.0;
const RIGHT: f64 = 560.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 340.0;

/// A line of the drawing; its name stands at its right end.
struct Line {
    name: [&'static str; 2],
    color: &'static str,
    points: Vec<(i64, f64)>,
}

pub(crate) fn draw(cells: &[Cell]) -> Result<()> {
    let line = |name, color, indexed, time: fn(&Cell) -> f64| {
        let of_plot = |rows| {
            let shape = Shape::small(rows);
            let is_it = |cell: &&Cell| cell.shape == shape && cell.indexed == indexed;
            Some((rows, time(cells.iter().find(is_it)?)))
        };
        let points = ROWS.into_iter().filter_map(of_plot).collect();
        Line {
            name,
            color,
            points,
        }
    };
    let lines = [
        line(["naive", ""], "#9a3412", false, |cell| cell.pairs.first()),
        line(["a scrape,", "no indexes"], "#b7791f", false, |cell| {
            cell.pairs.second()
        }),
        line(["a scrape,", "our indexes"], "#0f766e", true, |cell| {
            cell.pairs.second()
        }),
    ];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    Ok(std::fs::write(path, svg(&lines)?)?)
}

fn svg(lines: &[Line]) -> Result<String> {
    let mut svg = String::from(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 390" width="680" height="390" font-family="system-ui, sans-serif" font-size="13" fill="#1f2937">
<rect width="680" height="390" fill="#ffffff"/>
<text x="24" y="30" font-size="16" font-weight="600">What a scrape costs: milliseconds, by rows in the queue</text>
"##,
    );
    for power in 0..=4 {
        let milliseconds = 10_f64.powi(power);
        let (y, label) = (
            y(milliseconds),
            crate::numbers::thousands(milliseconds as i64),
        );
        writeln!(svg, r##"<path d="M{LEFT} {y}H{RIGHT}" stroke="#e5e7eb"/>"##)?;
        writeln!(
            svg,
            r##"<text x="{}" y="{}" text-anchor="end" fill="#6b7280">{label}</text>"##,
            LEFT - 10.0,
            y + 4.5
        )?;
    }
    for number in ROWS {
        let label = rows(number);
        writeln!(
            svg,
            r##"<text x="{:.1}" y="{}" text-anchor="middle" fill="#6b7280">{label}</text>"##,
            x(number),
            BOTTOM + 24.0
        )?;
    }
    for line in lines {
        one(line, &mut svg)?;
    }
    svg += "</svg>\n";
    Ok(svg)
}

fn one(line: &Line, svg: &mut String) -> Result<()> {
    let Line {
        name,
        color,
        points,
    } = line;
    let places: Vec<(f64, f64)> = points
        .iter()
        .map(|(rows, time)| (x(*rows), y(*time)))
        .collect();
    let path: Vec<String> = places
        .iter()
        .map(|(x, y)| format!("{x:.1} {y:.1}"))
        .collect();
    writeln!(
        svg,
        r#"<path d="M{}" fill="none" stroke="{color}" stroke-width="2.5"/>"#,
        path.join("L")
    )?;
    for ((x, y), (_, time)) in places.iter().zip(points) {
        writeln!(
            svg,
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="4" fill="{color}"/>"#
        )?;
        writeln!(
            svg,
            r#"<text x="{x:.1}" y="{:.1}" text-anchor="middle" font-size="12" fill="{color}">{}</text>"#,
            y - 10.0,
            digits(*time)
        )?;
    }
    if let Some((x, y)) = places.last() {
        let [first, second] = name;
        let (x, second_y) = (x + 14.0, y + 20.0);
        writeln!(
            svg,
            r#"<text x="{x:.1}" y="{:.1}" fill="{color}" font-weight="600">{first}</text>"#,
            y + 4.5
        )?;
        writeln!(
            svg,
            r#"<text x="{x:.1}" y="{second_y:.1}" fill="{color}" font-weight="600">{second}</text>"#
        )?;
    }
    Ok(())
}

fn x(rows: i64) -> f64 {
    let [first, .., last] = ROWS.map(|rows| (rows as f64).log10());
    LEFT + 30.0 + ((rows as f64).log10() - first) / (last - first) * (RIGHT - LEFT - 40.0)
}

fn y(milliseconds: f64) -> f64 {
    let (bottom, top) = (RANGE.0.log10(), RANGE.1.log10());
    BOTTOM - (milliseconds.log10() - bottom) / (top - bottom) * (BOTTOM - TOP)
}
