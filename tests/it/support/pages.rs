//! Pages of metrics, read by the parsers of Prometheus's own Python client.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::model;

/// Reads one page a line, as JSON, and answers what it found in the same way.
const READER: &str = r#"
import json, sys
from prometheus_client.parser import text_string_to_metric_families as classic
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
for line in sys.stdin:
    page = json.loads(line)
    try:
        families = (openmetrics if page["openmetrics"] else classic)(page["text"])
        samples = [[s.name, s.labels, s.value] for family in families for s in family.samples]
        print(json.dumps({"samples": samples}), flush=True)
    except Exception as error:
        print(json.dumps({"error": repr(error)}), flush=True)
"#;

/// Series by their canonical keys.
pub(crate) type Series = BTreeMap<String, f64>;

/// A parser that reads one page after another.
pub(crate) struct Reader {
    child: Child,
    pages: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Reader {
    pub(crate) fn start() -> Self {
        let mut child = Command::new("/usr/bin/python3")
            .args(["-c", READER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Debian's python3; use tests/run");
        let pages = child.stdin.take().expect("its input");
        let answers = BufReader::new(child.stdout.take().expect("its output"));
        Self {
            child,
            pages,
            answers,
        }
    }

    /// Reads a page in the classic format.
    pub(crate) fn classic(&mut self, page: &str) -> Series {
        self.read(page, false)
    }

    /// Reads a page in `OpenMetrics`.
    pub(crate) fn openmetrics(&mut self, page: &str) -> Series {
        self.read(page, true)
    }

    fn read(&mut self, page: &str, openmetrics: bool) -> Series {
        writeln!(
            self.pages,
            "{}",
            json!({"text": page, "openmetrics": openmetrics})
        )
        .expect("a page");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("an answer");
        let answer: Value = serde_json::from_str(&answer).expect("an answer of JSON");
        let samples = answer["samples"].as_array();
        let samples = samples.unwrap_or_else(|| panic!("{} in:\n{page}", answer["error"]));
        let mut series = Series::new();
        for sample in samples {
            let labels = sample[1].as_object().expect("labels").iter();
            let labels: Vec<(&str, &str)> = labels
                .map(|(name, value)| (name.as_str(), value.as_str().expect("text")))
                .collect();
            let key = model::series(sample[0].as_str().expect("a name"), &labels);
            let value = sample[2].as_f64().expect("a finite value");
            assert!(
                series.insert(key.clone(), value).is_none(),
                "{key} stands twice"
            );
        }
        series
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps only the series that come from the database.
pub(crate) fn of_board(mut series: Series) -> Series {
    const OURS: [&str; 6] = [
        "stage_",
        "pool_",
        "trend_",
        "machine_",
        "current_",
        "background_",
    ];
    const OUTLOOK: [&str; 3] = ["stage_drain", "stage_pace", "stage_outlook"];
    let is_one_of = |key: &str, subjects: &[&str]| {
        let name = key.strip_prefix("queueboard_").unwrap_or_default();
        subjects.iter().any(|subject| name.starts_with(subject))
    };
    series.retain(|key, _| is_one_of(key, &OURS) && !is_one_of(key, &OUTLOOK));
    series
}
