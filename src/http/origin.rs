//! Whether another site made a browser send a request: a browser adds credentials that it was
//! once given to whatever any page makes it send. Pure.

use hyper::HeaderMap;
use hyper::header::{HOST, HeaderName, ORIGIN};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Returns whether a request comes from another site.
///
/// A browser of today says so itself. An older one names the origin, which then must be the host
/// asked. What says neither is no browser.
pub fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match (text(&FETCH_SITE), text(&ORIGIN)) {
        (Some(site), _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_none() || host != text(&HOST)
        }
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_site_is_told_from_our_own_page() {
        for (headers, foreign) in [
            (vec![], false),
            (vec![("sec-fetch-site", "same-origin")], false),
            (vec![("sec-fetch-site", "none")], false),
            (vec![("sec-fetch-site", "same-site")], true),
            (vec![("sec-fetch-site", "cross-site")], true),
            (
                vec![
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "http://board:9887"),
                ],
                true,
            ),
            (
                vec![
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "https://proxy"),
                ],
                false,
            ),
            (vec![("origin", "http://board:9887")], false),
            (vec![("origin", "http://board:9888")], true),
            (vec![("origin", "http://evil")], true),
            (vec![("origin", "null")], true),
            (vec![("origin", "")], true),
        ] {
            let mut map = HeaderMap::new();
            map.insert(HOST, "board:9887".parse().expect("a value"));
            for (name, value) in &headers {
                map.insert(*name, value.parse().expect("a value"));
            }
            assert_eq!(is_foreign(&map), foreign, "{headers:?}");
        }
    }
}
