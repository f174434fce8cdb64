//! What a client must show before it is spoken with.

use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};

/// The demands of a handshake; by default, any client that speaks TLS is let in.
#[derive(Debug, Clone, Default)]
pub(super) struct Demands {
    /// Whether a certificate must be sent.
    pub(super) required: bool,
    /// The authorities, one of which must have signed a certificate that is sent, if any must.
    pub(super) authorities: Option<Vec<CertificateDer<'static>>>,
    /// The names, one of which a certificate must have; none asks for no name.
    pub(super) names: Vec<ServerName<'static>>,
}

impl Demands {
    /// Returns whether a client that met others may not meet these.
    pub(super) fn exceed(&self, others: &Self) -> bool {
        let asks_more = self.required && !others.required;
        let trusts_less = match (&self.authorities, &others.authorities) {
            (Some(ours), Some(theirs)) => theirs.iter().any(|authority| !ours.contains(authority)),
            (Some(_), None) => true,
            (None, _) => false,
        };
        let knows_all = |names: &[_]| names.iter().all(|name| self.names.contains(name));
        let knows_fewer =
            !self.names.is_empty() && (others.names.is_empty() || !knows_all(&others.names));
        asks_more || trusts_less || knows_fewer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(authorities: &[u8], names: &[&'static str]) -> Demands {
        let certificate = |byte: &u8| CertificateDer::from(vec![*byte]);
        let name = |name: &&'static str| ServerName::try_from(*name).expect("a name");
        Demands {
            required: true,
            authorities: Some(authorities.iter().map(certificate).collect()),
            names: names.iter().map(name).collect(),
        }
    }

    #[test]
    fn only_what_keeps_somebody_out_is_more() {
        let none = Demands::default();
        let any = Demands {
            required: true,
            ..Demands::default()
        };
        let given = Demands {
            required: false,
            ..signed(&[1], &[])
        };
        let (one, two, other) = (signed(&[1], &[]), signed(&[1, 2], &[]), signed(&[2], &[]));
        let (a, b, ab) = (
            signed(&[1], &["a"]),
            signed(&[1], &["b"]),
            signed(&[1], &["b", "a"]),
        );
        for (new, old, is_more) in [
            (&any, &none, true),
            (&one, &none, true),
            (&given, &none, true),
            (&one, &any, true),
            (&one, &given, true),
            (&one, &two, true),
            (&a, &one, true),
            (&a, &ab, true),
            (&other, &one, true),
            (&b, &a, true),
            (&two, &one, false),
            (&ab, &a, false),
            (&one, &a, false),
            (&any, &one, false),
            (&given, &one, false),
            (&none, &one, false),
        ] {
            assert_eq!(new.exceed(old), is_more, "{new:?} {old:?}");
            assert!(!new.exceed(new), "{new:?}");
        }
    }
}
