//! Certificates, made by `openssl` as somebody who sets up an exporter would make them.

use std::path::PathBuf;

use tempfile::TempDir;

use super::pipe;

const CURVE: [&str; 5] = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
];

/// An authority, and a folder with what it signs; each file is named after its subject.
pub(crate) struct Authority {
    folder: TempDir,
}

impl Authority {
    /// Makes `ca.crt`.
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let authority = Self { folder };
        let (key, certificate) = (authority.path("ca.key"), authority.path("ca.crt"));
        let arguments = [
            "req",
            "-x509",
            "-days",
            "2",
            "-subj",
            "/CN=An authority for tests",
            "-addext",
            "keyUsage=keyCertSign",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ];
        pipe("openssl", &[&arguments[..], &CURVE].concat(), "");
        authority
    }

    /// Signs a certificate for a name such as `DNS:localhost`: `<subject>.crt` and `.key`.
    pub(crate) fn sign(&self, subject: &str, name: &str, days: &str) {
        let file = |extension: &str| self.path(&format!("{subject}.{extension}"));
        let (key, request, certificate) = (file("key"), file("csr"), file("crt"));
        let (subject, name) = (format!("/CN={subject}"), format!("subjectAltName={name}"));
        let arguments = [
            "req", "-subj", &subject, "-addext", &name, "-keyout", &key, "-out", &request,
        ];
        pipe("openssl", &[&arguments[..], &CURVE].concat(), "");
        let (ca, ca_key) = (self.path("ca.crt"), self.path("ca.key"));
        let arguments = [
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            &ca,
            "-CAkey",
            &ca_key,
            "-days",
            days,
            "-copy_extensions",
            "copyall",
            "-out",
            &certificate,
        ];
        pipe("openssl", &arguments, "");
    }

    /// Returns the path of a file in its folder.
    pub(crate) fn path(&self, file: &str) -> String {
        let path: PathBuf = self.folder.path().join(file);
        path.display().to_string()
    }

    /// Returns the text of a file in its folder.
    pub(crate) fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).expect("a file")
    }

    /// Writes a file into its folder, and returns its path.
    pub(crate) fn write(&self, file: &str, text: &str) -> String {
        std::fs::write(self.path(file), text).expect("the file is written");
        self.path(file)
    }
}
