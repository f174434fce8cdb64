//! Answers, each built in one way.

use std::time::Duration;

use http_body_util::Full;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE,
};
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

/// Answers with a page that may load and call nothing but this listener, and be framed by nobody.
pub fn page(page: String) -> Response {
    let mut response = html(page);
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
         img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, policy);
    response
        .headers_mut()
        .insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Answers with a page's style.
pub fn css(text: &'static str) -> Response {
    body(StatusCode::OK, "text/css; charset=utf-8", text)
}

/// Answers with a page's script.
pub fn script(text: &'static str) -> Response {
    body(StatusCode::OK, "text/javascript; charset=utf-8", text)
}

/// Answers with a line of text.
pub fn text(status: StatusCode, line: &str) -> Response {
    body(status, TEXT, format!("{line}\n"))
}

/// Answers with JSON.
pub fn json(status: StatusCode, value: &Value) -> Response {
    body(status, JSON, format!("{value}\n"))
}

/// Answers with the reason of a refusal, as JSON.
pub fn error(status: StatusCode, reason: &str) -> Response {
    json(status, &json!({ "error": reason }))
}

/// Asks for credentials in the way that makes a browser ask its user.
pub fn challenge(mut response: Response) -> Response {
    let realm = HeaderValue::from_static("Basic realm=\"queueboard\", charset=\"UTF-8\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, realm);
    response
}

/// Asks for credentials in a way that makes no browser ask its user: a script says it better.
pub fn challenge_script(mut response: Response) -> Response {
    let realm = HeaderValue::from_static("Bearer realm=\"queueboard\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, realm);
    response
}

/// Adds how long it is sensible to wait before asking again, in whole seconds.
pub fn retry_after(mut response: Response, wait: Duration) -> Response {
    let seconds = HeaderValue::from(wait.as_secs_f64().ceil() as u64);
    response.headers_mut().insert(RETRY_AFTER, seconds);
    response
}

/// Answers that something is at another path.
pub fn moved(path: &str) -> Response {
    let mut response = text(StatusCode::PERMANENT_REDIRECT, path);
    if let Ok(location) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// Adds the methods that the path does have.
pub fn allowing(mut response: Response, methods: &'static str) -> Response {
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(methods));
    response
}
