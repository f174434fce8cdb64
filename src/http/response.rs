//! Answers, each built in one way.

use http_body_util::Full;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::{Value, json};

/// An answer whose body is whole in memory.
pub type Response = hyper::Response<Full<Bytes>>;

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// Answers with a body of a content type; no answer of ours may be kept by a cache.
pub fn body(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let nosniff = HeaderName::from_static("x-content-type-options");
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(nosniff, HeaderValue::from_static("nosniff"));
    response
}

/// Answers with a page.
pub fn html(page: String) -> Response {
    body(StatusCode::OK, HTML, page)
}

/// Answers with a line of text.
pub fn text(status: StatusCode, line: &str) -> Response {
    body(status, TEXT, format!("{line}\n"))
}

/// Answers with JSON.
pub fn json(status: StatusCode, value: &Value) -> Response {
    body(status, JSON, value.to_string())
}

/// Answers with the reason of a refusal, as JSON.
pub fn error(status: StatusCode, reason: &str) -> Response {
    json(status, &json!({ "error": reason }))
}

/// Adds the methods that the path does have.
pub fn allowing(mut response: Response, methods: &'static str) -> Response {
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(methods));
    response
}
