use queueboard_exporter::judge::outlook::Outlook;
use queueboard_exporter::judge::{forecast, prospect};

use crate::life::{End, Life};
use crate::table::{self, Nights, Table};

/// Prometheus scrapes and evaluates every minute.
const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;

/// The columns, by group.
const COLUMNS: [&str; 4] = [
    "life                  days crashes paged once",
    "former pages in crash healed",
    "stalled pages in crash healed",
    "growing tickets",
];

/// Nothing ever fails in these lives that they do not mend themselves: nobody is to be woken.
const QUIET: [&str; 6] = [
    "trickle",
    "burst",
    "diurnal",
    "pool_asleep",
    "heavy_series",
    "near_critical",
];

/// All of its workers die for 40 minutes, once a day.
const CRASHES: &str = "crash";

/// What the rules read of a life at one scrape.
struct Scrape {
    at: f64,
    /// Rows that are pending and not deferred.
    waiting: i64,
    completed_15m: i64,
    completed_1h: i64,
    created_1h: i64,
    outlook: Outlook,
}

/// An alert rule. It holds while rows wait and one of the last scrapes showed something.
struct Rule {
    shows: fn(&Scrape) -> bool,
    /// How long a scrape is one of the last ones, in seconds.
    within: f64,
    /// For how long the rule must hold, in seconds.
    wait: f64,
}

/// No more is completed than created: the rule by which a backlog paged before there was an outlook.
const FORMER: Rule = Rule {
    shows: |scrape| {
        let (pending, completed) = (scrape.waiting, scrape.completed_1h);
        let eta = forecast::eta(pending, completed, scrape.created_1h);
        pending > scrape.completed_15m && eta.is_none()
    },
    within: MINUTE,
    wait: 90.0 * MINUTE,
};

/// Nothing is completed. A person can start again what died, so it is a page. The outlook has waited
/// for a quarter of an hour or more already; as long again, and whoever is woken finds it still so.
const STALLED: Rule = Rule {
    shows: |scrape| scrape.outlook == Outlook::Stalled,
    within: MINUTE,
    wait: 15.0 * MINUTE,
};

/// More comes than is done. The stage works, and nobody makes it faster at night, so it is a ticket.
/// A backlog that grows by day and is done by night grows for eight hours.
const GROWING: Rule = Rule {
    shows: |scrape| scrape.outlook == Outlook::Growing,
    within: HOUR,
    wait: 12.0 * HOUR,
};

/// A rule while time passes.
struct Alert {
    rule: Rule,
    shown: Option<f64>,
    since: Option<f64>,
    /// When it began to fire, each time.
    fired: Vec<f64>,
    is_firing: bool,
}

impl Alert {
    fn of(rule: Rule) -> Self {
        Self {
            rule,
            shown: None,
            since: None,
            fired: Vec::new(),
            is_firing: false,
        }
    }

    fn evaluate(&mut self, scrape: &Scrape) {
        if (self.rule.shows)(scrape) {
            self.shown = Some(scrape.at);
        }
        let is_recent = |shown: f64| scrape.at - shown < self.rule.within;
        let holds = scrape.waiting > 0 && self.shown.is_some_and(is_recent);
        self.since = holds.then(|| self.since.unwrap_or(scrape.at));
        let is_due = |since: f64| scrape.at - since >= self.rule.wait;
        let was_firing = std::mem::replace(&mut self.is_firing, self.since.is_some_and(is_due));
        if self.is_firing && !was_firing {
            self.fired.push(scrape.at);
        }
    }
}

/// What became of the pages of a rule.
#[derive(Default)]
struct Fired {
    pages: usize,
    /// Those that came while a machine was dead.
    in_crash: usize,
    /// Of the others, those whose backlog was done without anybody's help.
    healed: usize,
}

impl Fired {
    fn add(&mut self, alert: &Alert, life: &Life, crashes: &[(f64, f64)]) {
        for at in &alert.fired {
            self.pages += 1;
            if crashes.iter().any(|crash| holds(*crash, *at)) {
                self.in_crash += 1;
            } else {
                self.healed += usize::from(empties(life, *at));
            }
        }
    }

    fn line(&self) -> String {
        format!("{:12} {:8} {:6}", self.pages, self.in_crash, self.healed)
    }
}

/// The pages of a life, its seeds pooled.
#[derive(Default)]
pub(crate) struct Pages {
    days: f64,
    crashes: usize,
    /// Those in which somebody was woken exactly once.
    paged_once: usize,
    former: Fired,
    stalled: Fired,
    growing: Fired,
}

/// Returns the head of the table.
pub(crate) fn head() -> String {
    COLUMNS.join(" | ")
}

impl Pages {
    /// Lets the rules watch a life.
    pub(crate) fn add(&mut self, life: &Life, nights: Nights) {
        let mut alerts = [FORMER, STALLED, GROWING].map(Alert::of);
        for scrape in scrapes(life, nights) {
            alerts.iter_mut().for_each(|alert| alert.evaluate(&scrape));
        }
        let (begin, end) = (first(life), last(life));
        let mut crashes = life.crashes();
        crashes.retain(|(from, _)| *from >= begin);
        let [former, stalled, growing] = &alerts;
        self.former.add(former, life, &crashes);
        self.stalled.add(stalled, life, &crashes);
        self.growing.add(growing, life, &crashes);
        let pages = |crash: &(f64, f64)| {
            stalled
                .fired
                .iter()
                .filter(|at| holds(*crash, **at))
                .count()
        };
        self.paged_once += crashes.iter().filter(|crash| pages(crash) == 1).count();
        self.crashes += crashes.len();
        self.days += (end - begin) / (24.0 * HOUR);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.days <= 0.0
    }

    /// Returns a line of the table.
    pub(crate) fn line(&self, life: &str) -> String {
        let of_life = format!(
            "{life:21} {:4.0} {:7} {:10}",
            self.days, self.crashes, self.paged_once
        );
        let growing = format!("{:15}", self.growing.pages);
        [of_life, self.former.line(), self.stalled.line(), growing].join(" | ")
    }

    /// Returns which pages are too many and which are missing, in words.
    pub(crate) fn missed(&self, life: &str) -> Vec<String> {
        let stalled = &self.stalled;
        let checks = [
            (
                "a page where nothing fails",
                !QUIET.contains(&life) || stalled.pages == 0,
            ),
            (
                "a crash that pages nobody, or twice",
                life != CRASHES || self.paged_once == self.crashes,
            ),
            (
                "a page without a crash",
                life != CRASHES || stalled.pages == self.crashes,
            ),
            ("a ticket for what is done in time", self.growing.pages == 0),
        ];
        let missed = checks.iter().filter(|(_, met)| !met);
        missed.map(|(what, _)| format!("{life}: {what}")).collect()
    }
}

/// Tells whether an instant lies in a time.
fn holds((from, until): (f64, f64), at: f64) -> bool {
    from <= at && at < until
}

/// Tells whether nothing is pending any more some time after an instant.
fn empties(life: &Life, at: f64) -> bool {
    let before = life.moments.iter().rev().find(|moment| moment.at <= at);
    before.is_some_and(|moment| moment.empty.is_finite())
}

fn first(life: &Life) -> f64 {
    life.moments.first().map_or(0.0, |moment| moment.at)
}

fn last(life: &Life) -> f64 {
    life.moments.last().map_or(0.0, |moment| moment.at)
}

/// Returns what is read of a life every minute.
fn scrapes(life: &Life, nights: Nights) -> impl Iterator<Item = Scrape> {
    let mut table = Table::new(life, nights);
    let created = life.rows.iter().map(|row| row.created);
    let attempts = life.rows.iter().flat_map(|row| &row.attempts);
    let ends = attempts.filter_map(|attempt| attempt.ended);
    let completed = ends.filter(|(_, end)| *end == End::Completed);
    let (created, completed) = (sorted(created), sorted(completed.map(|(at, _)| at)));
    let minutes = (last(life) - first(life)) / MINUTE;
    (0..=minutes as u32).map(move |minute| {
        let at = first(life) + f64::from(minute) * MINUTE;
        let history = table.read_at(at);
        let deferred = history.deferred.iter().map(|deferred| deferred.rows);
        Scrape {
            at,
            waiting: history.pending - deferred.sum::<i64>(),
            completed_15m: count(&completed, at - 15.0 * MINUTE, at),
            completed_1h: count(&completed, at - HOUR, at),
            created_1h: count(&created, at - HOUR, at),
            outlook: prospect::judge(&history, &table::clock(at)).outlook,
        }
    })
}

fn sorted(instants: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut instants: Vec<f64> = instants.collect();
    instants.sort_unstable_by(f64::total_cmp);
    instants
}

/// Returns how many instants are after one and not after another.
fn count(instants: &[f64], after: f64, until: f64) -> i64 {
    let before = |bound: f64| instants.partition_point(|at| *at <= bound);
    (before(until) - before(after)) as i64
}
