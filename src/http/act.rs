//! A request that changes something: what is checked before, and what is said after.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use hyper::{HeaderMap, StatusCode};
use tokio::time::timeout;

use crate::admin::action::Action;
use crate::admin::operator::Failure;
use crate::admin::plan::Plan;
use crate::admin::request::order::{Matching, Order};
use crate::admin::run::{Asked, End, Run};
use crate::admin::runs::{Refusal, Runs};
use crate::collect::failed::FailedError;
use crate::config::Pipeline;
use crate::exporter::Exporter;
use crate::render;
use crate::snapshot::Selection;

use super::Request;
use super::failed::unread;
use super::response::{self, Response};

/// The largest body that is read, in bytes.
const MOST_BODY: usize = 64 << 10;

/// How long a client may take to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Does an action that a person asks for.
pub async fn answer(
    action: Action,
    actor: &str,
    request: Request,
    exporter: Arc<Exporter>,
    runs: &Arc<Runs>,
) -> Response {
    let order = match order(request, exporter.pipeline()).await {
        Ok(order) => order,
        Err((status, reason)) => return response::error(status, &reason),
    };
    let (asked, found) = match order {
        Order::Ids(ids) => (Asked::Ids(action, ids), Selection::default()),
        Order::Matching(matching) => {
            let selection = match select(&exporter, &matching).await {
                Ok(selection) => selection,
                Err(error) => return unread(&error),
            };
            let plan = Plan::new(action, &matching, &selection);
            if matching.dry_run {
                return response::json(StatusCode::OK, &render::actions::plan(&plan));
            }
            if let Some(expected) = matching.expected
                && !matching.is_expected(plan.matching)
            {
                let refusal = render::actions::unexpected(&plan, expected);
                return response::json(StatusCode::CONFLICT, &refusal);
            }
            (Asked::Matching(action, Box::new(matching)), selection)
        }
    };
    match runs.begin(asked, found, actor, exporter) {
        Ok(run) => told(&run).await,
        Err(refusal) => refused(&refusal),
    }
}

/// Finds the rows that have something in common, and the first of them that are acted on.
async fn select(exporter: &Exporter, matching: &Matching) -> Result<Selection, FailedError> {
    let question = matching.filter.question(exporter.pipeline());
    let at_once = matching.per_minute.unwrap_or(matching.limit);
    let most = if matching.dry_run {
        0
    } else {
        at_once.min(matching.limit)
    };
    exporter
        .select(&question, matching.filter.cause.as_deref(), most)
        .await
}

/// Tells what became of a run when it has ended; of a long one, that it has begun.
pub async fn told(run: &Run) -> Response {
    if run.is_long() {
        return response::json(StatusCode::ACCEPTED, &render::actions::run(run));
    }
    run.ended().await;
    let end = run.state().end.clone();
    match end {
        Some(End::Failed(failure)) => response::error(status(&failure), &failure.to_string()),
        _ => response::json(StatusCode::OK, &render::actions::answer(run)),
    }
}

/// Says why a run was not begun.
pub fn refused(refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::Unknown => StatusCode::NOT_FOUND,
        Refusal::Full => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::CONFLICT,
    };
    response::error(status, &refusal.to_string())
}

/// Reads which rows are asked for, or says what is wrong with the request.
async fn order(request: Request, pipeline: &Pipeline) -> Result<Order, (StatusCode, String)> {
    let refuse = |status, reason: &str| Err((status, reason.to_owned()));
    let headers = request.headers();
    if !is_json(headers) {
        let reason = "content-type: send application/json";
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason);
    }
    let too_large = "the body is larger than 64 KiB: name fewer rows";
    if announced(headers).is_some_and(|length| length > MOST_BODY as u64) {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, too_large);
    }
    let body = Limited::new(request.into_body(), MOST_BODY).collect();
    match timeout(BODY_TIMEOUT, body).await {
        Ok(Ok(body)) => {
            let order = Order::parse(&body.to_bytes(), pipeline);
            order.map_err(|reason| (StatusCode::BAD_REQUEST, reason))
        }
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            refuse(StatusCode::PAYLOAD_TOO_LARGE, too_large)
        }
        Ok(Err(_)) => refuse(
            StatusCode::BAD_REQUEST,
            "the body could not be read to its end",
        ),
        Err(_) => refuse(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn status(failure: &Failure) -> StatusCode {
    match failure {
        Failure::Forbidden(_) | Failure::Hidden(_) => StatusCode::FORBIDDEN,
        Failure::ReadOnly(_) | Failure::Refused(_) => StatusCode::CONFLICT,
        Failure::Busy(..) | Failure::Unreachable(_) | Failure::Unknown(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
