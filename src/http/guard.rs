//! What is refused before a listener's service is asked.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{CONNECTION, HeaderName, HeaderValue};

use crate::config::web::Web;
use crate::telemetry::Telemetry;

use super::hosts::Hosts;
use super::response::{self, Response};
use super::web::LiveWeb;
use super::{Request, Service, head};

/// Said on a connection that could not have begun any more.
const CLOSED: &str = "TLS or client certificates are asked for since this connection began: open \
                      another";

/// A service, and what stands before it.
#[derive(Debug)]
pub struct Guard<S> {
    /// What answers the requests that are let through.
    pub service: S,
    /// The hosts to which it answers.
    pub hosts: Hosts,
    /// How it is reached.
    pub web: Arc<LiveWeb>,
    /// Where refusals are counted.
    pub telemetry: Arc<Telemetry>,
}

impl<S: Service> Guard<S> {
    /// Answers a request of a peer, on a connection that began under this web configuration.
    pub async fn answer(&self, request: Request, peer: IpAddr, begun: &Arc<Web>) -> Response {
        let mut response = match self.refusal(&request, begun) {
            None => self.service.answer(request, peer).await,
            Some((status, reason)) => {
                self.telemetry.answered("refused", status.as_u16());
                response::error(status, &reason)
            }
        };
        let web = self.web.current();
        add(&web.headers, &mut response);
        // Only a new handshake sees what TLS is by now.
        if !Arc::ptr_eq(&web, begun) {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        response
    }

    fn refusal(&self, request: &Request, begun: &Web) -> Option<(StatusCode, String)> {
        if self.web.current().closes(begun) {
            return Some((StatusCode::MISDIRECTED_REQUEST, CLOSED.to_owned()));
        }
        match head::host(request) {
            Err(reason) => Some((StatusCode::BAD_REQUEST, reason)),
            Ok(host) => {
                let reason = host.and_then(|host| self.hosts.refusal(&host));
                reason.map(|reason| (StatusCode::FORBIDDEN, reason))
            }
        }
    }
}

/// Adds the configured headers; one that an answer has already is stricter, being made for it.
fn add(headers: &[(HeaderName, HeaderValue)], response: &mut Response) {
    for (name, value) in headers {
        let header = response.headers_mut().entry(name.clone());
        header.or_insert_with(|| value.clone());
    }
}
