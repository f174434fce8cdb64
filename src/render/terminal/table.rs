//! Rows of cells, aligned by the width they have on a screen.

use super::ink::{Ink, Tone};
use super::text::{columns, fit, plain};
use super::{NARROW, Width};

/// What stands between two columns.
const GAP: usize = 2;

/// How far a column of text gives way to the others.
const LEAST_TEXT: usize = 8;

/// A column of a table.
pub(super) struct Column {
    heading: &'static str,
    side: Side,
    /// The narrowest board that has it.
    least: Width,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Column {
    /// A column of words, which are cut where there is no room.
    pub(super) const fn words(heading: &'static str) -> Self {
        let (side, least) = (Side::Left, Width::Narrow);
        Self {
            heading,
            side,
            least,
        }
    }

    /// A column of numbers.
    pub(super) const fn numbers(heading: &'static str) -> Self {
        let (side, least) = (Side::Right, Width::Narrow);
        Self {
            heading,
            side,
            least,
        }
    }

    /// The same, for wide boards only.
    pub(super) const fn only_wide(self) -> Self {
        let least = Width::Wide;
        Self { least, ..self }
    }
}

/// What stands in a row under a column.
pub(super) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A text from wherever, in a tone.
    pub(super) fn new(text: impl ToString, tone: Tone) -> Self {
        let text = plain(&text.to_string());
        Self { text, tone }
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Normal)
    }
}

/// Sets a table, whose rows have a cell for each of all the columns.
pub(super) fn set(all: &[Column], rows: Vec<Vec<Cell>>, width: Width, ink: Ink) -> String {
    let is_shown = |column: &Column| column.least <= width;
    let headings = all
        .iter()
        .map(|column| Cell::new(column.heading, Tone::Quiet));
    let rows = std::iter::once(headings.collect()).chain(rows);
    let shown = |row: Vec<Cell>| -> Vec<Cell> {
        let cells = row.into_iter().zip(all);
        let cells = cells.filter(|(_, column)| is_shown(column));
        cells.map(|(cell, _)| cell).collect()
    };
    let rows: Vec<Vec<Cell>> = rows.map(shown).collect();
    let sides = all.iter().filter(|column| is_shown(column));
    let sides: Vec<Side> = sides.map(|column| column.side).collect();
    let mut widths: Vec<usize> = (0..sides.len()).map(|at| widest(&rows, at)).collect();
    if width == Width::Narrow {
        narrow(&mut widths, &sides);
    }
    rows.iter()
        .map(|row| line(row, &widths, &sides, ink))
        .collect()
}

fn widest(rows: &[Vec<Cell>], at: usize) -> usize {
    let widths = rows.iter().map(|row| columns(&row[at].text));
    widths.max().unwrap_or_default()
}

/// Takes from the widest words what there is too much, and in need from whatever is widest.
fn narrow(widths: &mut [usize], sides: &[Side]) {
    let gaps = GAP * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > NARROW {
        let words =
            (0..widths.len()).filter(|at| sides[*at] == Side::Left && widths[*at] > LEAST_TEXT);
        let any = (0..widths.len()).filter(|at| widths[*at] > 0);
        let Some(at) = words
            .max_by_key(|at| widths[*at])
            .or(any.max_by_key(|at| widths[*at]))
        else {
            return;
        };
        widths[at] -= 1;
    }
}

fn line(row: &[Cell], widths: &[usize], sides: &[Side], ink: Ink) -> String {
    let mut line = String::new();
    for ((cell, width), side) in row.iter().zip(widths).zip(sides) {
        let text = fit(&cell.text, *width);
        let padding = " ".repeat(width - columns(&text));
        let text = ink.paint(&text, cell.tone);
        line += &match side {
            Side::Left => text + &padding,
            Side::Right => padding + &text,
        };
        line += &" ".repeat(GAP);
    }
    format!("{}\n", line.trim_end())
}
