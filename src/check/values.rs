//! What the values in the queue mean for the numbers. Pure.

use crate::collect::doubt::MAX_AHEAD;
use crate::config::Pipeline;
use crate::source::Inspection;
use crate::source::shape::{Kind, Relation};

use super::facts::Facts;
use super::finding::Finding;

/// Returns what is found of rows, statuses and timestamps.
pub fn findings(facts: &Facts, pipeline: &Pipeline) -> Vec<Finding> {
    let mut findings: Vec<Finding> = facts.hidden.iter().map(|of| hidden(of, facts)).collect();
    if let Some(inspection) = &facts.inspection {
        findings.push(statuses(inspection));
        findings.push(timestamps(inspection, &facts.shape.queue, pipeline));
    }
    findings
}

fn hidden(relation: &str, facts: &Facts) -> Finding {
    let role = facts.role.as_ref().map_or("…", |role| &role.name);
    let seen = format!("row level security would hide rows of {relation} from {role}");
    let fix = format!(
        "ALTER ROLE {role} BYPASSRLS; or a policy that shows it every row: CREATE POLICY {role} ON \
         {relation} FOR SELECT TO {role} USING (true)"
    );
    Finding::broken("rows", seen, fix)
}

fn statuses(inspection: &Inspection) -> Finding {
    if inspection.statuses.is_empty() {
        return Finding::good("statuses", "every row has one that is known");
    }
    let rows = |count| if count == 1 { "row" } else { "rows" };
    let words = inspection.statuses.iter().map(|found| {
        let (word, count) = (&*found.status, found.count);
        format!("{word:?} in {count} {}", rows(count))
    });
    let words = words.collect::<Vec<_>>().join(", ");
    let fix = "say in `statuses:` of --config.file which of pending, processing, completed and \
               failed each word means, such as `statuses: {completed: [completed, DONE]}`";
    Finding::broken("statuses", format!("none of the four: {words}"), fix)
}

fn timestamps(inspection: &Inspection, queue: &Relation, pipeline: &Pipeline) -> Finding {
    let subject = "timestamps";
    if inspection.doubts.unreadable > 0 {
        let samples: Vec<&str> = inspection.samples.iter().map(|text| &**text).collect();
        let seen = format!(
            "{} cannot be read: {}",
            inspection.doubts.unreadable,
            samples.join(", ")
        );
        let fix = "write them as RFC 3339, such as 2026-11-24T18:00:00+09:00, or as Unix seconds, \
                   but not as milliseconds";
        return Finding::broken(subject, seen, fix);
    }
    let fix = "say the zone that they are written in, in --config.file: \
               `queue: {naive_timestamps: Asia/Seoul}`, or UTC if it is that";
    let naive = naive_columns(queue);
    match (inspection.ahead, pipeline.naive_timestamps) {
        (_, Some(zone)) => {
            let seen = format!("those without a zone are read as of {}", zone.name());
            Finding::good(subject, seen)
        }
        (Some(ahead), None) if ahead > MAX_AHEAD.as_secs_f64() => {
            let hours = ahead / 3600.0;
            let seen = format!(
                "{naive} tell no zone, and the latest lies {hours:.1} h in the future when it is \
                 taken for UTC"
            );
            Finding::broken(subject, seen, fix)
        }
        (Some(_), None) => {
            let seen = format!("{naive} tell no zone, and are taken for UTC");
            Finding::advice(subject, seen, fix)
        }
        (None, None) => Finding::good(subject, "all can be read, and tell their zone"),
    }
}

/// The columns whose type has no zone; in SQLite each value tells for itself.
fn naive_columns(queue: &Relation) -> String {
    let columns = ["created_at", "started_at", "completed_at"];
    let is_naive =
        |column: &&str| matches!(queue.kind(column), Some(Kind::NaiveInstant | Kind::Any));
    let naive: Vec<&str> = columns.into_iter().filter(is_naive).collect();
    naive.join(", ")
}
