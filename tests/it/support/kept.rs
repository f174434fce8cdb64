//! A client that keeps its connection.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::certificates::Authority;
use super::http::{Answer, read};

/// What is told to who waits with a body.
const CONTINUE: &[u8; 25] = b"HTTP/1.1 100 Continue\r\n\r\n";

trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

/// An open connection.
pub(crate) struct Kept(BufReader<Box<dyn Stream>>);

impl Kept {
    /// Connects without TLS.
    pub(crate) fn plain(address: SocketAddr) -> Self {
        Self(BufReader::new(Box::new(connect(address))))
    }

    /// Connects with TLS, to a server and with a certificate that an authority has signed.
    pub(crate) fn tls(address: SocketAddr, authority: &Authority, client: &str) -> Self {
        let certificate = |file: &str| {
            let read = CertificateDer::from_pem_file(authority.path(file));
            read.expect("a certificate")
        };
        let mut roots = RootCertStore::empty();
        roots.add(certificate("ca.crt")).expect("an authority");
        let key = PrivateKeyDer::from_pem_file(authority.path(&format!("{client}.key")));
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_client_auth_cert(
                vec![certificate(&format!("{client}.crt"))],
                key.expect("a key"),
            );
        let name = ServerName::try_from("localhost").expect("a name");
        let connection = ClientConnection::new(Arc::new(config.expect("a client")), name);
        let stream = StreamOwned::new(connection.expect("a client"), connect(address));
        Self(BufReader::new(Box::new(stream)))
    }

    /// Sends exactly this.
    pub(crate) fn send(&mut self, text: &str) {
        let written = self.0.get_mut().write_all(text.as_bytes());
        written.expect("it is sent");
    }

    /// Reads an answer.
    pub(crate) fn answer(&mut self) -> Answer {
        read(&mut self.0, "GET").expect("an answer")
    }

    /// Waits until the server reads the body of a request that expects to be told so.
    pub(crate) fn assert_body_is_read(&mut self) {
        let mut told = [0; CONTINUE.len()];
        self.0.read_exact(&mut told).expect("an interim answer");
        assert_eq!(&told, CONTINUE, "{}", String::from_utf8_lossy(&told));
    }

    /// Asks for a path, and keeps the connection.
    pub(crate) fn ask(&mut self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        self.answer()
    }

    /// Waits until the connection is closed; whatever still comes before is a fault.
    pub(crate) fn assert_closed(&mut self) {
        // Nothing more is said in TLS either, where an end may be told or just come.
        let read = self.0.read(&mut [0; 1]);
        let is_closed = match &read {
            Ok(bytes) => *bytes == 0,
            Err(error) => error.kind() == std::io::ErrorKind::UnexpectedEof,
        };
        assert!(is_closed, "{read:?}");
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    let patience = Some(Duration::from_secs(5));
    stream.set_read_timeout(patience).expect("a time-out");
    stream
}
