use std::time::{Duration, Instant};

use crate::support::{Answer, Authority, Exporter, Kept, Options, Prometheus, bearer, get};

const TLS: &str = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n";

/// Asks for nothing that a client has to show, and changes nothing.
const PLAIN: &str = "http_server_config: {}\n";

fn serve(authority: &Authority, configuration: &str) -> Exporter {
    let file = authority.write("web.yml", configuration);
    let arguments = vec![format!("--web.config.file={file}")];
    let options = Options {
        arguments,
        ..Options::default()
    };
    Exporter::serve("sqlite:///nowhere.db", &options)
}

fn authority() -> Authority {
    let authority = Authority::new();
    authority.sign("server", "DNS:localhost", "2");
    authority.sign("client", "DNS:prometheus.internal", "2");
    authority
}

/// A configuration that asks for a certificate of one of these authorities.
fn asking(authorities: &str) -> String {
    let asked = ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ";
    TLS.replace('}', &format!("{asked}{authorities}}}"))
}

fn is_last(answer: &Answer) -> bool {
    answer.header("connection") == Some("close")
}

/// Nobody is served on a connection that could not have begun any more.
fn assert_refused(mut kept: Kept) {
    let answer = kept.ask("/");
    assert_eq!(answer.status, 421, "{}", answer.text());
    assert!(is_last(&answer), "{}", answer.head);
    assert!(answer.text().contains("open another"), "{}", answer.text());
    kept.assert_closed();
}

/// A change that keeps nobody out costs nobody an answer.
fn assert_served_once_more(mut kept: Kept) {
    let answer = kept.ask("/-/healthy");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(is_last(&answer), "{}", answer.head);
    kept.assert_closed();
}

/// Opens a connection on which an answer has come already.
fn used(mut kept: Kept) -> Kept {
    for _ in 0..2 {
        let answer = kept.ask("/-/healthy");
        assert!(answer.status < 500 && !is_last(&answer), "{}", answer.head);
    }
    kept
}

#[test]
fn a_plain_connection_ends_when_tls_is_asked_for() {
    let authority = authority();
    let exporter = serve(&authority, PLAIN);
    let addresses = [exporter.metrics, exporter.admin];
    let used = addresses.map(|address| used(Kept::plain(address)));
    authority.write("web.yml", &asking("ca.crt"));
    used.into_iter().for_each(assert_refused);
    let counted = "queueboard_http_requests_total{handler=\"refused\",code=\"421\"} 2";
    let mut known = Kept::tls(exporter.metrics, &authority, "client");
    let page = known.ask("/metrics");
    assert!(page.text().contains(counted), "{}", page.text());
}

#[test]
fn a_connection_ends_when_its_client_certificate_may_be_worth_nothing_any_more() {
    let authority = authority();
    let other = Authority::new();
    let (ours, theirs) = (authority.text("ca.crt"), other.text("ca.crt"));
    authority.write("other.crt", &theirs);
    authority.write("both.crt", &format!("{ours}{theirs}"));
    let named = asking("ca.crt, client_allowed_sans: [grafana.internal]");
    for (before, after, outcome) in [
        (TLS, asking("ca.crt"), assert_refused as fn(Kept)),
        (&asking("ca.crt"), asking("other.crt"), assert_refused),
        (&asking("both.crt"), asking("ca.crt"), assert_refused),
        (&asking("ca.crt"), named, assert_refused),
        (
            &asking("ca.crt"),
            asking("both.crt"),
            assert_served_once_more,
        ),
    ] {
        let exporter = serve(&authority, before);
        let kept = used(Kept::tls(exporter.metrics, &authority, "client"));
        authority.write("web.yml", &after);
        outcome(kept);
    }
}

#[test]
fn a_request_under_way_gets_its_answer_and_is_the_last() {
    let authority = authority();
    let exporter = serve(&authority, PLAIN);
    let mut kept = Kept::plain(exporter.admin);
    kept.send(&format!(
        "POST /api/queue/retry HTTP/1.1\r\nHost: localhost\r\n{}\r\n\
         Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        bearer()
    ));
    kept.assert_body_is_read();
    authority.write("web.yml", TLS);
    kept.send("{}");
    let answer = kept.answer();
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains("ids"), "{}", answer.text());
    assert!(is_last(&answer), "{}", answer.head);
    kept.assert_closed();
}

#[test]
fn a_password_is_asked_for_on_connections_from_before() {
    let authority = authority();
    let exporter = serve(&authority, PLAIN);
    let mut kept = used(Kept::plain(exporter.metrics));
    let hash = bcrypt::hash("s3cret", 4).expect("a hash");
    authority.write("web.yml", &format!("basic_auth_users: {{kim: '{hash}'}}\n"));
    assert_eq!(kept.ask("/metrics").status, 401);
    assert_eq!(get(exporter.metrics, "/metrics", &[]).status, 401);
}

#[test]
fn a_renewed_certificate_costs_a_real_prometheus_no_scrape() {
    let authority = authority();
    authority.sign("renewed", "DNS:localhost", "2");
    let exporter = serve(&authority, TLS);
    let configuration = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
         scrape_configs:\n\
         - job_name: q\n  scheme: https\n  \
           tls_config: {{ca_file: ca.crt}}\n  \
           static_configs: [{{targets: ['localhost:{}']}}]\n",
        exporter.metrics.port()
    );
    let prometheus = Prometheus::start(&configuration, &[("ca.crt", &authority.text("ca.crt"))]);
    prometheus.wait_for("up", 1.0);
    for (n, name) in ["renewed", "server"].repeat(3).iter().enumerate() {
        let files = format!("{{cert_file: {name}.crt, key_file: {name}.key}}");
        authority.write("web.yml", &format!("tls_server_config: {files}\n"));
        let until = Instant::now() + Duration::from_secs(20);
        while exporter.log().matches("changed and is followed").count() <= n {
            assert!(Instant::now() < until, "{}", exporter.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    // The last of them is followed by a scrape on another connection.
    let scrapes = prometheus.value("count_over_time(up[1m])");
    let more = scrapes.map_or(0.0, |scrapes| scrapes + 2.0);
    prometheus.wait_for(&format!("count_over_time(up[1m]) >= bool {more}"), 1.0);
    assert_eq!(prometheus.value("min_over_time(up[1m])"), Some(1.0));
}
