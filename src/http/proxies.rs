//! Proxies that say for whom they ask: they know people by name, where the token is everybody's,
//! and where people are. Pure.

use std::net::{IpAddr, SocketAddr};

use hyper::HeaderMap;
use hyper::header::HeaderName;
use ipnet::IpNet;

use super::credentials::sayable;

/// In which header a proxy adds the address that asked it, after those it was sent.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whose word for it is taken who asks.
#[derive(Debug, Default)]
pub struct Proxies {
    /// The header that names a person, if one does.
    pub header: Option<HeaderName>,
    /// Where the proxies are.
    pub trusted: Vec<IpNet>,
}

impl Proxies {
    /// Returns for whom a request is, if a trusted proxy names somebody.
    pub fn person(&self, peer: IpAddr, headers: &HeaderMap) -> Option<String> {
        let mut names = headers.get_all(self.header.as_ref()?).iter();
        let name = names.next().filter(|_| self.is_trusted(peer))?;
        // One of two names may be what the proxy was sent itself.
        if names.next().is_some() {
            return None;
        }
        let name = sayable(&String::from_utf8_lossy(name.as_bytes()));
        (!name.is_empty()).then_some(name)
    }

    /// Returns where a request comes from: as far back as trusted proxies tell.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let lists = headers.get_all(FORWARDED_FOR).iter().rev();
        let lists = lists.map(|list| list.to_str().unwrap_or_default());
        let mut told = lists.flat_map(|list| list.rsplit(','));
        let mut client = peer;
        while self.is_trusted(client) {
            match told.next().and_then(address) {
                Some(before) => client = before,
                None => break,
            }
        }
        client
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        // A peer of IPv4 has an address of IPv6 where the listener has one.
        let address = address.to_canonical();
        self.trusted
            .iter()
            .any(|proxies| proxies.contains(&address))
    }
}

/// Reads an address, beside which some proxies tell the port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    bare.unwrap_or(text).parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn proxies() -> Proxies {
        let trusted = ["10.1.0.0/16", "192.0.2.7/32", "fd00::/8"];
        Proxies {
            header: Some(HeaderName::from_static("x-forwarded-user")),
            trusted: trusted.map(|net| net.parse().expect("a network")).to_vec(),
        }
    }

    fn person(peer: &str, names: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for name in names {
            let name = HeaderValue::from_bytes(name).expect("a value");
            headers.append("X-Forwarded-User", name);
        }
        proxies().person(peer.parse().expect("an address"), &headers)
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

    #[test]
    fn a_client_is_where_trusted_proxies_say() {
        for (peer, told, client) in [
            ("198.51.100.1", &["203.0.113.9"][..], "198.51.100.1"),
            ("10.1.2.3", &[], "10.1.2.3"),
            ("10.1.2.3", &["203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.1.2.3", &["203.0.113.9:4711"], "203.0.113.9"),
            ("10.1.2.3", &["[2001:db8::9]:4711"], "2001:db8::9"),
            ("10.1.2.3", &["[2001:db8::9]"], "2001:db8::9"),
            // What stands before the first untrusted one anybody can write.
            (
                "10.1.2.3",
                &["203.0.113.1, 203.0.113.9, 192.0.2.7"],
                "203.0.113.9",
            ),
            (
                "10.1.2.3",
                &["203.0.113.1", "203.0.113.9,192.0.2.7"],
                "203.0.113.9",
            ),
            ("10.1.2.3", &["192.0.2.7"], "192.0.2.7"),
            ("10.1.2.3", &["unknown, 192.0.2.7"], "192.0.2.7"),
            ("10.1.2.3", &["203.0.113.9, "], "10.1.2.3"),
            ("10.1.2.3", &["_hidden"], "10.1.2.3"),
        ] {
            let mut headers = HeaderMap::new();
            for list in told {
                let list = HeaderValue::from_str(list).expect("a value");
                headers.append("X-Forwarded-For", list);
            }
            let found = proxies().client(peer.parse().expect("an address"), &headers);
            assert_eq!(found.to_string(), client, "{peer}: {told:?}");
        }
    }
}
