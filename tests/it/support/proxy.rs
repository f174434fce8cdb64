//! Something that stands between the exporter and its database, hears every word, and may cut
//! them off, or go silent: then nothing is passed on, not even that one side has hung up.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// What is heard.
pub(crate) enum Word<'a> {
    Opened,
    Sent(&'a [u8]),
    Answered(&'a [u8]),
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    CutBefore,
    CutAfter,
    Swallow,
}

/// Returns whether a word is among what was said.
pub(crate) fn contains(bytes: &[u8], word: &str) -> bool {
    let mut windows = bytes.windows(word.len());
    windows.any(|window| window == word.as_bytes())
}

/// Listens on a port of its own, and passes on to a server what is not cut.
pub(crate) fn proxy(
    server: SocketAddr,
    judge: impl Fn(Word) -> Verdict + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let judge = Arc::new(judge);
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            judge(Word::Opened);
            let Ok(upstream) = TcpStream::connect(server) else {
                continue;
            };
            let back = (
                upstream.try_clone().expect("a socket"),
                client.try_clone().expect("a socket"),
            );
            let (up, down) = (Arc::clone(&judge), Arc::clone(&judge));
            std::thread::spawn(move || forward(client, upstream, |bytes| up(Word::Sent(bytes))));
            std::thread::spawn(move || {
                forward(back.0, back.1, |bytes| down(Word::Answered(bytes)))
            });
        }
    });
    address
}

fn forward(mut from: TcpStream, mut to: TcpStream, heard: impl Fn(&[u8]) -> Verdict) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read) = from.read(&mut buffer) {
        let verdict = match heard(&buffer[..read]) {
            Verdict::Swallow if read == 0 => return,
            Verdict::Swallow => continue,
            _ if read == 0 => Verdict::CutBefore,
            verdict => verdict,
        };
        if verdict != Verdict::CutBefore && to.write_all(&buffer[..read]).is_err() {
            break;
        }
        if verdict != Verdict::Pass {
            // The client is cut off first, so that the server's answer does not reach it.
            let _ = from.shutdown(Shutdown::Both);
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
