//! Background jobs: how far they are, and whether they still live.

use maud::{Markup, html};

use super::time;
use crate::judge::Board;
use crate::judge::jobs::Job;
use crate::render::words::{number, share, span};

/// The jobs, or that there are none, or that they could not be read.
pub(super) fn section(board: &Board) -> Markup {
    html! {
        section aria-labelledby="jobs-title" {
            h2 #jobs-title { "Background jobs" }
            @match &board.jobs {
                Some(jobs) if jobs.details.is_empty() => p .quiet { "None in 6 hours." },
                Some(jobs) => ul .jobs { @for job in &jobs.details { (item(job, board)) } },
                None => p .missing { "Background jobs could not be read." },
            }
        }
    }
}

fn item(job: &Job, board: &Board) -> Markup {
    html! {
        li .failed[job.stale || job.has_failed()] data-job=(job.id) {
            div .line {
                span {
                    bdi .name { (job.name()) }
                    " " span .quiet { (board.machine_label(&job.machine)) }
                }
                @if job.stale {
                    strong .bad { "STALE" }
                } @else if job.has_failed() {
                    strong .bad { "FAILED" }
                } @else {
                    span .quiet { (job.state) }
                }
            }
            @if let Some(share) = share(job) {
                progress value=(share) max="1" aria-label={ "Progress of " (job.name()) } {}
            }
            p .quiet { (facts(job).join(" · ")) }
            (last_sign(job, board))
            @if let Some(error) = job.error.as_deref().filter(|error| !error.is_empty()) {
                p .bad.clamp dir="auto" { (error) }
            }
        }
    }
}

/// When it ended, or when it was last heard of if it should have been since.
fn last_sign(job: &Job, board: &Board) -> Markup {
    let told = |at: f64| time::past(Some(at), time::age(at, board), board);
    html! {
        @if job.stale {
            p .bad {
                @match job.heartbeat {
                    Some(at) => { "Last heartbeat " (told(at)) },
                    None => "No heartbeat",
                }
            }
        } @else if let Some(at) = job.finished_at {
            p .quiet .bad[job.has_failed()] { (job.state) " " (told(at)) }
        }
    }
}

fn facts(job: &Job) -> Vec<String> {
    let done = match (job.processed, job.total, share(job)) {
        (Some(done), Some(total), Some(share)) => {
            let (done, total) = (number(done), number(total));
            Some(format!("{done} of {total} ({:.0}%)", share * 100.0))
        }
        (Some(done), ..) => Some(format!("{} done", number(done))),
        (None, ..) => None,
    };
    let elapsed = job
        .elapsed
        .map(|elapsed| format!("{} elapsed", span(elapsed)));
    // The pace of a job that shows no sign of life says nothing of its end.
    let eta = job.eta.filter(|_| !job.stale);
    let eta = eta.map(|eta| format!("ETA {}", span(eta)));
    let facts: Vec<String> = [done, elapsed, eta].into_iter().flatten().collect();
    if facts.is_empty() {
        return vec!["progress unknown".to_owned()];
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::page::tests::board;

    /// A job that was last heard of two hours before the board was read.
    fn job(state: &str) -> Job {
        Job {
            id: 1.into(),
            kind: "digest".into(),
            label: None,
            machine: "macmini".into(),
            state: state.into(),
            processed: Some(1),
            total: Some(2),
            started_at: None,
            finished_at: None,
            heartbeat: Some(1_764_106_262.0),
            elapsed: Some(60.0),
            eta: Some(60.0),
            stale: false,
            error: None,
        }
    }

    #[test]
    fn a_failed_job_is_loud_and_says_when_it_failed() {
        let failed = Job {
            finished_at: Some(1_764_106_262.0),
            ..job("failed")
        };
        let told = item(&failed, &board()).into_string();
        for words in [
            "<li class=\"failed\"",
            "<strong class=\"bad\">FAILED</strong>",
            "failed <time datetime=\"2025-11-26T06:31:02+09:00\">06:31:02</time>, 2h 0m ago",
        ] {
            assert!(told.contains(words), "{told}");
        }
        let completed = Job {
            state: "completed".into(),
            ..failed
        };
        let told = item(&completed, &board()).into_string();
        assert!(told.contains("completed <time"), "{told}");
        assert!(!told.contains("bad") && !told.contains("FAILED"), "{told}");
    }

    #[test]
    fn a_stale_job_promises_nothing() {
        let running = job("running");
        let told = item(&running, &board()).into_string();
        assert!(told.contains("ETA 1m 0s"), "{told}");
        let stale = Job {
            stale: true,
            ..running
        };
        let told = item(&stale, &board()).into_string();
        assert!(!told.contains("ETA"), "{told}");
        assert!(told.contains("STALE"), "{told}");
        assert!(told.contains("06:31:02</time>, 2h 0m ago"), "{told}");
    }
}
