use std::thread;

use crate::support::{Database, Engine, Exporter, Options, get};

const FORMATS: [&str; 2] = ["text", "json"];

fn serve(url: &str, format: &str) -> Exporter {
    let arguments = vec![format!("--log.format={format}")];
    Exporter::serve(
        url,
        &Options {
            arguments,
            ..Options::default()
        },
    )
}

/// Scrapes again and again, then a hundred times at once.
fn scrape_often(exporter: &Exporter) {
    for _ in 0..20 {
        exporter.page();
    }
    let address = exporter.metrics;
    let scrapes: Vec<_> = (0..100)
        .map(|_| thread::spawn(move || get(address, "/metrics", &[])))
        .collect();
    for scrape in scrapes {
        assert_eq!(scrape.join().expect("an answer").status, 200);
    }
}

fn warnings(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains("WARN")).collect()
}

#[tokio::test]
async fn one_failure_is_one_line_and_its_end_is_another() {
    for format in FORMATS {
        let mut database = Database::create(Engine::Postgres).await;
        let exporter = serve(database.url(), format);
        // Its table of jobs lacks every column but one.
        scrape_often(&exporter);
        database.run("DROP TABLE background_jobs").await;
        scrape_often(&exporter);
        let log = exporter.log_with("works again");
        let lines: Vec<&str> = log.lines().collect();
        assert_eq!(lines.len(), 2, "{log}");
        assert!(
            lines[0].contains("WARN") && lines[0].contains("reading the background_jobs failed")
        );
        assert!(lines[1].contains("INFO") && lines[1].contains("background_jobs works again"));
    }
}

#[tokio::test]
async fn an_absent_database_is_one_line() {
    let exporter = serve("postgres://nobody@127.0.0.1:1/nothing", "text");
    scrape_often(&exporter);
    let log = exporter.log_with("check that the database runs");
    assert_eq!(log.lines().count(), 1, "{log}");
}

#[tokio::test]
async fn a_failure_whose_words_change_is_no_flood() {
    for format in FORMATS {
        let mut database = Database::create(Engine::Postgres).await;
        database
            .run(
                r#"DROP TABLE background_jobs;
                CREATE FUNCTION public.trouble() RETURNS text LANGUAGE plpgsql AS $$
                DECLARE number int := (random() * 1e6)::int;
                BEGIN
                    IF number % 2 = 0 THEN RAISE EXCEPTION 'port % is "closed"', number; END IF;
                    RAISE EXCEPTION E'gave up after % ms\n', number;
                END $$;
                INSERT INTO processing_queue VALUES (1, 1, 'stt', 'pending', 0, 0, '', 'null', now());
                ALTER TABLE processing_queue RENAME TO rows;
                CREATE VIEW processing_queue AS SELECT id, document_id, public.trouble() AS stage,
                    status, payload, created_at, started_at, completed_at FROM rows;"#,
            )
            .await;
        let exporter = serve(database.url(), format);
        for _ in 0..40 {
            let page = exporter.page();
            assert!(
                page.text().contains("queueboard_up 1"),
                "{}",
                exporter.log()
            );
        }
        let log = exporter.log_with("gave up");
        for subject in ["trend", "stages"] {
            let about = format!("reading the {subject} failed");
            let warnings = warnings(&log);
            let lines = warnings.iter().filter(|line| line.contains(&about)).count();
            assert!(
                (1..=2).contains(&lines),
                "{lines} lines about {subject}:\n{log}"
            );
        }
        assert_eq!(
            log.lines().count(),
            warnings(&log).len(),
            "a line has broken:\n{log}"
        );
    }
}

#[tokio::test]
async fn each_line_of_json_is_json() {
    let exporter = serve("postgres://nobody@127.0.0.1:1/it's \"nothing\\", "json");
    exporter.page();
    let log = exporter.log_with("check that the database runs");
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect(line);
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["subject"], "database");
        assert!(
            line["error"].is_string() && line["message"].is_string(),
            "{line}"
        );
    }
}
