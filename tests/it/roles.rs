use crate::support::{Database, Engine, Exporter, Options, repository_file};

#[tokio::test]
async fn the_reader_does_everything_but_act_and_the_operator_acts() {
    let mut database = Database::create(Engine::Postgres).await;
    database
        .run("GRANT USAGE ON SCHEMA clock TO PUBLIC; GRANT SELECT ON clock.instant TO PUBLIC")
        .await;
    let now = chrono::DateTime::from_timestamp(1_795_500_000, 0).expect("an instant");
    let mut rows = crate::random::board(6, 300, now, chrono_tz::Tz::UTC);
    rows.jobs.get_or_insert_default();
    database.load(&rows).await;
    database
        .run("UPDATE processing_queue SET status = 'failed' WHERE status = 'pending'")
        .await;
    let roles = repository_file("deploy/roles.sql");
    database.run(&roles).await;
    database.run(&roles).await;
    let reader = database.url().replace("postgres@", "queueboard_reader@");
    let operator = database.url().replace("postgres@", "queueboard_operator@");

    for role in [&reader, &operator] {
        for (setting, value) in [("idle", "60"), ("interval", "15"), ("count", "4")] {
            let shown = Database::ask_at(role, &format!("SHOW tcp_keepalives_{setting}")).await;
            assert_eq!(shown.expect("a session"), [value], "{setting}");
        }
    }

    let alone = Exporter::serve(&reader, &Options::default());
    let page = alone.scrape();
    for collector in ["stages", "trend", "background_jobs"] {
        let success = format!("queueboard_collector_success{{collector=\"{collector}\"}}");
        assert_eq!(page[&success], 1.0, "{}", alone.log());
    }
    assert_eq!(alone.overview().status, 200);
    let failed = alone.ask("/api/queue/failed").json();
    let ids: Vec<i64> = (0..2)
        .map(|index| failed["items"][index]["id"].as_i64().expect("an id"))
        .collect();
    for action in ["retry", "skip"] {
        let answer = alone.act(
            &format!("/api/queue/{action}"),
            &format!("{{\"ids\": [{}]}}", ids[0]),
        );
        assert_eq!(answer.status, 403);
        let words = "the database role may not UPDATE processing_queue";
        assert!(answer.text().contains(words), "{}", answer.text());
    }

    let arguments = vec![format!("--admin.database-url={operator}")];
    let both = Exporter::serve(
        &reader,
        &Options {
            arguments,
            ..Options::default()
        },
    );
    let retry = both.act("/api/queue/retry", &format!("{{\"ids\": [{}]}}", ids[0]));
    assert_eq!(retry.status, 200, "{}", retry.text());
    let skip = both.act("/api/queue/skip", &format!("{{\"ids\": [{}]}}", ids[1]));
    assert_eq!(skip.json()["skipped"], 1);

    database.run("SET ROLE queueboard_operator").await;
    for refused in [
        "UPDATE processing_queue SET error_message = NULL",
        "UPDATE processing_queue SET document_id = 1",
        "DELETE FROM processing_queue",
        "INSERT INTO documents (id) VALUES (-1)",
        "UPDATE documents SET title = NULL",
        "UPDATE background_jobs SET state = 'x'",
    ] {
        assert_eq!(
            database.refusal(refused).await.as_deref(),
            Some("42501"),
            "{refused}"
        );
    }
}
