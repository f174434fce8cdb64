use std::time::{Duration, Instant};

use crate::support::{Authority, Database, Engine, Exporter, Options, bearer, get, request};

const SUCCESSFUL: &str = "queueboard_config_last_reload_successful";
const TIME: &str = "queueboard_config_last_reload_success_timestamp_seconds";
const MACHINE: &str = "
machines: [{key: KEY, stages: [x]}]
pools: []
deferrals: []
trend: []
background_jobs: {default: KEY}
";

/// An exporter whose web configuration and token are in a folder.
fn exporter(folder: &Authority) -> Exporter {
    let web = folder.write("web.yml", "");
    let token = folder.write("token", crate::support::TOKEN);
    let arguments = vec![
        format!("--web.config.file={web}"),
        format!("--admin.token-file={token}"),
    ];
    let options = Options {
        arguments,
        configuration: Some(MACHINE.replace("KEY", "first")),
        ..Options::default()
    };
    Exporter::serve("sqlite:///nowhere.db", &options)
}

fn reload(exporter: &Exporter) -> (u16, String) {
    let answer = request(exporter.admin, "POST", "/-/reload", &[&bearer()]);
    (answer.status, answer.text().to_owned())
}

fn machines(exporter: &Exporter) -> String {
    let page = exporter.page();
    let of_machine = |line: &&str| line.starts_with("queueboard_machine_info{");
    page.text().lines().filter(of_machine).collect()
}

#[test]
fn a_reload_follows_every_file_or_none() {
    let folder = Authority::new();
    let exporter = exporter(&folder);
    let begun = exporter.scrape();
    assert_eq!(begun[SUCCESSFUL], 1.0);
    assert!(machines(&exporter).contains("first"));

    exporter.configure(&MACHINE.replace("KEY", "second"));
    assert!(
        machines(&exporter).contains("first"),
        "nobody asked for a reload"
    );
    folder.write("token", " ");
    let (status, reason) = reload(&exporter);
    assert_eq!(status, 500);
    assert!(reason.contains("the admin token is empty"), "{reason}");
    assert!(
        machines(&exporter).contains("first"),
        "one bad file holds the others back"
    );
    let refused = exporter.scrape();
    assert_eq!((refused[SUCCESSFUL], refused[TIME]), (0.0, begun[TIME]));

    folder.write("token", crate::support::TOKEN);
    let file = exporter.configure("timezone: Nowhere");
    let (status, reason) = reload(&exporter);
    let place = format!("{file}:1:11: timezone `Nowhere` is unknown");
    assert!(status == 500 && reason.contains(&place), "{reason}");
    exporter.log_with("the configuration is refused; the old one stays");

    exporter.configure(&MACHINE.replace("KEY", "third"));
    assert_eq!(reload(&exporter).0, 200);
    assert!(machines(&exporter).contains("third"));
    let followed = exporter.scrape();
    assert_eq!(followed[SUCCESSFUL], 1.0);
    assert!(followed[TIME] > begun[TIME]);

    folder.write("token", "an0ther-token-for-tests");
    assert_eq!(reload(&exporter).0, 200);
    assert_eq!(
        exporter.ask("/page.css").status,
        401,
        "the token has changed"
    );
    let token = ["Authorization: Bearer an0ther-token-for-tests"];
    assert_eq!(get(exporter.admin, "/page.css", &token).status, 200);
    assert!(!exporter.log().contains("an0ther-token-for-tests"));
}

#[test]
fn a_signal_reloads_as_well() {
    let folder = Authority::new();
    let exporter = exporter(&folder);
    exporter.configure(&MACHINE.replace("KEY", "second"));
    exporter.signal("HUP");
    exporter.log_with("the configuration was read again");
    assert!(machines(&exporter).contains("second"));
    exporter.configure("machines: [");
    exporter.signal("HUP");
    let until = Instant::now() + Duration::from_secs(10);
    while exporter.scrape()[SUCCESSFUL] != 0.0 {
        assert!(Instant::now() < until, "{}", exporter.log());
    }
    assert!(machines(&exporter).contains("second"));
}

#[test]
fn only_a_reload_takes_away_what_the_listeners_ask_for() {
    let folder = Authority::new();
    let exporter = exporter(&folder);
    let hash = bcrypt::hash("s3cret", 4).expect("a hash");
    folder.write("web.yml", &format!("basic_auth_users: {{kim: {hash}}}"));
    assert_eq!(
        get(exporter.metrics, "/", &[]).status,
        401,
        "a change is followed at once"
    );
    folder.write("web.yml", "");
    assert_eq!(get(exporter.metrics, "/", &[]).status, 401);
    // "kim:s3cret"
    let kim = ["Authorization: Basic a2ltOnMzY3JldA=="];
    let page = get(exporter.metrics, "/metrics", &kim);
    assert!(
        page.text().contains(&format!("{SUCCESSFUL} 0\n")),
        "{}",
        page.text()
    );
    assert_eq!(reload(&exporter).0, 200);
    assert_eq!(get(exporter.metrics, "/", &[]).status, 200);
    assert_eq!(exporter.scrape()[SUCCESSFUL], 1.0);
}

#[test]
fn a_reload_is_for_whoever_has_the_token() {
    let folder = Authority::new();
    let exporter = exporter(&folder);
    let token = bearer();
    let ask =
        |method: &str, headers: &[&str]| request(exporter.admin, method, "/-/reload", headers);
    assert_eq!(ask("POST", &[]).status, 401);
    assert_eq!(
        ask("POST", &[&token, "Sec-Fetch-Site: cross-site"]).status,
        403
    );
    let refusal = ask("GET", &[&token]);
    assert_eq!(
        (refusal.status, refusal.header("allow")),
        (405, Some("POST, PUT"))
    );
    assert_eq!(ask("PUT", &[&token]).status, 200);
    let open = request(exporter.metrics, "POST", "/-/reload", &[&token]);
    assert_eq!(open.status, 404);
}

/// What a connection knows of the tables holds for the configuration that it was asked under.
#[tokio::test]
async fn words_and_zones_are_those_of_the_configuration_in_force() {
    let insert = "INSERT INTO processing_queue (id, document_id, stage, status, created_at)
                  VALUES (1, 1, 'x', 'WAITING', '2026-11-24T05:00:00Z'),
                         (2, 2, 'x', 'completed', '2026-11-24T05:00:00Z')";
    for engine in [Engine::Postgres, Engine::Sqlite] {
        let mut database = Database::create(engine).await;
        database.run(insert).await;
        let configuration = MACHINE.replace("KEY", "first");
        let options = Options {
            configuration: Some(configuration.clone()),
            ..Options::default()
        };
        let exporter = Exporter::serve(database.url(), &options);
        let of_stage = |name: &str, more: &str| {
            let key = format!("queueboard_stage_{name}{{machine=\"first\",stage=\"x\"{more}}}");
            exporter.scrape()[&key]
        };
        let waiting = || of_stage("items", ",status=\"pending\"");
        assert_eq!((waiting(), of_stage("unknown_status", "")), (0.0, 1.0));
        exporter.configure(&(configuration + "statuses: {pending: [WAITING]}"));
        assert_eq!(reload(&exporter).0, 200);
        assert_eq!((waiting(), of_stage("unknown_status", "")), (1.0, 0.0));
    }
}
