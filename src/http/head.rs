//! What the head of every request must be before anybody looks at the request. Pure.

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, ORIGIN};

use super::origin::FETCH_SITE;

/// The headers that tell who asks whom for what. Of two, a proxy may have looked at the other one.
const SINGLE: [HeaderName; 5] = [HOST, AUTHORIZATION, ORIGIN, FETCH_SITE, CONTENT_TYPE];

/// Returns why a request cannot be answered, if it cannot.
pub fn refusal(headers: &HeaderMap) -> Option<String> {
    let is_repeated = |name: &HeaderName| headers.get_all(name).iter().nth(1).is_some();
    let name = SINGLE.into_iter().find(is_repeated)?;
    Some(format!(
        "the header {name} is there more than once: send one"
    ))
}
