//! The admin listener: nothing on it is answered without the token.
//!
//! * `GET /api/queue/overview` -- the whole board as JSON

use std::sync::Arc;

use hyper::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, StatusCode};
use tokio::time::Instant;

use crate::exporter::Exporter;
use crate::render::overview;
use crate::snapshot::Collector;
use crate::telemetry::Telemetry;

use super::credentials::Token;
use super::response::{self, Response};
use super::{Request, Service, deadline};

/// Serves people.
#[derive(Debug)]
pub struct Admin {
    /// What is shown.
    pub exporter: Arc<Exporter>,
    /// The exporter's own numbers.
    pub telemetry: Arc<Telemetry>,
    /// What opens the listener.
    pub token: Token,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Overview,
    NotFound,
    NotAllowed(&'static str),
}

impl Service for Admin {
    async fn answer(&self, request: Request) -> Response {
        let authorization = request.headers().get(AUTHORIZATION);
        if !self
            .token
            .admits(authorization.and_then(|value| value.to_str().ok()))
        {
            self.telemetry
                .answered("unauthorized", StatusCode::UNAUTHORIZED.as_u16());
            return challenge();
        }
        let call = route(request.method(), request.uri().path());
        let (handler, response) = match call {
            Call::Overview => ("overview", self.overview().await),
            Call::NotFound => (
                "not_found",
                response::error(StatusCode::NOT_FOUND, "there is no such call"),
            ),
            Call::NotAllowed(methods) => {
                let refusal = response::error(StatusCode::METHOD_NOT_ALLOWED, "wrong method");
                ("not_allowed", response::allowing(refusal, methods))
            }
        };
        self.telemetry.answered(handler, response.status().as_u16());
        response
    }
}

fn route(method: &Method, path: &str) -> Call {
    match (path, method) {
        ("/api/queue/overview", &Method::GET | &Method::HEAD) => Call::Overview,
        ("/api/queue/overview", _) => Call::NotAllowed("GET, HEAD"),
        _ => Call::NotFound,
    }
}

/// Asks for the token in the way that makes a browser ask its user.
fn challenge() -> Response {
    let reason = "send the admin token as Bearer, or as the password of Basic";
    let mut response = response::error(StatusCode::UNAUTHORIZED, reason);
    let realm = HeaderValue::from_static("Basic realm=\"queueboard\", charset=\"UTF-8\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, realm);
    response
}

impl Admin {
    async fn overview(&self) -> Response {
        let budget = deadline::budget(None, std::time::Duration::ZERO);
        let board = self
            .exporter
            .board(Collector::ALL.to_vec(), Instant::now() + budget)
            .await;
        match overview::render(&board) {
            Some(overview) => response::json(StatusCode::OK, &overview),
            None => {
                let failed = board.outcomes.iter().filter(|outcome| !outcome.success);
                let failed: Vec<&str> = failed.map(|outcome| outcome.collector.as_str()).collect();
                let reason = format!("the database did not answer for: {}", failed.join(", "));
                response::error(StatusCode::SERVICE_UNAVAILABLE, &reason)
            }
        }
    }
}
