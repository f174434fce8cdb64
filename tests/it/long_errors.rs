use std::io::Read;

use serde_json::Value;

use crate::support::{Answer, Database, Engine, Exporter, Options, bearer, get};

const ENGINES: [Engine; 2] = [Engine::Postgres, Engine::Sqlite];

/// How long an answer may be that holds a page of rows, in bytes.
const MAX_ANSWER: usize = 5 << 18;

/// How much memory the exporter may ever have had, in KiB: 64 MiB with the program's 12.
const MAX_PEAK: usize = (64 - 12) << 10;

/// Writes the SQL that fails some rows, each with an error that is SQL of its number `n`.
fn failed(rows: usize, error: &str) -> String {
    format!(
        "WITH RECURSIVE numbers(n) AS (
             SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows})
         INSERT INTO processing_queue (id, document_id, stage, status, created_at, error_message)
         SELECT n, n, 'stt', 'failed', '2026-11-24T01:00:00Z', {error} FROM numbers"
    )
}

/// Writes the SQL of a text of 64 characters, with a number in it, so many times.
fn repeated(engine: Engine, times: usize) -> String {
    match engine {
        Engine::Sqlite => {
            format!("replace(hex(zeroblob({times})), '00', printf('%063d ', n))")
        }
        _ => format!("repeat(lpad(n::text, 63, '0') || ' ', {times})"),
    }
}

/// Makes a row fail with an error, and another after it with none.
async fn with_errors(engine: Engine, errors: &[String]) -> (Database, Exporter) {
    let mut database = Database::create(engine).await;
    for (id, error) in errors.iter().enumerate() {
        let values = format!("({id}, {id}, 'stt', 'failed', '2026-11-24T01:00:00Z', '{error}')");
        let insert = "INSERT INTO processing_queue
            (id, document_id, stage, status, created_at, error_message) VALUES";
        database.run(&format!("{insert} {values}")).await;
    }
    let exporter = Exporter::serve(database.url(), &Options::default());
    (database, exporter)
}

fn items(page: &Answer) -> Vec<Value> {
    assert_eq!(page.status, 200, "{}", page.text());
    page.json()["items"].as_array().expect("items").clone()
}

/// Returns the item of a row.
fn item(items: &[Value], id: usize) -> &Value {
    let item = items.iter().find(|item| item["id"] == id);
    item.expect("the row is listed")
}

#[tokio::test]
async fn three_hundred_errors_of_a_mebibyte_take_little_memory() {
    for engine in ENGINES {
        let mut database = Database::create(engine).await;
        let mebibyte = repeated(engine, 1 << 14);
        database.run(&failed(300, &mebibyte)).await;
        let exporter = Exporter::serve(database.url(), &Options::default());
        let address = exporter.admin;
        let ask = move |path| get(address, path, &[&bearer()]);
        let client = move || ["/api/queue/failed?limit=1000", "/"].map(ask);
        let clients: Vec<_> = (0..6).map(|_| std::thread::spawn(client)).collect();
        let answers = clients.into_iter().map(|client| client.join());
        let answers: Vec<Answer> = answers
            .flat_map(|answers| answers.expect("answers"))
            .collect();
        for answer in &answers {
            match answer.status {
                200 => assert!(answer.body.len() < MAX_ANSWER, "{}", answer.body.len()),
                _ => assert_eq!(
                    answer.header("retry-after"),
                    Some("10"),
                    "{}",
                    answer.text()
                ),
            }
        }
        let rows = items(&answers[0]);
        assert_eq!(rows[0]["error_message_cut"], 1_046_576);
        let peak = exporter.peak_memory();
        let read = answers.iter().filter(|answer| answer.status == 200).count();
        println!("{engine:?}: {read} of 12 lists were read, {peak} KiB at the most");
        assert!(peak < MAX_PEAK, "{engine:?}: {peak} KiB");
    }
}

#[tokio::test]
async fn an_error_is_cut_by_characters_and_says_so() {
    let ends = |head: &str, middle: &str, tail: &str| {
        [head.repeat(1000), middle.to_owned(), tail.repeat(1000)].concat()
    };
    for engine in ENGINES {
        let whole = [String::new(), ends("한", "", "한"), ends("x", "", "y")];
        let cut = [
            (ends("한", "글", "한"), "한", "1 character", "한"),
            (ends("a", "🦀🦀🦀", "é"), "a", "3 characters", "é"),
            (
                ends("🦀", &"é".repeat(5000), "b"),
                "🦀",
                "5,000 characters",
                "b",
            ),
        ];
        let all = cut.iter().map(|(error, ..)| error.clone());
        let all: Vec<String> = whole.iter().cloned().chain(all).collect();
        let (_database, exporter) = with_errors(engine, &all).await;
        let page = exporter.ask("/");
        let items = items(&exporter.ask("/api/queue/failed"));
        for (id, error) in whole.iter().enumerate() {
            let item = item(&items, id);
            assert_eq!(item["error_message"], error.as_str(), "{engine:?}");
            assert_eq!(item.get("error_message_cut"), None);
            assert!(!page.text().contains(&format!("/failed/{id}\"")));
        }
        for (place, (error, head, left_out, tail)) in cut.iter().enumerate() {
            let id = whole.len() + place;
            let item = item(&items, id);
            let said = format!("\n… {left_out} left out …\n");
            assert_eq!(item["error_message"], ends(head, &said, tail), "{engine:?}");
            let number = error.chars().count() - 2000;
            assert_eq!(item["error_message_cut"], number);
            assert!(page.text().contains(said.trim()), "{}", page.text());
            assert!(
                page.text()
                    .contains(&format!("href=\"./api/queue/failed/{id}\""))
            );
        }
        for (id, error) in all.iter().enumerate() {
            let row = exporter.ask(&format!("/api/queue/failed/{id}")).json();
            let mut expected = item(&items, id).clone();
            expected["error_message"] = error.as_str().into();
            // Of a cut error the cause is what both its ends tell.
            expected["cause"] = row["cause"].clone();
            let fields = expected.as_object_mut().expect("an item");
            fields.remove("error_message_cut");
            assert_eq!(row, expected, "{engine:?}");
        }
    }
}

#[tokio::test]
async fn a_row_that_is_not_failed_has_no_error_to_show() {
    for engine in ENGINES {
        let (mut database, exporter) = with_errors(engine, &["why".to_owned()]).await;
        database
            .run(
                "INSERT INTO processing_queue (id, document_id, stage, status, created_at)
                  VALUES (7, 7, 'stt', 'pending', '2026-11-24T01:00:00Z')",
            )
            .await;
        for id in " 7 8 -1 00 x 0/0 %00 9223372036854775808".split(' ') {
            let answer = exporter.ask(&format!("/api/queue/failed/{id}"));
            assert_eq!(answer.status, 404, "{engine:?}, {id}: {}", answer.text());
            assert_eq!(answer.json()["error"], "no failed row has this id");
        }
        let answer = exporter.ask("/api/queue/failed/0");
        assert_eq!(answer.json()["error_message"], "why");
    }
}

#[tokio::test]
async fn even_a_whole_error_ends_after_a_mebibyte() {
    for engine in ENGINES {
        let mut database = Database::create(engine).await;
        // Of 64 characters more.
        let error = repeated(engine, (1 << 14) + 1);
        database.run(&failed(1, &error)).await;
        let exporter = Exporter::serve(database.url(), &Options::default());
        let row = exporter.ask("/api/queue/failed/1").json();
        assert_eq!(row["error_message_cut"], 64, "{engine:?}");
        let text = row["error_message"].as_str().expect("an error");
        let said = "\n… 64 characters left out …\n";
        assert_eq!(text.find(said), Some(1 << 19));
        assert_eq!(text.len(), (1 << 20) + said.len());
    }
}

#[tokio::test]
async fn a_text_of_nothing_but_nul_is_cut_as_well() {
    let mut database = Database::create(Engine::Sqlite).await;
    let error = "CAST(zeroblob(1048576) AS TEXT)";
    database.run(&failed(1, error)).await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    let items = items(&exporter.ask("/api/queue/failed"));
    assert_eq!(items[0]["error_message_cut"], 1_046_576);
}

#[tokio::test]
async fn names_are_cut_where_they_tell_least() {
    for engine in ENGINES {
        let (mut database, exporter) = with_errors(engine, &["a".into(), "b".into()]).await;
        let (title, folder) = ("가".repeat(501), "/folder".repeat(100));
        database
            .run(&format!(
                "INSERT INTO documents (id, title, file_path) VALUES
                 (0, '{title}', NULL), (1, '', '{folder}/a name.pdf')"
            ))
            .await;
        let items = items(&exporter.ask("/api/queue/failed"));
        let title = format!("{}…", "가".repeat(500));
        assert_eq!(item(&items, 0)["title"], title, "{engine:?}");
        assert_eq!(item(&items, 1)["title"], "a name.pdf", "{engine:?}");
    }
}

#[tokio::test]
async fn the_board_cuts_titles_and_errors_of_jobs() {
    for engine in ENGINES {
        let mut database = Database::create(engine).await;
        let (title, error) = ("가".repeat(501), "나".repeat(2001));
        let instant = match engine {
            Engine::Sqlite => "text",
            _ => "timestamptz",
        };
        database
            .run(&format!(
                "DROP TABLE IF EXISTS background_jobs;
                 CREATE TABLE background_jobs (id bigint PRIMARY KEY, kind text, label text,
                     state text, processed bigint, total bigint, started_at {instant},
                     updated_at {instant}, finished_at {instant}, error text);
                 INSERT INTO background_jobs (id, kind, state, started_at, error) VALUES
                     (1, 'hier_backfill', 'running', '2026-11-24T01:00:00Z', '{error}');
                 INSERT INTO documents (id, title) VALUES (1, '{title}');
                 INSERT INTO processing_queue
                     (id, document_id, stage, status, created_at, started_at) VALUES
                     (1, 1, 'stt', 'processing', '2026-11-24T01:00:00Z', '2026-11-24T01:00:00Z')"
            ))
            .await;
        let exporter = Exporter::serve(database.url(), &Options::default());
        let overview = exporter.overview();
        for (text, most) in [("가", 500), ("나", 2000)] {
            let shown = format!("\"{}…\"", text.repeat(most));
            assert!(overview.text().contains(&shown), "{}", overview.text());
        }
    }
}

#[tokio::test]
async fn a_page_ends_early_and_the_next_goes_on() {
    for engine in ENGINES {
        // In JSON and HTML a quote takes more than itself.
        for error in [repeated(engine, 31), format!("'{}'", "\"".repeat(1984))] {
            let mut database = Database::create(engine).await;
            database.run(&failed(600, &error)).await;
            let exporter = Exporter::serve(database.url(), &Options::default());
            let (mut seen, mut pages, mut after) = (Vec::new(), 0, String::new());
            loop {
                let page = exporter.ask(&format!("/api/queue/failed?limit=1000&after={after}"));
                assert!(page.body.len() < MAX_ANSWER, "{}", page.body.len());
                seen.extend(items(&page).iter().map(|item| item["id"].as_i64()));
                pages += 1;
                match page.json()["next"].as_str() {
                    Some(next) => after = next.to_owned(),
                    None => break,
                }
            }
            let all: Vec<Option<i64>> = (1..=600).rev().map(Some).collect();
            assert_eq!(seen, all, "{engine:?}");
            assert!(pages > 1, "{engine:?}: {pages}");
        }
    }
}

#[tokio::test]
async fn people_and_scripts_get_packed_answers_too() {
    let errors = [String::from("why "), "because ".repeat(200)];
    let (_database, exporter) = with_errors(Engine::Sqlite, &errors).await;
    for path in ["/", "/page.css", "/api/queue/failed", "/api/queue/failed/1"] {
        let ask = |coding: &str| get(exporter.admin, path, &[&bearer(), coding]);
        let packed = ask("Accept-Encoding: br, gzip");
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{path}");
        assert_eq!(packed.header("vary"), Some("accept-encoding"), "{path}");
        let mut text = String::new();
        let mut unpacked = flate2::read::GzDecoder::new(&*packed.body);
        unpacked.read_to_string(&mut text).expect("gzip");
        assert!(text.len() > packed.body.len());
        let plain = ask("Accept-Encoding: gzip;q=0");
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        if path != "/" {
            assert_eq!(plain.text(), text, "{path}");
        }
    }
    let short = get(
        exporter.admin,
        "/api/queue/failed/0",
        &[&bearer(), "Accept-Encoding: gzip"],
    );
    assert_eq!(short.json()["error_message"], "why ");
}
