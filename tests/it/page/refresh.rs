use std::time::Duration;

use super::{count, open, text};
use crate::support::{
    Authority, Browser, Database, Engine, Exporter, Options, TOKEN, bearer, request,
};

/// A failed row whose error is long enough to scroll, and two that wait.
const ROWS: &str = "
INSERT INTO processing_queue (id, document_id, stage, status, created_at, error_message)
VALUES (1, 1, 'stt', 'failed', '2026-11-24T01:00:00Z', 'a' || replace(hex(zeroblob(200)), '00', char(10) || 'line')),
       (2, 2, 'stt', 'pending', '2026-11-24T01:00:00Z', NULL),
       (3, 3, 'stt', 'pending', '2026-11-24T01:00:00Z', NULL)";

const ONE_MORE_FAILED: &str = "
INSERT INTO processing_queue (id, document_id, stage, status, created_at, error_message)
VALUES (9, 9, 'stt', 'failed', '2026-11-24T01:00:00Z', 'another')";

const ONE_MORE_PENDING: &str = "
INSERT INTO processing_queue (id, document_id, stage, status, created_at)
VALUES (8, 8, 'stt', 'pending', '2026-11-24T01:00:00Z')";

/// Lets the page's clock be set forward.
const CLOCK: &str =
    "const real = Date.now; window.ahead = 0; Date.now = () => real() + window.ahead";

/// Lets an answer through when it is released.
const GATE: &str = "
const real = window.fetch;
window.calls = 0;
window.fetch = async (...call) => {
    window.calls += 1;
    const answer = await real(...call);
    await new Promise((release) => window.release = release);
    return answer;
}";

const PENDING: &str = "#board [data-stage=stt] .pending";

/// A page of a database of its own, whose refreshes come when the clock is set forward.
struct Page {
    browser: Browser,
    exporter: Exporter,
    database: Database,
}

impl Page {
    async fn open() -> Self {
        let mut database = Database::create(Engine::Sqlite).await;
        database.run(ROWS).await;
        let exporter = Exporter::serve(database.url(), &Options::default());
        let browser = Browser::open(1280, 900);
        open(&browser, exporter.admin, TOKEN, "/");
        browser.run(CLOCK);
        Self {
            browser,
            exporter,
            database,
        }
    }

    fn later(&self, seconds: u32) {
        self.browser
            .run(&format!("window.ahead += {seconds} * 1000"));
    }

    /// Waits until an element of the page says this.
    fn wait_for(&self, selector: &str, words: &str) {
        self.browser.wait_until(&format!(
            "return document.querySelector({selector:?}).innerText.includes({words:?})"
        ));
    }

    /// Waits until an element of the page does not say this.
    fn wait_without(&self, selector: &str, words: &str) {
        self.browser.wait_until(&format!(
            "return !document.querySelector({selector:?}).innerText.includes({words:?})"
        ));
    }
}

#[tokio::test]
async fn a_slow_answer_is_waited_for_and_shown() {
    let mut page = Page::open().await;
    page.browser.run(GATE);
    page.database.run(ONE_MORE_FAILED).await;
    page.later(10);
    page.browser.wait_until("return window.calls === 1");
    for _ in 0..2 {
        page.later(11);
        std::thread::sleep(Duration::from_millis(1500));
        assert_eq!(page.browser.run("return window.calls"), 1);
    }
    page.wait_for("#trouble", "STALE");
    page.wait_for("#trouble", "The refresh is not answered yet.");
    page.browser.run("window.release()");
    page.browser
        .wait_until("return document.querySelector('.row[data-id=\"9\"]') !== null");
}

#[tokio::test]
async fn how_old_the_page_is_stands_on_it_and_old_is_loud() {
    let page = Page::open().await;
    let told = text(&page.browser, "#top");
    let told = told.split_once("as of ").expect("the time").1;
    let (time, age) = told.split_once(" Asia/Seoul, ").expect("the zone");
    assert_eq!(time.matches(':').count(), 2, "{told}");
    assert!(age.ends_with(" s ago"), "{told}");
    assert_eq!(count(&page.browser, "#top.stale"), 0);

    page.browser
        .run("window.fetch = async () => new Response('', {status: 503, statusText: 'Gone Away'})");
    page.later(12);
    page.wait_for(
        "#trouble",
        "The last refresh failed: the answer was 503 Gone Away.",
    );
    assert_eq!(count(&page.browser, "#top.stale"), 0, "it is not old yet");
    page.later(20);
    page.wait_for("#trouble", "STALE: this is older than three refreshes.");
    assert_eq!(count(&page.browser, "#top.stale"), 1);
    assert!(text(&page.browser, "#age").contains(" s ago"));
}

#[tokio::test]
async fn an_exporter_that_is_gone_is_said_to_be() {
    let page = Page::open().await;
    drop(page.exporter);
    page.browser.run("window.ahead += 31000");
    let words = "STALE: this is older than three refreshes. \
                 The last refresh failed: the exporter cannot be reached.";
    page.browser.wait_until(&format!(
        "return document.querySelector('#trouble').innerText === {words:?}"
    ));
}

#[tokio::test]
async fn a_token_that_was_changed_is_said_to_be() {
    let folder = Authority::new();
    let token = folder.write("token", TOKEN);
    let options = Options {
        arguments: vec![format!("--admin.token-file={token}")],
        ..Options::default()
    };
    let exporter = Exporter::serve("sqlite:///nowhere.db", &options);
    let browser = Browser::open(1280, 900);
    open(&browser, exporter.admin, TOKEN, "/");
    assert!(text(&browser, "#top").contains("no answer from the database, "));
    browser.run(CLOCK);
    folder.write("token", "an0ther-token-for-tests");
    let reload = request(exporter.admin, "POST", "/-/reload", &[&bearer()]);
    assert_eq!(reload.status, 200);
    browser.run("window.ahead += 10000");
    browser.wait_until(
        "return document.querySelector('#top.stale #trouble')?.innerText.includes('the token was changed')",
    );
}

#[tokio::test]
async fn a_scrolled_error_stays_where_it_is() {
    let mut page = Page::open().await;
    page.browser.run(
        "window.error = document.querySelector('.row[data-id=\"1\"] .error'); window.error.scrollTop = 60",
    );
    page.database.run(ONE_MORE_FAILED).await;
    page.later(10);
    page.browser
        .wait_until("return document.querySelector('.row[data-id=\"9\"]') !== null");
    let place = "return window.error.isConnected && window.error.scrollTop";
    assert_eq!(page.browser.run(place), 60);
}

#[tokio::test]
async fn selected_text_holds_its_part_of_the_page() {
    let mut page = Page::open().await;
    assert_eq!(text(&page.browser, PENDING), "2");
    page.browser
        .run("getSelection().selectAllChildren(document.querySelector('#board [data-stage=stt]'))");
    let selected = || page.browser.run("return String(getSelection())");
    let before = selected();
    page.database.run(ONE_MORE_PENDING).await;
    page.later(10);
    page.wait_for("#age", "held while in use");
    assert_eq!(
        (selected(), text(&page.browser, PENDING)),
        (before, "2".into())
    );
    page.later(31);
    page.wait_for("#trouble", "STALE: this is older than three refreshes.");
    page.browser.run("getSelection().removeAllRanges()");
    page.later(10);
    page.wait_for(PENDING, "3");
    page.wait_without("#top", "held");

    // The list has an age of its own while it is held.
    page.browser
        .run("getSelection().selectAllChildren(document.querySelector('.row .title'))");
    page.database.run(ONE_MORE_FAILED).await;
    page.later(10);
    page.wait_for("#held", "held while in use");
    assert_eq!(count(&page.browser, ".row"), 1);
    page.later(31);
    page.wait_for("#held", "STALE: as of ");
    page.browser.run("getSelection().removeAllRanges()");
    page.later(10);
    page.browser
        .wait_until("return document.querySelectorAll('.row').length === 2");
    assert_eq!(text(&page.browser, "#held"), "");
}

#[tokio::test]
async fn the_focus_stays_in_its_card() {
    let mut page = Page::open().await;
    let link = "#board [data-stage=stt] a";
    page.browser
        .run(&format!("document.querySelector({link:?}).focus()"));
    let has_focus = || {
        let script = format!("return document.activeElement === document.querySelector({link:?})");
        page.browser.run(&script) == true
    };
    page.database.run(ONE_MORE_PENDING).await;
    page.later(10);
    page.wait_for(PENDING, "3");
    assert!(has_focus(), "what is beside it changed");

    // Without failed rows there is no link: it stays until it is left.
    page.database
        .run("UPDATE processing_queue SET status = 'pending' WHERE id = 1")
        .await;
    page.later(10);
    page.wait_for("#age", "held while in use");
    assert!(has_focus());
    page.browser.run("document.activeElement.blur()");
    page.later(10);
    page.wait_for(PENDING, "4");
}
