//! What `check` found, as text for a terminal.

use crate::check::finding::Finding;

/// Renders each finding as a line, and what to do about it below.
pub fn render(findings: &[Finding]) -> String {
    let subjects = findings.iter().map(|finding| finding.subject.len());
    let width = subjects.max().unwrap_or_default();
    findings
        .iter()
        .map(|finding| lines(finding, width))
        .collect()
}

fn lines(finding: &Finding, width: usize) -> String {
    let (level, subject) = (finding.level.as_str(), &finding.subject);
    let line = format!("{level:<6}  {subject:<width$}  {}\n", finding.seen);
    match &finding.fix {
        Some(fix) => format!("{line}{:8}{:width$}  → {fix}\n", "", ""),
        None => line,
    }
}
