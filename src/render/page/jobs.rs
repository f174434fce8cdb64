//! Background jobs: how far they are, and whether they still live.

use maud::{Markup, html};

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
        li data-job=(job.id) {
            div .line {
                span {
                    bdi .name { (job.name()) }
                    " " span .quiet { (board.machine_label(&job.machine)) }
                }
                @if job.stale {
                    strong .bad { "STALE" }
                } @else {
                    span .quiet { (job.state) }
                }
            }
            @if let Some(share) = share(job) {
                progress value=(share) max="1" aria-label={ "Progress of " (job.name()) } {}
            }
            p .quiet { (facts(job).join(" · ")) }
            @if let Some(error) = job.error.as_deref().filter(|error| !error.is_empty()) {
                p .bad.clamp dir="auto" { (error) }
            }
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
    let eta = job.eta.map(|eta| format!("ETA {}", span(eta)));
    let facts: Vec<String> = [done, elapsed, eta].into_iter().flatten().collect();
    if facts.is_empty() {
        return vec!["progress unknown".to_owned()];
    }
    facts
}
