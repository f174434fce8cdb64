use chrono::DateTime;

use crate::support::{
    Database, Engine, Exporter, Options, believing, compare, repository_file, run,
};

/// What changes from scrape to scrape, or from build to build.
const PASSING: [&str; 6] = [
    "process_",
    "queueboard_build_info",
    "queueboard_config",
    "queueboard_http",
    "queueboard_admin",
    "duration",
];

#[tokio::test]
async fn a_small_board_is_shown_as_it_was() {
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        let now = DateTime::parse_from_rfc3339("2026-11-24T05:30:00Z").expect("an instant");
        let empty = crate::random::board(6, 0, now.to_utc(), chrono_tz::Tz::UTC);
        assert!(empty.jobs.is_some(), "the table of jobs is there");
        database.load(&empty).await;
        database
            .run("DELETE FROM documents; DELETE FROM processing_queue; DELETE FROM background_jobs")
            .await;
        database
            .run(&repository_file("tests/golden/board.sql"))
            .await;
        let flags = ["--collector.current", "--collector.current.titles"].map(str::to_owned);
        let clock = database.clock();
        let options = Options {
            arguments: flags.to_vec(),
            clock: clock.clone(),
            ..Options::default()
        };
        let exporter = Exporter::serve(database.url(), &options);

        let is_lasting = |line: &&str| !PASSING.iter().any(|passing| line.contains(passing));
        let page = exporter.page();
        let lines: Vec<&str> = page.text().lines().filter(is_lasting).collect();
        compare("tests/golden/metrics.txt", &(lines.join("\n") + "\n"));
        let overview = serde_json::to_string_pretty(&exporter.overview().json()).expect("JSON");
        compare("tests/golden/overview.json", &(overview + "\n"));
        let terminal = ["board", "--database-url", database.url()];
        let output = run(&terminal, &believing(clock.as_deref()));
        let board = String::from_utf8(output.stdout).expect("text");
        compare("tests/golden/board.txt", &board);
    }
}
