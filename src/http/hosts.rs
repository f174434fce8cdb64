//! The hosts that a listener answers to. Pure.
//!
//! A page of another site may give its own name an address of this machine, and what the browser
//! reads there is then that page's to see (DNS rebinding). The host that a request names tells.

use std::net::IpAddr;

use url::Host;

use super::external::External;

/// The flag that names further hosts.
pub const FLAG: &str = "--web.allowed-hosts";

/// The hosts of one listener.
#[derive(Debug)]
pub enum Hosts {
    /// Whatever it is called.
    Any,
    /// Addresses and this machine's own names, which nobody can give away, and these names.
    Named(Vec<String>),
}

impl Hosts {
    /// Returns the hosts of a listener: those that are allowed and that of its URL. Where none is
    /// allowed, a listener that others reach answers to any, as only they know how they call it.
    pub fn of(listening: IpAddr, allowed: &[Host], external: &External) -> Self {
        if allowed.is_empty() && !listening.to_canonical().is_loopback() {
            return Self::Any;
        }
        let hosts = allowed.iter().chain(external.host());
        let names = hosts.filter_map(|host| match host {
            Host::Domain(name) => Some(bare(name).to_owned()),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        });
        Self::Named(names.collect())
    }

    /// Returns why a request for a host is not answered, if it is not.
    pub fn refusal(&self, host: &Host) -> Option<String> {
        let (Self::Named(names), Host::Domain(name)) = (self, host) else {
            return None;
        };
        let name = bare(name);
        let is_own = name == "localhost" || name.ends_with(".localhost");
        if is_own || names.iter().any(|known| known == name) {
            return None;
        }
        let name: String = name.chars().take(253).collect();
        Some(format!(
            "the host {name} is none that this listener answers to; if it is yours, or that of a \
             proxy in front, start the exporter with {FLAG}={name}"
        ))
    }
}

/// A dot at the end only says that the name is whole.
fn bare(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::host;

    fn answered(hosts: &Hosts, authority: &str) -> bool {
        let host = host::parse(authority).expect(authority);
        hosts.refusal(&host).is_none()
    }

    fn hosts(listening: &str, allowed: &[&str], external: &str) -> Hosts {
        let allowed = allowed
            .iter()
            .map(|host| host::parse(host).expect("a host"));
        let external = match external {
            "" => External::default(),
            url => url.parse().expect("a URL"),
        };
        let listening = listening.parse().expect("an address");
        Hosts::of(listening, &allowed.collect::<Vec<_>>(), &external)
    }

    /// What nobody else can be called.
    const SURE: [&str; 9] = [
        "localhost",
        "LOCALHOST:9887",
        "localhost.:9887",
        "board.localhost:9887",
        "127.0.0.1:9887",
        "127.8.8.8",
        "[::1]:9887",
        "10.1.2.3:9887",
        "[fe80::1%eth0]:9887",
    ];

    /// What anybody may be called.
    const OTHERS: [&str; 6] = [
        "evil.example",
        "evil.example:9887",
        "localhost.evil.example",
        "notlocalhost",
        "127.0.0.1.nip.io",
        "exporter:9887",
    ];

    #[test]
    fn on_loopback_only_this_machine_and_the_url_are_answered() {
        for listening in ["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"] {
            let own = hosts(listening, &[], "https://Ops.example:8443/board/");
            for host in SURE.iter().chain(&["ops.example", "OPS.example.:80"]) {
                assert!(answered(&own, host), "{listening} {host}");
            }
            for host in OTHERS.iter().chain(&["board.ops.example"]) {
                assert!(!answered(&own, host), "{listening} {host}");
            }
        }
    }

    #[test]
    fn elsewhere_any_host_is_answered_until_some_are_named() {
        for listening in ["0.0.0.0", "::", "10.1.2.3"] {
            let any = hosts(listening, &[], "https://ops.example/");
            let named = hosts(
                listening,
                &["exporter.", "문서.example"],
                "https://ops.example",
            );
            for host in SURE {
                assert!(answered(&any, host) && answered(&named, host), "{host}");
            }
            for host in ["exporter:9886", "xn--z92bu1i.example", "ops.example"] {
                assert!(answered(&named, host), "{host}");
            }
            assert!(OTHERS.iter().all(|host| answered(&any, host)));
            assert!(!answered(&named, "evil.example"));
        }
    }

    #[test]
    fn a_refusal_names_the_host_and_the_flag() {
        let host = host::parse("Evil.example:9887").expect("a host");
        let said = hosts("::1", &[], "").refusal(&host).expect("a refusal");
        assert!(said.contains("--web.allowed-hosts=evil.example"), "{said}");
    }
}
