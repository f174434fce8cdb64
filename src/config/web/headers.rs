//! The section `http_server_config`: headers that every answer has.

use std::collections::BTreeMap;

use hyper::header::{HeaderName, HeaderValue};
use serde::Deserialize;

use crate::config::file::Name;
use crate::config::validate::Refusal;

/// The headers that exporters let their users set, and the values that some are limited to.
const ALLOWED: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Section {
    http2: Option<bool>,
    headers: Option<BTreeMap<String, Name>>,
}

/// Checks the section, and returns its headers.
pub(super) fn headers(section: &Section) -> Result<Vec<(HeaderName, HeaderValue)>, Refusal> {
    if section.http2 == Some(true) {
        // It permits HTTP/2, and a client that may use it may also use what we offer.
        tracing::info!("http2: only HTTP/1.1 is served, whatever the web configuration permits");
    }
    let headers = section.headers.iter().flatten();
    let set = headers.filter(|(_, value)| !value.value.is_empty());
    set.map(|(name, value)| header(name, value)).collect()
}

fn header(name: &str, value: &Name) -> Result<(HeaderName, HeaderValue), Refusal> {
    let refuse = |reason: String| Refusal::at(value, reason);
    let Some((_, values)) = ALLOWED.iter().find(|(allowed, _)| *allowed == name) else {
        let names = ALLOWED.map(|(name, _)| name).join(", ");
        return Err(refuse(format!(
            "header `{name}` cannot be set, only {names}"
        )));
    };
    if !values.is_empty() && !values.contains(&value.value.as_str()) {
        let values = values.join(" or ");
        return Err(refuse(format!("header `{name}` can only be {values}")));
    }
    let header = HeaderName::try_from(name).ok();
    let text = HeaderValue::from_str(&value.value).ok();
    header
        .zip(text)
        .ok_or_else(|| refuse(format!("header `{name}`: its value cannot be sent")))
}
