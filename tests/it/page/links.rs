use super::{count, open, text};
use crate::support::{Browser, Database, Engine, Exporter, Options, TOKEN};

/// One row more than a page has.
const ROWS: &str = "
INSERT INTO processing_queue (id, document_id, stage, status, created_at, error_message)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 301)
SELECT n, n, 'stt', 'failed', '2026-11-24T01:00:00Z', 'a' FROM numbers";

#[tokio::test]
async fn old_links_lead_to_the_page() {
    let mut database = Database::create(Engine::Sqlite).await;
    database.run(ROWS).await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    for (link, words) in [
        ("/?utm_source=mail", "Showing 300 of 301 failed rows."),
        (
            "/?after=nonsense&limit=many",
            "Showing 300 of 301 failed rows.",
        ),
        ("/?machine=gone", "There is no machine <bdi>gone</bdi>."),
        (
            "/?stage=gone%00",
            "There is no stage <bdi>gone\u{fffd}</bdi>.",
        ),
    ] {
        let page = exporter.ask(link);
        assert_eq!(page.status, 200, "{link}: {}", page.text());
        assert!(page.text().contains(words), "{link}: {}", page.text());
    }
    let empty = exporter.ask("/?machine=gone");
    let all = "<a href=\"./#failures\">Show all failed rows</a>";
    assert!(empty.text().contains(all), "{}", empty.text());
    for link in ["?utm_source=mail", "?machine=gone", "?after=nonsense"] {
        let refusal = exporter.ask(&format!("/api/queue/failed{link}"));
        assert_eq!(refusal.status, 400, "{link}");
    }
}

#[tokio::test]
async fn an_emptied_page_gives_way_to_the_one_before() {
    let mut database = Database::create(Engine::Sqlite).await;
    database.run(ROWS).await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    let browser = Browser::open(1280, 900);
    open(&browser, exporter.admin, TOKEN, "/");
    browser.click("a[rel=next]");
    browser.wait_until("return document.querySelectorAll('.row').length === 1");
    browser.click(".row input");
    browser.click("button[data-action=skip]");
    browser.click("#confirm-yes");
    browser.wait_until("return document.querySelectorAll('.row').length === 300");
    assert_eq!(text(&browser, "#total"), "300 failed rows.");
    assert_eq!(count(&browser, "nav.pages"), 0, "it is the only page");
}
