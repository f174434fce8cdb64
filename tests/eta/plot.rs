use std::path::Path;

use queueboard_exporter::judge::prospect::{self, Prospect};

use crate::life::Life;
use crate::table::{self, Nights, Table};

const FILE: &str = "deploy/drain.svg";

const HOUR: f64 = 3600.0;

/// The hours until all is done at the lines across: the first is the bottom, the last the top.
const LEVELS: [f64; 4] = [0.0, 6.0, 12.0, 18.0];

const LEFT: f64 = 60.0;
const RIGHT: f64 = 690.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 310.0;

const HEAD: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 390" width="720" height="390">
<style>
text { font: 13px system-ui, sans-serif; fill: #6b7280 }
.title { font-size: 16px; font-weight: 600; fill: #1f2937 }
.across { stroke: #e5e7eb }
.band { fill: #99d5cd; fill-opacity: .6 }
.line { fill: none; stroke-width: 2 }
.came { stroke: #9a3412 }
.said { stroke: #0f766e }
</style>
<rect width="720" height="390" fill="#ffffff"/>
<text class="title" x="24" y="30">Hours until all that waits is done, in the hardest of the simulated lives</text>
"##;

/// What was said at a moment, and what came.
struct Point {
    at: f64,
    came: f64,
    said: Prospect,
}

/// Draws what was said of a life while rows waited, with its band, and what came.
pub(crate) fn draw(life: &Life) -> std::io::Result<()> {
    let mut table = Table::new(life, Nights::Silent);
    let mut runs: Vec<Vec<Point>> = vec![Vec::new()];
    for moment in &life.moments {
        let history = table.read_at(moment.at);
        if moment.pending == 0 || !moment.done.is_finite() {
            runs.push(Vec::new());
            continue;
        }
        let point = Point {
            at: moment.at,
            came: moment.done,
            said: prospect::judge(&history, &table::clock(moment.at)),
        };
        if let Some(run) = runs.last_mut() {
            run.push(point);
        }
    }
    let hours = |life: &Life| {
        let moments = life.moments.first().zip(life.moments.last());
        moments.map_or((0.0, 1.0), |(first, last)| (first.at, last.at))
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    std::fs::write(path, svg(&runs, hours(life)))
}

fn svg(runs: &[Vec<Point>], (first, last): (f64, f64)) -> String {
    let x = |at: f64| LEFT + (at - first) / (last - first) * (RIGHT - LEFT);
    let mut svg = HEAD.to_owned();
    let mut add = |line: String| {
        svg += &line;
        svg.push('\n');
    };
    for level in LEVELS {
        let (y, end) = (y(level * HOUR), LEFT - 10.0);
        add(format!(
            r#"<path class="across" d="M{LEFT} {y:.1}H{RIGHT}"/>"#
        ));
        add(format!(
            r#"<text x="{end}" y="{:.1}" text-anchor="end">{level}</text>"#,
            y + 4.5
        ));
    }
    let days = (first / (24.0 * HOUR)).ceil() as i32..=(last / (24.0 * HOUR)) as i32;
    for day in days {
        let x = x(f64::from(day) * 24.0 * HOUR);
        add(format!(
            r#"<path class="across" d="M{x:.1} {TOP}V{BOTTOM}"/>"#
        ));
        let y = BOTTOM + 20.0;
        add(format!(
            r#"<text x="{x:.1}" y="{y}" text-anchor="middle">midnight</text>"#
        ));
    }
    for run in runs {
        let side = |of: fn(&Prospect) -> Option<f64>| -> Vec<(f64, f64)> {
            let known = run
                .iter()
                .filter_map(|point| Some((point.at, of(&point.said)?)));
            known.collect()
        };
        let (low, high) = (side(|said| said.drain_low), side(|said| said.drain_high));
        let around = low.iter().chain(high.iter().rev());
        let line = |points: &mut dyn Iterator<Item = &(f64, f64)>| {
            let places = points.map(|(at, hours)| format!("{:.1} {:.1}", x(*at), y(*hours)));
            places.collect::<Vec<_>>().join("L")
        };
        let mut path = |class: &str, d: String| {
            if !d.is_empty() {
                add(format!(r#"<path class="{class}" d="M{d}"/>"#));
            }
        };
        path("band", line(&mut around.into_iter()));
        let came: Vec<(f64, f64)> = run.iter().map(|point| (point.at, point.came)).collect();
        path("line came", line(&mut came.iter()));
        path("line said", line(&mut side(|said| said.drain).iter()));
    }
    let legend = [("said", "what was said"), ("came", "what came")];
    for (place, (class, words)) in legend.into_iter().enumerate() {
        let (x, y) = (LEFT + 150.0 * place as f64, BOTTOM + 50.0);
        add(format!(r#"<path class="line {class}" d="M{x} {y}h30"/>"#));
        add(format!(
            r#"<text x="{}" y="{}">{words}</text>"#,
            x + 38.0,
            y + 4.5
        ));
    }
    let (x, y) = (LEFT + 300.0, BOTTOM + 50.0);
    add(format!(
        r#"<path class="band" d="M{x} {}h30v12h-30z"/>"#,
        y - 6.0
    ));
    let words = "between these, four times in five or oftener";
    add(format!(
        r#"<text x="{}" y="{}">{words}</text>"#,
        x + 38.0,
        y + 4.5
    ));
    add("</svg>".to_owned());
    svg
}

/// What lies above the top is drawn at it.
fn y(seconds: f64) -> f64 {
    let top = LEVELS[LEVELS.len() - 1] * HOUR;
    BOTTOM - (seconds / top).min(1.0) * (BOTTOM - TOP)
}
