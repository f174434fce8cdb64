//! The admin listener: nothing on it is answered without the token.
//!
//! * `GET /` -- the failures page, with `/page.css` and `/page.js`
//! * `GET /api/queue/overview` -- the whole board as JSON
//! * `GET /api/queue/failed` -- the failed rows as JSON, a page at a time
//! * `GET /api/queue/failed/{id}` -- one of them, with its whole error
//! * `POST /api/queue/retry`, `POST /api/queue/skip` -- acts on failed rows
//! * `GET /api/queue/actions` -- the latest of these, and `…/{number}` one of them
//! * `POST /api/queue/actions/{number}/stop`, `…/undo` -- ends it, or takes it back
//! * `POST /-/reload` -- reads the configuration files again

mod call;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::{HeaderMap, Method, StatusCode};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::admin::request::cursor;
use crate::admin::request::link::Link;
use crate::admin::runs::Runs;
use crate::exporter::Exporter;
use crate::judge::Board;
use crate::render;
use crate::snapshot::Collector;
use crate::telemetry::Telemetry;

use super::credentials::{self, Token};
use super::external::External;
use super::guesses::Guesses;
use super::lists::Lists;
use super::packing::Packing;
use super::proxies::Proxies;
use super::reload::Reload;
use super::response::{self, Response};
use super::{Request, Service, act, actions, deadline, failed, origin};
use call::{Call, OfAction};

/// The header by which the page's script is known when it refreshes.
const OF_SCRIPT: &str = "x-requested-with";

/// Serves people.
#[derive(Debug)]
pub struct Admin {
    /// What is shown.
    pub exporter: watch::Receiver<Arc<Exporter>>,
    /// Which system it is of.
    pub name: String,
    /// Where it is reached.
    pub external: External,
    /// What people asked for.
    pub runs: Arc<Runs>,
    /// The exporter's own numbers.
    pub telemetry: Arc<Telemetry>,
    /// What opens the listener.
    pub token: watch::Receiver<Arc<Token>>,
    /// Who sent wrong tokens.
    pub guesses: Guesses,
    /// Who may say for whom a request is.
    pub proxies: Proxies,
    /// What reads the configuration again.
    pub reload: Reload,
    /// Where lists of failed rows take their turn.
    pub lists: Lists,
}

impl Service for Admin {
    async fn answer(&self, request: Request, peer: IpAddr) -> Response {
        let user = match self.admit(request.headers(), peer) {
            Ok(user) => user,
            Err(refusal) => {
                self.telemetry
                    .answered("unauthorized", refusal.status().as_u16());
                return *refusal;
            }
        };
        let person = self.proxies.person(peer, request.headers());
        let actor = person.unwrap_or(user);
        let (call, path) = self.find(request.method(), request.uri().path());
        let query = request.uri().query().unwrap_or_default();
        let packing = Packing::asked(request.headers());
        // The request ends with the pipeline that it began with, whatever is reloaded meanwhile.
        let exporter = Arc::clone(&self.exporter.borrow());
        let foreign = origin::refusal(request.headers(), &self.external);
        let response = match call {
            Call::Act(_) | Call::OfAction(_, OfAction::Stop | OfAction::Undo) | Call::Reload
                if let Some(reason) = foreign =>
            {
                response::error(StatusCode::FORBIDDEN, &reason)
            }
            Call::Entrance => response::moved(&self.external.root()),
            Call::Page => self.lists.build(self.page(&exporter, query)).await,
            Call::Style => response::css(render::page::CSS),
            Call::Script => response::script(render::page::SCRIPT),
            Call::Overview => overview(&exporter).await,
            Call::Failed => self.lists.build(failed::list(&exporter, query)).await,
            Call::FailedRow => self.lists.build(failed::row(&exporter, path)).await,
            Call::Act(action) => act::answer(action, &actor, request, exporter, &self.runs).await,
            Call::Actions => actions::recent(&self.runs),
            Call::OfAction(number, of_action) => match of_action {
                OfAction::Look => actions::look(&self.runs, number, &exporter).await,
                OfAction::Stop => actions::stop(&self.runs, number, &actor),
                OfAction::Undo => actions::undo(&self.runs, number, &actor, exporter).await,
            },
            Call::Reload => self.reload(&actor).await,
            Call::NotFound => response::error(StatusCode::NOT_FOUND, "there is no such call"),
            Call::NotAllowed(methods) => {
                let reason = format!("wrong method: use {methods}");
                let refusal = response::error(StatusCode::METHOD_NOT_ALLOWED, &reason);
                response::allowing(refusal, methods)
            }
        };
        self.telemetry
            .answered(call.handler(), response.status().as_u16());
        packing.pack(response).await
    }
}

fn guessing(wait: Duration) -> Response {
    let reason = "too many wrong tokens came from this address; try again later";
    let refusal = response::error(StatusCode::TOO_MANY_REQUESTS, reason);
    response::retry_after(refusal, wait)
}

fn unauthorized(headers: &HeaderMap) -> Response {
    let reason = "send the admin token as Bearer, or as the password of Basic";
    let refusal = response::error(StatusCode::UNAUTHORIZED, reason);
    if headers.contains_key(OF_SCRIPT) {
        response::challenge_script(refusal)
    } else {
        response::challenge(refusal)
    }
}

impl Admin {
    /// Returns whom a request's token lets in, or the answer to whom it does not.
    fn admit(&self, headers: &HeaderMap, peer: IpAddr) -> Result<String, Box<Response>> {
        let authorization = credentials::sent(headers);
        let client = self.proxies.client(peer, headers).into();
        if authorization.is_some()
            && let Some(wait) = self.guesses.refuse(client)
        {
            return Err(Box::new(guessing(wait)));
        }
        let token = Arc::clone(&self.token.borrow());
        if let Some(user) = token.actor(authorization) {
            return Ok(user);
        }
        if authorization.is_some() {
            self.guesses.note(client);
        }
        Err(Box::new(unauthorized(headers)))
    }

    /// Finds what a path leads to, and the path as this listener knows it.
    fn find<'a>(&self, method: &Method, path: &'a str) -> (Call, &'a str) {
        let is_known = |path: &str| Call::of(method, path) != Call::NotFound;
        let path = self.external.inside(path, is_known);
        (Call::of(method, path), path)
    }

    async fn reload(&self, actor: &str) -> Response {
        tracing::info!(?actor, "a person asks for a reload");
        match self.reload.ask().await {
            Ok(()) => response::json(StatusCode::OK, &json!({ "reloaded": true })),
            Err(reason) => response::error(StatusCode::INTERNAL_SERVER_ERROR, &reason),
        }
    }

    async fn page(&self, exporter: &Exporter, query: &str) -> Response {
        let mut link = Link::read(query);
        let cause = link.filter.cause.clone();
        let question = link.question(exporter.pipeline());
        let (board, mut failures, recent) = tokio::join!(
            board(exporter),
            exporter.failures(&question, cause.as_deref()),
            actions::on_page(&self.runs, exporter),
        );
        // When a page has been emptied, what is left stands on the one before.
        while failures.as_ref().is_ok_and(|page| page.items.is_empty())
            && link.cursors.pop().is_some()
        {
            let question = link.question(exporter.pipeline());
            failures = exporter.failures(&question, cause.as_deref()).await;
        }
        if let Err(error) = &failures {
            tracing::warn!(error = error.reason(), "reading the failed rows failed");
        }
        let failures = failures.ok();
        let next = failures
            .as_ref()
            .and_then(|failures| failures.next.as_ref())
            .map(cursor);
        response::page(render::page::render(&render::page::View {
            name: &self.name,
            board: &board,
            failures: failures.as_ref(),
            filter: &link.filter,
            cursors: &link.cursors,
            next: next.as_deref(),
            recent: &recent,
        }))
    }
}

async fn board(exporter: &Exporter) -> Board {
    let budget = deadline::budget(None, Duration::ZERO);
    exporter
        .board(Collector::ALL.to_vec(), Instant::now() + budget)
        .await
}

async fn overview(exporter: &Exporter) -> Response {
    let board = board(exporter).await;
    match render::overview::render(&board) {
        Some(overview) => response::json(StatusCode::OK, &overview),
        None => {
            let failed = board.outcomes.iter().filter(|outcome| !outcome.success);
            let failed: Vec<&str> = failed.map(|outcome| outcome.collector.as_str()).collect();
            let reason = format!("the database did not answer for: {}", failed.join(", "));
            response::error(StatusCode::SERVICE_UNAVAILABLE, &reason)
        }
    }
}
