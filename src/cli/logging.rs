//! Where log lines go: to standard error, as text or as JSON.

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The least severe messages that are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

/// Begins to log.
pub(super) fn start(level: Level, format: Format) {
    let level = match level {
        Level::Debug => LevelFilter::DEBUG,
        Level::Info => LevelFilter::INFO,
        Level::Warn => LevelFilter::WARN,
        Level::Error => LevelFilter::ERROR,
    };
    // What libraries say below an error is for their own authors.
    let ours = Targets::new()
        .with_default(LevelFilter::ERROR)
        .with_target(module_path!().split("::").next().unwrap_or_default(), level);
    let layer = fmt::layer().with_writer(std::io::stderr);
    let layer: Box<dyn tracing_subscriber::Layer<_> + Send + Sync> = match format {
        Format::Text => Box::new(layer.with_ansi(false).with_target(false)),
        Format::Json => Box::new(layer.json().flatten_event(true)),
    };
    tracing_subscriber::registry().with(ours).with(layer).init();
}
