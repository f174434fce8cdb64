//! The certificates of clients: whether they are asked for, and what is checked of them.

use std::sync::Arc;

use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};

use crate::config::file::Name;
use crate::config::validate::Refusal;

use super::demands::Demands;
use super::files::Files;
use super::tls::{Material, Section};

/// What is asked of clients: the name of the policy, whether they must send a certificate, whether
/// an authority must have signed it.
type Policy = (&'static str, bool, bool);

const POLICIES: [Policy; 4] = [
    ("RequestClientCert", false, false),
    ("RequireAnyClientCert", true, false),
    ("VerifyClientCertIfGiven", false, true),
    ("RequireAndVerifyClientCert", true, true),
];

/// Makes what checks the certificates of clients, and says what it asks of them.
pub(super) fn verifier(
    tls: &Section,
    provider: &Arc<CryptoProvider>,
    files: &mut Files,
) -> Result<(Arc<dyn ClientCertVerifier>, Demands), Refusal> {
    let policy = policy(tls)?;
    let authority = Material::of("client_ca", (&tls.client_ca, &tls.client_ca_file), files)?;
    let allowed = allowed(tls, policy.map(|(_, policy)| policy))?;
    let Some((place, (name, required, verified))) = policy else {
        return match authority {
            Some(authority) => Err(authority
                .refuse("without a client_auth_type nobody is asked for a certificate: give both")),
            None => Ok((WebPkiClientVerifier::no_client_auth(), Demands::default())),
        };
    };
    let chain = authority
        .as_ref()
        .map(|authority| chain(authority, provider))
        .transpose()?;
    if verified && chain.is_none() {
        let reason = format!("{name} needs client_ca_file: whose certificates are let in?");
        return Err(Refusal::at(place, reason));
    }
    let authority = authority.filter(|_| verified);
    let demands = Demands {
        required,
        authorities: authority
            .map(|authority| authority.certificates())
            .transpose()?,
        names: allowed,
    };
    let verifier = Verifier {
        demands: demands.clone(),
        authorities: chain
            .iter()
            .flat_map(|chain| chain.root_hint_subjects())
            .cloned()
            .collect(),
        chain: chain.filter(|_| verified),
        algorithms: provider.signature_verification_algorithms,
    };
    Ok((Arc::new(verifier), demands))
}

fn policy(tls: &Section) -> Result<Option<(&Name, Policy)>, Refusal> {
    let Some(place) = &tls.client_auth_type else {
        return Ok(None);
    };
    if matches!(place.value.as_str(), "" | "NoClientCert") {
        return Ok(None);
    }
    match POLICIES.iter().find(|(name, ..)| *name == place.value) {
        Some(policy) => Ok(Some((place, *policy))),
        None => {
            let names = POLICIES.map(|(name, ..)| name).join(", ");
            let reason = format!("client_auth_type is NoClientCert, {names}");
            Err(Refusal::at(place, reason))
        }
    }
}

fn chain(
    authority: &Material<'_>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Refusal> {
    let mut roots = RootCertStore::empty();
    for certificate in authority.certificates()? {
        let added = roots.add(certificate);
        added.map_err(|error| authority.refuse(&error.to_string()))?;
    }
    let chain = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(provider));
    chain
        .build()
        .map_err(|error| authority.refuse(&error.to_string()))
}

fn allowed(tls: &Section, policy: Option<Policy>) -> Result<Vec<ServerName<'static>>, Refusal> {
    let names = tls.client_allowed_sans.iter().flatten();
    let allowed = names.map(|name| {
        if policy.is_none_or(|(_, required, _)| !required) {
            let reason = "client_allowed_sans needs a client_auth_type that requires a certificate";
            return Err(Refusal::at(name, reason.to_owned()));
        }
        ServerName::try_from(name.value.clone()).map_err(|_| {
            let reason = format!(
                "client_allowed_sans: `{}` is neither a DNS name nor an IP address, and no other \
                 kind of name is checked here",
                name.value
            );
            Refusal::at(name, reason)
        })
    });
    allowed.collect()
}

/// Checks certificates as a policy says; that a client has the key of its certificate is always
/// checked.
#[derive(Debug)]
struct Verifier {
    demands: Demands,
    chain: Option<Arc<dyn ClientCertVerifier>>,
    authorities: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.demands.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.authorities
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(chain) = &self.chain {
            chain.verify_client_cert(certificate, intermediates, now)?;
        }
        let parsed = ParsedCertificate::try_from(certificate)?;
        let is_named = |name| verify_server_name(&parsed, name).is_ok();
        let names = &self.demands.names;
        if names.is_empty() || names.iter().any(is_named) {
            return Ok(ClientCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
