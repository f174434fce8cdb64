//! Asking for a reload: whoever reads the configuration sits elsewhere, and answers one at a time.

use tokio::sync::{mpsc, oneshot};

/// Where the outcome of a reload is sent: why it failed, if it did.
pub type Outcome = oneshot::Sender<Result<(), String>>;

/// What asks for reloads.
#[derive(Debug)]
pub struct Reload(mpsc::Sender<Outcome>);

impl Reload {
    /// Makes what asks, and what is asked.
    pub fn channel() -> (Self, mpsc::Receiver<Outcome>) {
        let (sender, receiver) = mpsc::channel(1);
        (Self(sender), receiver)
    }

    /// Asks for a reload, and waits for it.
    ///
    /// # Errors
    ///
    /// Why the old configuration is still in force.
    pub async fn ask(&self) -> Result<(), String> {
        let (sender, outcome) = oneshot::channel();
        // A reloader that is gone answers neither.
        let _ = self.0.send(sender).await;
        let gone = || Err("the exporter is about to stop".to_owned());
        outcome.await.unwrap_or_else(|_| gone())
    }
}
