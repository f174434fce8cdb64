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

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::AUTHORIZATION;
use hyper::{HeaderMap, Method, StatusCode};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::admin::action::Action;
use crate::admin::request::link::Link;
use crate::admin::request::{FailedRequest, cursor, id_in_path};
use crate::admin::runs::Runs;
use crate::collect::failed::FailedError;
use crate::exporter::Exporter;
use crate::judge::Board;
use crate::render;
use crate::snapshot::Collector;
use crate::telemetry::Telemetry;

use super::credentials::Token;
use super::external::External;
use super::lists::Lists;
use super::packing::Packing;
use super::proxies::Proxies;
use super::reload::Reload;
use super::response::{self, Response};
use super::{Request, Service, act, actions, deadline, origin};

/// The header by which the page's script is known when it refreshes.
const OF_SCRIPT: &str = "x-requested-with";

/// What stands before the id of a failed row.
const FAILED_ROW: &str = "/api/queue/failed/";

/// Where the latest actions are.
const ACTIONS: &str = "/api/queue/actions";

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
    /// Who may say for whom a request is.
    pub proxies: Option<Proxies>,
    /// What reads the configuration again.
    pub reload: Reload,
    /// Where lists of failed rows take their turn.
    pub lists: Lists,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Entrance,
    Page,
    Style,
    Script,
    Overview,
    Failed,
    FailedRow,
    Act(Action),
    Actions,
    OfAction(u64, OfAction),
    Reload,
    NotFound,
    NotAllowed(&'static str),
}

/// What is asked of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OfAction {
    Look,
    Stop,
    Undo,
}

impl Call {
    fn handler(self) -> &'static str {
        match self {
            Self::Entrance | Self::Page => "page",
            Self::Style | Self::Script => "page_part",
            Self::Overview => "overview",
            Self::Failed => "failed",
            Self::FailedRow => "failed_row",
            Self::Act(action) => action.as_str(),
            Self::Actions | Self::OfAction(_, OfAction::Look) => "actions",
            Self::OfAction(_, OfAction::Stop) => "stop",
            Self::OfAction(_, OfAction::Undo) => "undo",
            Self::Reload => "reload",
            Self::NotFound => "not_found",
            Self::NotAllowed(_) => "not_allowed",
        }
    }
}

impl Service for Admin {
    async fn answer(&self, request: Request, peer: IpAddr) -> Response {
        let authorization = request.headers().get(AUTHORIZATION);
        let authorization = authorization.and_then(|value| value.to_str().ok());
        let token = Arc::clone(&self.token.borrow());
        let Some(user) = token.actor(authorization) else {
            self.telemetry
                .answered("unauthorized", StatusCode::UNAUTHORIZED.as_u16());
            return unauthorized(request.headers());
        };
        let proxies = self.proxies.as_ref();
        let person = proxies.and_then(|proxies| proxies.person(peer, request.headers()));
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
            Call::Failed => self.lists.build(failed(&exporter, query)).await,
            Call::FailedRow => {
                let row = failed_row(&exporter, path);
                self.lists.build(row).await
            }
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

fn route(method: &Method, path: &str) -> Call {
    let (call, methods) = match path {
        "" => (Call::Entrance, "GET, HEAD"),
        "/" => (Call::Page, "GET, HEAD"),
        "/page.css" => (Call::Style, "GET, HEAD"),
        "/page.js" => (Call::Script, "GET, HEAD"),
        "/api/queue/overview" => (Call::Overview, "GET, HEAD"),
        "/api/queue/failed" => (Call::Failed, "GET, HEAD"),
        path if path.starts_with(FAILED_ROW) => (Call::FailedRow, "GET, HEAD"),
        "/api/queue/retry" => (Call::Act(Action::Retry), "POST"),
        "/api/queue/skip" => (Call::Act(Action::Skip), "POST"),
        "/-/reload" => (Call::Reload, "POST, PUT"),
        ACTIONS => (Call::Actions, "GET, HEAD"),
        path if path.starts_with(ACTIONS) => match of_action(&path[ACTIONS.len()..]) {
            Some((number, OfAction::Look)) => (Call::OfAction(number, OfAction::Look), "GET, HEAD"),
            Some((number, change)) => (Call::OfAction(number, change), "POST"),
            None => return Call::NotFound,
        },
        _ => return Call::NotFound,
    };
    let is_allowed = methods
        .split(", ")
        .any(|allowed| allowed == method.as_str());
    if is_allowed {
        call
    } else {
        Call::NotAllowed(methods)
    }
}

/// Reads what stands after the place of the actions: `/7`, `/7/stop` or `/7/undo`.
fn of_action(path: &str) -> Option<(u64, OfAction)> {
    let mut parts = path.strip_prefix('/')?.split('/');
    let number = parts.next()?.parse().ok()?;
    let of_action = match (parts.next(), parts.next()) {
        (None, None) => OfAction::Look,
        (Some("stop"), None) => OfAction::Stop,
        (Some("undo"), None) => OfAction::Undo,
        _ => return None,
    };
    Some((number, of_action))
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
    /// Finds what a path leads to, and the path as this listener knows it.
    fn find<'a>(&self, method: &Method, path: &'a str) -> (Call, &'a str) {
        let is_known = |path: &str| route(method, path) != Call::NotFound;
        let path = self.external.inside(path, is_known);
        (route(method, path), path)
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

async fn failed(exporter: &Exporter, query: &str) -> Response {
    let request = match FailedRequest::parse(query, exporter.pipeline()) {
        Ok(request) => request,
        Err(reason) => return response::error(StatusCode::BAD_REQUEST, &reason),
    };
    let question = request.question(exporter.pipeline());
    match exporter
        .failures(&question, request.filter.cause.as_deref())
        .await
    {
        Ok(failures) => {
            let next = failures.next.as_ref().map(cursor);
            response::json(
                StatusCode::OK,
                &render::failed::render(&failures, next.as_deref()),
            )
        }
        Err(error) => unread(&error),
    }
}

async fn failed_row(exporter: &Exporter, path: &str) -> Response {
    let missing = || response::error(StatusCode::NOT_FOUND, "no failed row has this id");
    let Some(id) = path.strip_prefix(FAILED_ROW).and_then(id_in_path) else {
        return missing();
    };
    match exporter.failure(&id).await {
        Ok(Some(failure)) => response::json(StatusCode::OK, &render::failed::item(&failure)),
        Ok(None) => missing(),
        Err(error) => unread(&error),
    }
}

/// Says that rows could not be read.
pub(super) fn unread(error: &FailedError) -> Response {
    tracing::warn!(error = error.reason(), "reading the failed rows failed");
    let reason = "the failed rows could not be read; the exporter's log has the reason";
    response::error(StatusCode::SERVICE_UNAVAILABLE, reason)
}
