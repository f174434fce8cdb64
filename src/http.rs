//! The two listeners.
//!
//! [`metrics`] is for Prometheus and open to whoever reaches it, unless [`web`] names users;
//! [`admin`] is for people and closed without credentials. Nobody in here opens a port or catches a
//! signal: the caller gives a listener and says when to stop.

pub mod act;
pub mod actions;
pub mod admin;
pub mod connections;
pub mod credentials;
pub mod deadline;
pub mod external;
pub mod failed;
pub mod guard;
pub mod guesses;
pub mod head;
pub mod host;
pub mod hosts;
pub mod line;
pub mod lists;
pub mod metrics;
pub mod negotiate;
pub mod origin;
pub mod packing;
pub mod peer;
pub mod proxies;
pub mod reload;
pub mod response;
pub mod selection;
pub mod tls;
pub mod users;
pub mod web;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::config::web::Web;

use connections::{Connections, Place};
use guard::Guard;

/// A request as it arrives.
pub type Request = hyper::Request<Incoming>;

/// How long requests under way may go on after the exporter is told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(4);

/// The largest head of a request, in bytes; what is larger gets 431.
const MOST_HEAD: usize = 16 << 10;

/// How many headers a request may have; one with more gets 431.
const MOST_HEADERS: usize = 64;

/// Answers the requests of one listener.
pub trait Service: Send + Sync + 'static {
    /// Answers a request of a peer; there is no request without an answer.
    fn answer(
        &self,
        request: Request,
        peer: IpAddr,
    ) -> impl Future<Output = response::Response> + Send;
}

/// Serves until `shutdown` resolves, then lets the requests under way finish.
pub async fn serve<S: Service>(
    listener: TcpListener,
    guard: Guard<S>,
    shutdown: impl Future<Output = ()>,
) {
    let guard = Arc::new(guard);
    let connections = Arc::new(Connections::default());
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections) => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let guard = Arc::clone(&guard);
                let watcher = graceful.watcher();
                tokio::spawn(async move {
                    tokio::select! {
                        () = converse(stream, peer, &guard, &place, watcher) => {}
                        () = place.lost() => tracing::debug!("an idle connection is closed"),
                    }
                });
            }
            Err(error) => {
                // Out of descriptors, mostly: trying again at once would only burn the CPU.
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    if timeout(STOP_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time; closing their connections");
    }
}

/// Takes a connection, and then a place for it: while nobody knocks, nobody need make room.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Connections>,
) -> std::io::Result<(TcpStream, IpAddr, Place)> {
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer.ip(), connections.place().await))
}

/// Speaks with one client, in TLS if that is configured now.
async fn converse<S: Service>(
    stream: TcpStream,
    peer: IpAddr,
    guard: &Guard<S>,
    place: &Place,
    watcher: Watcher,
) {
    let web = guard.web.current();
    let ended = match &web.tls {
        None => speak(stream, peer, guard, &web, place, watcher).await,
        Some(tls) => match tls::shake_hands(stream, &tls.server).await {
            Ok(stream) => speak(stream, peer, guard, &web, place, watcher).await,
            Err(error) => return tracing::debug!(%error, "a TLS handshake failed"),
        },
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn speak<S: Service>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: IpAddr,
    guard: &Guard<S>,
    begun: &Arc<Web>,
    place: &Place,
    watcher: Watcher,
) -> hyper::Result<()> {
    // In a box: else a connection that asks nothing has room for the largest answer.
    let answer = service_fn(|request| {
        Box::pin(async {
            let _answering = place.answering();
            Ok::<_, Infallible>(guard.answer(request, peer, begun).await)
        })
    });
    let connection = http1::Builder::new()
        .max_buf_size(MOST_HEAD)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(stream), answer);
    watcher.watch(connection).await
}
