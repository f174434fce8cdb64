//! The host that a request names. Pure.

use url::Host;

/// Reads a host with or without a port, as it stands in the header `Host`.
pub fn parse(authority: &str) -> Option<Host> {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    match host.split_once('%') {
        // The zone of an address says where the sender finds it, and is no part of the address.
        Some((address, zone)) if address.starts_with('[') && zone.ends_with(']') => {
            Host::parse(&format!("{address}]")).ok()
        }
        _ => Host::parse(host).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_without_its_port() {
        for (authority, host) in [
            ("localhost", "localhost"),
            ("localhost:9886", "localhost"),
            ("localhost:", "localhost"),
            ("LocalHost:9886", "localhost"),
            ("localhost.:9886", "localhost."),
            ("localhost.evil.example", "localhost.evil.example"),
            ("my_exporter:9886", "my_exporter"),
            ("127.0.0.1.nip.io", "127.0.0.1.nip.io"),
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1:9886", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[::1]:9886", "[::1]"),
            ("[FE80::1%eth0]:9886", "[fe80::1]"),
            ("[fe80::1%25eth0]", "[fe80::1]"),
        ] {
            let read = parse(authority).map(|host| host.to_string());
            assert_eq!(read.as_deref(), Some(host), "{authority}");
        }
    }

    #[test]
    fn an_address_is_told_from_a_name() {
        let is_name = |text| matches!(parse(text), Some(Host::Domain(_)));
        for name in ["localhost", "127.0.0.1.nip.io", "1.example", "x"] {
            assert!(is_name(name), "{name}");
        }
        for address in ["127.0.0.1:80", "10.1.2.3", "[::1]:80", "[fe80::1%eth0]"] {
            assert!(!is_name(address), "{address}");
        }
    }

    #[test]
    fn what_is_no_host_is_none() {
        for text in [
            "",
            ":9886",
            ":",
            "kim@localhost",
            "localhost:x",
            "localhost:80:80",
            "http://localhost",
            "localhost/",
            "local host",
            "::1",
            "[::1",
            "[::1]x",
            "[localhost]",
            "[%eth0]",
            "1.2.3.4.5",
            "a?b",
            "a\\b",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
