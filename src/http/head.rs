//! What the head of every request must be before anybody looks at the request. Pure.

use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, ORIGIN};
use hyper::{Request, Version};
use url::Host;

use super::host;
use super::origin::FETCH_SITE;

/// The headers that tell who asks whom for what. Of two, a proxy may have looked at the other one.
const SINGLE: [HeaderName; 5] = [HOST, AUTHORIZATION, ORIGIN, FETCH_SITE, CONTENT_TYPE];

/// Returns the host that a request is for, if it names one.
///
/// # Errors
///
/// Why the request cannot be answered.
pub fn host<B>(request: &Request<B>) -> Result<Option<Host>, String> {
    let headers = request.headers();
    let is_repeated = |name: &HeaderName| headers.get_all(name).iter().nth(1).is_some();
    if let Some(name) = SINGLE.into_iter().find(is_repeated) {
        return Err(format!(
            "the header {name} is there more than once: send one"
        ));
    }
    let named = headers.get(HOST);
    if named.is_none() && request.version() >= Version::HTTP_11 {
        return Err("the header host is missing, which HTTP/1.1 asks for".to_owned());
    }
    let named = named.map(|value| read(value.to_str().unwrap_or_default()));
    // The header must be sound even where the target itself names a host, which then counts.
    let named = named.transpose()?;
    match request.uri().authority() {
        Some(authority) => read(authority.as_str()).map(Some),
        None => Ok(named),
    }
}

fn read(authority: &str) -> Result<Host, String> {
    let host = host::parse(authority);
    host.ok_or_else(|| "the host is none such as localhost:9886 or [::1]".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(version: Version, target: &str, hosts: &[&str]) -> Result<Option<String>, String> {
        let request = Request::builder().version(version).uri(target);
        let request = hosts
            .iter()
            .fold(request, |request, host| request.header(HOST, *host));
        let host = host(&request.body(()).expect("a request"))?;
        Ok(host.map(|host| host.to_string()))
    }

    #[test]
    fn the_host_is_that_of_the_target_or_of_the_header() {
        for (target, hosts, host) in [
            ("/", &["board:9886"][..], "board"),
            ("http://target/metrics", &["board"], "target"),
            ("http://target:80/metrics", &["target"], "target"),
        ] {
            let told = told(Version::HTTP_11, target, hosts);
            assert_eq!(told, Ok(Some(host.to_owned())), "{target} {hosts:?}");
        }
        assert_eq!(told(Version::HTTP_10, "/", &[]), Ok(None));
    }

    #[test]
    fn a_request_without_one_sound_host_is_refused() {
        for (target, hosts, words) in [
            ("/", &[][..], "missing"),
            ("http://target/", &[], "missing"),
            ("/", &["a", "a"], "more than once"),
            ("/", &[""], "none such as"),
            ("/", &["a b"], "none such as"),
            ("/", &["문서"], "none such as"),
            ("/", &["kim@a"], "none such as"),
            ("http://target/", &["a b"], "none such as"),
            ("http://kim@target/", &["target"], "none such as"),
        ] {
            let reason = told(Version::HTTP_11, target, hosts).expect_err(target);
            assert!(reason.contains(words), "{target} {hosts:?}: {reason}");
        }
        assert!(told(Version::HTTP_10, "/", &["a b"]).is_err());
    }
}
