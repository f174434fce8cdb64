mod axe;
mod bulk;
mod links;
mod refresh;

use crate::support::{Browser, Database, Demo, Engine, Exporter, Options, TOKEN, get};

/// Opens a page as a person does who has typed the token.
fn open(browser: &Browser, address: std::net::SocketAddr, token: &str, path: &str) {
    browser.go(&format!("http://kim:{token}@{address}{path}"));
    browser.wait_until("return document.readyState === 'complete'");
}

fn count(browser: &Browser, selector: &str) -> i64 {
    let script = format!("return document.querySelectorAll({selector:?}).length");
    browser.run(&script).as_i64().expect("a count")
}

fn text(browser: &Browser, selector: &str) -> String {
    let script = format!("return document.querySelector({selector:?}).innerText");
    browser.run(&script).as_str().expect("a text").to_owned()
}

#[test]
fn a_person_filters_selects_retries_and_skips() {
    let demo = Demo::start();
    let browser = Browser::open(1280, 900);
    open(&browser, demo.people, &demo.token, "/");
    let all = count(&browser, ".row");
    assert!(all > 8, "the demo has failed rows");
    assert!(
        text(&browser, "#board").contains("맥미니"),
        "{}",
        browser.text()
    );

    // Filter by the stage of the first group.
    let stage = browser.run("return document.querySelector('.group').dataset.stage");
    let stage = stage.as_str().expect("a stage");
    open(
        &browser,
        demo.people,
        &demo.token,
        &format!("/?stage={stage}"),
    );
    let filtered = count(&browser, ".row");
    assert!((1..all).contains(&filtered));
    assert_eq!(
        count(&browser, &format!(".row[data-stage={stage}]")),
        filtered
    );

    // Select the group; the button and the question say exactly how many rows that is.
    browser.click(".group h3 input.all");
    assert_eq!(
        text(&browser, "button[data-action=retry]"),
        format!("Retry {filtered}")
    );
    let chosen =
        "return [...document.querySelectorAll('.row input:checked')].map(box => box.value).join()";
    let ids = browser.run(chosen).as_str().expect("ids").to_owned();
    browser.click("button[data-action=retry]");
    assert!(
        text(&browser, "#confirm").contains(&format!("Retry {filtered} rows")),
        "{}",
        browser.text()
    );
    // Nothing happens to whom says no.
    browser.click("#confirm-no");
    assert_eq!(failed_of(&demo, &ids), filtered as usize);
    browser.click("button[data-action=retry]");
    browser.click("#confirm-yes");
    let done = format!("{filtered} of {filtered} rows retried.");
    browser.wait_until(&format!(
        "return document.body.innerText.includes({done:?})"
    ));
    assert_eq!(
        count(&browser, ".row"),
        0,
        "the rows are gone from the list"
    );
    assert_eq!(failed_of(&demo, &ids), 0, "and from the failed rows");

    // Skip one row of what is left.
    open(&browser, demo.people, &demo.token, "/");
    browser.run("document.querySelectorAll('details').forEach(fold => fold.open = true)");
    let left = count(&browser, ".row");
    browser.click(".row input");
    let id = browser.run(chosen).as_str().expect("an id").to_owned();
    browser.click("button[data-action=skip]");
    browser.click("#confirm-yes");
    browser.wait_until("return document.body.innerText.includes('1 of 1 row skipped.')");
    assert_eq!(count(&browser, ".row"), left - 1);
    assert_eq!(failed_of(&demo, &id), 0);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// How many of these rows are failed, by the list that scripts read.
fn failed_of(demo: &Demo, ids: &str) -> usize {
    let token = format!("Authorization: Bearer {}", demo.token);
    let page = get(demo.people, "/api/queue/failed?limit=1000", &[&token]).json();
    let failed = page["items"].as_array().expect("items");
    let ids: Vec<&str> = ids.split(',').collect();
    failed
        .iter()
        .filter(|item| ids.contains(&item["id"].to_string().as_str()))
        .count()
}

const HOSTILE: &str = "
INSERT INTO documents (id, title) VALUES (1, '<script>window.hacked = 1</script>');
INSERT INTO processing_queue (id, document_id, stage, status, created_at, error_message) VALUES
    (1, 1, 'stt', 'failed', '2026-11-24T01:00:00Z', '<img src=x onerror=\"window.hacked = 1\">'),
    (2, 2, '\"><script>window.hacked = 1</script>', 'failed', '2026-11-24T01:00:00Z', 'a'),
    (3, 3, 'stt', 'failed', '2026-11-24T01:00:00Z', 'javascript:alert(1)')";

#[tokio::test]
async fn what_documents_say_is_text_and_nothing_else() {
    let mut database = Database::create(Engine::Sqlite).await;
    database.run(HOSTILE).await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    let browser = Browser::open(1280, 900);
    open(&browser, exporter.admin, TOKEN, "/");
    browser.run("document.querySelectorAll('details').forEach(fold => fold.open = true)");
    assert!(
        browser
            .text()
            .contains("<script>window.hacked = 1</script>"),
        "{}",
        browser.text()
    );
    assert!(browser.text().contains("<img src=x onerror="));
    assert_eq!(browser.run("return typeof window.hacked"), "undefined");
    assert_eq!(count(&browser, "img, .row script, .group script"), 0);

    // The outcome repeats the title of a row that was left alone: it is text there as well.
    database
        .run("UPDATE processing_queue SET status = 'completed' WHERE id = 1")
        .await;
    browser.click(".row[data-id='1'] input");
    browser.click("button[data-action=retry]");
    browser.click("#confirm-yes");
    browser.wait_until("return document.body.innerText.includes('no longer failed')");
    assert!(text(&browser, "#outcome").contains("<script>"));
    assert_eq!(browser.run("return typeof window.hacked"), "undefined");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn the_page_says_what_it_does_not_know() {
    let exporter = Exporter::serve("sqlite:///nowhere/pipeline.db", &Options::default());
    let page = exporter.ask("/");
    assert_eq!(page.status, 200);
    assert!(
        page.text().contains("The failed rows could not be read."),
        "{}",
        page.text()
    );
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert_eq!(exporter.ask("/api/queue/failed").status, 503);
}

/// A narrow page, as on a phone, has nothing beyond its right edge.
#[test]
fn the_page_fits_a_phone() {
    let name = "문서 파이프라인 ".repeat(11);
    let demo = Demo::start_with(&["--board.name", &name]);
    let browser = Browser::open(500, 800);
    open(&browser, demo.people, &demo.token, "/");
    let overflow =
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.run(overflow), 0);

    browser.emulate(390, 844);
    assert_eq!(browser.run(overflow), 0);
    // What is wrong and what failed stand before what is well, for the eye and for the ear.
    let order = "const parts = ['#wrong', '#failed .group', '#board .jobs', '#board .card'];
        const tops = parts.map((part) => document.querySelector(part).getBoundingClientRect().top);
        return tops.every((top, at) => at === 0 || tops[at - 1] < top)";
    assert_eq!(browser.run(order), true);
    let unnamed =
        "return [...document.querySelectorAll('button, select, input, a')].filter((control) =>
        control.checkVisibility() && !control.innerText && !control.labels?.length && !control.ariaLabel).length";
    assert_eq!(browser.run(unnamed), 0);
    let twice = "const ids = [...document.querySelectorAll('[id]')].map((part) => part.id);
        return ids.length - new Set(ids).size";
    assert_eq!(browser.run(twice), 0);
}
