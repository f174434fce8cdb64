//! Random web configuration files.

use std::time::Instant;

use proptest::prelude::*;
use proptest::sample::select;

use super::{PATIENCE, broken, check_refusal};
use crate::config::web;

const FILES: [&str; 3] = [
    "http_server_config:
  http2: true
  headers:
    X-Frame-Options: deny
    Content-Security-Policy: \"default-src 'none'\"
    X-Content-Type-Options: nosniff
basic_auth_users:
  alice: $2y$10$UoUnmqh9Xtmv2ePgh9LkLOlNkJyH1eZvYz0f0hHxn0pVbGdWp0Jte
  bob: &a $2y$04$UoUnmqh9Xtmv2ePgh9LkLOlNkJyH1eZvYz0f0hHxn0pVbGdWp0Jte
",
    "tls_server_config:
  cert_file: server.crt
  key_file: server.key
  min_version: TLS12
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
  curve_preferences: [X25519]
  client_auth_type: RequireAndVerifyClientCert
  client_ca: |
    -----BEGIN CERTIFICATE-----
    AAAA
    -----END CERTIFICATE-----
  client_allowed_sans: [localhost, 127.0.0.1]
",
    "tls_server_config: {cert: x, key: y, client_auth_type: RequestClientCert}
basic_auth_users: {'a b': \"$2b$12$UoUnmqh9Xtmv2ePgh9LkLOlNkJyH1eZvYz0f0hHxn0pVbGdWp0Jte\"}
",
];

proptest! {
    #[test]
    fn a_broken_web_file_is_refused_or_sets_what_may_be_set(
        text in broken::broken(select(&FILES[..]).prop_map(str::to_owned)),
    ) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), &text).expect("the file is written");
        let begin = Instant::now();
        let loaded = web::load(file.path());
        prop_assert!(begin.elapsed() < PATIENCE);
        match loaded {
            Err(refusal) => {
                let refusal = refusal.to_string();
                let said = refusal.strip_prefix(&format!("{}:", file.path().display()));
                check_refusal(said.unwrap_or(&refusal), &text)?;
            }
            Ok(web) => {
                // No certificate is beside the file, so whoever asks for TLS is refused.
                prop_assert!(web.tls.is_none() && !web.opens(&web));
                prop_assert!(web.users.iter().all(|(name, hash)| !name.contains(':') && hash.starts_with("$2")));
                let is_known = |name: &str| ["x-frame-options", "x-xss-protection", "x-content-type-options", "content-security-policy", "strict-transport-security"].contains(&name);
                prop_assert!(web.headers.iter().all(|(name, _)| is_known(name.as_str())));
            }
        }
    }
}
