use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use crate::support::{Browser, Exporter, Options, TOKEN, bearer};

fn exporter(arguments: &[&str]) -> Exporter {
    let arguments = arguments.iter().map(|&argument| argument.to_owned());
    let options = Options {
        arguments: arguments.collect(),
        ..Options::default()
    };
    Exporter::serve("sqlite:///nowhere.db", &options)
}

/// Sends a request line and these header lines, and nothing that they do not say.
fn ask(address: SocketAddr, first: &str, headers: &[&str]) -> String {
    let mut text = format!("{first}\r\nConnection: close\r\n{}\r\n", bearer());
    headers
        .iter()
        .for_each(|line| text += &format!("{line}\r\n"));
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream
        .write_all(format!("{text}\r\n").as_bytes())
        .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or(answer)
}

/// Asks for something that both listeners have.
fn status_for(address: SocketAddr, host: &str) -> String {
    let answer = ask(address, "GET / HTTP/1.1", &[&format!("Host: {host}")]);
    status(&answer).to_owned()
}

#[test]
fn a_request_names_one_sound_host() {
    let exporter = exporter(&[]);
    for (first, headers, expected) in [
        ("GET /page.css HTTP/1.1", &[][..], "400"),
        ("GET /page.css HTTP/1.1", &["Host:"], "400"),
        ("GET /page.css HTTP/1.1", &["Host: a b"], "400"),
        ("GET /page.css HTTP/1.1", &["Host: kim@localhost"], "400"),
        (
            "GET /page.css HTTP/1.1",
            &["Host: localhost", "Host: localhost"],
            "400",
        ),
        ("GET http://localhost/page.css HTTP/1.1", &[], "400"),
        (
            "GET http://localhost/page.css HTTP/1.1",
            &["Host: evil.example"],
            "200",
        ),
        (
            "GET http://evil.example/page.css HTTP/1.1",
            &["Host: localhost"],
            "403",
        ),
        ("GET /page.css HTTP/1.0", &[], "200"),
        ("GET /page.css HTTP/1.0", &["Host: evil.example"], "403"),
        ("GET /page.css HTTP/1.1", &["Host: localhost"], "200"),
    ] {
        let answer = ask(exporter.admin, first, headers);
        assert_eq!(status(&answer), expected, "{first} {headers:?}: {answer}");
        let first = first.replace("page.css", "-/healthy");
        let answer = ask(exporter.metrics, &first, headers);
        assert_eq!(status(&answer), expected, "{first} {headers:?}: {answer}");
    }
    let page = exporter.scrape();
    for (code, refused) in [("400", 12.0), ("403", 4.0)] {
        let counted =
            format!("queueboard_http_requests_total{{code=\"{code}\",handler=\"refused\"}}");
        assert_eq!(page[counted.as_str()], refused, "{code}");
    }
}

#[test]
fn on_loopback_a_name_of_others_is_refused_in_words_that_allow_it() {
    let closed = exporter(&[]);
    for address in [closed.metrics, closed.admin] {
        let answer = ask(address, "GET / HTTP/1.1", &["Host: ops.example:80"]);
        assert_eq!(status(&answer), "403", "{answer}");
        assert!(
            answer.contains("--web.allowed-hosts=ops.example\""),
            "{answer}"
        );
        for host in ["localhost", "board.localhost:1", "[::1]", "10.1.2.3"] {
            assert_ne!(status_for(address, host), "403", "{host}");
        }
    }
    let open = exporter(&[
        "--web.allowed-hosts=ops.example,other",
        "--web.allowed-hosts=third",
    ]);
    for address in [open.metrics, open.admin] {
        for host in ["ops.example", "OTHER:9886", "third.", "localhost"] {
            assert_ne!(status_for(address, host), "403", "{host}");
        }
        assert_eq!(status_for(address, "evil.example"), "403");
    }
}

#[test]
fn a_listener_answers_to_the_host_of_its_external_url() {
    let both = exporter(&["--web.external-url=https://ops.example/board/"]);
    let each = exporter(&[
        "--web.external-url=https://metrics.example/",
        "--admin.external-url=https://admin.example:8443/",
    ]);
    for (address, host, is_answered) in [
        (both.metrics, "ops.example", true),
        (both.admin, "ops.example", true),
        (each.metrics, "metrics.example", true),
        (each.metrics, "admin.example", false),
        (each.admin, "admin.example", true),
        (each.admin, "metrics.example", false),
    ] {
        let is_refused = status_for(address, host) == "403";
        assert_eq!(is_refused, !is_answered, "{address} {host}");
    }
}

#[test]
fn what_others_reach_answers_to_any_host_until_some_are_named() {
    let everywhere = "--web.listen-address=0.0.0.0:0";
    let reached = |exporter: &Exporter, host: &str| {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, exporter.metrics.port()));
        status_for(address, host)
    };
    let any = exporter(&[everywhere]);
    for host in ["exporter:9886", "ops.example", "localhost", "10.1.2.3"] {
        assert_eq!(reached(&any, host), "200", "{host}");
    }
    let named = exporter(&[everywhere, "--web.allowed-hosts=exporter"]);
    for (host, expected) in [
        ("exporter:9886", "200"),
        ("localhost:9886", "200"),
        ("10.1.2.3", "200"),
        ("ops.example", "403"),
    ] {
        assert_eq!(reached(&named, host), expected, "{host}");
    }
}

#[test]
fn a_page_of_another_name_reads_nothing_in_a_browser() {
    let exporter = exporter(&[]);
    let rebound = ["--host-resolver-rules=MAP rebound.example 127.0.0.1"];
    let browser = Browser::with(&rebound, 1280, 900);
    let read = |address: SocketAddr, name: &str, path: &str| {
        browser.go(&format!("http://kim:{TOKEN}@{name}:{}/", address.port()));
        let read = format!(
            "return fetch(location.origin + '{path}')
                 .then(async (answer) => answer.status + ' ' + await answer.text())"
        );
        let read = browser.run(&read);
        read.as_str()
            .map_or_else(|| read.to_string(), str::to_owned)
    };
    for (address, path, words) in [
        (exporter.metrics, "/metrics", "queueboard_up 0"),
        (exporter.admin, "/page.js", "document"),
    ] {
        let own = read(address, "localhost", path);
        assert!(own.starts_with("200 ") && own.contains(words), "{own}");
        let stolen = read(address, "rebound.example", path);
        assert!(stolen.starts_with("403 {\"error\":"), "{stolen}");
    }
}
