//! What the numbers must reach, and whether they do.

use crate::cells::Cell;
use crate::database::Shape;
use crate::numbers::{Spread, digits};
use crate::results::Results;
use crate::turns::Pairs;
use crate::wire::AWAY;

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Bar {
    pub what: String,
    pub bar: String,
    pub measured: String,
    pub met: bool,
}

/// Memory is looked at in pages, and the allocator rounds.
const NO_DRIFT_KIB: f64 = 128.0;

pub(crate) fn bars(results: &Results) -> Vec<Bar> {
    let mut bars = Vec::new();
    let small = Shape::small(10_000);
    let cell = |shape, indexed| {
        let is_it = |cell: &&Cell| cell.shape == shape && cell.indexed == indexed;
        results.cells.iter().find(is_it).map(|cell| &cell.pairs)
    };
    let before = results.before.as_ref();
    for (what, pairs, least) in [
        (
            "10 thousand rows: naive ÷ scrape, no indexes of ours",
            cell(small, false),
            2.0,
        ),
        (
            "10 thousand rows: naive ÷ scrape, our indexes",
            cell(small, true),
            2.0,
        ),
        (
            "1 million rows: naive ÷ scrape, no indexes of ours",
            cell(Shape::busy(1_000_000), false),
            2.5,
        ),
        (
            "10 million rows: naive as it was before our indexes ÷ scrape",
            before,
            120.0,
        ),
        (
            "10 million rows: naive, helped by our indexes, ÷ scrape",
            cell(Shape::busy(10_000_000), true),
            120.0,
        ),
    ] {
        bars.extend(pairs.map(|pairs| at_least(what, pairs, least)));
    }
    for (what, pairs, most) in [
        (
            "growth: a scrape at 10 million ÷ at 10 thousand rows, as many live and a day",
            &results.growth,
            2.0,
        ),
        (
            "a scrape ÷ the same SQL through `pgbench -M prepared`, 10 thousand rows",
            &results.pgbench,
            1.2,
        ),
    ] {
        bars.extend(pairs.as_ref().map(|pairs| at_most(what, pairs, most)));
    }
    for (of_what, pairs) in &results.outlook {
        let what = format!("{of_what}: a scrape with the outlook ÷ one without");
        bars.push(at_most(&what, pairs, 1.3));
    }
    if let Some([without, with]) = &results.enums {
        let what =
            "1 million rows, ENUM columns: a scrape ÷ one of text columns, no indexes of ours";
        bars.push(at_most(what, without, 1.1));
        let what = "1 million rows, ENUM columns: a scrape ÷ one of text columns, our indexes";
        bars.push(at_most(what, with, 1.1));
    }
    bars.extend(results.cpu.map(|cost| {
        let all = cost.judging + cost.encoding;
        let what = "CPU of judging and encoding 11 stages, 3 machines, 20 jobs";
        below(what, "200 µs", &format!("{all:.0} µs"), all < 200.0)
    }));
    if let Some(wire) = results.wire {
        let seen = wire.transactions_together;
        let what = "transactions that the database sees for 100 scrapes at once";
        bars.push(line(what, "at most 3", &seen.to_string(), seen <= 3));
        let what = "a scrape of a database 10 ms away";
        let (took, most) = (wire.scrape_from_away, AWAY.as_millis() * 12);
        let met = took <= most as f64;
        bars.push(line(
            what,
            &format!("at most {most} ms"),
            &format!("{} ms", digits(took)),
            met,
        ));
    }
    if let Some(memory) = results.memory {
        let (peak, drift) = (memory.peak / 1024.0, memory.drift);
        let what = "peak resident memory after 10,000 scrapes";
        bars.push(below(
            what,
            "16 MiB",
            &format!("{peak:.1} MiB"),
            peak < 16.0,
        ));
        let what = "its drift over the last 9,000";
        bars.push(line(
            what,
            "none",
            &format!("{drift:+.0} KiB"),
            drift < NO_DRIFT_KIB,
        ));
    }
    let size = results.binary as f64 / f64::from(1 << 20);
    let what = "the binary, stripped, with both engines";
    bars.push(below(
        what,
        "12 MiB",
        &format!("{size:.2} MiB"),
        size < 12.0,
    ));
    bars
}

fn at_least(what: &str, pairs: &Pairs, least: f64) -> Bar {
    let met = pairs.ratio().median >= least;
    line(what, &format!("at least {least}"), &ratio(pairs), met)
}

fn at_most(what: &str, pairs: &Pairs, most: f64) -> Bar {
    let met = pairs.ratio().median <= most;
    line(what, &format!("at most {most}"), &ratio(pairs), met)
}

fn below(what: &str, bar: &str, measured: &str, met: bool) -> Bar {
    line(what, &format!("under {bar}"), measured, met)
}

fn line(what: &str, bar: &str, measured: &str, met: bool) -> Bar {
    let [what, bar, measured] = [what, bar, measured].map(str::to_owned);
    Bar {
        what,
        bar,
        measured,
        met,
    }
}

/// Writes the median ratio, its quartiles, and the two medians.
pub(crate) fn ratio(pairs: &Pairs) -> String {
    let Spread {
        lower,
        median,
        upper,
    } = pairs.ratio();
    let [lower, median, upper] = [lower, median, upper].map(digits);
    let (first, second) = (digits(pairs.first()), digits(pairs.second()));
    format!("**{median}** ({lower} to {upper}): {first} ÷ {second} ms")
}
