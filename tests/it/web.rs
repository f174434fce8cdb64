use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use queueboard_exporter::config::web;

use crate::support::{Authority, Exporter, Options, Prometheus, TOKEN, bearer, binary, get, run};

const TLS: &str = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n";

/// The exit codes of curl that tell why there is no TLS.
const CANNOT_BE_TRUSTED: i32 = 60;

/// A database is not needed to be asked for a password.
fn serve(authority: &Authority, configuration: &str) -> Exporter {
    let file = authority.write("web.yml", configuration);
    let arguments = vec![format!("--web.config.file={file}")];
    let options = Options {
        arguments,
        ..Options::default()
    };
    Exporter::serve("sqlite:///nowhere.db", &options)
}

/// An authority that has signed a certificate for this machine.
fn authority() -> Authority {
    let authority = Authority::new();
    authority.sign("server", "DNS:localhost", "2");
    authority
}

/// Asks with curl; returns its exit code, and the status and the body of the answer.
fn curl(authority: &Authority, url: &str, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new("curl")
        .args([
            "--silent",
            "--max-time",
            "20",
            "--write-out",
            "\n%{http_code}",
        ])
        .args(["--cacert", &authority.path("ca.crt")])
        .args(arguments)
        .arg(url)
        .output()
        .expect("curl runs; use tests/run");
    let text = String::from_utf8(output.stdout).expect("text");
    let (body, status) = text.rsplit_once('\n').expect("a status");
    let code = output.status.code().expect("an exit code");
    (code, status.to_owned(), body.to_owned())
}

fn https(address: SocketAddr, path: &str) -> String {
    format!("https://localhost:{}{path}", address.port())
}

fn hash(password: &str) -> String {
    let hash = bcrypt::hash(password, 4).expect("a hash");
    // As htpasswd writes it.
    hash.replacen("$2b$", "$2y$", 1)
}

#[test]
fn both_listeners_speak_tls_and_say_so_to_whoever_does_not() {
    let authority = authority();
    let exporter = serve(&authority, TLS);
    let (code, status, page) = curl(&authority, &https(exporter.metrics, "/metrics"), &[]);
    assert_eq!((code, status.as_str()), (0, "200"), "{page}");
    assert!(page.contains("queueboard_up 0"));
    let token = bearer();
    let with_token = ["--header", token.as_str()];
    let (code, status, _) = curl(&authority, &https(exporter.admin, "/page.css"), &with_token);
    assert_eq!((code, status.as_str()), (0, "200"));
    for version in ["--tlsv1.3", "--tls-max=1.2"] {
        let arguments: Vec<&str> = version.split('=').collect();
        let (code, ..) = curl(&authority, &https(exporter.metrics, "/"), &arguments);
        assert_eq!(code, 0, "{version}");
    }
    for address in [exporter.metrics, exporter.admin] {
        let answer = get(address, "/metrics", &[]);
        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.text(),
            "Client sent an HTTP request to an HTTPS server.\n"
        );
        // The certificate is for a name, and this is another.
        let (code, ..) = curl(&authority, &format!("https://{address}/"), &[]);
        assert_eq!(code, CANNOT_BE_TRUSTED);
        let (code, ..) = curl(&Authority::new(), &https(address, "/"), &[]);
        assert_eq!(code, CANNOT_BE_TRUSTED);
    }
}

#[test]
fn a_replaced_certificate_is_served_without_a_restart() {
    let authority = authority();
    let (certificate, key) = (authority.text("server.crt"), authority.text("server.key"));
    authority.sign("server", "DNS:localhost", "-1");
    let exporter = serve(&authority, TLS);
    let code = || curl(&authority, &https(exporter.metrics, "/"), &[]).0;
    assert_eq!(code(), CANNOT_BE_TRUSTED, "it has expired");
    authority.write("server.crt", &certificate);
    // Now the certificate is not that of the key.
    assert_eq!(code(), CANNOT_BE_TRUSTED);
    authority.write("server.key", &key);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(code(), 0, "{}", exporter.log());
    authority.write("server.crt", "no certificate");
    for _ in 0..3 {
        assert_eq!(code(), 0, "the old one stays");
    }
    let log = exporter.log_with("there is none in PEM in it");
    let complaints = log.lines().filter(|line| line.contains("is refused"));
    assert_eq!(complaints.count(), 2, "each is said once: {log}");
    let place = format!("{}:1:32: cert_file server.crt: ", authority.path("web.yml"));
    assert!(log.contains(&place), "{log}");
}

#[test]
fn a_certificate_may_be_asked_of_clients() {
    let authority = authority();
    let other = Authority::new();
    authority.sign("prometheus", "DNS:prometheus.internal", "2");
    authority.sign("grafana", "DNS:grafana.internal", "2");
    authority.sign("expired", "DNS:prometheus.internal", "-1");
    other.sign("stranger", "DNS:prometheus.internal", "2");
    let status = |exporter: &Exporter, from: &Authority, client: &str| {
        let (certificate, key) = (format!("{client}.crt"), format!("{client}.key"));
        let (certificate, key) = (from.path(&certificate), from.path(&key));
        let arguments = match client {
            "" => vec![],
            _ => vec!["--cert", &certificate, "--key", &key],
        };
        curl(&authority, &https(exporter.metrics, "/"), &arguments).1
    };
    let policies = [
        // Who is let in: nobody at all, a stranger, an expired one, one of ours.
        ("NoClientCert", "", ["200", "200", "200", "200"]),
        ("RequestClientCert", "", ["200", "200", "200", "200"]),
        ("RequireAnyClientCert", "", ["000", "200", "200", "200"]),
        (
            "VerifyClientCertIfGiven",
            "ca.crt",
            ["200", "000", "000", "200"],
        ),
        (
            "RequireAndVerifyClientCert",
            "ca.crt",
            ["000", "000", "000", "200"],
        ),
    ];
    for (policy, authorities, expected) in policies {
        let mut configuration = TLS.replace('}', &format!(", client_auth_type: {policy}}}"));
        if !authorities.is_empty() {
            let file = format!(", client_ca_file: {authorities}}}");
            configuration = configuration.replace('}', &file);
        }
        let exporter = serve(&authority, &configuration);
        let found = [
            status(&exporter, &authority, ""),
            status(&exporter, &other, "stranger"),
            status(&exporter, &authority, "expired"),
            status(&exporter, &authority, "grafana"),
        ];
        assert_eq!(found, expected, "{policy}");
    }
    let names = ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt, \
                 client_allowed_sans: [prometheus.internal]}";
    let exporter = serve(&authority, &TLS.replace('}', names));
    assert_eq!(status(&exporter, &authority, "grafana"), "000");
    assert_eq!(status(&exporter, &authority, "prometheus"), "200");
    assert_eq!(status(&exporter, &other, "stranger"), "000");
}

#[test]
fn versions_suites_and_curves_are_those_configured() {
    let authority = authority();
    let code = |exporter: &Exporter, arguments: &[&str]| {
        curl(&authority, &https(exporter.metrics, "/"), arguments).0
    };
    let with = |keys: &str| serve(&authority, &TLS.replace('}', &format!(", {keys}}}")));
    let newest = with("min_version: TLS13, curve_preferences: [CurveP384]");
    assert_eq!(code(&newest, &[]), 0);
    assert_ne!(code(&newest, &["--tls-max", "1.2"]), 0);
    assert_ne!(code(&newest, &["--curves", "X25519"]), 0);
    let older = with(
        "max_version: TLS12, prefer_server_cipher_suites: true, \
         cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]",
    );
    assert_eq!(code(&older, &[]), 0);
    assert_ne!(code(&older, &["--tlsv1.3"]), 0);
    assert_ne!(
        code(&older, &["--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384"]),
        0
    );
    let both = with("cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]");
    assert_eq!(code(&both, &["--tlsv1.3"]), 0, "the list is about TLS 1.2");
}

#[test]
fn passwords_are_asked_for_on_every_path_of_the_metrics_listener() {
    let authority = authority();
    let users = |password: &str| format!("{TLS}basic_auth_users: {{kim: '{}'}}\n", hash(password));
    let exporter = serve(&authority, &users("s3cret"));
    let status = |path: &str, arguments: &[&str]| {
        curl(&authority, &https(exporter.metrics, path), arguments).1
    };
    for path in ["/", "/metrics", "/-/healthy", "/-/ready", "/nonsense"] {
        let right = if path == "/nonsense" { "404" } else { "200" };
        assert_eq!(status(path, &["--user", "kim:s3cret"]), right, "{path}");
        assert_eq!(status(path, &[]), "401", "{path}");
        for wrong in [
            "kim:wrong",
            "kim:",
            ":s3cret",
            "lee:s3cret",
            &format!("kim:{TOKEN}"),
        ] {
            assert_eq!(status(path, &["--user", wrong]), "401", "{path} {wrong}");
        }
        assert_eq!(status(path, &["--header", &bearer()]), "401", "{path}");
    }
    let challenge = curl(&authority, &https(exporter.metrics, "/"), &["--include"]).2;
    assert!(
        challenge
            .to_lowercase()
            .contains("www-authenticate: basic realm="),
        "{challenge}"
    );
    // A user who may see numbers may not change the queue.
    let admin = https(exporter.admin, "/page.css");
    assert_eq!(curl(&authority, &admin, &["--user", "kim:s3cret"]).1, "401");
    let token = format!("kim:{TOKEN}");
    assert_eq!(curl(&authority, &admin, &["--user", &token]).1, "200");

    authority.write("web.yml", &users("n3w"));
    assert_eq!(
        status("/", &["--user", "kim:s3cret"]),
        "401",
        "the password has changed"
    );
    assert_eq!(status("/", &["--user", "kim:n3w"]), "200");
    // A file that lets everybody in may be a file that is half written.
    authority.write("web.yml", TLS);
    assert_eq!(status("/", &[]), "401");
    authority.write("web.yml", "");
    assert_eq!(status("/", &[]), "401");
    exporter.log_with("reload if that is meant");
    let log = exporter.log();
    assert!(!log.contains("s3cret") && !log.contains("$2"), "{log}");
}

#[test]
fn configured_headers_are_on_every_answer() {
    let authority = Authority::new();
    let configuration = "
http_server_config:
  http2: false
  headers:
    X-Frame-Options: deny
    Strict-Transport-Security: max-age=31536000
    Content-Security-Policy: default-src 'self'
    X-XSS-Protection: ''
";
    let exporter = serve(&authority, configuration);
    for (address, path) in [
        (exporter.metrics, "/metrics"),
        (exporter.metrics, "/nonsense"),
        (exporter.admin, "/"),
    ] {
        let answer = get(address, path, &[]);
        assert_eq!(answer.header("x-frame-options"), Some("deny"), "{path}");
        let lasting = answer.header("strict-transport-security");
        assert_eq!(lasting, Some("max-age=31536000"), "{path}");
        let policy = answer.header("content-security-policy");
        assert_eq!(policy, Some("default-src 'self'"), "{path}");
        assert_eq!(answer.header("x-xss-protection"), None, "{path}");
    }
    // The failures page brings a policy of its own, which is the stricter one.
    let page = exporter.ask("/");
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
}

#[test]
fn a_real_prometheus_scrapes_over_tls_with_a_password() {
    let authority = authority();
    let users = format!(
        "{TLS}basic_auth_users: {{prometheus: '{}'}}\n",
        hash("s3cret")
    );
    let exporter = serve(&authority, &users);
    let scraping = |password: &str| {
        let configuration = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
             scrape_configs:\n\
             - job_name: q\n  scheme: https\n  \
               tls_config: {{ca_file: ca.crt}}\n  \
               basic_auth: {{username: prometheus, password: {password}}}\n  \
               static_configs: [{{targets: ['localhost:{}']}}]\n",
            exporter.metrics.port()
        );
        Prometheus::start(&configuration, &[("ca.crt", &authority.text("ca.crt"))])
    };
    let prometheus = scraping("s3cret");
    prometheus.wait_for("up", 1.0);
    prometheus.wait_for("queueboard_up", 0.0);
    let refused = scraping("wrong");
    refused.wait_for("up", 0.0);
    prometheus.wait_for(
        "sum(queueboard_http_requests_total{code='401'}) > bool 0",
        1.0,
    );
}

/// What stands for the T of the configurations below.
const START: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key";

/// Each web configuration that is refused: what is wrong, where it stands, what the reader is told.
const REFUSED: [(&str, &str, &str); 31] = [
    ("tls_config: {}", "1:1", "unknown field `tls_config`"),
    (
        "tls_server_config: {cert_fil: x}",
        "1:21",
        "unknown field `cert_fil`",
    ),
    ("tls_server_config: {}", "1:20", "cert_file is missing"),
    (
        "tls_server_config: {cert_file: server.crt}",
        "1:20",
        "key_file is missing",
    ),
    (
        "tls_server_config: {key_file: server.key}",
        "1:20",
        "cert_file is missing",
    ),
    (
        "tls_server_config: {cert_file: nowhere.crt, key_file: server.key}",
        "1:32",
        "cert_file nowhere.crt: No such file",
    ),
    (
        "tls_server_config: {cert_file: server.key, key_file: server.key}",
        "1:32",
        "cert_file server.key: there is none in PEM in it",
    ),
    (
        "tls_server_config: {cert_file: server.crt, key_file: server.crt}",
        "1:54",
        "key_file server.crt: there is none in PEM in it",
    ),
    (
        "tls_server_config: {cert_file: server.crt, key_file: ca.key}",
        "1:32",
        "cert_file server.crt: it does not go with the key",
    ),
    (
        "tls_server_config: {cert: x, cert_file: server.crt, key_file: server.key}",
        "1:41",
        "cert and cert_file are both given",
    ),
    (
        "tls_server_config: {cert: x, key: y}",
        "1:27",
        "cert: there is none in PEM in it",
    ),
    ("T\n  min_version: TLS11", "4:16", "TLS11 is no longer safe"),
    (
        "T\n  min_version: 1.2",
        "4:16",
        "`1.2` is no version of TLS",
    ),
    (
        "T\n  min_version: TLS13\n  max_version: TLS12",
        "5:16",
        "max_version is below min_version",
    ),
    (
        "T\n  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]",
        "4:19",
        "cipher suite `TLS_RSA_WITH_RC4_128_SHA` is not offered; there are TLS_AES_256_GCM_SHA384",
    ),
    (
        "T\n  max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]",
        "2:3",
        "tls_server_config: ",
    ),
    (
        "T\n  curve_preferences: [CurveP521]",
        "4:23",
        "curve `CurveP521` is not offered",
    ),
    (
        "T\n  client_auth_type: Maybe",
        "4:21",
        "client_auth_type is NoClientCert, Request",
    ),
    (
        "T\n  client_ca_file: ca.crt",
        "4:19",
        "without a client_auth_type nobody is asked",
    ),
    (
        "T\n  client_auth_type: NoClientCert\n  client_ca_file: ca.crt",
        "5:19",
        "without a client_auth_type nobody is asked",
    ),
    (
        "T\n  client_auth_type: RequireAndVerifyClientCert",
        "4:21",
        "RequireAndVerifyClientCert needs client_ca_file",
    ),
    (
        "T\n  client_auth_type: RequireAnyClientCert\n  client_ca_file: ca.key",
        "5:19",
        "client_ca_file ca.key: there is none in PEM in it",
    ),
    (
        "T\n  client_auth_type: RequestClientCert\n  client_allowed_sans: [a.b]",
        "5:25",
        "client_allowed_sans needs a client_auth_type that requires",
    ),
    (
        "T\n  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: ['spiffe://a/b']",
        "5:25",
        "`spiffe://a/b` is neither a DNS name nor an IP address",
    ),
    (
        "basic_auth_users: {kim: s3cret}",
        "1:25",
        "user `kim`: this is no bcrypt hash",
    ),
    (
        "basic_auth_users: {kim: $2y$10$s3cret}",
        "1:25",
        "this is no bcrypt hash",
    ),
    (
        "basic_auth_users: {'k:m': $2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie}",
        "1:27",
        "a name with a colon cannot be sent",
    ),
    (
        "http_server_config: {headers: {X-Other: 1}}",
        "1:41",
        "header `X-Other` cannot be set, only Content-Security-Policy, Strict-",
    ),
    (
        "http_server_config: {headers: {X-Frame-Options: allow}}",
        "1:49",
        "header `X-Frame-Options` can only be deny or sameorigin",
    ),
    (
        "http_server_config: {headers: {Content-Security-Policy: \"a\\nb\"}}",
        "1:57",
        "its value cannot be sent",
    ),
    ("http_server_config: {http2: perhaps}", "1:29", ""),
];

#[test]
fn a_web_configuration_that_cannot_be_followed_is_refused_with_its_place_and_reason() {
    let authority = authority();
    for (text, place, reason) in REFUSED {
        let text = match text.strip_prefix('T') {
            Some(rest) => format!("{START}{rest}"),
            None => text.to_owned(),
        };
        let file = authority.write("refused.yml", &text);
        let refusal = web::load(file.as_ref())
            .err()
            .map(|error| format!("{error:#}"));
        let refusal = refusal.unwrap_or_else(|| panic!("{text} is not refused"));
        assert!(
            refusal.starts_with(&format!("{file}:{place}: ")),
            "{text}\n{refusal}"
        );
        assert!(refusal.contains(reason), "{text}\n{refusal}");
        assert_eq!(refusal.lines().count(), 1, "{refusal}");
        assert!(!refusal.contains("s3cret"), "{refusal}");
    }
}

#[test]
fn nothing_is_served_with_a_web_configuration_that_is_refused_and_check_refuses_it_too() {
    let authority = Authority::new();
    let file = authority.write("web.yml", "basic_auth_users: {kim: s3cret}");
    let flags = [
        "--log.level=error",
        "--web.config.file",
        &file,
        "--database-url=sqlite:///nowhere.db",
    ];
    for arguments in [flags.to_vec(), [&["check"], &flags[..]].concat()] {
        let output = run(&arguments, &[]);
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&format!("{file}:1:25: user `kim`")), "{said}");
        assert!(
            said.lines().count() == 1 && !said.contains("s3cret"),
            "{said}"
        );
    }
}

#[test]
fn certificates_may_stand_in_the_file_itself() {
    let authority = authority();
    let inline = |file: &str| authority.text(file).replace('\n', "\n    ");
    let (certificate, key) = (inline("server.crt"), inline("server.key"));
    let configuration =
        format!("tls_server_config:\n  cert: |\n    {certificate}\n  key: |\n    {key}\n");
    let exporter = serve(&authority, &configuration);
    assert_eq!(curl(&authority, &https(exporter.metrics, "/"), &[]).0, 0);
}

#[test]
fn a_token_that_would_cross_the_network_in_plain_text_is_warned_of() {
    let authority = authority();
    let file = authority.write("web.yml", TLS);
    let secure = format!("--web.config.file={file}");
    for (arguments, warned) in [
        (vec!["--admin.listen-address=0.0.0.0:0"], true),
        (vec!["--admin.listen-address=127.0.0.1:0"], false),
        (vec!["--admin.listen-address=0.0.0.0:0", &secure], false),
    ] {
        let mut child = binary()
            .args([
                "--database-url=sqlite:///nowhere.db",
                "--web.listen-address=127.0.0.1:0",
            ])
            .args(&arguments)
            .env("QUEUEBOARD_ADMIN_TOKEN", TOKEN)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut log = BufReader::new(child.stderr.take().expect("its log"));
        let mut said = String::new();
        while !said.contains("serving people") {
            assert!(log.read_line(&mut said).expect("a line") > 0, "{said}");
        }
        let _ = child.kill();
        let _ = child.wait();
        let words = "the admin token will cross the network in plain text";
        assert_eq!(said.contains(words), warned, "{arguments:?}: {said}");
    }
}
