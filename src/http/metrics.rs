//! The metrics listener.
//!
//! * `GET /` -- the landing page
//! * `GET /metrics` (or `--web.telemetry-path`) -- one scrape
//! * `GET /-/healthy` -- the process serves, whatever the database does
//! * `GET /-/ready` -- the configuration is loaded and the listener is open
//!
//! Where the web configuration names users, each of them is for users only.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{ACCEPT, HeaderName, HeaderValue, VARY};
use hyper::{HeaderMap, Method, StatusCode};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::exporter::Exporter;
use crate::render;
use crate::render::exposition::Format;
use crate::snapshot::Collector;
use crate::telemetry::Telemetry;

use super::credentials;
use super::external::External;
use super::packing::{Packing, list};
use super::response::{self, Response};
use super::users::{Users, Verdict};
use super::web::LiveWeb;
use super::{Request, Service, deadline, negotiate, selection};

/// What Prometheus says of the time that it gives a scrape, in seconds.
const SCRAPE_TIMEOUT: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// When whoever finds too many passwords waiting may try again.
const RETRY: Duration = Duration::from_secs(1);

/// Serves metrics.
#[derive(Debug)]
pub struct Metrics {
    /// What is exposed.
    pub exporter: watch::Receiver<Arc<Exporter>>,
    /// Which system it is of.
    pub name: String,
    /// Where it is reached.
    pub external: External,
    /// The exporter's own numbers.
    pub telemetry: Arc<Telemetry>,
    /// The path of the metrics.
    pub telemetry_path: String,
    /// The collectors that are switched on.
    pub collectors: Vec<Collector>,
    /// Whether documents' titles are exposed.
    pub titles: bool,
    /// What is left of a scrape's time to send the answer.
    pub timeout_offset: Duration,
    /// Where the users are named, if a password is asked for.
    pub web: Arc<LiveWeb>,
    /// What checks their passwords.
    pub users: Users,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Entrance,
    Landing,
    Metrics,
    Healthy,
    Ready,
    NotFound,
    NotAllowed,
}

impl Page {
    fn handler(self) -> &'static str {
        match self {
            Self::Entrance | Self::Landing => "landing",
            Self::Metrics => "metrics",
            Self::Healthy => "healthy",
            Self::Ready => "ready",
            Self::NotFound => "not_found",
            Self::NotAllowed => "not_allowed",
        }
    }
}

impl Service for Metrics {
    async fn answer(&self, request: Request, peer: IpAddr) -> Response {
        if let Some(refusal) = self.refusal(request.headers(), peer).await {
            self.telemetry
                .answered("unauthorized", refusal.status().as_u16());
            return refusal;
        }
        let page = self.find(request.method(), request.uri().path());
        let response = match page {
            Page::Entrance => response::moved(&self.external.root()),
            Page::Landing => {
                let page = render::landing::render(&self.name, &self.telemetry_path);
                response::html(page)
            }
            Page::Metrics => {
                let query = request.uri().query().unwrap_or_default();
                self.scrape(request.headers(), query).await
            }
            Page::Healthy => response::text(StatusCode::OK, "healthy"),
            Page::Ready => response::text(StatusCode::OK, "ready"),
            Page::NotFound => response::text(StatusCode::NOT_FOUND, "no such page"),
            Page::NotAllowed => {
                let refusal = response::text(StatusCode::METHOD_NOT_ALLOWED, "use GET");
                response::allowing(refusal, "GET, HEAD")
            }
        };
        self.telemetry
            .answered(page.handler(), response.status().as_u16());
        response
    }
}

fn route(method: &Method, path: &str, telemetry_path: &str) -> Page {
    let page = match path {
        path if path == telemetry_path => Page::Metrics,
        "" => Page::Entrance,
        "/" => Page::Landing,
        "/-/healthy" => Page::Healthy,
        "/-/ready" => Page::Ready,
        _ => Page::NotFound,
    };
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if reads || page == Page::NotFound {
        page
    } else {
        Page::NotAllowed
    }
}

impl Metrics {
    fn find(&self, method: &Method, path: &str) -> Page {
        let route = |path: &str| route(method, path, &self.telemetry_path);
        route(
            self.external
                .inside(path, |path| route(path) != Page::NotFound),
        )
    }

    /// Refuses whoever is no user, where there are users.
    async fn refusal(&self, headers: &HeaderMap, peer: IpAddr) -> Option<Response> {
        let web = self.web.current();
        if web.users.is_empty() {
            return None;
        }
        let authorization = credentials::sent(headers);
        let peer = peer.into();
        match self.users.check(&web.users, authorization, peer).await {
            Verdict::Right => None,
            Verdict::Wrong => {
                let reason = "send the name and the password of a user, as Basic";
                let refusal = response::text(StatusCode::UNAUTHORIZED, reason);
                Some(response::challenge(refusal))
            }
            Verdict::Busy => {
                let reason = "too many passwords are being checked; try again";
                let refusal = response::text(StatusCode::SERVICE_UNAVAILABLE, reason);
                Some(response::retry_after(refusal, RETRY))
            }
        }
    }

    async fn scrape(&self, headers: &HeaderMap, query: &str) -> Response {
        let wanted = match selection::select(query, &self.collectors) {
            Ok(wanted) => wanted,
            Err(reason) => return response::text(StatusCode::BAD_REQUEST, &reason),
        };
        let timeout = headers
            .get(SCRAPE_TIMEOUT)
            .and_then(|value| value.to_str().ok());
        let deadline = Instant::now() + deadline::budget(timeout, self.timeout_offset);
        let exporter = Arc::clone(&self.exporter.borrow());
        let board = Arc::new(exporter.board(wanted, deadline).await);
        let registry = render::metrics::registry(board, self.titles);
        let format = negotiate::format(&list(headers, &ACCEPT));
        match format.encode(&[&self.telemetry.registry, &registry]) {
            Ok(page) => encoded(page, format, Packing::asked(headers)).await,
            Err(_) => {
                tracing::error!(
                    "the metrics could not be encoded: this is a bug, please report it"
                );
                response::text(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the metrics could not be encoded",
                )
            }
        }
    }
}

async fn encoded(page: String, format: Format, packing: Packing) -> Response {
    let mut response = response::body(StatusCode::OK, format.content_type(), page);
    let vary = HeaderValue::from_static("accept, accept-encoding");
    response.headers_mut().insert(VARY, vary);
    packing.pack(response).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_matched_whole() {
        for (path, page) in [
            ("/", Page::Landing),
            ("/metrics", Page::Metrics),
            ("/-/healthy", Page::Healthy),
            ("/-/ready", Page::Ready),
            ("/metrics/", Page::NotFound),
            ("/other", Page::NotFound),
        ] {
            assert_eq!(route(&Method::GET, path, "/metrics"), page, "{path}");
        }
        assert_eq!(route(&Method::HEAD, "/metrics", "/metrics"), Page::Metrics);
        assert_eq!(
            route(&Method::POST, "/metrics", "/metrics"),
            Page::NotAllowed
        );
        assert_eq!(route(&Method::POST, "/other", "/metrics"), Page::NotFound);
        assert_eq!(route(&Method::GET, "/", "/"), Page::Metrics);
    }
}
