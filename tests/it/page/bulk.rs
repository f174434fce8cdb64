//! What a person does to thousands of rows at once.

use super::{count, open, text};
use crate::support::{Browser, Database, Engine, Exporter, Options, TOKEN};

/// 1,200 failed rows: all but 200 have lost their connection, and one its document.
async fn board() -> (Database, Exporter) {
    let mut database = Database::create(Engine::Postgres).await;
    database
        .run(
            "INSERT INTO documents (id, title) SELECT n, 'Paper ' || n FROM generate_series(1, 1199) n;
             INSERT INTO processing_queue (id, document_id, stage, status, attempts, error_message,
                 created_at, started_at, completed_at)
             SELECT n, n, CASE WHEN n % 2 = 0 THEN 'stt' ELSE 'embed' END, 'failed', 3,
                    CASE WHEN n <= 200 THEN 'out of memory' ELSE 'connection ' || n || ' lost' END,
                    now() - interval '1 day', now(), now() - n * interval '1 second'
             FROM generate_series(1, 1200) n;
             INSERT INTO processing_queue (id, document_id, stage, status, created_at, started_at)
             VALUES (2000, 1, 'summarize', 'processing', now(), now() - interval '26 hours'),
                    (2001, 2, 'summarize', 'pending', now() - interval '3 days', NULL)",
        )
        .await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    (database, exporter)
}

fn focused(browser: &Browser) -> String {
    let id = browser.run("return document.activeElement.id");
    id.as_str().expect("an id").to_owned()
}

async fn failed(database: &mut Database) -> i64 {
    let query = "SELECT count(*)::text FROM processing_queue WHERE status = 'failed'";
    database.texts(query).await[0].parse().expect("a number")
}

/// Says yes, and waits for the answer: the page may take the click up a moment later.
fn confirm(browser: &Browser) {
    browser.wait_until("return document.getElementById('confirm').open");
    browser.click("#confirm-yes");
    browser.wait_until(
        "const said = document.getElementById('outcome-text').innerText;
         return said !== '' && !said.endsWith('…')",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cause_is_tried_on_ten_rows_then_on_all_and_taken_back() {
    for (width, height) in [(1280, 900), (390, 844)] {
        let (mut database, exporter) = board().await;
        let browser = Browser::open(width, height);
        open(&browser, exporter.admin, TOKEN, "/");
        assert!(text(&browser, "#total").contains("of 1,200"));
        assert!(text(&browser, "#board [data-stage=summarize]").contains("1 processing for 1d 2h"));
        assert!(text(&browser, "#board [data-stage=summarize]").contains("for 3d 0h"));
        assert!(
            text(&browser, "[data-machine=macmini] .working").contains("for 1d 2h"),
            "{}",
            text(&browser, "[data-machine=macmini] .working")
        );
        // The causes are those of all pages.
        let causes = text(&browser, ".causes");
        assert!(causes.contains("500") && causes.contains("100"), "{causes}");
        browser.click(".causes a");
        browser.wait_until("return document.querySelector('.only') !== null");
        assert_eq!(
            text(&browser, "#total"),
            "Showing 300 of 500 failed rows with this filter."
        );

        browser.click("[data-bulk=retry][data-limit]");
        browser.wait_until("return document.getElementById('confirm').open");
        assert_eq!(focused(&browser), "confirm-yes");
        assert_eq!(text(&browser, "#confirm-title"), "Retry 10 rows?");
        confirm(&browser);
        assert_eq!(text(&browser, "#outcome-text"), "10 of 10 rows retried.");
        assert_eq!(failed(&mut database).await, 1190);
        browser.wait_until("return document.querySelector('#recent li') !== null");
        let recent = text(&browser, "#recent li");
        assert!(
            recent.contains("retry 10 rows with stage") && recent.contains("by kim"),
            "{recent}"
        );
        assert!(
            recent.contains("0 done, 0 failed again, 0 processing, 10 waiting"),
            "{recent}"
        );
        let is_wide = "return document.documentElement.scrollWidth > innerWidth";
        assert_eq!(browser.run(is_wide), false);

        browser.click("#outcome-undo");
        browser.wait_until(
            "return document.getElementById('outcome-text').innerText.includes('restored')",
        );
        assert_eq!(failed(&mut database).await, 1200);
        assert_eq!(browser.complaints(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn skip_is_never_one_keystroke_away() {
    let (mut database, exporter) = board().await;
    let browser = Browser::open(1280, 900);
    open(&browser, exporter.admin, TOKEN, "/");
    browser.click("[data-bulk=skip]");
    browser.wait_until("return document.getElementById('confirm').open");
    assert_eq!(text(&browser, "#confirm-title"), "Skip 1,200 rows?");
    assert!(text(&browser, "#confirm-means").contains("1 row has no document any more"));
    assert_eq!(
        text(&browser, "#confirm-stages"),
        "embed: 600 rows\nstt: 600 rows"
    );
    assert_eq!(focused(&browser), "confirm-no");
    browser.click("#confirm-no");
    assert_eq!(failed(&mut database).await, 1200);

    browser.click(".cause input.all");
    browser.click("button[data-action=skip]");
    browser.wait_until("return document.getElementById('confirm').open");
    assert_eq!(focused(&browser), "confirm-no");
    browser.click("#confirm-no");

    // All of them go in two batches, and can be taken back as well.
    browser.click("[data-bulk=skip]");
    confirm(&browser);
    assert!(text(&browser, "#outcome-text").starts_with("Action 1 has begun."));
    browser.wait_until("return document.querySelector('#recent li [data-run-call=undo]') !== null");
    assert!(text(&browser, "#recent li").contains("Done: 1,200 skipped."));
    assert_eq!(failed(&mut database).await, 0);
    browser.click("#recent li [data-run-call=undo]");
    browser.wait_until("return document.querySelectorAll('#recent li').length === 2 && document.querySelector('#recent [data-running]') === null");
    assert_eq!(failed(&mut database).await, 1200);
    assert!(text(&browser, "#recent").contains("Taken back."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paced_action_is_stopped_on_the_page() {
    let (mut database, exporter) = board().await;
    let browser = Browser::open(1280, 900);
    open(&browser, exporter.admin, TOKEN, "/?text=Paper+7&stage=stt");
    let found = text(&browser, "#total");
    assert_eq!(
        found, "55 failed rows with this filter.",
        "Paper 7, 70 to 79 and 700 to 799"
    );
    browser.click("[data-bulk=retry]:not([data-limit])");
    browser.wait_until("return document.getElementById('confirm').open");
    browser.run("document.querySelector('#confirm-pace select').value = '10'");
    confirm(&browser);
    browser.wait_until("return document.querySelector('#recent [data-running]') !== null");
    let recent = text(&browser, "#recent li");
    assert!(
        recent.contains("retry 55 rows with stage “stt”, text “Paper 7”, 10 a minute"),
        "{recent}"
    );
    browser
        .wait_until("return document.querySelector('#recent li').innerText.includes('10 of 55')");
    browser.click("#recent [data-run-call=stop]");
    browser.wait_until("return document.querySelector('#recent [data-run-call=undo]') !== null");
    assert!(text(&browser, "#recent li").contains("Stopped after 10 of 55: 10 retried."));
    assert_eq!(failed(&mut database).await, 1190);
    assert_eq!(count(&browser, "#recent [data-running]"), 0);
}
