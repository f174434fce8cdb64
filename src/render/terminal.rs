//! A board as text for a terminal: problems, machines, stages, jobs.

mod ink;
mod jobs;
mod lanes;
mod table;
mod text;

use crate::judge::Board;
use crate::judge::prospects::Prospects;

use super::words::{count, span, stage_name, titled};
use super::{drain, problems};
use ink::Tone;
use text::{plain, wrap};

pub use ink::Ink;

/// How many columns a narrow board has: those of the terminals that there have always been.
const NARROW: usize = 80;

/// How wide a board is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub enum Width {
    /// It fits 80 columns.
    Narrow,
    /// It has all that there is to tell.
    Wide,
}

/// How a board is shown.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    /// Which system it is of.
    pub name: &'a str,
    /// How wide it is.
    pub width: Width,
    /// Whether it has colours.
    pub ink: Ink,
}

impl Sheet<'_> {
    /// Renders a board and why some of it is missing; a part that could not be read says so.
    pub fn render(&self, board: &Board, reasons: &[String]) -> String {
        self.head(board) + &self.problems(board) + &self.notes(reasons) + &self.body(board)
    }

    /// Renders a board that is so many seconds old, since none could be read after it.
    pub fn render_stale(&self, board: &Board, age: f64, reasons: &[String]) -> String {
        let age = span(age);
        let stale = format!("STALE: this is {age} old. The last refresh failed.");
        let stale = self.sentence(&stale, Tone::Bad) + &self.notes(reasons);
        self.head(board) + &stale + &self.problems(board) + &self.body(board)
    }

    fn body(&self, board: &Board) -> String {
        if !board.up {
            return String::new();
        }
        let lanes = match &board.lanes {
            Some(lanes) => self.lanes(lanes, board),
            None => self.sentence("Machines and stages could not be read.", Tone::Bad),
        };
        let jobs = match &board.jobs {
            Some(jobs) if jobs.details.is_empty() => {
                self.sentence("No background jobs in 6 hours.", Tone::Normal)
            }
            Some(jobs) => self.jobs(&jobs.details),
            None => self.sentence("Background jobs could not be read.", Tone::Bad),
        };
        let prospects = self.prospects(board.prospects.as_ref());
        format!("\n{lanes}{prospects}\n{jobs}")
    }

    /// Which system it is, and when it was so on the pipeline's clock.
    fn head(&self, board: &Board) -> String {
        let title = titled(self.name, "Queueboard");
        let time = match board.now.map(|now| now.with_timezone(&board.timezone)) {
            Some(now) => format!(
                "as of {} {}",
                now.format("%-d %b %Y %H:%M:%S"),
                board.timezone
            ),
            None => "no answer from the database".to_owned(),
        };
        self.sentence(&format!("{title}, {time}"), Tone::Normal)
    }

    /// What somebody should look at.
    fn problems(&self, board: &Board) -> String {
        let failed = board.failed();
        if board.problems.is_empty() && failed == 0 {
            return self.sentence("No problems.", Tone::Good);
        }
        let line = |problem| match problems::subject(problem, board) {
            Some(subject) => format!("! {subject}: {}", problems::text(problem)),
            None => format!("! {}", problems::text(problem)),
        };
        let failed = (failed > 0).then(|| count(failed, "failed row.", "failed rows."));
        let lines = board.problems.iter().map(line).chain(failed);
        lines.map(|line| self.sentence(&line, Tone::Bad)).collect()
    }

    fn notes(&self, reasons: &[String]) -> String {
        let reasons = reasons.iter();
        let note = |reason| self.sentence(&format!("Note: {reason}"), Tone::Normal);
        reasons.map(note).collect()
    }

    /// When the pipeline is done, and which deadlines there are.
    fn prospects(&self, prospects: Option<&Prospects>) -> String {
        let Some(prospects) = prospects else {
            return self.sentence("When stages are done could not be read.", Tone::Bad);
        };
        let mut text = String::new();
        if let Some(whole) = &prospects.pipeline
            && let Some(bottleneck) = &whole.bottleneck
        {
            let (time, bottleneck) = (drain::time(whole.drain), stage_name(bottleneck));
            let whole =
                format!("All that is there now is done in about {time}, {bottleneck} last.");
            text += &format!("\n{}", self.sentence(&whole, Tone::Normal));
        }
        for due in &prospects.deadlines {
            let tone = due.late().map_or(Tone::Normal, |_| Tone::Bad);
            text += &self.sentence(&format!("{} is {}.", due.stage, drain::deadline(due)), tone);
        }
        text
    }

    /// A text from wherever on lines of its own.
    fn sentence(&self, text: &str, tone: Tone) -> String {
        let most = match self.width {
            Width::Narrow => NARROW,
            Width::Wide => usize::MAX,
        };
        let lines = wrap(&plain(text), most).into_iter();
        lines
            .map(|line| self.ink.paint(&line, tone) + "\n")
            .collect()
    }
}

#[cfg(test)]
mod tests;
