use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::support::{Database, Engine, Exporter, Options, Series, of_board, repository_file};
use crate::{model, random};

const DISABLED: (&str, &str) = ("enabled: true", "enabled: false");

fn now() -> DateTime<Utc> {
    "2026-11-24T05:00:00Z".parse().expect("an instant")
}

async fn board(engine: Engine, configuration: &str, sql: &str) -> (Database, Series) {
    let mut database = Database::create(engine).await;
    database.set_clock(now()).await;
    database.run("DROP TABLE background_jobs").await;
    database.run(sql).await;
    let options = Options {
        configuration: Some(configuration.to_owned()),
        clock: database.clock(),
        ..Options::default()
    };
    let page = Exporter::serve(database.url(), &options).scrape();
    assert_eq!(page["queueboard_up"], 1.0);
    (database, page)
}

/// Queue rows as SQL that both engines read: stage, status, payload, created, completed.
fn queue(rows: &[(&str, &str, &str, &str, &str)]) -> String {
    let row = |(id, (stage, status, payload, created, completed)): (
        usize,
        &(&str, &str, &str, &str, &str),
    )| {
        let quoted = |text: &str| {
            if text.is_empty() {
                "NULL".to_owned()
            } else {
                format!("'{text}'")
            }
        };
        format!(
            "({id}, {id}, '{stage}', '{status}', {}, '{created}', {})",
            quoted(payload),
            quoted(completed)
        )
    };
    let values: Vec<String> = rows.iter().enumerate().map(row).collect();
    let columns = "id, document_id, stage, status, payload, created_at, completed_at";
    format!(
        "INSERT INTO processing_queue ({columns}) VALUES {}",
        values.join(", ")
    )
}

#[tokio::test]
async fn background_jobs_may_be_absent_and_appear() {
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        let mut rows = random::board(5, 30, now(), Tz::Asia__Seoul);
        let jobs = random::board(6, 30, now(), Tz::Asia__Seoul).jobs;
        assert!(
            jobs.as_ref().is_some_and(|jobs| !jobs.is_empty()),
            "the board has jobs"
        );
        (rows.jobs, rows.macbook_enabled) = (None, true);
        database.load(&rows).await;
        let options = Options {
            clock: database.clock(),
            ..Options::default()
        };
        let exporter = Exporter::serve(database.url(), &options);
        let page = exporter.scrape();
        assert_eq!(
            page["queueboard_collector_success{collector=\"background_jobs\"}"],
            1.0
        );
        assert!(
            !page
                .keys()
                .any(|key| key.starts_with("queueboard_background"))
        );
        assert_eq!(exporter.former_overview(), model::overview(&rows));

        rows.jobs = jobs;
        database.load(&rows).await;
        let page = exporter.scrape();
        assert!(
            page.keys()
                .any(|key| key.starts_with("queueboard_background_jobs"))
        );
        assert_eq!(exporter.former_overview(), model::overview(&rows));
        assert_eq!(exporter.log(), "", "neither is worth a word");
    }
}

#[tokio::test]
async fn a_machine_switched_off_leaves_its_stages_to_its_fallback() {
    let configuration = repository_file("src/config/default.yml").replace(DISABLED.0, DISABLED.1);
    let later = r#"{"deferred_until": "2026-11-24T09:00:00Z"}"#;
    let rows = queue(&[
        ("deep_summary", "pending", later, "2026-11-24T04:00:00Z", ""),
        ("summarize", "pending", later, "2026-11-24T04:00:00Z", ""),
        ("stt", "pending", later, "2026-11-24T04:00:00Z", ""),
    ]);
    for engine in Engine::ALL {
        let (_database, page) = board(engine, &configuration, &rows).await;
        assert_eq!(
            page[r#"queueboard_stage_items{machine="macmini",stage="deep_summary",status="pending"}"#],
            1.0
        );
        assert_eq!(
            page[r#"queueboard_machine_items{machine="macmini",status="pending"}"#],
            2.0
        );
        assert_eq!(
            page[r#"queueboard_machine_items{machine="macbook",status="pending"}"#],
            0.0
        );
        assert_eq!(
            page[r#"queueboard_machine_deferred{machine="macbook"}"#],
            2.0
        );
        assert_eq!(
            page[r#"queueboard_machine_state{machine="macbook",state="deferred"}"#],
            1.0
        );
        assert_eq!(
            page[r#"queueboard_machine_state{machine="macmini",state="idle"}"#],
            1.0
        );
        // Only a machine that `deferrals` names waits for anything.
        assert_eq!(page[r#"queueboard_machine_deferred{machine="gpu"}"#], 0.0);
        assert_eq!(
            page[r#"queueboard_stage_deferred{machine="gpu",stage="stt"}"#],
            1.0
        );
    }
}

#[tokio::test]
async fn a_stage_that_nobody_configured_is_unassigned_and_counted() {
    let rows = queue(&[
        ("translate", "failed", "", "2026-11-23T04:00:00Z", ""),
        ("embed", "failed", "", "2026-11-23T04:00:00Z", ""),
    ]);
    for engine in Engine::ALL {
        let (_database, page) = board(engine, "", &rows).await;
        let unassigned =
            r#"queueboard_stage_items{machine="unassigned",stage="translate",status="failed"}"#;
        assert_eq!(page[unassigned], 1.0);
        assert_eq!(
            page[r#"queueboard_machine_items{machine="unassigned",status="failed"}"#],
            1.0
        );
        let failed =
            |key: &&String| key.starts_with("queueboard_stage_items") && key.contains("failed");
        assert_eq!(
            page.keys().filter(failed).map(|key| page[key]).sum::<f64>(),
            2.0
        );
    }
}

#[tokio::test]
async fn a_pool_completion_whose_document_is_gone_is_the_homes() {
    let done = "2026-11-24T04:55:00Z";
    let rows = queue(&[
        ("summarize", "completed", "", "2026-11-23T04:00:00Z", done),
        ("summarize", "completed", "", "2026-11-23T04:00:00Z", done),
        ("summarize", "completed", "", "2026-11-23T04:00:00Z", done),
    ]);
    let documents =
        "; INSERT INTO documents (id, ai_model_version) VALUES (1, 'qwen-macbook'), (2, NULL)";
    for engine in Engine::ALL {
        let (_database, page) = board(engine, "", &format!("{rows}{documents}")).await;
        assert_eq!(
            page[r#"queueboard_pool_completed_15m{machine="macbook",stage="summarize"}"#],
            1.0
        );
        assert_eq!(
            page[r#"queueboard_pool_completed_15m{machine="macmini",stage="summarize"}"#],
            2.0
        );
        assert_eq!(
            page[r#"queueboard_stage_completed_15m{machine="macmini",stage="summarize"}"#],
            3.0
        );
        assert!(
            !page.keys().any(|key| key.contains("qwen")),
            "model names are not exposed"
        );
    }
}

#[tokio::test]
async fn numbers_that_do_not_exist_are_absent() {
    let jobs =
        "CREATE TABLE background_jobs (id bigint PRIMARY KEY, kind text, label text, state text,
        processed bigint, total bigint, started_at timestamptz, updated_at timestamptz,
        finished_at timestamptz, error text);
        INSERT INTO background_jobs (id, kind, state) VALUES (1, 'hier_backfill', 'running')";
    for engine in Engine::ALL {
        let (_database, page) = board(engine, "", jobs).await;
        for absent in [
            "queueboard_stage_eta_seconds",
            "queueboard_stage_oldest_pending_timestamp_seconds",
            "queueboard_stage_oldest_processing_timestamp_seconds",
            "queueboard_background_job_expected_items",
            "queueboard_background_job_elapsed_seconds",
            "queueboard_background_job_started_timestamp_seconds",
            "queueboard_background_job_heartbeat_timestamp_seconds",
            "queueboard_background_job_eta_seconds",
        ] {
            assert!(
                !page.keys().any(|key| key.starts_with(absent)),
                "{engine:?}: {absent}"
            );
        }
        let processed = page
            .iter()
            .find(|(key, _)| key.starts_with("queueboard_background_job_processed_items"));
        assert_eq!(processed.map(|(_, value)| *value), Some(0.0));
        let forecasts = page.iter().filter(|(key, _)| {
            key.starts_with("queueboard_stage_forecast") && key.contains("state=\"empty\"")
        });
        assert_eq!(
            forecasts.map(|(_, value)| value).sum::<f64>(),
            11.0,
            "every stage is empty"
        );
        assert!(page.values().all(|value| value.is_finite()));
    }
}

/// Whether the collectors of jobs, trend and stages succeeded.
fn successes(page: &Series) -> [f64; 4] {
    ["background_jobs", "outlook", "trend", "stages"]
        .map(|name| page[&format!("queueboard_collector_success{{collector=\"{name}\"}}")])
}

#[tokio::test]
async fn a_collector_that_fails_fails_alone() {
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        let mut rows = random::board(7, 300, now(), Tz::Asia__Seoul);
        rows.macbook_enabled = true;
        rows.jobs.get_or_insert_default();
        database.load(&rows).await;
        database
            .run("ALTER TABLE background_jobs RENAME COLUMN updated_at TO beat")
            .await;
        let options = Options {
            clock: database.clock(),
            ..Options::default()
        };
        let exporter = Exporter::serve(database.url(), &options);
        for _ in 0..2 {
            let page = exporter.scrape();
            assert_eq!(page["queueboard_up"], 1.0);
            assert_eq!(successes(&page), [0.0, 1.0, 1.0, 1.0]);
            let mut expected = model::metrics(&rows);
            expected.retain(|key, _| {
                !key.starts_with("queueboard_background") && !key.starts_with("queueboard_current")
            });
            assert_eq!(of_board(page).len(), expected.len());
        }
        assert_eq!(exporter.overview().status, 503);
        let log = exporter.log_with("check that the tables and columns");
        assert_eq!(log.matches("background_jobs failed").count(), 1, "{log}");
        assert!(log.contains("updated_at"), "{log}");
    }
}

/// Where the two share a pass over the queue, only the stages need the documents.
#[tokio::test]
async fn the_trend_outlives_the_stages_with_whom_it_shares_a_pass() {
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        let rows = random::board(7, 300, now(), Tz::Asia__Seoul);
        database.load(&rows).await;
        database
            .run("ALTER TABLE documents RENAME COLUMN id TO number")
            .await;
        let options = Options {
            clock: database.clock(),
            ..Options::default()
        };
        let exporter = Exporter::serve(database.url(), &options);
        for _ in 0..2 {
            let page = exporter.scrape();
            assert_eq!(successes(&page), [1.0, 1.0, 1.0, 0.0], "{engine:?}");
            let of_trend = |key: &String| key.starts_with("queueboard_trend");
            let mut expected = model::metrics(&rows);
            expected.retain(|key, _| of_trend(key));
            let mut trend = of_board(page);
            trend.retain(|key, _| of_trend(key));
            assert!(!trend.is_empty());
            assert_eq!(trend, expected, "{engine:?}");
        }
        let log = exporter.log_with("check that the tables and columns");
        assert_eq!(log.matches(" failed").count(), 2, "{log}");
        for collector in ["stages failed", "causes failed"] {
            assert!(log.contains(collector), "{log}");
        }
    }
}

#[tokio::test]
async fn a_locked_table_fails_its_collector_alone_and_in_time() {
    let mut database = Database::create(Engine::Postgres).await;
    database
        .load(&random::board(6, 30, now(), Tz::Asia__Seoul))
        .await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    database
        .run("BEGIN; LOCK TABLE background_jobs IN ACCESS EXCLUSIVE MODE")
        .await;
    let page = exporter.scrape();
    assert_eq!(page["queueboard_up"], 1.0);
    assert_eq!(
        page["queueboard_collector_success{collector=\"background_jobs\"}"],
        0.0
    );
    assert_eq!(
        page["queueboard_collector_success{collector=\"stages\"}"],
        1.0
    );
    exporter.log_with("something else holds a lock");
    database.run("COMMIT").await;
    assert_eq!(
        exporter.scrape()["queueboard_collector_success{collector=\"background_jobs\"}"],
        1.0
    );
    exporter.log_with("works again");
}

#[tokio::test]
async fn a_database_that_appears_is_read_whole() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("pipeline.db");
    let exporter = Exporter::serve(&format!("sqlite://{}", path.display()), &Options::default());
    assert_eq!(exporter.scrape()["queueboard_up"], 0.0);
    let database = Database::create(Engine::Sqlite).await;
    let made = database.url().trim_start_matches("sqlite://");
    std::fs::copy(made, &path).expect("the database is copied");
    let page = exporter.scrape();
    assert_eq!(page["queueboard_up"], 1.0);
    assert_eq!(
        page["queueboard_collector_success{collector=\"stages\"}"],
        1.0
    );
}

#[tokio::test]
async fn a_migration_between_two_scrapes_costs_none() {
    let mut database = Database::create(Engine::Postgres).await;
    database
        .load(&random::board(6, 30, now(), Tz::Asia__Seoul))
        .await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    let success =
        || exporter.scrape()["queueboard_collector_success{collector=\"background_jobs\"}"];
    assert_eq!(success(), 1.0);
    database
        .run("ALTER TABLE background_jobs ALTER COLUMN label TYPE varchar")
        .await;
    assert_eq!(
        success(),
        1.0,
        "a plan of before the migration is kept:\n{}",
        exporter.log()
    );
}
