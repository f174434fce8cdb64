//! Requests whose end two readers may see at different places, with another one hidden in them.

use crate::support::{bearer, elsewhere, say};

use super::{FINGERPRINT, exporter};

/// Heads of a request, up to the end of its last header, and what its body begins with before the
/// hidden request. `ALL` is the length of the body with the hidden request, `HERE` without it.
const HEADS: [(&str, &str); 28] = [
    // Two lengths.
    ("Content-Length: HERE\r\nContent-Length: ALL", "{}"),
    ("Content-Length: ALL\r\nContent-Length: HERE", "{}"),
    ("Content-Length: HERE, ALL", "{}"),
    (
        "Content-Length: ALL\r\nTransfer-Encoding: chunked",
        "0\r\n\r\n",
    ),
    (
        "Transfer-Encoding: chunked\r\nContent-Length: ALL",
        "0\r\n\r\n",
    ),
    // Lengths that are no numbers.
    ("Content-Length: +HERE", "{}"),
    ("Content-Length: -1", "{}"),
    ("Content-Length: 0x2", "{}"),
    ("Content-Length: 2 2", "{}"),
    ("Content-Length: 99999999999999999999", "{}"),
    ("Content-Length:", "{}"),
    ("Content-Length : ALL", "{}"),
    ("Content-Length\r\n : ALL", "{}"),
    // Codings that are not chunked, or hardly.
    ("Transfer-Encoding: xchunked", "0\r\n\r\n"),
    ("Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
    ("Transfer-Encoding: identity", "0\r\n\r\n"),
    (
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "0\r\n\r\n",
    ),
    ("Transfer-Encoding: identity, x", "0\r\n\r\n"),
    ("Transfer-Encoding : chunked", "0\r\n\r\n"),
    ("Transfer-Encoding\t: chunked", "0\r\n\r\n"),
    ("Transfer-Encoding: \u{b}chunked", "0\r\n\r\n"),
    ("Transfer-Encoding:\r\n chunked", "0\r\n\r\n"),
    ("X: y\r\n Transfer-Encoding: chunked", "0\r\n\r\n"),
    // Chunks that are none.
    ("Transfer-Encoding: chunked", "-1\r\n\r\n"),
    ("Transfer-Encoding: chunked", "0x0\r\n\r\n"),
    ("Transfer-Encoding: chunked", "z\r\n\r\n"),
    ("Transfer-Encoding: chunked", "ffffffffffffffffff\r\n\r\n"),
    ("Transfer-Encoding: chunked", "1;a=\nb\r\n\r\n"),
];

/// Bodies that hold the hidden request wholly, and say so in one way only.
const WHOLE: [(&str, &str, &str); 3] = [
    ("Content-Length: ALL", "", ""),
    ("Transfer-Encoding: chunked", "LENGTH\r\n", "\r\n0\r\n\r\n"),
    (
        "Transfer-Encoding: Chunked",
        "LENGTH;name=value\r\n",
        "\r\n0\r\nTrailer: x\r\n\r\n",
    ),
];

#[tokio::test]
async fn a_request_hidden_in_another_is_never_answered() {
    let (mut database, exporter) = exporter().await;
    let before = database.texts(FINGERPRINT).await;
    let (host, token) = (exporter.admin, bearer());
    let body = r#"{"ids": [1]}"#;
    let hidden = format!(
        "POST /api/queue/skip HTTP/1.1\r\nHost: {host}\r\n{token}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let post = |head: &str, sent: &str| {
        format!(
            "POST /api/queue/retry HTTP/1.1\r\nHost: {host}\r\n{token}\r\n\
             Content-Type: application/json\r\n{head}\r\n\r\n{sent}"
        )
    };
    for (head, begun) in HEADS {
        let sent = format!("{begun}{hidden}");
        let head = head
            .replace("HERE", &begun.len().to_string())
            .replace("ALL", &sent.len().to_string());
        for connection in ["", "Connection: close\r\n"] {
            let request = post(&format!("{connection}{head}"), &sent);
            let answer = say(elsewhere(), host, request.as_bytes());
            assert!(answer.starts_with("HTTP/1.1 400"), "{head:?}: {answer}");
            let answers = answer.matches("HTTP/1.1 ").count();
            assert_eq!(answers, 1, "{head:?}: {answer}");
        }
    }
    // What comes after one is answered, so the connection was not what held the hidden one back.
    let next =
        format!("GET /page.css HTTP/1.1\r\nHost: {host}\r\n{token}\r\nConnection: close\r\n\r\n");
    for (head, begun, end) in WHOLE {
        let begun = begun.replace("LENGTH", &format!("{:x}", hidden.len()));
        let sent = format!("{begun}{hidden}{end}");
        let head = head.replace("ALL", &sent.len().to_string());
        let answer = say(elsewhere(), host, (post(&head, &sent) + &next).as_bytes());
        let answers = answer.split("HTTP/1.1 ").skip(1);
        let answers: Vec<_> = answers.filter_map(|answer| answer.get(..3)).collect();
        assert_eq!(answers, ["400", "200"], "{head:?}: {answer}");
    }
    assert_eq!(database.texts(FINGERPRINT).await, before);
    // A line feed alone ends a line, as the protocol allows; these do not.
    for separator in ["\r", "\r\r\n"] {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nX: y{separator}{token}\r\n\r\n"
        );
        let answer = say(elsewhere(), exporter.admin, request.as_bytes());
        assert!(
            answer.starts_with("HTTP/1.1 400"),
            "{separator:?}: {answer}"
        );
    }
}
