//! A request that changes something: what is checked before, and what is said after.

use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use hyper::{HeaderMap, StatusCode};
use tokio::time::timeout;

use crate::admin::action::{Action, Report};
use crate::admin::operator::{Failure, Operator};
use crate::admin::request;
use crate::snapshot::{Id, Scope};
use crate::telemetry::Telemetry;

use super::response::{self, Response};
use super::{Request, origin};

/// The largest body that is read, in bytes.
const MOST_BODY: usize = 64 << 10;

/// How long a client may take to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Does an action that a person asks for.
pub async fn answer(
    action: Action,
    actor: &str,
    request: Request,
    operator: &Operator,
    scope: &Scope,
    telemetry: &Telemetry,
) -> Response {
    let ids = match asked(request).await {
        Ok(ids) => ids,
        Err((status, reason)) => return response::error(status, &reason),
    };
    match operator.act(action, &ids, scope).await {
        Ok(report) => {
            record(&report, actor, telemetry);
            response::json(StatusCode::OK, &report.answer())
        }
        Err(failure) => {
            tracing::warn!(
                action = action.as_str(),
                ?actor,
                ?ids,
                reason = failure.reason(),
                "an action failed"
            );
            response::error(status(&failure), &failure.to_string())
        }
    }
}

/// Reads which rows are asked for, or says what is wrong with the request.
async fn asked(request: Request) -> Result<Vec<Id>, (StatusCode, String)> {
    let refuse = |status, reason: &str| Err((status, reason.to_owned()));
    let headers = request.headers();
    if origin::is_foreign(headers) {
        return refuse(
            StatusCode::FORBIDDEN,
            "another site asks for this: open the page itself",
        );
    }
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
            request::ids(&body.to_bytes()).map_err(|reason| (StatusCode::BAD_REQUEST, reason))
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

/// Says once, for good, who did what to which rows and what became of them.
fn record(report: &Report, actor: &str, telemetry: &Telemetry) {
    let action = report.action.as_str();
    for (outcome, ids) in report.by_outcome() {
        let (outcome, rows) = (outcome.as_str(), ids.len());
        telemetry.acted(action, outcome, rows as u64);
        tracing::info!(
            action,
            ?actor,
            outcome,
            rows,
            ?ids,
            "a person acted on failed rows"
        );
    }
}

fn status(failure: &Failure) -> StatusCode {
    match failure {
        Failure::Forbidden(_) | Failure::Hidden(_) => StatusCode::FORBIDDEN,
        Failure::ReadOnly(_) | Failure::Refused(_) => StatusCode::CONFLICT,
        Failure::Busy(_) | Failure::Unreachable(_) | Failure::Unknown(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
