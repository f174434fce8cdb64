use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{
    Alertmanager, Database, Engine, Exporter, Options, Prometheus, get, pipe, repository_file, run,
};

#[test]
fn the_shipped_indexes_are_those_that_are_printed() {
    let printed = crate::support::run(&["indexes"], &[]);
    let printed = String::from_utf8(printed.stdout).expect("statements of text");
    assert_eq!(printed, repository_file("deploy/indexes.sql"));
}

#[test]
fn whatever_compose_names_is_in_the_repository() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let compose = yaml("deploy/compose.yml");
    let mounts = services(&compose).flat_map(|(_, service)| mounts(service));
    let build = &compose["services"]["exporter"]["build"];
    let context = folder.join(build["context"].as_str().expect("a context"));
    let dockerfile = context.join(build["dockerfile"].as_str().expect("a file"));
    let files: Vec<_> = mounts
        .map(|(source, _)| folder.join(source))
        .chain([dockerfile])
        .collect();
    assert!(files.len() > 8, "{files:?}");
    for file in files {
        assert!(file.exists(), "{}", file.display());
    }
}

#[test]
fn compose_asks_for_every_secret_and_opens_ports_to_this_machine_only() {
    let text = repository_file("deploy/compose.yml");
    let example = repository_file("deploy/.env.example");
    let secrets: Vec<&str> = example
        .lines()
        .filter_map(|line| line.strip_suffix('='))
        .collect();
    for secret in &secrets {
        assert!(text.contains(&format!("${{{secret}:?")), "{secret}");
    }
    let asked_for = text.split("${").skip(1);
    for name in asked_for.map(|rest| rest.split_once(":?").expect(rest).0) {
        assert!(secrets.contains(&name), "{name} is not in .env.example");
    }
    let compose = yaml("deploy/compose.yml");
    let ports: Vec<&str> = services(&compose)
        .flat_map(|(_, service)| texts(&service["ports"]))
        .collect();
    assert_eq!(ports.len(), 5);
    for port in ports {
        assert!(port.starts_with("127.0.0.1:"), "{port}");
    }
}

#[test]
fn peers_are_called_by_the_names_of_services() {
    let compose = yaml("deploy/compose.yml");
    let prometheus = yaml("deploy/compose/prometheus.yml");
    let source = yaml("deploy/compose/datasource.yml");
    for (file, place, peer) in [
        (
            &compose,
            "/services/exporter/environment/DATABASE_URL",
            "postgres",
        ),
        (&source, "/datasources/0/url", "prometheus:9090"),
        (
            &prometheus,
            "/scrape_configs/0/static_configs/0/targets/0",
            "exporter:9886",
        ),
        (
            &prometheus,
            "/alerting/alertmanagers/0/static_configs/0/targets/0",
            "alertmanager:9093",
        ),
    ] {
        let address = file.pointer(place).and_then(Value::as_str).expect(place);
        assert!(
            address.split(['/', '@']).any(|part| part == peer),
            "{address}"
        );
        let service = peer.split(':').next().unwrap_or_default();
        assert!(compose["services"][service].is_object(), "{service}");
    }
}

/// Grafana knows no default for a variable, so there are two files.
#[test]
fn the_two_data_sources_differ_in_their_address_only() {
    let without_url = |path: &str| {
        let mut file = yaml(path);
        file["datasources"][0]["url"].take();
        file
    };
    assert_eq!(
        without_url("deploy/compose/datasource.yml"),
        without_url("dashboards/provisioning/datasources/queueboard.yml")
    );
}

#[test]
fn the_exporter_knows_every_flag_and_variable_that_it_is_given() {
    let help = String::from_utf8(run(&["--help"], &[]).stdout).expect("help of text");
    let unit = repository_file("deploy/queueboard-exporter.service");
    let compose = yaml("deploy/compose.yml");
    let variables = compose["services"]["exporter"]["environment"].as_object();
    let flags = unit
        .split_whitespace()
        .filter(|word| word.starts_with("--"))
        .filter_map(|word| word.split('=').next());
    let given: Vec<&str> = flags
        .chain(variables.expect("variables").keys().map(String::as_str))
        .collect();
    assert!(given.len() > 5, "{given:?}");
    let known = |name: &&str| {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
        help.split(|letter| !is_name(letter))
            .any(|word| word == *name)
    };
    assert!(given.iter().all(known), "{given:?}\n{help}");
}

#[test]
fn systemd_accepts_the_unit_and_finds_it_confined() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("queueboard-exporter.service");
    let unit = repository_file("deploy/queueboard-exporter.service");
    let installed = "/usr/local/bin/queueboard-exporter";
    let unit = unit.replace(installed, env!("CARGO_BIN_EXE_queueboard-exporter"));
    std::fs::write(&file, unit).expect("the unit is written");
    let path = file.to_str().expect("a path of text");
    // Of an unknown directive it only warns.
    let warnings = pipe("systemd-analyze", &["verify", "--man=no", path], "");
    assert_eq!(warnings, "");
    // In tenths; what is left is that it serves on the network.
    let confined = ["security", "--offline=true", "--threshold=12", path];
    pipe("systemd-analyze", &confined, "");
}

#[test]
fn prometheus_finds_the_rules_where_they_are_mounted() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    for name in ["prometheus.yml", "rules.yml"] {
        let text = mounted("prometheus", &format!("/etc/prometheus/{name}"));
        std::fs::write(path(name), text).expect("the file is written");
    }
    let configuration = path("prometheus.yml");
    let configuration = configuration.to_str().expect("a path of text");
    let checked = pipe("promtool", &["check", "config", configuration], "");
    assert!(checked.contains("1 rule files found"), "{checked}");
}

#[tokio::test]
async fn everything_in_the_compose_file_works_together() {
    let url = pipeline().await;
    let of_role = |role: &str| url.replace("postgres@", &format!("{role}:a-word@"));
    let arguments = vec![format!(
        "--admin.database-url={}",
        of_role("compose_operator")
    )];
    let options = Options {
        arguments,
        ..Options::default()
    };
    let exporter = Exporter::serve(&of_role("compose_reader"), &options);
    let overview = exporter.overview().json();
    for machine in overview["machines"].as_array().expect("machines") {
        assert_ne!(machine["state"], "idle", "{machine}");
    }
    let failed = exporter.ask("/api/queue/failed").json()["items"][0]["id"].take();
    let retry = exporter.act("/api/queue/retry", &format!("{{\"ids\": [{failed}]}}"));
    assert_eq!(retry.json()["retried"], 1, "{}", retry.text());

    let alertmanager = Alertmanager::start(&mounted(
        "alertmanager",
        "/etc/alertmanager/alertmanager.yml",
    ));
    let configuration = mounted("prometheus", "/etc/prometheus/prometheus.yml")
        .replace("exporter:9886", &exporter.metrics.to_string())
        .replace("alertmanager:9093", &alertmanager.address().to_string())
        .replace("15s", "1s");
    let prometheus = Prometheus::start(&configuration, &[]);
    prometheus.wait_for("queueboard_up{job='queueboard'}", 1.0);
    prometheus.wait_for("count(queueboard_collector_success == 1)", 5.0);
    let until = Instant::now() + Duration::from_secs(30);
    let known = || get(prometheus.address(), "/api/v1/alertmanagers", &[]).json();
    while known()["data"]["activeAlertmanagers"][0].is_null() {
        assert!(Instant::now() < until, "{}", known());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Makes the database as the container does: the files it mounts for that, by their names. Roles
/// are those of the whole server, so these are called otherwise than in other tests.
async fn pipeline() -> String {
    let mut database = Database::create(Engine::Postgres).await;
    database
        .run("DROP SCHEMA clock, public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC")
        .await;
    let url = database.url().split('?').next().expect("a URL").to_owned();
    let compose = yaml("deploy/compose.yml");
    let scripts: Vec<&str> = mounts(&compose["services"]["postgres"])
        .filter(|(_, target)| target.starts_with("/docker-entrypoint-initdb.d/"))
        .map(|(_, target)| target)
        .collect();
    assert!(scripts.len() > 3 && scripts.is_sorted(), "{scripts:?}");
    for script in scripts {
        let script = mounted("postgres", script).replace("queueboard_", "compose_");
        let secrets = ["READER_PASSWORD=a-word", "OPERATOR_PASSWORD=a-word"];
        let psql = ["psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", &url];
        pipe("env", &[&secrets[..], &psql].concat(), &script);
    }
    let with_password = "SELECT count(*)::text FROM pg_catalog.pg_authid
        WHERE rolname IN ('compose_reader', 'compose_operator') AND rolpassword IS NOT NULL";
    assert_eq!(database.texts(with_password).await, ["2"]);
    url
}

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&repository_file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn services(compose: &Value) -> impl Iterator<Item = (&String, &Value)> {
    compose["services"].as_object().expect("services").iter()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// Returns the files of this repository that a service sees, and where.
fn mounts(service: &Value) -> impl Iterator<Item = (&str, &str)> {
    texts(&service["volumes"])
        .filter(|mount| mount.starts_with('.'))
        .map(|mount| {
            let mount = mount.strip_suffix(":ro").expect("nobody writes here");
            mount.split_once(':').expect("a source and a target")
        })
}

/// Reads the file that a service finds at a path.
fn mounted(service: &str, path: &str) -> String {
    let compose = yaml("deploy/compose.yml");
    let found = mounts(&compose["services"][service]).find(|(_, target)| *target == path);
    repository_file(&format!("deploy/{}", found.expect(path).0))
}
