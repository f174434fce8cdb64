//! Answers, packed for those who take them so.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt, Full};
use hyper::HeaderMap;
use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderName, HeaderValue, VARY};

use super::negotiate;
use super::response::Response;

/// A body shorter than this, in bytes, is sent as it is.
const MIN_PACKED: usize = 1 << 10;

/// How a client takes a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As it is.
    None,
    /// By gzip.
    Gzip,
}

impl Packing {
    /// Returns what the headers of a request ask for.
    pub fn asked(headers: &HeaderMap) -> Self {
        match negotiate::gzip(&list(headers, &ACCEPT_ENCODING)) {
            true => Self::Gzip,
            false => Self::None,
        }
    }

    /// Packs an answer's body, and says in its headers what it depends on.
    pub async fn pack(self, response: Response) -> Response {
        let (mut head, body) = response.into_parts();
        let Ok(body) = body.collect().await;
        let mut body = body.to_bytes();
        let vary = head.headers.entry(VARY);
        vary.or_insert(HeaderValue::from_static("accept-encoding"));
        if self == Self::Gzip
            && body.len() >= MIN_PACKED
            && let Some(packed) = gzip(&body)
        {
            let coding = HeaderValue::from_static("gzip");
            head.headers.insert(CONTENT_ENCODING, coding);
            body = packed.into();
        }
        Response::from_parts(head, Full::new(body))
    }
}

fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

/// Returns a header's whole list, however many lines it was sent in.
pub(super) fn list(headers: &HeaderMap, name: &HeaderName) -> String {
    let lines = headers
        .get_all(name)
        .iter()
        .filter_map(|line| line.to_str().ok());
    lines.collect::<Vec<_>>().join(",")
}
