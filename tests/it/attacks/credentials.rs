//! Forms of credentials: what holds the token, and what only looks as if it did.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

use crate::support::{TOKEN, elsewhere, say};

use super::{FINGERPRINT, exporter};

/// Where a request carries what it says to be the token.
#[derive(Debug)]
enum Place {
    Header(String),
    Path(String),
}

fn header(line: &str) -> Place {
    Place::Header(line.replace("TOKEN", TOKEN))
}

fn basic(pair: &str) -> Place {
    let pair = STANDARD.encode(pair.replace("TOKEN", TOKEN));
    Place::Header(format!("Authorization: Basic {pair}"))
}

fn path(query: &str) -> Place {
    Place::Path(query.replace("TOKEN", TOKEN))
}

/// What does not open the listener.
fn refused() -> Vec<Place> {
    // In this pair the alphabets of base64 differ, and it takes padding.
    let pair = format!("~~~?>>>>:{TOKEN}");
    let without_padding = STANDARD_NO_PAD.encode(&pair);
    assert_ne!(STANDARD.encode(&pair), without_padding);
    let shorter = &TOKEN[..TOKEN.len() - 1];
    vec![
        header("Authorization: TOKEN"),
        header("Authorization:"),
        header("Authorization: Bearer"),
        header("Authorization: Bearer "),
        header("Authorization: BearerTOKEN"),
        header("Authorization: Bearer:TOKEN"),
        header("Authorization: Bearer=TOKEN"),
        header("Authorization: Bearer\tTOKEN"),
        header("Authorization: Bearer \"TOKEN\""),
        header("Authorization: Bearer <TOKEN>"),
        header("Authorization: Bearer TOKEN,"),
        header("Authorization: Bearer TOKEN, Bearer TOKEN"),
        header("Authorization: Bearer TOKEN TOKEN"),
        header("Authorization: Bearer TOKEN;realm=x"),
        header("Authorization: Bearer token=TOKEN"),
        header("Authorization: Bearer TOKENx"),
        header("Authorization: Bearer xTOKEN"),
        header("Authorization: Bearer TOKEN\u{e9}"),
        header(&format!("Authorization: Bearer {shorter}")),
        header(&format!("Authorization: Bearer {}", TOKEN.to_uppercase())),
        header(&format!("Authorization: Bearer {}", STANDARD.encode(TOKEN))),
        header(&format!("Authorization: Bearer {}", TOKEN.repeat(300))),
        header(&format!(
            "Authorization: Bearer {}",
            "*".repeat(TOKEN.len())
        )),
        header("Authorization: Bearer null"),
        header("Authorization: Bearer undefined"),
        header("Authorization: Digest TOKEN"),
        header("Authorization: Token TOKEN"),
        header("Authorization: Negotiate TOKEN"),
        header("Authorization: Bearer wrong-wrong-wrong\r\nAuthorization: Bearer TOKEN"),
        header("Authorization: Bearer TOKEN\r\nAuthorization: Bearer wrong-wrong-wrong"),
        header("Authorization: Bearer wrong-wrong-wrong\r\n TOKEN"),
        header("Authorization : Bearer TOKEN"),
        header("Authorisation: Bearer TOKEN"),
        header("Proxy-Authorization: Bearer TOKEN"),
        header("X-Authorization: Bearer TOKEN"),
        header("X-Api-Key: TOKEN"),
        header("X-Forwarded-User: TOKEN"),
        header("Cookie: token=TOKEN; Authorization=Bearer TOKEN"),
        header("Authorization: Basic TOKEN"),
        header(&format!("Authorization: Basic {without_padding}")),
        header(&format!("Authorization: Basic {}", URL_SAFE.encode(&pair))),
        basic("TOKEN"),
        basic("TOKEN:"),
        basic("TOKEN:kim"),
        basic("kim TOKEN"),
        basic("kim:TOKEN\n"),
        basic("kim:TOKEN\0"),
        basic("kim: TOKEN"),
        basic("kim::TOKEN"),
        basic("kim:lee:TOKEN"),
        basic("kim:TOKEN:"),
        path("/page.css?token=TOKEN"),
        path("/page.css?access_token=TOKEN"),
        path("/page.css?authorization=Bearer%20TOKEN"),
        path("/page.css;token=TOKEN"),
        path("http://kim:TOKEN@127.0.0.1/page.css"),
        path("http://127.0.0.1/page.css"),
    ]
}

/// What does: the case of the scheme and blanks around the token say nothing.
fn admitted() -> Vec<Place> {
    vec![
        header("Authorization: Bearer TOKEN"),
        header("authorization: bEARER TOKEN"),
        header("Authorization: Bearer  TOKEN  "),
        header("Authorization:Bearer TOKEN"),
        basic("kim:TOKEN"),
        basic(":TOKEN"),
        basic("\u{c774}\n\u{1b}[31m:TOKEN"),
        header(&format!(
            "Authorization: bASIC {}",
            STANDARD.encode(format!("~~~?>>>>:{TOKEN}"))
        )),
    ]
}

#[tokio::test]
async fn only_the_token_in_its_place_opens_the_listener() {
    let (mut database, exporter) = exporter().await;
    let before = database.texts(FINGERPRINT).await;
    let ask = |place: &Place| {
        let (path, line) = match place {
            Place::Header(line) => ("/page.css", format!("{line}\r\n")),
            Place::Path(path) => (path.as_str(), String::new()),
        };
        let host = exporter.admin;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{line}\r\n");
        // Many wrong ones from one address would be told to wait.
        say(elsewhere(), exporter.admin, request.as_bytes())
    };
    for place in refused() {
        let answer = ask(&place);
        let is_refused = matches!(answer.get(9..12), Some("401" | "400"));
        assert!(is_refused, "{place:?}: {answer}");
    }
    for place in admitted() {
        let answer = ask(&place);
        assert_eq!(answer.get(9..12), Some("200"), "{place:?}: {answer}");
    }
    assert_eq!(database.texts(FINGERPRINT).await, before);
    let log = exporter.log();
    assert!(!log.contains(TOKEN), "the token is logged:\n{log}");
}
