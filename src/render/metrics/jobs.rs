//! Metrics of background jobs.

use std::fmt;

use prometheus_client::encoding::EncodeGaugeValue;

use crate::judge::jobs::{Job, Jobs};

use super::{Families, Labels};

pub(super) fn encode(jobs: &Jobs, families: &mut Families) -> fmt::Result {
    families.gauge(
        "queueboard_background_jobs",
        "Background jobs that run, or finished in the last 6 hours.",
        jobs.counts.iter().map(|count| {
            let labels = [
                ("machine", &count.machine),
                ("kind", &count.kind),
                ("state", &count.state),
            ];
            (
                labels.map(|(name, value)| (name, value.as_str())),
                count.jobs,
            )
        }),
    )?;
    let mut details = Details {
        jobs: &jobs.details,
        families,
    };
    details.gauge(
        "queueboard_background_job_processed_items",
        "Items that the job has done; absent when unknown.",
        |job| job.processed,
    )?;
    details.gauge(
        "queueboard_background_job_expected_items",
        "Items that the job has to do in all; absent when unknown.",
        |job| job.total,
    )?;
    details.gauge(
        "queueboard_background_job_elapsed_seconds",
        "How long the job has run, or ran until it ended.",
        |job| job.elapsed,
    )?;
    details.gauge(
        "queueboard_background_job_started_timestamp_seconds",
        "When the job started.",
        |job| job.started_at,
    )?;
    details.gauge(
        "queueboard_background_job_heartbeat_timestamp_seconds",
        "When the job last gave a sign of life; absent when it never did.",
        |job| job.heartbeat,
    )?;
    details.gauge(
        "queueboard_background_job_stale",
        "Whether the job claims to run and gave no sign of life for 5 minutes.",
        |job| Some(i64::from(job.stale)),
    )?;
    details.gauge(
        "queueboard_background_job_eta_seconds",
        "Time until the job is done, at its pace so far or, where its heartbeats tell that this changed, at its latest; absent when unknown.",
        |job| job.eta,
    )
}

struct Details<'a, 'e> {
    jobs: &'a [Job],
    families: &'a mut Families<'e>,
}

impl Details<'_, '_> {
    fn gauge<V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        value: fn(&Job) -> Option<V>,
    ) -> fmt::Result {
        let known = self
            .jobs
            .iter()
            .filter_map(|job| Some((labels(job), value(job)?)));
        self.families.gauge(name, help, known)
    }
}

fn labels(job: &Job) -> Labels<'_, 5> {
    [
        ("id", job.id.as_str()),
        ("kind", &job.kind),
        ("label", job.short_label()),
        ("machine", &job.machine),
        ("state", &job.state),
    ]
}
