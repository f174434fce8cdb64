//! The section `tls_server_config`: certificate, versions, cipher suites,
//! curves. What the crypto library cannot do is refused, never ignored.

use std::sync::Arc;

use serde::Deserialize;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ServerConfig, SupportedCipherSuite, SupportedProtocolVersion};

use crate::config::file::{Name, Spanned};
use crate::config::validate::Refusal;

use super::clients;
use super::demands::Demands;
use super::files::Files;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Section {
    cert: Option<Name>,
    cert_file: Option<Name>,
    key: Option<Name>,
    key_file: Option<Name>,
    min_version: Option<Name>,
    max_version: Option<Name>,
    cipher_suites: Option<Vec<Name>>,
    prefer_server_cipher_suites: Option<bool>,
    curve_preferences: Option<Vec<Name>>,
    pub(super) client_auth_type: Option<Name>,
    pub(super) client_ca: Option<Name>,
    pub(super) client_ca_file: Option<Name>,
    pub(super) client_allowed_sans: Option<Vec<Name>>,
}

/// How TLS is spoken, and with whom.
#[derive(Debug)]
pub struct Tls {
    /// What a handshake needs.
    pub server: Arc<ServerConfig>,
    pub(super) demands: Demands,
}

/// Reads the certificates, and makes what the listeners need to speak TLS.
pub(super) fn load(section: &Spanned<Section>, files: &mut Files) -> Result<Tls, Refusal> {
    let tls = &section.value;
    let provider = Arc::new(provider(tls)?);
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions(tls)?)
        .map_err(|error| Refusal::at(section, format!("tls_server_config: {error}")))?;
    let (verifier, demands) = clients::verifier(tls, &provider, files)?;
    let builder = builder.with_client_cert_verifier(verifier);
    let certificate = Material::of("cert", (&tls.cert, &tls.cert_file), files)?;
    let certificate = certificate.ok_or_else(|| missing(section, "cert_file"))?;
    let certificates = certificate.certificates()?;
    let key = Material::of("key", (&tls.key, &tls.key_file), files)?;
    let key = key.ok_or_else(|| missing(section, "key_file"))?;
    if let Some(file) = &tls.key_file {
        files.warn_of_access("key_file", &file.value);
    }
    let private = PrivateKeyDer::from_pem_slice(key.pem.as_bytes());
    let private = private.map_err(|error| key.refuse(&unpem(&error)))?;
    let mut config = builder
        .with_single_cert(certificates, private)
        .map_err(|error| certificate.refuse(&format!("it does not go with the key: {error}")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ignore_client_order = tls.prefer_server_cipher_suites.unwrap_or(true);
    Ok(Tls {
        server: Arc::new(config),
        demands,
    })
}

fn missing(section: &Spanned<Section>, key: &str) -> Refusal {
    let reason = format!("tls_server_config: {key} is missing; give both cert_file and key_file");
    Refusal::at(section, reason)
}

/// Something in PEM, out of the configuration itself or out of a file that it names.
pub(super) struct Material<'a> {
    pem: String,
    place: &'a Name,
    called: String,
}

impl<'a> Material<'a> {
    pub(super) fn of(
        key: &str,
        (inline, file): (&'a Option<Name>, &'a Option<Name>),
        files: &mut Files,
    ) -> Result<Option<Self>, Refusal> {
        match (inline, file) {
            (None, None) => Ok(None),
            (Some(_), Some(place)) => {
                let reason = format!("{key} and {key}_file are both given: keep one of them");
                Err(Refusal::at(place, reason))
            }
            (Some(place), None) => Ok(Some(Self {
                pem: place.value.clone(),
                place,
                called: key.to_owned(),
            })),
            (None, Some(place)) => {
                let called = format!("{key}_file {}", place.value);
                let pem = files.read_beside(&place.value);
                let pem = pem.map_err(|error| Refusal::at(place, format!("{called}: {error}")))?;
                Ok(Some(Self { pem, place, called }))
            }
        }
    }

    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, Refusal> {
        let certificates = CertificateDer::pem_slice_iter(self.pem.as_bytes());
        let certificates: Result<Vec<_>, _> = certificates.collect();
        let certificates = certificates.map_err(|error| self.refuse(&unpem(&error)))?;
        if certificates.is_empty() {
            return Err(self.refuse(&unpem(&pem::Error::NoItemsFound)));
        }
        Ok(certificates)
    }

    pub(super) fn refuse(&self, reason: &str) -> Refusal {
        Refusal::at(self.place, format!("{}: {reason}", self.called))
    }
}

fn unpem(error: &pem::Error) -> String {
    match error {
        pem::Error::NoItemsFound => "there is none in PEM in it".to_owned(),
        error => format!("it is not PEM: {error}"),
    }
}

fn versions(tls: &Section) -> Result<Vec<&'static SupportedProtocolVersion>, Refusal> {
    let least = tls.min_version.as_ref().map_or(Ok(12), version)?;
    let most = tls.max_version.as_ref().map_or(Ok(13), version)?;
    if let (true, Some(place)) = (least > most, &tls.max_version) {
        let reason = "max_version is below min_version".to_owned();
        return Err(Refusal::at(place, reason));
    }
    let known = [(12, &TLS12), (13, &TLS13)];
    let chosen = known
        .into_iter()
        .filter(|(version, _)| (least..=most).contains(version));
    Ok(chosen.map(|(_, version)| version).collect())
}

fn version(name: &Name) -> Result<u8, Refusal> {
    match name.value.as_str() {
        "TLS12" => Ok(12),
        "TLS13" => Ok(13),
        "TLS10" | "TLS11" => {
            let reason = format!("{} is no longer safe: use TLS12 or TLS13", name.value);
            Err(Refusal::at(name, reason))
        }
        other => {
            let reason = format!("`{other}` is no version of TLS: use TLS12 or TLS13");
            Err(Refusal::at(name, reason))
        }
    }
}

fn provider(tls: &Section) -> Result<CryptoProvider, Refusal> {
    let mut provider = ring::default_provider();
    if let Some(names) = asked(&tls.cipher_suites) {
        let known = provider.cipher_suites.iter();
        let known: Vec<_> = known.map(|suite| (name_of(*suite), *suite)).collect();
        let mut chosen = choose(names, "cipher suite", &known)?;
        // As everywhere in the ecosystem the list is about TLS 1.2, and says nothing about 1.3
        // unless it names suites of it.
        if chosen.iter().all(|suite| suite.tls13().is_none()) {
            let newer = known.iter().map(|(_, suite)| *suite);
            chosen.extend(newer.filter(|suite| suite.tls13().is_some()));
        }
        provider.cipher_suites = chosen;
    }
    if let Some(names) = asked(&tls.curve_preferences) {
        let known = [
            ("CurveP256".to_owned(), ring::kx_group::SECP256R1),
            ("CurveP384".to_owned(), ring::kx_group::SECP384R1),
            ("X25519".to_owned(), ring::kx_group::X25519),
        ];
        provider.kx_groups = choose(names, "curve", &known)?;
    }
    Ok(provider)
}

fn asked(names: &Option<Vec<Name>>) -> Option<&[Name]> {
    names.as_deref().filter(|names| !names.is_empty())
}

/// The name that the ecosystem knows a cipher suite by.
fn name_of(suite: SupportedCipherSuite) -> String {
    let name = suite.suite().as_str().unwrap_or_default();
    name.replace("TLS13_", "TLS_")
}

fn choose<T: Copy>(names: &[Name], what: &str, known: &[(String, T)]) -> Result<Vec<T>, Refusal> {
    let chosen = names.iter().map(|name| {
        let found = known.iter().find(|(known, _)| *known == name.value);
        found.map(|(_, chosen)| *chosen).ok_or_else(|| {
            let known: Vec<&str> = known.iter().map(|(known, _)| known.as_str()).collect();
            let known = known.join(", ");
            let reason = format!("{what} `{}` is not offered; there are {known}", name.value);
            Refusal::at(name, reason)
        })
    });
    chosen.collect()
}
