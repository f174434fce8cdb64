use serde_json::Value;

use crate::rows::{QueueRow, Rows};
use crate::support::{Database, Engine, Exporter, Options};
use crate::{model, random};

/// The order of the list, written down as it is said: by stage, then latest failed first, those
/// that do not tell last, and of equals the highest id first.
fn expected(rows: &Rows) -> Vec<&QueueRow> {
    let failed_at = |row: &QueueRow| row.completed_at.or(row.started_at);
    let mut failed: Vec<&QueueRow> = rows
        .queue
        .iter()
        .filter(|row| row.status == "failed")
        .collect();
    failed.sort_by(|a, b| {
        let by_stage = a.stage.cmp(&b.stage);
        let unknown_last = failed_at(a).is_none().cmp(&failed_at(b).is_none());
        let latest_first = failed_at(b).cmp(&failed_at(a));
        by_stage
            .then(unknown_last)
            .then(latest_first)
            .then(b.id.cmp(&a.id))
    });
    failed
}

/// Reads page after page to the end.
fn all(exporter: &Exporter, query: &str) -> (Vec<Value>, i64) {
    let mut items = Vec::new();
    let mut after = String::new();
    loop {
        let page = exporter.ask(&format!("/api/queue/failed?{query}&after={after}"));
        assert_eq!(page.status, 200, "{}", page.text());
        let page = page.json();
        items.extend(page["items"].as_array().expect("items").iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => return (items, page["total"].as_i64().expect("a total")),
        }
    }
}

fn ids(items: &[Value]) -> Vec<i64> {
    items
        .iter()
        .map(|item| item["id"].as_i64().expect("an id"))
        .collect()
}

#[tokio::test]
async fn the_list_holds_every_failed_row_once_and_in_order() {
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        let now = "2026-11-24T05:00:00Z".parse().expect("an instant");
        let mut exporter = None;
        for seed in 0..6 {
            let mut rows = random::board(seed, 600, now, chrono_tz::Tz::UTC);
            // Half of the failed rows failed at one of three moments: ties, over page ends.
            let moments = [0, 0, 60].map(|seconds| now - chrono::TimeDelta::seconds(seconds));
            for row in rows
                .queue
                .iter_mut()
                .filter(|row| row.status == "failed" && row.id % 2 == 0)
            {
                row.completed_at = Some(moments[row.id as usize % 3]);
            }
            database.load(&rows).await;
            let exporter = exporter
                .get_or_insert_with(|| Exporter::serve(database.url(), &Options::default()));
            let expected = expected(&rows);
            for limit in [1000, 7] {
                let (items, total) = all(exporter, &format!("limit={limit}"));
                assert_eq!(
                    ids(&items),
                    expected.iter().map(|row| row.id).collect::<Vec<_>>()
                );
                assert_eq!(total, expected.len() as i64);
            }
            by_filter(exporter, &expected);
            titles(exporter, &rows);
        }
    }
}

fn by_filter(exporter: &Exporter, failed: &[&QueueRow]) {
    const GPU: [&str; 8] = [
        "extract",
        "embed",
        "chunk",
        "markdown",
        "preview",
        "thumbnail",
        "fulltext",
        "stt",
    ];
    const MACMINI: [&str; 2] = ["classify", "summarize"];
    let of_gpu = |row: &&&QueueRow| GPU.contains(&row.stage.as_str());
    let is_configured =
        |stage: &str| GPU.contains(&stage) || MACMINI.contains(&stage) || stage == "deep_summary";
    let wanted: Vec<i64> = failed.iter().filter(of_gpu).map(|row| row.id).collect();
    assert_eq!(ids(&all(exporter, "machine=gpu&limit=5").0), wanted);
    let unassigned = failed.iter().filter(|row| !is_configured(&row.stage));
    let unassigned: Vec<i64> = unassigned.map(|row| row.id).collect();
    assert_eq!(ids(&all(exporter, "machine=unassigned").0), unassigned);
    let (items, total) = all(exporter, "stage=stt");
    assert!(
        items
            .iter()
            .all(|item| item["stage"] == "stt" && item["machine"] == "gpu")
    );
    assert_eq!(
        total,
        failed.iter().filter(|row| row.stage == "stt").count() as i64
    );
    assert_eq!(all(exporter, "stage=stt&machine=gpu").1, total);
    assert_eq!(all(exporter, "stage=stt&machine=macmini").1, 0);
    assert_eq!(all(exporter, "stage=no%20such%20stage").1, 0);
}

fn titles(exporter: &Exporter, rows: &Rows) {
    for item in all(exporter, "").0 {
        let document = item["document_id"].as_i64().expect("a document");
        assert_eq!(
            item["title"],
            model::display_title(rows, document),
            "{item}"
        );
    }
}

#[tokio::test]
async fn an_item_tells_what_is_known_of_it() {
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        database
            .run("INSERT INTO processing_queue (id, document_id, stage, status, attempts, max_attempts,
                     error_message, created_at, started_at, completed_at) VALUES
                  (1, 7, 'stt', 'failed', 3, 3, 'no \"luck\"', '2026-11-24T01:00:00Z', NULL, '2026-11-24T02:00:00.5Z'),
                  (2, 8, 'stt', 'failed', 0, 3, NULL, '2026-11-24T01:00:00Z', '2026-11-24T01:30:00Z', NULL),
                  (3, 9, 'stt', 'failed', 0, 3, NULL, '2026-11-24T01:00:00Z', NULL, NULL)")
            .await;
        database.run("INSERT INTO documents (id) VALUES (8)").await;
        let exporter = Exporter::serve(database.url(), &Options::default());
        let page = exporter.ask("/api/queue/failed").json();
        let expected = serde_json::json!({
            "items": [
                {"id": 1, "stage": "stt", "machine": "gpu", "document_id": 7,
                 "document_gone": true, "title": "문서 #7",
                 "attempts": 3, "max_attempts": 3, "error_message": "no \"luck\"", "cause": "no \"luck\"",
                 "failed_at": "2026-11-24T02:00:00.500Z"},
                {"id": 2, "stage": "stt", "machine": "gpu", "document_id": 8,
                 "document_gone": false, "title": "문서 #8",
                 "attempts": 0, "max_attempts": 3, "error_message": null, "cause": "no error message",
                 "failed_at": "2026-11-24T01:30:00Z"},
                {"id": 3, "stage": "stt", "machine": "gpu", "document_id": 9,
                 "document_gone": true, "title": "문서 #9",
                 "attempts": 0, "max_attempts": 3, "error_message": null, "cause": "no error message", "failed_at": null},
            ],
            "total": 3, "next": null
        });
        assert_eq!(page, expected);
    }
}
