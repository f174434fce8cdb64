//! A board as text for a terminal: lanes, stages, jobs.

use unicode_width::UnicodeWidthStr;

use crate::judge::current::Working;
use crate::judge::forecast::Forecast;
use crate::judge::jobs::Job;
use crate::judge::machines::MachineLane;
use crate::judge::prospects::Prospects;
use crate::judge::stages::StageLane;
use crate::judge::{Board, Lanes};

use super::words::{share, span};
use super::{drain, problems};

const BAR_CELLS: usize = 20;

/// Renders the board; a part that could not be read says so.
pub fn render(board: &Board) -> String {
    let mut page = problems_text(board);
    if !board.up {
        return "The database cannot be reached: there is no board to show.\n".to_owned();
    }
    match &board.lanes {
        Some(lanes) => page += &lanes_text(lanes, board),
        None => page += "Machines and stages could not be read.\n",
    }
    page += &prospects_text(board.prospects.as_ref());
    page.push('\n');
    match &board.jobs {
        Some(jobs) if jobs.details.is_empty() => page += "No background jobs in 6 hours.\n",
        Some(jobs) => page += &jobs_text(&jobs.details),
        None => page += "Background jobs could not be read.\n",
    }
    page
}

/// What somebody should look at, first of all.
fn problems_text(board: &Board) -> String {
    let line = |problem| match problems::subject(problem, board) {
        Some(subject) => format!(
            "! {}: {}\n",
            plain(&subject),
            plain(&problems::text(problem))
        ),
        None => format!("! {}\n", problems::text(problem)),
    };
    let mut lines: String = board.problems.iter().map(line).collect();
    if !lines.is_empty() {
        lines.push('\n');
    }
    lines
}

fn lanes_text(lanes: &Lanes, board: &Board) -> String {
    let current = board.current.as_deref().unwrap_or_default();
    let mut machines = Table::new(
        "MACHINE|STATE|PENDING|PROCESSING|FAILED|DEFERRED|DONE 1H|TODAY|WORKING ON",
        "<<>>>>>><",
    );
    lanes
        .machines
        .iter()
        .for_each(|lane| machines.row(machine_cells(lane, current)));
    let mut stages = Table::new(
        "STAGE|MACHINE|PENDING|PROCESSING|FAILED|DONE 1H|IN 1H|TODAY|OLDEST|ETA|OUTLOOK|DONE IN",
        "<<>>>>>>>><<",
    );
    lanes
        .stages
        .iter()
        .for_each(|lane| stages.row(stage_cells(lane, board.prospects.as_ref())));
    format!("{machines}\n{stages}")
}

fn machine_cells(lane: &MachineLane, current: &[Working]) -> Vec<String> {
    let working = current.iter().filter(|working| working.machine == lane.key);
    let titles: Vec<String> = working
        .flat_map(|working| &working.items)
        .map(|item| plain(&item.title))
        .collect();
    let counts = [
        lane.items.pending,
        lane.items.processing,
        lane.items.failed,
        lane.deferred,
    ];
    let mut cells = vec![plain(&lane.label), lane.state.as_str().to_owned()];
    cells.extend(counts.map(|count| count.to_string()));
    cells.extend([lane.completed.h1, lane.completed.today].map(|count| count.to_string()));
    cells.push(titles.join(", "));
    cells
}

fn stage_cells(lane: &StageLane, prospects: Option<&Prospects>) -> Vec<String> {
    let items = lane.items;
    let counts = [items.pending, items.processing, items.failed];
    let flow = [lane.completed.h1, lane.created_1h, lane.completed.today];
    let mut cells = vec![plain(&lane.stage), lane.machine.clone()];
    cells.extend(
        counts
            .into_iter()
            .chain(flow)
            .map(|count| count.to_string()),
    );
    cells.push(lane.oldest_pending_age.map_or_else(|| "-".to_owned(), span));
    cells.push(eta_text(lane));
    let prospect = prospects.and_then(|prospects| prospects.of(&lane.stage));
    let outlook = prospect.map(|prospect| drain::outlook(prospect.outlook));
    cells.push(outlook.unwrap_or("-").to_owned());
    cells.push(prospect.and_then(drain::drain).unwrap_or_default());
    cells
}

/// When the pipeline is done, and which deadlines there are.
fn prospects_text(prospects: Option<&Prospects>) -> String {
    let Some(prospects) = prospects else {
        return "When stages are done could not be read.\n".to_owned();
    };
    let mut text = String::new();
    if let Some(whole) = &prospects.pipeline
        && let Some(bottleneck) = &whole.bottleneck
    {
        let (time, bottleneck) = (drain::time(whole.drain), plain(bottleneck));
        text += &format!(
            "\nAll that is in the pipeline now is done in about {time}; {bottleneck} is done last.\n"
        );
    }
    for due in &prospects.deadlines {
        text += &format!("{} is {}.\n", plain(&due.stage), drain::deadline(due));
    }
    text
}

fn eta_text(lane: &StageLane) -> String {
    match (lane.forecast(), lane.eta()) {
        (Forecast::Empty, _) => "empty".to_owned(),
        (_, Some(eta)) => span(eta.seconds()),
        (forecast, None) => format!("none, {}", forecast.as_str()),
    }
}

fn jobs_text(jobs: &[Job]) -> String {
    let mut table = Table::new("JOB|MACHINE|STATE|PROGRESS|ELAPSED|ETA", "<<<<>>");
    jobs.iter().for_each(|job| table.row(job_cells(job)));
    table.to_string()
}

fn job_cells(job: &Job) -> Vec<String> {
    let state = if job.stale {
        "STALE".to_owned()
    } else {
        plain(&job.state)
    };
    let time = |seconds: Option<f64>| seconds.map_or_else(|| "-".to_owned(), span);
    vec![
        plain(job.name()),
        job.machine.clone(),
        state,
        progress(job),
        time(job.elapsed),
        time(job.eta),
    ]
}

fn progress(job: &Job) -> String {
    match (job.processed, job.total, share(job)) {
        (Some(done), Some(total), Some(share)) => {
            let filled = (share * BAR_CELLS as f64) as usize;
            let bar = "█".repeat(filled) + &"░".repeat(BAR_CELLS - filled);
            format!("{bar} {:3.0}% {done}/{total}", share * 100.0)
        }
        (Some(done), ..) => format!("{done} done"),
        (None, ..) => "-".to_owned(),
    }
}

/// Text from a database without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Rows of cells, aligned by the width they have on a screen.
struct Table {
    rows: Vec<Vec<String>>,
    aligned: &'static str,
}

impl Table {
    /// Begins a table: headings between bars, and `<` or `>` for each column's side.
    fn new(headings: &str, aligned: &'static str) -> Self {
        Self {
            rows: vec![headings.split('|').map(str::to_owned).collect()],
            aligned,
        }
    }

    fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    fn width(&self, column: usize) -> usize {
        let widths = self
            .rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.width());
        widths.max().unwrap_or_default()
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let widths: Vec<usize> = (0..self.aligned.len())
            .map(|column| self.width(column))
            .collect();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, width), side) in row.iter().zip(&widths).zip(self.aligned.chars()) {
                let padding = " ".repeat(width - cell.width());
                let (left, right) = if side == '>' {
                    (padding.as_str(), "")
                } else {
                    ("", &*padding)
                };
                line += &format!("{left}{cell}{right}  ");
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
