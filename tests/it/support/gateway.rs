//! A reverse proxy between a browser and the exporter, as other people set theirs up.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use super::http::send;

/// How requests are passed on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gateway {
    /// What is taken off the beginning of a path.
    pub strip: &'static str,
    /// The headers, by their lower-case names, that are not passed on.
    pub without: &'static [&'static str],
    /// The header lines that are added.
    pub with: &'static [&'static str],
}

impl Gateway {
    /// Passes requests on to a server from a port of its own; the server is asked by its own name.
    pub(crate) fn open(self, server: SocketAddr) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        self.serve(listener, server);
        address
    }

    /// Passes on the requests that come to a listener.
    pub(crate) fn serve(self, listener: TcpListener, server: SocketAddr) {
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let gateway = self.clone();
                std::thread::spawn(move || gateway.pass_on(&client, server));
            }
        });
    }

    /// Passes on one request, after which the connection is closed.
    fn pass_on(&self, mut client: &TcpStream, server: SocketAddr) -> Option<()> {
        let mut from = BufReader::new(client);
        let mut first = String::new();
        from.read_line(&mut first).ok()?;
        let mut words = first.split_whitespace();
        let (method, path) = (words.next()?, words.next()?);
        let path = path.strip_prefix(self.strip).unwrap_or(path);
        let head = from.by_ref().lines().map_while(Result::ok);
        let head: Vec<String> = head.take_while(|line| !line.is_empty()).collect();
        let value = |line: &str, name: &str| {
            let (known, value) = line.split_once(':')?;
            known
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        };
        let length = head.iter().find_map(|line| value(line, "content-length"));
        let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a length"))];
        from.read_exact(&mut body).ok()?;
        let body = String::from_utf8(body).expect("a body of text");
        let own = ["host", "connection"];
        let is_passed = |line: &&str| {
            let mut left_out = own.iter().chain(self.without);
            left_out.all(|name| value(line, name).is_none())
        };
        let head = head.iter().map(String::as_str).filter(is_passed);
        let head: Vec<&str> = head.chain(self.with.iter().copied()).collect();
        let answer = send(server, method, path, &head, &body).ok()?;
        client.write_all(answer.head.as_bytes()).ok()?;
        client.write_all(b"\r\n\r\n").ok()?;
        client.write_all(&answer.body).ok()
    }
}
