//! The values of flags, as people write them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hyper::header::{AUTHORIZATION, COOKIE, HeaderName, PROXY_AUTHORIZATION};
use ipnet::IpNet;
use url::Host;

/// How many characters a board's name has at most.
const MAX_NAME: usize = 100;

/// An address; `:9886` is every interface, as elsewhere in the ecosystem.
pub(in crate::cli) fn address(text: &str) -> Result<SocketAddr, String> {
    let whole = if text.starts_with(':') {
        format!("0.0.0.0{text}")
    } else {
        text.to_owned()
    };
    whole
        .parse()
        .map_err(|_| "it is no address such as 127.0.0.1:9886".to_owned())
}

/// A header that may be logged.
pub(in crate::cli) fn header(text: &str) -> Result<HeaderName, String> {
    let header = text
        .parse()
        .map_err(|_| "it is no header such as X-Forwarded-User")?;
    match [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(&header) {
        true => Err("it holds what must not be logged".to_owned()),
        false => Ok(header),
    }
}

/// A host by which a listener may be asked for; it is compared whole.
pub(in crate::cli) fn host(text: &str) -> Result<Host, String> {
    let host = Host::parse(text)
        .ok()
        .filter(|_| !text.contains(['*', '%']));
    host.ok_or_else(|| "it is no host such as ops.example, without a port or a `*`".to_owned())
}

/// A network, or one address.
pub(in crate::cli) fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse().or_else(|_| text.parse().map(IpAddr::into));
    network.map_err(|_| "it is no address or network such as 127.0.0.1 or 10.0.0.0/8".to_owned())
}

/// A name is a line that is not too long to stand above everything else.
pub(in crate::cli) fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.contains(|c: char| c.is_control()) {
        return Err("it is to be one line without control characters".to_owned());
    }
    let is_short = name.chars().count() <= MAX_NAME;
    is_short
        .then(|| name.to_owned())
        .ok_or_else(|| format!("it is longer than {MAX_NAME} characters"))
}

pub(in crate::cli) fn path(text: &str) -> Result<String, String> {
    let reserved = text.starts_with("/-/");
    let plain = text.starts_with('/') && !text.contains(['?', '#', ' ']);
    let path = (plain && !reserved).then(|| text.to_owned());
    path.ok_or_else(|| "it is no path such as /metrics, or one that has a use already".to_owned())
}

/// A time in seconds, with or without its unit: `0.5`, `0.5s`, `500ms`.
pub(in crate::cli) fn seconds(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1e-3),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    let seconds = number
        .trim()
        .parse::<f64>()
        .ok()
        .map(|number| number * unit);
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.ok_or_else(|| "it is no time such as 0.5, 0.5s or 500ms".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_a_unit() {
        for text in ["0.5", "0.5s", "500ms", " 0.5 s"] {
            assert_eq!(seconds(text), Ok(Duration::from_millis(500)), "{text}");
        }
        for text in ["", "s", "-1", "NaN", "1e300", "5m", "half"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn headers_and_networks_are_checked() {
        assert!(header("X-Forwarded-User").is_ok());
        for text in ["", "X Forwarded", "Authorization", "cookie"] {
            assert!(header(text).is_err(), "{text}");
        }
        for (text, shown) in [
            ("127.0.0.1", "127.0.0.1/32"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("::1", "::1/128"),
            ("fd00::/8", "fd00::/8"),
        ] {
            assert_eq!(
                network(text).map(|net| net.to_string()),
                Ok(shown.to_owned())
            );
        }
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0/8", "127.0.0.1:80"] {
            assert!(network(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_are_checked() {
        for text in [
            "ops.example",
            "OPS.example.",
            "exporter",
            "10.1.2.3",
            "[::1]",
        ] {
            assert!(host(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "*",
            "*.example",
            "ops.example:80",
            "http://a",
            "a/b",
            "a b",
        ] {
            assert!(host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_is_a_short_line() {
        assert_eq!(name(" 문서함 "), Ok("문서함".to_owned()));
        assert_eq!(name(""), Ok(String::new()));
        for text in ["a\nb", "a\x1b[2J", "a\0", &"x".repeat(101)] {
            assert!(name(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn addresses_and_paths_are_checked() {
        assert_eq!(address(":9886"), Ok(SocketAddr::from(([0, 0, 0, 0], 9886))));
        assert!(address("[::1]:0").is_ok());
        assert!(address("localhost").is_err());
        assert!(path("/metrics").is_ok());
        assert!(path("metrics").is_err());
        assert!(path("/-/ready").is_err());
    }
}
