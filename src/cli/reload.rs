//! Reading the configuration files again, when told to by a signal or by a person.

use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::config;
use crate::exporter::Exporter;
use crate::http::credentials::Token;
use crate::http::reload::{Outcome, Reload};
use crate::http::web::{self, LiveWeb};
use crate::telemetry::Telemetry;

use super::flags::Flags;

const CONFIG: &str = "--config.file";
const TOKEN: &str = "--admin.token-file";

/// Replaces what was made of the configuration files.
pub(super) struct Reloader<'a> {
    pub(super) flags: &'a Flags,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) web: Arc<LiveWeb>,
    pub(super) exporter: watch::Sender<Arc<Exporter>>,
    /// None where the token came from no file or variable.
    pub(super) token: Option<watch::Sender<Arc<Token>>>,
    asked: mpsc::Receiver<Outcome>,
    hangup: Signal,
}

impl<'a> Reloader<'a> {
    /// Listens for the signal, and for whoever has what is returned beside it.
    pub(super) fn listen(
        flags: &'a Flags,
        telemetry: &Arc<Telemetry>,
        web: &Arc<LiveWeb>,
        exporter: Exporter,
    ) -> anyhow::Result<(Self, Reload)> {
        let (reload, asked) = Reload::channel();
        let reloader = Self {
            flags,
            telemetry: Arc::clone(telemetry),
            web: Arc::clone(web),
            exporter: watch::Sender::new(Arc::new(exporter)),
            token: None,
            asked,
            hangup: signal(SignalKind::hangup()).context("listening for signals")?,
        };
        Ok((reloader, reload))
    }

    /// Reloads whenever it is asked for, until `stop` resolves.
    pub(super) async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let asked = tokio::select! {
                _ = self.hangup.recv() => None,
                Some(asked) = self.asked.recv() => Some(asked),
                () = &mut stop => return,
            };
            let outcome = self.reload().map_err(|error| format!("{error:#}"));
            match &outcome {
                Ok(()) => tracing::info!("the configuration was read again"),
                Err(reason) => {
                    tracing::warn!(reason, "the configuration is refused; the old one stays");
                }
            }
            // Whoever asked may have gone.
            let _ = asked.map(|asked| asked.send(outcome));
        }
    }

    /// Puts every file in force, or none.
    fn reload(&self) -> anyhow::Result<()> {
        let path = self.flags.config_file.as_deref();
        let pipeline = self.noted(CONFIG, config::load(path))?;
        let web = self.noted(web::FLAG, self.web.read())?;
        let token = self
            .token
            .as_ref()
            .map(|sender| (sender, self.flags.admin_token()));
        if let Some((sender, token)) = token
            && let Some(token) = self.noted(TOKEN, token)?
        {
            sender.send_replace(Arc::new(token));
        }
        self.exporter
            .send_modify(|now| *now = Arc::new(now.with(pipeline)));
        self.web.replace(web);
        self.telemetry.read(&[CONFIG, web::FLAG, TOKEN], true);
        Ok(())
    }

    fn noted<T>(&self, file: &'static str, read: anyhow::Result<T>) -> anyhow::Result<T> {
        if read.is_err() {
            self.telemetry.read(&[file], false);
        }
        read
    }
}
