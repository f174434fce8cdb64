//! The failed rows, a page at a time or one by itself.

use hyper::StatusCode;

use crate::admin::request::{FailedRequest, cursor, id_in_path};
use crate::collect::failed::FailedError;
use crate::exporter::Exporter;
use crate::render;

use super::response::{self, Response};

/// What stands before the id of a failed row.
pub const ROW: &str = "/api/queue/failed/";

/// Answers a page of failed rows.
pub async fn list(exporter: &Exporter, query: &str) -> Response {
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

/// Answers one failed row with its whole error.
pub async fn row(exporter: &Exporter, path: &str) -> Response {
    let missing = || response::error(StatusCode::NOT_FOUND, "no failed row has this id");
    let Some(id) = path.strip_prefix(ROW).and_then(id_in_path) else {
        return missing();
    };
    match exporter.failure(&id).await {
        Ok(Some(failure)) => response::json(StatusCode::OK, &render::failed::item(&failure)),
        Ok(None) => missing(),
        Err(error) => unread(&error),
    }
}

/// Says that rows could not be read.
pub fn unread(error: &FailedError) -> Response {
    tracing::warn!(error = error.reason(), "reading the failed rows failed");
    let reason = "the failed rows could not be read; the exporter's log has the reason";
    response::error(StatusCode::SERVICE_UNAVAILABLE, reason)
}
