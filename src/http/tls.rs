//! The beginning of a connection that must speak TLS.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

/// What somebody is told who speaks plain HTTP, in words that people search for.
const PLAIN: &[u8] = b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Connection: close\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// Shakes hands with a client.
///
/// # Errors
///
/// A client that speaks no TLS, or none that is wanted; whoever speaks HTTP is told so.
pub async fn shake_hands(
    mut stream: TcpStream,
    tls: &Arc<ServerConfig>,
) -> io::Result<TlsStream<TcpStream>> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    // A method begins with a letter, and nothing in TLS does.
    if first[0].is_ascii_uppercase() {
        // What is left unread would make the system take the answer back.
        let _ = stream.read(&mut [0; 16 << 10]).await?;
        stream.write_all(PLAIN).await?;
        return Err(io::Error::other("the client speaks plain HTTP"));
    }
    TlsAcceptor::from(Arc::clone(tls)).accept(stream).await
}
