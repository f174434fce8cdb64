//! Whether another site made a browser send a request: a browser adds credentials that it was
//! once given to whatever any page makes it send. Pure.

use hyper::HeaderMap;
use hyper::header::{HOST, HeaderName, ORIGIN};

use super::external::External;

/// The header by which a browser says whose page asks.
pub const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Returns why a request is taken to come from another site, if it is.
///
/// A browser of today says so itself. An older one names the origin, which then must be the host
/// asked, or the one where the listener is known to be reached. What says neither is no browser.
pub fn refusal(headers: &HeaderMap, external: &External) -> Option<String> {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = text(&FETCH_SITE);
    let origin = text(&ORIGIN);
    let host = text(&HOST).unwrap_or("an unknown host");
    let sent = format!(
        "a page of {} sent this to {}, which is another site",
        short(origin.unwrap_or("an unknown site")),
        short(host)
    );
    match (site, origin) {
        (Some("same-origin" | "none"), _) | (None, None) => None,
        (Some(_), _) => Some(format!("{sent}: open the page itself")),
        (None, Some(origin)) if external.is_origin(origin) || is_of(origin, host) => None,
        (None, Some(_)) => Some(format!(
            "{sent}; where a proxy stands between the two, set --web.external-url to the address of \
             the page"
        )),
    }
}

fn is_of(origin: &str, host: &str) -> bool {
    let of_origin = origin.split_once("://").map(|(_, host)| host);
    of_origin == Some(host)
}

/// Nobody needs to read the whole of what they sent.
fn short(text: &str) -> String {
    text.chars().take(100).collect()
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
            let refusal = refusal(&map, &External::default());
            assert_eq!(refusal.is_some(), foreign, "{headers:?}: {refusal:?}");
        }
    }

    #[test]
    fn a_page_behind_a_proxy_is_our_own() {
        let external = "http://ops.example/queueboard/".parse().expect("a URL");
        for (headers, foreign) in [
            (vec![("origin", "http://ops.example")], false),
            (vec![("origin", "http://127.0.0.1:9887")], false),
            (vec![("origin", "https://ops.example")], true),
            (vec![("origin", "http://ops.example:81")], true),
            (vec![("origin", "http://ops.example.evil")], true),
            (
                vec![
                    ("origin", "http://ops.example"),
                    ("sec-fetch-site", "cross-site"),
                ],
                true,
            ),
        ] {
            let mut map = HeaderMap::new();
            map.insert(HOST, "127.0.0.1:9887".parse().expect("a value"));
            for (name, value) in &headers {
                map.insert(*name, value.parse().expect("a value"));
            }
            let refusal = refusal(&map, &external);
            assert_eq!(refusal.is_some(), foreign, "{headers:?}: {refusal:?}");
        }
    }

    #[test]
    fn a_refusal_names_both_hosts_and_the_way_out() {
        let mut map = HeaderMap::new();
        map.insert(HOST, "127.0.0.1:9887".parse().expect("a value"));
        map.insert(ORIGIN, "http://ops.example".parse().expect("a value"));
        let said = refusal(&map, &External::default()).expect("a refusal");
        for words in ["http://ops.example", "127.0.0.1:9887", "--web.external-url"] {
            assert!(said.contains(words), "{said}");
        }
        map.insert(FETCH_SITE, "cross-site".parse().expect("a value"));
        let said = refusal(&map, &External::default()).expect("a refusal");
        assert!(
            said.contains("http://ops.example") && !said.contains("--web"),
            "{said}"
        );
    }
}
