use crate::table::Nights;
use crate::tally::Found;

/// What is asked of a life.
pub(crate) struct Bar {
    pub(crate) life: &'static str,
    pub(crate) nights: Nights,
    /// The share of backlogs of which something is said, in percent.
    have: f64,
    /// The share that is right within a factor of two, in percent.
    within_two: f64,
    /// How many times too long or too short in the median ...
    median: f64,
    /// ... and in nine of ten.
    p90: f64,
}

/// The share of moments at which all bands hold the truth.
pub(crate) const POOLED_BAND: f64 = 0.85;

/// ... and those of one life.
const BAND: f64 = 0.75;

/// The share of drained backlogs that were called growing.
const GROWING_WRONG: f64 = 0.08;

/// Changes of mind an hour.
const CHANGES: f64 = 1.0;

pub(crate) const BARS: [Bar; 11] = [
    bar("trickle", 100.0, 98.0, 1.18, 1.5),
    bar("burst", 100.0, 100.0, 1.08, 1.25),
    bar("diurnal", 100.0, 100.0, 1.08, 1.25),
    bar("pool_asleep", 100.0, 97.0, 1.10, 1.3),
    bar("crash", 100.0, 99.0, 1.12, 1.35),
    bar("heavy_series", 100.0, 88.0, 1.28, 2.2),
    bar("near_critical", 100.0, 100.0, 1.08, 1.25),
    bar("sole_asleep", 98.0, 92.0, 1.10, 1.5),
    Bar {
        nights: Nights::Deferred,
        ..bar("sole_asleep", 98.0, 92.0, 1.10, 1.5)
    },
    bar("slow", 100.0, 97.0, 1.22, 1.65),
    bar("mixed", 100.0, 92.0, 1.20, 1.9),
];

const fn bar(life: &'static str, have: f64, within_two: f64, median: f64, p90: f64) -> Bar {
    Bar {
        life,
        nights: Nights::Silent,
        have,
        within_two,
        median,
        p90,
    }
}

impl Bar {
    /// Returns the name of the life, and what is known of its nights.
    pub(crate) fn name(&self) -> String {
        match self.nights {
            Nights::Silent => self.life.to_owned(),
            Nights::Deferred => format!("{}, deferred", self.life),
        }
    }

    /// Returns what is missed, in words. Shares are compared in whole percent and factors in
    /// hundredths, as the bars are written.
    pub(crate) fn missed(&self, found: &Found) -> Vec<String> {
        let share = |share: f64| (share * 100.0).round();
        let factor = |factor: f64| (factor * 100.0).round() / 100.0;
        let held = found.held as f64 / found.banded as f64;
        let checks = [
            ("have", found.have, share(found.have) >= self.have),
            (
                "within two",
                found.within_two,
                share(found.within_two) >= self.within_two,
            ),
            ("median", found.median, factor(found.median) <= self.median),
            ("p90", found.p90, factor(found.p90) <= self.p90),
            (
                "growing wrong",
                found.growing_wrong,
                share(found.growing_wrong) <= share(GROWING_WRONG),
            ),
            (
                "changes",
                found.changes_an_hour,
                found.changes_an_hour <= CHANGES,
            ),
            ("band", held, found.banded == 0 || held >= BAND),
        ];
        let missed = checks.iter().filter(|(_, _, met)| !met);
        missed
            .map(|(what, number, _)| format!("{}: {what} {number:.3}", self.name()))
            .collect()
    }
}
