//! A client that sends exactly what it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// Returns a header's value, by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let value = lines.find(|(known, _)| known.eq_ignore_ascii_case(name))?.1;
        Some(value.trim())
    }

    /// Returns the body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }

    /// Returns the body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }
}

/// Sends a GET with further header lines.
pub(crate) fn get(address: SocketAddr, path: &str, headers: &[&str]) -> Answer {
    request(address, "GET", path, headers)
}

/// Sends a request without a body.
pub(crate) fn request(address: SocketAddr, method: &str, path: &str, headers: &[&str]) -> Answer {
    send(address, method, path, headers, "").expect("an answer")
}

/// Sends a body of JSON with further header lines.
pub(crate) fn post(address: SocketAddr, path: &str, headers: &[&str], body: &str) -> Answer {
    let length = format!("Content-Length: {}", body.len());
    let headers = [headers, &["Content-Type: application/json", &length]].concat();
    send(address, "POST", path, &headers, body).expect("an answer")
}

/// Sends exactly this, and reads what is answered.
pub(crate) fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> std::io::Result<Answer> {
    exchange(
        TcpStream::connect(address)?,
        address,
        method,
        path,
        headers,
        body,
    )
}

/// Returns an address of this machine from which nobody has asked anything yet.
pub(crate) fn elsewhere() -> Ipv4Addr {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let last = LAST.fetch_add(1, Ordering::Relaxed);
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 1).to_bits() + last)
}

/// Sends a body of JSON from another address of this machine.
pub(crate) fn post_from(
    source: Ipv4Addr,
    address: SocketAddr,
    path: &str,
    headers: &[&str],
    body: &str,
) -> Answer {
    let length = format!("Content-Length: {}", body.len());
    let headers = [headers, &["Content-Type: application/json", &length]].concat();
    let stream = connect(source, address).expect("a connection");
    exchange(stream, address, "POST", path, &headers, body).expect("an answer")
}

/// Sends a request without a body from another address of this machine.
pub(crate) fn request_from(
    source: Ipv4Addr,
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[&str],
) -> Answer {
    let stream = connect(source, address).expect("a connection");
    exchange(stream, address, method, path, headers, "").expect("an answer")
}

/// Sends these bytes from another address of this machine, and returns all that is answered until
/// the connection ends.
pub(crate) fn say(source: Ipv4Addr, address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = connect(source, address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    // Whoever is refused at once may be gone before all is said.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn connect(source: Ipv4Addr, address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((source, 0)).into())?;
    socket.connect(&address.into())?;
    Ok(socket.into())
}

fn exchange(
    mut stream: TcpStream,
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> std::io::Result<Answer> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    headers
        .iter()
        .for_each(|line| text += &format!("{line}\r\n"));
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{text}\r\n{body}").as_bytes())?;
    read(BufReader::new(stream), method)
}

/// Reads the answer to a request of this method.
pub(super) fn read(mut answer: impl BufRead, method: &str) -> std::io::Result<Answer> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && answer.read_line(&mut head)? > 0 {}
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .expect("a status");
    let mut answer = Answer {
        status,
        head,
        body: Vec::new(),
    }
    .with_body_from(answer, method)?;
    answer.head.truncate(answer.head.trim_end().len());
    Ok(answer)
}

impl Answer {
    /// Reads as much as the head announces; not every server closes its connection then.
    fn with_body_from(mut self, mut from: impl Read, method: &str) -> std::io::Result<Self> {
        let length = self
            .header("content-length")
            .and_then(|length| length.parse().ok());
        match length {
            _ if method == "HEAD" => {}
            Some(length) => {
                self.body.resize(length, 0);
                from.read_exact(&mut self.body)?;
            }
            None => {
                from.read_to_end(&mut self.body)?;
            }
        }
        if self.header("transfer-encoding") == Some("chunked") {
            self.body = joined(&self.body);
        }
        Ok(self)
    }
}

/// Joins the chunks of a body, each of which stands after its length in hexadecimal.
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = chunks.windows(2).position(|two| two == b"\r\n");
        let (length, rest) = chunks.split_at(end.expect("the end of a length"));
        let length = std::str::from_utf8(length).expect("a length of text");
        let length = usize::from_str_radix(length, 16).expect("a length");
        if length == 0 {
            return body;
        }
        let (chunk, rest) = rest[2..].split_at(length);
        body.extend_from_slice(chunk);
        chunks = &rest[2..];
    }
}
