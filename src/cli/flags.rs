//! The flags, each also read from the environment.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{ArgAction, Args};
use hyper::header::{AUTHORIZATION, COOKIE, HeaderName, PROXY_AUTHORIZATION};
use ipnet::IpNet;

use crate::http::credentials::Token;
use crate::http::external::External;
use crate::http::proxies::Proxies;
use crate::snapshot::Collector;

use super::logging::{Format, Level};

/// How many characters a board's name has at most.
const MAX_NAME: usize = 100;

/// Every flag; all of them may stand before or after the command.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Database to read: postgres://… or sqlite://…
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        global = true,
        value_name = "URL"
    )]
    pub(super) database_url: Option<String>,

    /// YAML file that says whose work is what; built-in defaults without it
    #[arg(
        long = "config.file",
        env = "QUEUEBOARD_CONFIG_FILE",
        global = true,
        value_name = "PATH"
    )]
    pub(super) config_file: Option<PathBuf>,

    /// Which system this is, in the heads of the pages and of the board
    #[arg(
        long = "board.name", env = "QUEUEBOARD_BOARD_NAME", global = true,
        value_name = "NAME", default_value = "", hide_default_value = true, value_parser = name
    )]
    pub(super) board_name: String,

    /// Address on which metrics are served
    #[arg(
        long = "web.listen-address", env = "QUEUEBOARD_WEB_LISTEN_ADDRESS", global = true,
        value_name = "ADDRESS", default_value = "0.0.0.0:9886", value_parser = address
    )]
    pub(super) listen_address: SocketAddr,

    /// YAML file with TLS, passwords and headers, in the format that exporters share
    #[arg(
        long = "web.config.file",
        env = "QUEUEBOARD_WEB_CONFIG_FILE",
        global = true,
        value_name = "PATH"
    )]
    pub(super) web_config_file: Option<PathBuf>,

    /// Path under which metrics are served
    #[arg(
        long = "web.telemetry-path", env = "QUEUEBOARD_WEB_TELEMETRY_PATH", global = true,
        value_name = "PATH", default_value = "/metrics", value_parser = path
    )]
    pub(super) telemetry_path: String,

    /// URL under which people reach the pages, if a proxy stands before them
    #[arg(
        long = "web.external-url",
        env = "QUEUEBOARD_WEB_EXTERNAL_URL",
        global = true,
        value_name = "URL"
    )]
    external_url: Option<External>,

    /// What is taken off Prometheus's scrape timeout, to send the answer in time
    #[arg(
        long = "web.timeout-offset", env = "QUEUEBOARD_WEB_TIMEOUT_OFFSET", global = true,
        value_name = "SECONDS", default_value = "0.5", value_parser = seconds
    )]
    pub(super) timeout_offset: Duration,

    /// Address of the admin listener, which is off without a token
    #[arg(
        long = "admin.listen-address", env = "QUEUEBOARD_ADMIN_LISTEN_ADDRESS", global = true,
        value_name = "ADDRESS", default_value = "127.0.0.1:9887", value_parser = address
    )]
    pub(super) admin_listen_address: SocketAddr,

    /// URL under which people reach the admin listener; that of --web.external-url without it
    #[arg(
        long = "admin.external-url",
        env = "QUEUEBOARD_ADMIN_EXTERNAL_URL",
        global = true,
        value_name = "URL"
    )]
    admin_external_url: Option<External>,

    /// File that holds the admin token; `QUEUEBOARD_ADMIN_TOKEN` may hold the token
    #[arg(
        long = "admin.token-file",
        env = "QUEUEBOARD_ADMIN_TOKEN_FILE",
        global = true,
        value_name = "PATH"
    )]
    admin_token_file: Option<PathBuf>,

    /// Header in which a proxy names the person who acts, for the log; the token is asked for still
    #[arg(
        long = "admin.actor-header", env = "QUEUEBOARD_ADMIN_ACTOR_HEADER", global = true,
        value_name = "NAME", value_parser = header
    )]
    admin_actor_header: Option<HeaderName>,

    /// Addresses and networks of the proxies that set it; from others it is ignored
    #[arg(
        long = "admin.trusted-proxies", env = "QUEUEBOARD_ADMIN_TRUSTED_PROXIES", global = true,
        value_name = "LIST", value_delimiter = ',', value_parser = network
    )]
    admin_trusted_proxies: Vec<IpNet>,

    /// Database as the role that retries and skips; that of --database-url without it
    #[arg(
        long = "admin.database-url",
        env = "QUEUEBOARD_ADMIN_DATABASE_URL",
        hide_env_values = true,
        global = true,
        value_name = "URL"
    )]
    admin_database_url: Option<String>,

    /// Least severe messages to log
    #[arg(
        long = "log.level",
        env = "QUEUEBOARD_LOG_LEVEL",
        global = true,
        value_enum,
        value_name = "LEVEL",
        default_value = "info"
    )]
    pub(super) log_level: Level,

    /// Form of the log lines
    #[arg(
        long = "log.format",
        env = "QUEUEBOARD_LOG_FORMAT",
        global = true,
        value_enum,
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub(super) log_format: Format,

    #[command(flatten)]
    pub(super) collectors: Collectors,
}

/// Which collectors are asked.
#[derive(Debug, Args)]
pub(super) struct Collectors {
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
    pub(super) titles: bool,
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
    pub(super) fn enabled(&self, current: bool) -> Vec<Collector> {
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

impl Flags {
    /// Returns the URL of the database.
    pub(super) fn database_url(&self) -> anyhow::Result<&str> {
        self.database_url.as_deref().context(
            "no database is named: give --database-url or DATABASE_URL (postgres://… or \
             sqlite://…), or try the command `demo`",
        )
    }

    /// Returns the URL of the database as the role that changes rows.
    pub(super) fn admin_database_url(&self) -> anyhow::Result<&str> {
        self.admin_database_url
            .as_deref()
            .map_or_else(|| self.database_url(), Ok)
    }

    /// Returns where people reach the metrics listener.
    pub(super) fn external(&self) -> External {
        self.external_url.clone().unwrap_or_default()
    }

    /// Returns where people reach the admin listener.
    pub(super) fn admin_external(&self) -> External {
        let own = self.admin_external_url.clone();
        own.unwrap_or_else(|| self.external())
    }

    /// Returns which proxies may say for whom they ask.
    pub(super) fn proxies(&self) -> anyhow::Result<Option<Proxies>> {
        let trusted = self.admin_trusted_proxies.clone();
        match self.admin_actor_header.clone() {
            None if trusted.is_empty() => Ok(None),
            Some(header) if !trusted.is_empty() => Ok(Some(Proxies { header, trusted })),
            None => anyhow::bail!(
                "--admin.trusted-proxies is given without --admin.actor-header: give the header in \
                 which they name people too, such as X-Forwarded-User"
            ),
            Some(_) => anyhow::bail!(
                "--admin.actor-header is given without --admin.trusted-proxies: give the addresses \
                 of the proxies that set it too, such as 127.0.0.1, since anybody can send it"
            ),
        }
    }

    /// Returns the admin token, from the file or from the environment, if there is one.
    #[expect(
        clippy::disallowed_methods,
        reason = "the command line reads the environment"
    )]
    pub(super) fn admin_token(&self) -> anyhow::Result<Option<Token>> {
        if let Some(path) = &self.admin_token_file {
            let shown = path.display();
            let text = std::fs::read_to_string(path);
            let text = text.with_context(|| format!("reading --admin.token-file {shown}"))?;
            return Token::new(&text)
                .with_context(|| format!("--admin.token-file {shown}"))
                .map(Some);
        }
        match std::env::var("QUEUEBOARD_ADMIN_TOKEN") {
            Ok(text) => Token::new(&text)
                .context("QUEUEBOARD_ADMIN_TOKEN")
                .map(Some),
            Err(_) => Ok(None),
        }
    }
}

/// An address; `:9886` is every interface, as elsewhere in the ecosystem.
fn address(text: &str) -> Result<SocketAddr, String> {
    let whole = if text.starts_with(':') {
        format!("0.0.0.0{text}")
    } else {
        text.to_owned()
    };
    whole
        .parse()
        .map_err(|_| "it is no address such as 127.0.0.1:9886".to_owned())
}

/// A header that may be logged.
fn header(text: &str) -> Result<HeaderName, String> {
    let header = text
        .parse()
        .map_err(|_| "it is no header such as X-Forwarded-User")?;
    match [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(&header) {
        true => Err("it holds what must not be logged".to_owned()),
        false => Ok(header),
    }
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse().or_else(|_| text.parse().map(IpAddr::into));
    network.map_err(|_| "it is no address or network such as 127.0.0.1 or 10.0.0.0/8".to_owned())
}

/// A name is a line that is not too long to stand above everything else.
fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.contains(|c: char| c.is_control()) {
        return Err("it is to be one line without control characters".to_owned());
    }
    let is_short = name.chars().count() <= MAX_NAME;
    is_short
        .then(|| name.to_owned())
        .ok_or_else(|| format!("it is longer than {MAX_NAME} characters"))
}

fn path(text: &str) -> Result<String, String> {
    let reserved = text.starts_with("/-/");
    let plain = text.starts_with('/') && !text.contains(['?', '#', ' ']);
    let path = (plain && !reserved).then(|| text.to_owned());
    path.ok_or_else(|| "it is no path such as /metrics, or one that has a use already".to_owned())
}

/// A time in seconds, with or without its unit: `0.5`, `0.5s`, `500ms`.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1e-3),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    let seconds = number
        .trim()
        .parse::<f64>()
        .ok()
        .map(|number| number * unit);
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.ok_or_else(|| "it is no time such as 0.5, 0.5s or 500ms".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_a_unit() {
        for text in ["0.5", "0.5s", "500ms", " 0.5 s"] {
            assert_eq!(seconds(text), Ok(Duration::from_millis(500)), "{text}");
        }
        for text in ["", "s", "-1", "NaN", "1e300", "5m", "half"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn headers_and_networks_are_checked() {
        assert!(header("X-Forwarded-User").is_ok());
        for text in ["", "X Forwarded", "Authorization", "cookie"] {
            assert!(header(text).is_err(), "{text}");
        }
        for (text, shown) in [
            ("127.0.0.1", "127.0.0.1/32"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("::1", "::1/128"),
            ("fd00::/8", "fd00::/8"),
        ] {
            assert_eq!(
                network(text).map(|net| net.to_string()),
                Ok(shown.to_owned())
            );
        }
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0/8", "127.0.0.1:80"] {
            assert!(network(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_is_a_short_line() {
        assert_eq!(name(" 문서함 "), Ok("문서함".to_owned()));
        assert_eq!(name(""), Ok(String::new()));
        for text in ["a\nb", "a\x1b[2J", "a\0", &"x".repeat(101)] {
            assert!(name(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn addresses_and_paths_are_checked() {
        assert_eq!(address(":9886"), Ok(SocketAddr::from(([0, 0, 0, 0], 9886))));
        assert!(address("[::1]:0").is_ok());
        assert!(address("localhost").is_err());
        assert!(path("/metrics").is_ok());
        assert!(path("metrics").is_err());
        assert!(path("/-/ready").is_err());
    }
}
