use std::time::{Duration, Instant};

use queueboard_exporter::judge::forecast;
use queueboard_exporter::judge::outlook::Outlook;
use queueboard_exporter::judge::prospect::{self, Prospect};
use queueboard_exporter::snapshot::History;

use crate::life::{Life, Moment};
use crate::table::{self, Nights, Table};

/// Fewer rows that wait are no backlog.
const BACKLOG: i64 = 10;

/// A stage that is empty within so many seconds was not growing.
const SOON: f64 = 6.0 * 3600.0;

/// Moments an hour.
const MOMENTS: f64 = 12.0;

/// The columns, by group.
const COLUMNS: [&str; 5] = [
    "life                  backlogs |  have  in2 median  p90",
    "former: have  in2",
    "growing wrong changes/h stalled",
    "band given holds high/low",
    "microseconds",
];

/// Returns the head of the table.
pub(crate) fn head() -> String {
    COLUMNS.join(" | ")
}

/// What was said of a life against what came.
#[derive(Default)]
pub(crate) struct Tally {
    moments: usize,
    backlogs: usize,
    /// The logarithms of predicted over actual time.
    errors: Vec<f64>,
    former_errors: Vec<f64>,
    banded: usize,
    held: usize,
    /// High over low.
    widths: Vec<f64>,
    drained: usize,
    growing: usize,
    changes: usize,
    hours: f64,
    stalled: usize,
    spent: Duration,
}

/// The numbers that have a bar.
pub(crate) struct Found {
    pub(crate) have: f64,
    pub(crate) within_two: f64,
    pub(crate) median: f64,
    pub(crate) p90: f64,
    pub(crate) growing_wrong: f64,
    pub(crate) changes_an_hour: f64,
    pub(crate) held: usize,
    pub(crate) banded: usize,
}

impl Tally {
    /// Judges a life at each of its moments.
    pub(crate) fn add(&mut self, life: &Life, nights: Nights) {
        let (mut table, mut before) = (Table::new(life, nights), None);
        for moment in &life.moments {
            let history = table.read_at(moment.at);
            let counted = (history.pending, history.processing);
            assert_eq!(
                counted,
                (moment.pending, moment.processing),
                "{} at {}",
                life.name,
                moment.at
            );
            let began = Instant::now();
            let prospect = prospect::judge(&history, &table::clock(moment.at));
            self.spent += began.elapsed();
            self.compare(moment, &history, &prospect);
            let said = Some(mood(prospect.outlook));
            self.changes += usize::from(before.is_some() && before != said);
            before = said;
        }
        self.hours += life.moments.len().saturating_sub(1) as f64 / MOMENTS;
    }

    fn compare(&mut self, moment: &Moment, history: &History, prospect: &Prospect) {
        self.moments += 1;
        self.stalled += usize::from(prospect.outlook == Outlook::Stalled);
        if moment.pending > 0 && moment.empty <= SOON {
            self.drained += 1;
            self.growing += usize::from(prospect.outlook == Outlook::Growing);
        }
        if moment.pending < BACKLOG || !moment.done.is_finite() || moment.done <= 0.0 {
            return;
        }
        self.backlogs += 1;
        let error = |said: f64| (said / moment.done).ln();
        self.errors.extend(prospect.drain.map(error));
        self.former_errors.extend(former(history).map(error));
        if let (Some(low), Some(high)) = (prospect.drain_low, prospect.drain_high) {
            self.banded += 1;
            self.held += usize::from((low..=high).contains(&moment.done));
            self.widths.push(high / low);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.moments == 0
    }

    pub(crate) fn found(&self) -> Found {
        let all = self.backlogs as f64;
        Found {
            have: self.errors.len() as f64 / all,
            within_two: within_two(&self.errors) / all,
            median: factor(&self.errors, 0.5),
            p90: factor(&self.errors, 0.9),
            growing_wrong: self.growing as f64 / self.drained.max(1) as f64,
            changes_an_hour: self.changes as f64 / self.hours,
            held: self.held,
            banded: self.banded,
        }
    }

    /// Returns a line of the table.
    pub(crate) fn line(&self, life: &str) -> String {
        let (found, all) = (self.found(), self.backlogs as f64);
        let percent = |share: f64| format!("{:.1}%", share * 100.0);
        let drain = format!(
            "{life:21} {:8} | {:>5} {:>5} {:5.3} {:5.3}",
            self.backlogs,
            percent(found.have),
            percent(found.within_two),
            found.median,
            found.p90,
        );
        let former = format!(
            "{:>12} {:>4}",
            percent(self.former_errors.len() as f64 / all),
            percent(within_two(&self.former_errors) / all),
        );
        let outlook = format!(
            "{:>13} {:9.2} {:>7}",
            percent(found.growing_wrong),
            found.changes_an_hour,
            percent(self.stalled as f64 / self.moments as f64),
        );
        let band = format!(
            "{:>10} {:>5} {:8.2}",
            percent(self.banded as f64 / all),
            percent(found.held as f64 / found.banded.max(1) as f64),
            quantile(self.widths.clone(), 0.5),
        );
        let spent = self.spent.as_micros() / self.moments.max(1) as u128;
        [drain, former, outlook, band, spent.to_string()].join(" | ")
    }
}

/// What the former board would have said.
fn former(history: &History) -> Option<f64> {
    let hour = history.buckets.iter().rev().take(12);
    let (completed, created) = hour.fold((0, 0), |(completed, created), bucket| {
        (completed + bucket.completed, created + bucket.created)
    });
    forecast::eta(history.pending, completed, created).map(forecast::Ratio::seconds)
}

/// Between nothing to do and little to do nobody changes his mind.
fn mood(outlook: Outlook) -> Outlook {
    match outlook {
        Outlook::KeepingUp => Outlook::Empty,
        other => other,
    }
}

fn within_two(errors: &[f64]) -> f64 {
    errors
        .iter()
        .filter(|error| error.abs() <= 2_f64.ln())
        .count() as f64
}

/// How many times too long or too short.
pub(crate) fn factor(errors: &[f64], at: f64) -> f64 {
    quantile(errors.iter().map(|error| error.abs()).collect(), at).exp()
}

fn quantile(mut numbers: Vec<f64>, at: f64) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    let last = numbers.len().saturating_sub(1) as f64;
    let number = |place: f64| numbers.get(place as usize).copied().unwrap_or(f64::NAN);
    let place = at * last;
    number(place.floor()) + (number(place.ceil()) - number(place.floor())) * place.fract()
}
