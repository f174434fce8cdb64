use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::support::{Authority, Exporter, Options, bearer, get};

/// How long an intruder may stay.
const MOST_STAY: Duration = Duration::from_secs(15);

/// How long a scrape may take while they are there.
const PROMPT: Duration = Duration::from_secs(3);

fn exporter() -> Exporter {
    Exporter::serve("sqlite:///nowhere.db", &Options::default())
}

fn connect(address: SocketAddr, said: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a connection");
    // Whoever is refused at once is gone already.
    let _ = stream.write_all(said);
    stream
}

/// Waits until the exporter has closed a connection.
fn is_gone(stream: &mut TcpStream, until: Instant) -> bool {
    let mut buffer = [0; 64 << 10];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = left.max(Duration::from_millis(1));
        stream.set_read_timeout(Some(left)).expect("a time-out");
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

fn all_go(intruders: Vec<TcpStream>, since: Instant) {
    for (n, mut stream) in intruders.into_iter().enumerate() {
        assert!(
            is_gone(&mut stream, since + MOST_STAY),
            "intruder {n} is still there"
        );
    }
}

fn number(exporter: &Exporter, name: &str) -> f64 {
    let page = exporter.page();
    let line = page.text().lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|value| value.trim().parse().ok())
        .expect(name)
}

fn scrapes_promptly(exporter: &Exporter) {
    let begun = Instant::now();
    assert_eq!(exporter.page().status, 200);
    assert!(begun.elapsed() < PROMPT, "{:?}", begun.elapsed());
}

#[test]
fn whoever_does_not_finish_is_gone_within_fifteen_seconds() {
    let exporter = exporter();
    scrapes_promptly(&exporter);
    let descriptors = number(&exporter, "process_open_fds ");
    let begun = Instant::now();
    let token = bearer();
    let endless = format!(
        "POST /api/queue/retry HTTP/1.1\r\nHost: localhost\r\n{token}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n"
    );
    let mut intruders = Vec::new();
    for _ in 0..20 {
        for said in [
            "",
            "G",
            "GET /metrics HTTP/1.1\r\n",
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Half: ",
            // The request is answered, its body never ends.
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\nx",
            "POST /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx",
            // Kept for a next request that does not come.
            "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ] {
            intruders.push(connect(exporter.metrics, said.as_bytes()));
        }
        intruders.push(connect(exporter.admin, endless.as_bytes()));
    }
    scrapes_promptly(&exporter);
    all_go(intruders, begun);
    assert!(number(&exporter, "process_open_fds ") <= descriptors + 2.0);
}

#[test]
fn whoever_never_reads_an_answer_is_gone_as_well() {
    let exporter = exporter();
    let begun = Instant::now();
    // More answers than the buffers on the way can hold.
    let asked = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(400_000);
    let mut stream = TcpStream::connect(exporter.metrics).expect("a connection");
    let patience = Duration::from_secs(1);
    stream
        .set_write_timeout(Some(patience))
        .expect("a time-out");
    assert!(
        stream.write_all(asked.as_bytes()).is_err(),
        "all were answered unread"
    );
    scrapes_promptly(&exporter);
    let is_waiting = |error: &std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
    while stream.write(b"GET").is_ok()
        || stream.write(b"GET").is_err_and(|error| is_waiting(&error))
    {
        assert!(
            begun.elapsed() < MOST_STAY + patience * 2,
            "it is still there"
        );
    }
}

#[test]
fn a_thousand_idle_connections_keep_nobody_out() {
    let exporter = exporter();
    scrapes_promptly(&exporter);
    let (descriptors, memory) = (
        number(&exporter, "process_open_fds "),
        number(&exporter, "process_resident_memory_bytes "),
    );
    let mut intruders: Vec<_> = (0..1000).map(|_| connect(exporter.metrics, b"")).collect();
    let half = b"GET /metrics HTTP/1.1\r\nX-Half: ";
    intruders.extend((0..300).map(|_| connect(exporter.metrics, half)));
    let begun = Instant::now();
    for _ in 0..5 {
        scrapes_promptly(&exporter);
    }
    let open = number(&exporter, "process_open_fds ");
    assert!(open < descriptors + 300.0, "{open} descriptors are open");
    all_go(intruders, begun);
    scrapes_promptly(&exporter);
    assert!(number(&exporter, "process_open_fds ") <= descriptors + 2.0);
    let grown = number(&exporter, "process_resident_memory_bytes ") - memory;
    assert!(grown < 16e6, "{grown} bytes more than before");
}

#[test]
fn what_is_too_long_is_refused_and_not_kept() {
    let exporter = exporter();
    scrapes_promptly(&exporter);
    let memory = number(&exporter, "process_resident_memory_bytes ");
    let long = "x".repeat(200 << 10);
    let many = "X-A: b\r\n".repeat(100);
    for (head, expected) in [
        (
            format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            "431",
        ),
        (format!("GET / HTTP/1.1\r\nX-Long: {long}\r\n\r\n"), "431"),
        (format!("GET / HTTP/1.1\r\n{many}\r\n"), "431"),
        (
            format!(
                "GET /{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                &long[..10_000]
            ),
            "404",
        ),
    ] {
        for _ in 0..20 {
            let mut stream = connect(exporter.metrics, head.as_bytes());
            stream.set_read_timeout(Some(PROMPT)).expect("a time-out");
            let mut answer = Vec::new();
            // What was sent after the refusal may make the system take the refusal back.
            let _ = stream.read_to_end(&mut answer);
            let status = answer.get(9..12).map(String::from_utf8_lossy);
            assert!(
                status.as_deref().is_none_or(|status| status == expected),
                "{expected}: {status:?}"
            );
            assert!(
                status.is_some() || head.len() > 100_000,
                "{expected}: no answer"
            );
        }
    }
    scrapes_promptly(&exporter);
    let grown = number(&exporter, "process_resident_memory_bytes ") - memory;
    assert!(grown < 16e6, "{grown} bytes more than before");
}

#[test]
fn garbage_ends_its_own_connection_only() {
    let exporter = exporter();
    let mut seed = fastrand::Rng::with_seed(7);
    for n in 0..200 {
        let mut garbage: Vec<u8> = (0..1 + n * 5).map(|_| seed.u8(..)).collect();
        garbage.extend_from_slice(b"\r\n\r\n");
        let mut stream = connect(exporter.metrics, &garbage);
        stream.set_read_timeout(Some(PROMPT)).expect("a time-out");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{garbage:?}");
    }
    scrapes_promptly(&exporter);
}

#[test]
fn requests_sent_ahead_are_answered_in_order() {
    let exporter = exporter();
    let paths = ["/-/healthy", "/nonsense", "/-/ready"];
    let ask = |path: &&str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut asked: String = paths.iter().map(ask).collect();
    asked += "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut answer = String::new();
    let mut stream = connect(exporter.metrics, asked.as_bytes());
    stream.read_to_string(&mut answer).expect("answers");
    let places = [
        "healthy\n",
        "404 Not Found",
        "ready\n",
        "text/plain; version=0.0.4",
    ];
    let places: Vec<_> = places.iter().map(|words| answer.find(words)).collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{places:?}\n{answer}"
    );
    assert!(answer.ends_with("\r\n\r\n"), "HEAD has no body");
}

#[test]
fn a_handshake_that_drags_on_is_ended() {
    let authority = Authority::new();
    authority.sign("server", "DNS:localhost", "2");
    let configuration = "tls_server_config: {cert_file: server.crt, key_file: server.key}";
    let file = authority.write("web.yml", configuration);
    let arguments = vec![format!("--web.config.file={file}")];
    let options = Options {
        arguments,
        ..Options::default()
    };
    let exporter = Exporter::serve("sqlite:///nowhere.db", &options);
    let begun = Instant::now();
    let said: [&[u8]; 3] = [
        b"",
        b"\x16",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ];
    let addresses = [exporter.metrics, exporter.admin];
    let all = addresses
        .iter()
        .flat_map(|address| said.map(|said| connect(*address, said)));
    all_go(all.collect(), begun);
}

#[test]
fn it_stops_within_five_seconds_whoever_is_connected() {
    let exporter = exporter();
    let half = b"GET /metrics HTTP/1.1\r\nX-Half: ";
    let mut idle = connect(
        exporter.metrics,
        b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    let _half = connect(exporter.metrics, half);
    assert!(idle.read(&mut [0; 1024]).expect("an answer") > 0);
    assert_eq!(get(exporter.metrics, "/-/healthy", &[]).status, 200);
    let begun = Instant::now();
    let code = exporter.terminate();
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(code, Some(0));
}
