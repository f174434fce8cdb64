//! The web configuration in force: read again when its files change, so that a new certificate or
//! a changed password needs no restart.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config::web::{self, Web};
use crate::telemetry::Telemetry;

/// The flag that names the file.
pub const FLAG: &str = "--web.config.file";

/// How soon files that were refused are looked at again; what they lack may be in another folder.
const RETRY: Duration = Duration::from_secs(1);

/// The web configuration that both listeners follow.
#[derive(Debug)]
pub struct LiveWeb {
    path: Option<PathBuf>,
    telemetry: Arc<Telemetry>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    web: Arc<Web>,
    /// Why the files as they are now are not followed, and when they were looked at.
    refused: Option<(String, Instant)>,
}

impl LiveWeb {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    ///
    /// Those of [`web::load`].
    pub fn open(path: Option<PathBuf>, telemetry: Arc<Telemetry>) -> anyhow::Result<Self> {
        let live = Self {
            path,
            telemetry,
            state: Mutex::default(),
        };
        live.replace(live.read()?);
        Ok(live)
    }

    /// Reads the file as it is now, and leaves in force what is.
    ///
    /// # Errors
    ///
    /// Those of [`web::load`].
    pub fn read(&self) -> anyhow::Result<Web> {
        let web = self.path.as_deref().map(web::load).transpose()?;
        Ok(web.unwrap_or_default())
    }

    /// Puts in force what was read, even if it lets in more than before.
    pub fn replace(&self, web: Web) {
        *self.state() = State {
            web: Arc::new(web),
            refused: None,
        };
    }

    /// Returns what is in force now. Files that cannot be followed leave in force what was, and
    /// are complained of once.
    pub fn current(&self) -> Arc<Web> {
        let mut state = self.state();
        let is_due = match &state.refused {
            Some((_, looked)) => looked.elapsed() >= RETRY,
            None => state.web.is_outdated(),
        };
        if let Some(path) = self.path.as_deref().filter(|_| is_due) {
            let read = web::load(path).and_then(|web| {
                // It may be half written.
                let opens = web.opens(&state.web);
                anyhow::ensure!(!opens, "{}: {OPENS}", path.display());
                Ok(web)
            });
            self.telemetry.read(&[FLAG], read.is_ok());
            state.follow(read);
        }
        Arc::clone(&state.web)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Said of a file that lets in more than before, though nobody asked for a reload.
const OPENS: &str = "TLS, client certificates or passwords are asked for no longer; reload if that \
                     is meant";

impl State {
    fn follow(&mut self, read: anyhow::Result<Web>) {
        match read {
            Ok(web) => {
                self.web = Arc::new(web);
                self.refused = None;
                tracing::info!("the web configuration has changed and is followed");
            }
            Err(error) => {
                let reason = format!("{error:#}");
                if self
                    .refused
                    .as_ref()
                    .is_none_or(|(known, _)| *known != reason)
                {
                    tracing::warn!(
                        reason,
                        "the web configuration is refused; the old one stays"
                    );
                }
                self.refused = Some((reason, Instant::now()));
            }
        }
    }
}
