use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

/// A simulated life of a stage.
pub(crate) struct Life {
    /// Its name.
    pub(crate) name: String,
    /// Rows in the order of their creation.
    pub(crate) rows: Vec<Row>,
    /// What was true at every five minutes.
    pub(crate) moments: Vec<Moment>,
}

/// A row and its attempts. Times are seconds since the first midnight.
pub(crate) struct Row {
    pub(crate) created: f64,
    pub(crate) attempts: Vec<Attempt>,
}

pub(crate) struct Attempt {
    pub(crate) started: f64,
    /// When it ended, if it did, and how.
    pub(crate) ended: Option<(f64, End)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Completed,
    Failed,
    /// By a crash: the row waits again.
    Crashed,
}

pub(crate) struct Moment {
    pub(crate) at: f64,
    pub(crate) pending: i64,
    pub(crate) processing: i64,
    /// Seconds until the last of the rows pending then was finished.
    pub(crate) done: f64,
    /// Seconds until nothing was pending.
    pub(crate) empty: f64,
}

/// Returns the files of a life's rows, one a seed.
pub(crate) fn files(folder: &Path, life: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.strip_prefix(life)
                .is_some_and(|rest| rest.starts_with('.'))
                && name.contains(".rows.")
        })
        .collect();
    files.sort();
    files
}

impl Life {
    /// Reads the life whose rows are in a file.
    pub(crate) fn read(rows: &Path) -> Self {
        let path = rows.to_string_lossy();
        let name = rows.file_name().unwrap_or_default().to_string_lossy();
        Self {
            name: name.split('.').next().unwrap_or_default().to_owned(),
            rows: self::rows(&text(rows)),
            moments: text(Path::new(&path.replace(".rows.", ".moments.")))
                .lines()
                .skip(1)
                .map(moment)
                .collect(),
        }
    }

    /// Returns the times in which a machine was dead: from the last row that it began until it came
    /// back, which ends all the rows that it held.
    pub(crate) fn crashes(&self) -> Vec<(f64, f64)> {
        let mut begun: BTreeMap<u64, f64> = BTreeMap::new();
        for attempt in self.rows.iter().flat_map(|row| &row.attempts) {
            if let Some((back, End::Crashed)) = attempt.ended {
                let last = begun.entry(back as u64).or_default();
                *last = last.max(attempt.started);
            }
        }
        let crashes = begun.into_iter();
        crashes.map(|(back, begun)| (begun, back as f64)).collect()
    }
}

fn text(path: &Path) -> String {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    let read = GzDecoder::new(file).read_to_string(&mut text);
    read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text
}

fn rows(text: &str) -> Vec<Row> {
    let (mut rows, mut last) = (Vec::<Row>::new(), None);
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |field: usize| fields[field].parse::<f64>().expect("a number");
        if last != Some(fields[0].to_owned()) {
            rows.push(Row {
                created: number(1),
                attempts: Vec::new(),
            });
            last = Some(fields[0].to_owned());
        }
        if fields[2].is_empty() {
            continue;
        }
        let end = match fields[4] {
            "0" => End::Completed,
            "1" => End::Failed,
            _ => End::Crashed,
        };
        let attempt = Attempt {
            started: number(2),
            ended: (!fields[3].is_empty()).then(|| (number(3), end)),
        };
        rows.last_mut().expect("a row").attempts.push(attempt);
    }
    rows
}

fn moment(line: &str) -> Moment {
    let numbers: Vec<f64> = line
        .split(',')
        .map(|field| field.parse().expect("a number"))
        .collect();
    Moment {
        at: numbers[0],
        pending: numbers[1] as i64,
        processing: numbers[2] as i64,
        done: numbers[3],
        empty: numbers[4],
    }
}
