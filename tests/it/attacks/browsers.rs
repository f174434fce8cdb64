//! Pages of another site, and markup in what is shown, in a real browser.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use crate::support::{Browser, Database, Engine, Exporter, Options, TOKEN, get};

use super::{FINGERPRINT, ROW};

/// What a page may do to another site without asking; `ADMIN` is the exporter.
const EVIL: &str = r#"<!DOCTYPE html><title>evil</title><iframe src="ADMIN/"></iframe>
<iframe name=sink></iframe><img src="ADMIN/api/queue/overview"><script src="ADMIN/page.js"></script>
<form id=p method=post enctype=text/plain target=sink action="ADMIN/api/queue/retry">
<input name='{"ids": [1], "a":"' value='"}'></form>
<form id=u method=post target=sink action="ADMIN/api/queue/skip"><input name=ids value=1></form>
<script>
(async () => {
const ids = '{"ids": [1]}', seen = [];
const post = (path, type, mode) => fetch('ADMIN' + path, {method: 'POST', mode, body: ids,
    credentials: 'include', headers: type ? {'Content-Type': type} : {}})
    .then((answer) => answer.text()).then((text) => seen.push(text), () => seen.push(''));
    document.getElementById('p').submit();
    document.getElementById('u').submit();
    await post('/api/queue/retry', 'text/plain', 'no-cors');
    await post('/api/queue/skip', '', 'no-cors');
    await post('/api/queue/skip', 'application/json', 'cors');
    await post('/-/reload', '', 'no-cors');
    navigator.sendBeacon('ADMIN/api/queue/retry', ids);
    await fetch('ADMIN/api/queue/failed', {credentials: 'include'}).then((a) => a.text())
        .then((text) => seen.push(text), () => seen.push(''));
    const other = window.open('ADMIN/');
    await new Promise((done) => setTimeout(done, 1500));
    if (other) {
        other.postMessage({action: 'retry', ids: [1]}, '*');
        try { seen.push(other.document.body.innerText); } catch { seen.push(''); }
        other.close();
    }
    window.seen = seen;
})();
</script>"#;

/// What sets a mark on the page if it is taken for markup.
const MARKUP: &str = r#""'><script>window.hacked=1</script><img src=x onerror="window.hacked=1">"#;

/// Serves one page to whoever asks.
fn site(page: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            // A browser opens connections ahead, and says nothing on some.
            let page = page.clone();
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 8192]);
                let head =
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n";
                let _ = stream.write_all(format!("{head}{page}").as_bytes());
            });
        }
    });
    address
}

#[tokio::test]
async fn another_site_makes_a_browser_that_knows_the_token_do_nothing() {
    let (mut database, exporter) = super::exporter().await;
    let before = database.texts(FINGERPRINT).await;
    let admin = exporter.admin;
    let site = site(EVIL.replace("ADMIN", &format!("http://{admin}")));
    let browser = Browser::open(1280, 900);
    browser.go(&format!("http://kim:{TOKEN}@{admin}/"));
    browser.wait_until("return document.readyState === 'complete'");
    assert!(
        browser.text().contains("a secret title"),
        "the token is known"
    );
    // The same machine by another name is another site, by another port another origin.
    for host in ["localhost", "127.0.0.1"] {
        browser.go(&format!("http://{host}:{}/", site.port()));
        browser.wait_until("return Array.isArray(window.seen)");
        let complaints = browser.complaints().concat();
        // To another site the browser sends no credentials at all, and sees a refusal.
        let expected = ["401 (Unauthorized)", "frame-ancestors"][usize::from(host == "127.0.0.1")];
        assert!(complaints.contains(expected), "{host}: {complaints}");
        let seen = browser.run("return window.seen.join('')");
        assert_eq!(seen, "", "{host}");
    }
    assert_eq!(database.texts(FINGERPRINT).await, before);
    let page = get(exporter.metrics, "/metrics", &[]);
    for handler in ["retry", "skip", "reload"] {
        let refused = format!("{{handler=\"{handler}\",code=\"403\"}}");
        assert!(
            page.text().contains(&refused),
            "{handler} was not tried:\n{}",
            page.text()
        );
    }
}

#[tokio::test]
async fn markup_in_names_is_text() {
    let mut database = Database::create(Engine::Postgres).await;
    database.run(ROW).await;
    let markup = MARKUP.replace('\'', "''");
    database
        .run(&format!(
            "UPDATE documents SET title = '{markup}';
             UPDATE processing_queue SET error_message = '{markup}', stage = '{markup}';
             DROP TABLE background_jobs;
             CREATE TABLE background_jobs (id bigint, kind text, label text, state text,
                processed bigint, total bigint, started_at timestamptz, updated_at timestamptz,
                finished_at timestamptz, error text);
             INSERT INTO background_jobs VALUES (1, '{markup}', '{markup}', '{markup}', 1, 2,
                now(), now(), now(), '{markup}')"
        ))
        .await;
    let configuration = serde_json::json!({
        "machines": [{"key": MARKUP, "label": MARKUP, "stages": [MARKUP]}],
        "pools": [], "deferrals": [], "trend": [MARKUP],
        "background_jobs": {"default": MARKUP, "kinds": {}},
    });
    let options = Options {
        configuration: Some(configuration.to_string()),
        arguments: vec![format!("--board.name={MARKUP}")],
        ..Options::default()
    };
    let exporter = Exporter::serve(database.url(), &options);
    let browser = Browser::open(1280, 900);
    for address in [
        format!("http://kim:{TOKEN}@{}/", exporter.admin),
        format!("http://{}/", exporter.metrics),
    ] {
        browser.go(&address);
        browser.wait_until("return document.readyState === 'complete'");
        assert!(
            browser.text().contains("<script>window.hacked=1"),
            "{}",
            browser.text()
        );
        let hacked = "return window.hacked === undefined && document.images.length === 0
                      && [...document.scripts].every((script) => script.src !== '')";
        assert_eq!(browser.run(hacked), true, "{address}");
    }
}
