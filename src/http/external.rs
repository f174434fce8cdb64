//! Where a listener is reached, which is elsewhere than where it listens when a proxy stands
//! before it. Pure.

use std::str::FromStr;

use url::{Host, Url};

/// The URL of a listener as its visitors know it; by default the one that they ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct External {
    origin: Option<String>,
    host: Option<Host>,
    /// Without a slash at its end.
    path: String,
}

impl External {
    /// Returns whether a page of this origin, as a browser writes it, is the listener's own.
    pub fn is_origin(&self, origin: &str) -> bool {
        self.origin.as_deref() == Some(origin)
    }

    /// Returns the host of the URL.
    pub fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// Returns the path of what the listener itself has at `/`.
    pub fn root(&self) -> String {
        format!("{}/", self.path)
    }

    /// Returns a request's path without that of the URL: some proxies take it off, others do not.
    /// What is known as it is stays as it is; nothing is left where the slash at the end is missing.
    pub fn inside<'a>(&self, path: &'a str, is_known: impl Fn(&str) -> bool) -> &'a str {
        if is_known(path) {
            return path;
        }
        let rest = path.strip_prefix(&self.path);
        let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with('/'));
        rest.unwrap_or(path)
    }
}

impl FromStr for External {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refusal = "it is no address such as https://ops.example/queueboard/";
        let url = Url::parse(text).ok().filter(is_plain).ok_or(refusal)?;
        Ok(Self {
            origin: Some(url.origin().ascii_serialization()),
            host: url.host().map(|host| host.to_owned()),
            path: url.path().trim_end_matches('/').to_owned(),
        })
    }
}

/// Whether it names a place for browsers, and nothing beyond.
fn is_plain(url: &Url) -> bool {
    let is_web = matches!(url.scheme(), "http" | "https");
    let has_user = !url.username().is_empty() || url.password().is_some();
    is_web && !has_user && url.query().is_none() && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn external(url: &str) -> External {
        url.parse().expect(url)
    }

    #[test]
    fn an_origin_is_what_a_browser_calls_it() {
        for (url, origin) in [
            ("https://ops.example/queueboard/", "https://ops.example"),
            ("https://OPS.example:443", "https://ops.example"),
            ("http://ops.example:8080/a/b", "http://ops.example:8080"),
            ("http://[::1]/", "http://[::1]"),
            ("http://문서.example/", "http://xn--z92bu1i.example"),
        ] {
            assert!(external(url).is_origin(origin), "{:?}", external(url));
            assert!(!external(url).is_origin("https://evil.example"), "{url}");
        }
        assert!(!External::default().is_origin("null"));
        assert!(!External::default().is_origin(""));
    }

    #[test]
    fn a_path_is_the_same_with_and_without_that_of_the_url() {
        let inside = |url: &str, path| {
            external(url)
                .inside(path, |path| path == "/metrics")
                .to_owned()
        };
        for (path, rest) in [
            ("/a/b/metrics", "/metrics"),
            ("/a/b/", "/"),
            ("/a/b", ""),
            ("/a/bc", "/a/bc"),
            ("/metrics", "/metrics"),
            ("/", "/"),
        ] {
            assert_eq!(inside("http://x/a/b/", path), rest);
            assert_eq!(inside("http://x/a/b", path), rest);
        }
        // What has a meaning already keeps it.
        assert_eq!(inside("http://x/metrics", "/metrics"), "/metrics");
        assert_eq!(inside("http://x/metrics", "/metrics/metrics"), "/metrics");
        assert_eq!(inside("http://x", "/a"), "/a");
        assert_eq!(External::default().inside("/a", |_| false), "/a");
        assert_eq!(external("http://x/a").root(), "/a/");
        assert_eq!(external("http://x").root(), "/");
    }

    #[test]
    fn what_is_no_place_for_browsers_is_refused() {
        for text in [
            "",
            "/queueboard",
            "ops.example",
            "ftp://ops.example",
            "https://",
            "https://kim@ops.example/",
            "https://ops.example/?a",
            "https://ops.example/#a",
        ] {
            assert!(External::from_str(text).is_err(), "{text}");
        }
    }
}
