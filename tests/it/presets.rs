//! A queue of which no stage is known by name.

use serde_json::Value;

use crate::support::{Database, Engine, Exporter, Options, bearer, get};

const ROWS: &str = "
DROP TABLE IF EXISTS background_jobs;
INSERT INTO documents (id, title) VALUES (1, NULL);
INSERT INTO processing_queue (id, document_id, stage, status, created_at, started_at) VALUES
    (1, 1, 'resize', 'failed', '2026-11-24T01:00:00Z', NULL),
    (2, 1, 'mail', 'pending', '2026-11-24T01:00:00Z', NULL),
    (3, 1, 'stt', 'failed', '2026-11-24T01:00:00Z', NULL),
    (4, 1, '', 'failed', '2026-11-24T01:00:00Z', NULL),
    (5, 1, 'crop', 'processing', '2026-11-24T01:00:00Z', '2026-11-24T01:00:00Z')";

async fn serving(engine: Engine, configuration: &str) -> (Database, Exporter) {
    let mut database = Database::create(engine).await;
    database.run(ROWS).await;
    let options = Options {
        configuration: Some(configuration.to_owned()),
        arguments: vec!["--collector.current".to_owned()],
        ..Options::default()
    };
    let exporter = Exporter::serve(database.url(), &options);
    (database, exporter)
}

/// The stages of the failed rows of a machine, as the list tells them.
fn failed(exporter: &Exporter, machine: &str) -> Vec<String> {
    let page = exporter
        .ask(&format!("/api/queue/failed?machine={machine}"))
        .json();
    let items = page["items"].as_array().expect("items");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    for item in items {
        assert_eq!(item["machine"], machine);
    }
    items.iter().map(|item| text(&item["stage"])).collect()
}

#[tokio::test]
async fn a_preset_has_one_machine_for_every_stage_and_calls_rows_jobs() {
    for engine in [Engine::Postgres, Engine::Sqlite] {
        let (_database, exporter) = serving(engine, "preset: pg-boss").await;
        let metrics = get(exporter.metrics, "/metrics", &[]);
        for line in [
            "queueboard_machine_info{label=\"pg-boss workers\",machine=\"workers\"} 1",
            "queueboard_machine_items{machine=\"workers\",status=\"failed\"} 3",
            "queueboard_stage_items{stage=\"mail\",machine=\"workers\",status=\"pending\"} 1",
        ] {
            let labels = |line: &str| {
                let mut parts: Vec<String> =
                    line.split(['{', ',', '}']).map(str::to_owned).collect();
                parts.sort();
                parts
            };
            let found = metrics
                .text()
                .lines()
                .any(|served| labels(served) == labels(line));
            assert!(found, "{line}\n{}", metrics.text());
        }
        assert!(!metrics.text().contains("unassigned"), "{}", metrics.text());
        assert_eq!(failed(&exporter, "workers"), ["", "resize", "stt"]);
        assert_eq!(failed(&exporter, "unassigned"), Vec::<String>::new());
        let page = get(exporter.admin, "/", &[&bearer()]);
        let page = page.text();
        assert!(page.contains("row 1 · job 1"), "{page}");
        assert!(page.contains("Id, job, title or error"), "{page}");
        assert!(page.contains("job 1</") && !page.contains("문서"), "{page}");
    }
}

#[tokio::test]
async fn the_rest_is_whatever_no_other_machine_names() {
    let configuration = "
machines:
  - {key: speech, stages: [stt]}
  - {key: off, enabled: false, fallback: others, stages: ['*']}
  - {key: others}
pools: []
deferrals: []
background_jobs: {default: others}
trend: [mail]
deadlines: [{stage: mail, by: \"08:00\"}]
words: {item: Beleg, untitled: \"Beleg Nr. \"}";
    for engine in [Engine::Postgres, Engine::Sqlite] {
        let (_database, exporter) = serving(engine, configuration).await;
        assert_eq!(failed(&exporter, "others"), ["", "resize"]);
        assert_eq!(failed(&exporter, "speech"), ["stt"]);
        let overview = exporter.overview().json();
        let machine = |key: &str| {
            let machines = overview["machines"].as_array().expect("machines");
            let machine = machines.iter().find(|machine| machine["key"] == key);
            machine.expect("the machine").clone()
        };
        assert_eq!(machine("others")["failed"], 2, "{overview}");
        assert_eq!(
            machine("others")["current"][0]["title"],
            "Beleg Nr. 1",
            "{overview}"
        );
    }
}
