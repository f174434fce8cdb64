//! The two listeners.
//!
//! [`metrics`] is for Prometheus and open to whoever reaches it; [`admin`] is for people and
//! closed without credentials. Nobody in here opens a port or catches a signal: the caller gives
//! a listener and says when to stop.

pub mod act;
pub mod admin;
pub mod credentials;
pub mod deadline;
pub mod landing;
pub mod metrics;
pub mod negotiate;
pub mod origin;
pub mod response;
pub mod selection;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// A request as it arrives.
pub type Request = hyper::Request<Incoming>;

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long requests under way may go on after the exporter is told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// The largest head of a request, in bytes.
const MOST_HEAD: usize = 16 << 10;

/// Answers the requests of one listener.
pub trait Service: Send + Sync + 'static {
    /// Answers a request; there is no request without an answer.
    fn answer(&self, request: Request) -> impl Future<Output = response::Response> + Send;
}

/// Serves until `shutdown` resolves, then lets the requests under way finish.
pub async fn serve<S: Service>(
    listener: TcpListener,
    service: Arc<S>,
    shutdown: impl Future<Output = ()>,
) {
    let connections = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, _)) => connect(stream, Arc::clone(&service), &connections),
            Err(error) => {
                // Out of descriptors, mostly: trying again at once would only burn the CPU.
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    if timeout(STOP_TIMEOUT, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time; closing their connections");
    }
}

fn connect<S: Service>(stream: TcpStream, service: Arc<S>, connections: &GracefulShutdown) {
    let answer = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(service.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MOST_HEAD)
        .serve_connection(TokioIo::new(stream), answer);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}
