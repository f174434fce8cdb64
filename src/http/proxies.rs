//! Proxies that say for whom they ask: they know people by name, where the token is everybody's.
//! Pure.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::HeaderName;
use ipnet::IpNet;

use super::credentials::sayable;

/// The header in which proxies name people, and whose word for it is taken.
#[derive(Debug)]
pub struct Proxies {
    /// The header that names a person.
    pub header: HeaderName,
    /// Where the proxies are that set it.
    pub trusted: Vec<IpNet>,
}

impl Proxies {
    /// Returns for whom a request is, if a trusted proxy names somebody.
    pub fn person(&self, peer: IpAddr, headers: &HeaderMap) -> Option<String> {
        // A peer of IPv4 has an address of IPv6 where the listener has one.
        let peer = peer.to_canonical();
        let is_trusted = self.trusted.iter().any(|proxies| proxies.contains(&peer));
        let mut names = headers.get_all(&self.header).iter();
        let name = names.next().filter(|_| is_trusted)?;
        // One of two names may be what the proxy was sent itself.
        if names.next().is_some() {
            return None;
        }
        let name = sayable(&String::from_utf8_lossy(name.as_bytes()));
        (!name.is_empty()).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn person(peer: &str, names: &[&[u8]]) -> Option<String> {
        let trusted = ["10.1.0.0/16", "192.0.2.7/32", "fd00::/8"];
        let proxies = Proxies {
            header: HeaderName::from_static("x-forwarded-user"),
            trusted: trusted.map(|net| net.parse().expect("a network")).to_vec(),
        };
        let mut headers = HeaderMap::new();
        for name in names {
            let name = HeaderValue::from_bytes(name).expect("a value");
            headers.append("X-Forwarded-User", name);
        }
        proxies.person(peer.parse().expect("an address"), &headers)
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        for (peer, is_believed) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.0.1", false),
            ("::ffff:10.2.0.1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("fd12::1", true),
            ("fe80::1", false),
            ("127.0.0.1", false),
            ("::1", false),
        ] {
            let person = person(peer, &[b"kim"]);
            assert_eq!(person.is_some(), is_believed, "{peer}: {person:?}");
        }
    }

    #[test]
    fn a_name_is_one_short_word_without_control_characters() {
        let told = |names: &[&[u8]]| person("10.1.2.3", names);
        assert_eq!(told(&[" 김철수 ".as_bytes()]).as_deref(), Some("김철수"));
        assert_eq!(told(&[b"a\tb\xff"]).as_deref(), Some("a\u{fffd}b\u{fffd}"));
        assert_eq!(told(&[&[b'x'; 5000]]), Some("x".repeat(100)));
        let nobody: [&[&[u8]]; 4] = [&[], &[b""], &[b" \t"], &[b"kim", b"lee"]];
        for names in nobody {
            assert_eq!(told(names), None, "{names:?}");
        }
    }
}
