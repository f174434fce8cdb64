//! Being told to stop.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Becomes true at the first Ctrl-C or termination signal.
pub(super) fn told_to_stop() -> anyhow::Result<watch::Receiver<bool>> {
    let listen = |kind| signal(kind).context("listening for signals");
    let (mut interrupt, mut terminate) = (
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
    );
    let (sender, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
        sender.send_replace(true);
    });
    Ok(stop)
}

/// Resolves once it was told to stop.
pub(super) async fn until(mut stop: watch::Receiver<bool>) {
    // The sender lives until it has sent.
    let _ = stop.wait_for(|stop| *stop).await;
}
