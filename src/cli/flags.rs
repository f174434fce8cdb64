//! The flags, each also read from the environment.

mod collectors;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use hyper::header::HeaderName;
use ipnet::IpNet;
use url::Host;

use crate::config::secret;
use crate::http::credentials::Token;
use crate::http::external::External;
use crate::http::hosts::Hosts;
use crate::http::proxies::Proxies;

use collectors::Collectors;
use values::{address, header, host, name, network, path};

pub(super) use values::seconds;

use super::logging::{Format, Level};

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

    /// Hosts that both listeners answer to; any but on loopback, where only this machine's without it
    #[arg(
        long = "web.allowed-hosts", env = "QUEUEBOARD_WEB_ALLOWED_HOSTS", global = true,
        value_name = "LIST", value_delimiter = ',', value_parser = host
    )]
    allowed_hosts: Vec<Host>,

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

    /// Proxies whose word is taken for who asks: by that header, and from where by X-Forwarded-For
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

    /// Returns the hosts to which a listener answers.
    pub(super) fn hosts(&self, listening: SocketAddr, external: &External) -> Hosts {
        Hosts::of(listening.ip(), &self.allowed_hosts, external)
    }

    /// Returns which proxies may say for whom they ask.
    pub(super) fn proxies(&self) -> anyhow::Result<Proxies> {
        let trusted = self.admin_trusted_proxies.clone();
        let header = self.admin_actor_header.clone();
        anyhow::ensure!(
            header.is_none() || !trusted.is_empty(),
            "--admin.actor-header is given without --admin.trusted-proxies: give the addresses of \
             the proxies that set it too, such as 127.0.0.1, since anybody can send it"
        );
        Ok(Proxies { header, trusted })
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
            secret::warn_of_access("--admin.token-file", path);
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
