//! The flags that switch collectors.

use clap::{ArgAction, Args};

use crate::snapshot::Collector;

/// Which collectors are asked.
#[derive(Debug, Args)]
pub(in crate::cli) struct Collectors {
    #[command(flatten)]
    on: On,
    #[command(flatten)]
    off: Off,

    /// Expose documents' titles as a label of the current items
    #[arg(
        long = "collector.current.titles", env = "QUEUEBOARD_COLLECTOR_CURRENT_TITLES",
        global = true, num_args = 0..=1, default_value = "false", default_missing_value = "true",
        require_equals = true, value_name = "BOOL", action = ArgAction::Set
    )]
    pub(in crate::cli) titles: bool,
}

#[derive(Debug, Args)]
struct On {
    /// Collect stage, pool and machine numbers
    #[arg(
        long = "collector.stages", env = "QUEUEBOARD_COLLECTOR_STAGES", global = true,
        num_args = 0..=1, default_value = "true", default_missing_value = "true",
        require_equals = true, value_name = "BOOL", action = ArgAction::Set,
        overrides_with = "no_stages"
    )]
    stages: bool,

    /// Collect created and completed rows by hour
    #[arg(
        long = "collector.trend", env = "QUEUEBOARD_COLLECTOR_TREND", global = true,
        num_args = 0..=1, default_value = "true", default_missing_value = "true",
        require_equals = true, value_name = "BOOL", action = ArgAction::Set,
        overrides_with = "no_trend"
    )]
    trend: bool,

    /// Collect what was created and completed in every five minutes, for when stages are done
    #[arg(
        long = "collector.outlook", env = "QUEUEBOARD_COLLECTOR_OUTLOOK", global = true,
        num_args = 0..=1, default_value = "true", default_missing_value = "true",
        require_equals = true, value_name = "BOOL", action = ArgAction::Set,
        overrides_with = "no_outlook"
    )]
    outlook: bool,

    /// Collect how many failed rows share a cause: the words of your errors as label values
    #[arg(
        long = "collector.causes", env = "QUEUEBOARD_COLLECTOR_CAUSES", global = true,
        num_args = 0..=1, default_value = "true", default_missing_value = "true",
        require_equals = true, value_name = "BOOL", action = ArgAction::Set,
        overrides_with = "no_causes"
    )]
    causes: bool,

    /// Collect background jobs
    #[arg(
        long = "collector.background_jobs", env = "QUEUEBOARD_COLLECTOR_BACKGROUND_JOBS",
        global = true, num_args = 0..=1, default_value = "true", default_missing_value = "true",
        require_equals = true, value_name = "BOOL", action = ArgAction::Set,
        overrides_with = "no_background_jobs"
    )]
    background_jobs: bool,

    /// Collect what each machine works on: a new series for each document [default: false, and
    /// true in the demo]
    #[arg(
        long = "collector.current", env = "QUEUEBOARD_COLLECTOR_CURRENT", global = true,
        num_args = 0..=1, default_missing_value = "true",
        require_equals = true, value_name = "BOOL", action = ArgAction::Set,
        overrides_with = "no_current"
    )]
    current: Option<bool>,
}

#[derive(Debug, Args)]
struct Off {
    /// Switch the stages collector off
    #[arg(long = "no-collector.stages", global = true, overrides_with = "stages")]
    no_stages: bool,

    /// Switch the trend collector off
    #[arg(long = "no-collector.trend", global = true, overrides_with = "trend")]
    no_trend: bool,

    /// Switch the outlook collector off
    #[arg(
        long = "no-collector.outlook",
        global = true,
        overrides_with = "outlook"
    )]
    no_outlook: bool,

    /// Switch the causes collector off
    #[arg(long = "no-collector.causes", global = true, overrides_with = "causes")]
    no_causes: bool,

    /// Switch the background jobs collector off
    #[arg(
        long = "no-collector.background_jobs",
        global = true,
        overrides_with = "background_jobs"
    )]
    no_background_jobs: bool,

    /// Switch the collector of current items off
    #[arg(
        long = "no-collector.current",
        global = true,
        overrides_with = "current"
    )]
    no_current: bool,
}

impl Collectors {
    /// Returns the collectors that are switched on; whether the one of current items is one of them
    /// when no flag says so is up to the command.
    pub(in crate::cli) fn enabled(&self, current: bool) -> Vec<Collector> {
        let is_on = |collector: &Collector| match collector {
            Collector::Stages => self.on.stages && !self.off.no_stages,
            Collector::Trend => self.on.trend && !self.off.no_trend,
            Collector::Causes => self.on.causes && !self.off.no_causes,
            Collector::Outlook => self.on.outlook && !self.off.no_outlook,
            Collector::BackgroundJobs => self.on.background_jobs && !self.off.no_background_jobs,
            Collector::Current => self.on.current.unwrap_or(current) && !self.off.no_current,
        };
        Collector::ALL.into_iter().filter(is_on).collect()
    }
}
