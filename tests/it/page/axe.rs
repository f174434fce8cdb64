use serde_json::{Value, json};

use super::open;
use crate::support::{Browser, Demo, repository_file};

/// Runs every rule, and returns what keeps people from using the page.
const RUN: &str = "
return axe.run(document, { resultTypes: ['violations'] }).then(({ violations, passes }) => ({
  passes: passes.length,
  violations: violations.map(({ id, impact, help, nodes }) =>
    `${impact} ${id}: ${help}: ${nodes.map(({ html, any }) => `${html} ${any[0]?.message}`).join(' | ')}`),
}))";

/// What the page looks like at one time or another, and the script that makes it look so.
const STATES: [(&str, &str); 6] = [
    (
        "unfolded",
        "document.querySelectorAll('details').forEach((fold) => { fold.open = true; })",
    ),
    (
        "with rows chosen",
        "document.querySelector('.bar input.all').click()",
    ),
    (
        "with a question",
        "document.querySelector('[data-action=skip]').click()",
    ),
    (
        "with an action",
        "document.getElementById('confirm-no').click();
         act({ name: 'retry', n: 1, body: { filter: {}, limit: 1 } });",
    ),
    (
        "with a question about all",
        "return new Promise((done) => {
           const wait = (until, then) => (until() ? then() : setTimeout(wait, 50, until, then));
           const ask = () => document.querySelector('[data-bulk=skip]').click();
           wait(() => document.querySelector('#recent li'), () => {
             ask();
             wait(() => document.getElementById('confirm').open, () => done(null));
           });
         })",
    ),
    (
        "old, with an outcome",
        "document.getElementById('confirm-no').click();
         document.getElementById('top').classList.add('stale');
         part('trouble').textContent = 'STALE: this is older than three refreshes.';
         say('1 of 2 rows retried. Left alone: 1 gone from the queue.', true, [made('li', 'row 1')]);",
    ),
];

fn check(browser: &Browser, what: &str) {
    let found = browser.run(RUN);
    let passes = found["passes"].as_u64().expect("a count");
    assert!(
        passes > 10,
        "{what}: only {passes} rules had something to look at"
    );
    let violations = found["violations"].as_array().expect("violations");
    assert_eq!(violations, &Vec::<Value>::new(), "{what}: {violations:#?}");
}

fn axe() -> String {
    repository_file("tests/axe/node_modules/axe-core/axe.min.js")
}

#[test]
fn nothing_keeps_people_from_using_the_page() {
    let demo = Demo::start();
    for (scheme, width) in [("light", 1280), ("dark", 1280), ("light", 390)] {
        let browser = Browser::open(1280, 900);
        browser.emulate(width, 900);
        let scheme_is = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        browser.command(
            "Emulation.setEmulatedMedia",
            json!({ "features": scheme_is }),
        );
        open(&browser, demo.people, &demo.token, "/");
        browser.run(&axe());
        for (state, script) in STATES {
            assert_eq!(browser.run(script), Value::Null, "{state}");
            check(&browser, &format!("{scheme}, {width} px, {state}"));
        }
    }
}

#[test]
fn nothing_keeps_people_from_using_the_landing_page() {
    let demo = Demo::start();
    let browser = Browser::open(1280, 900);
    browser.go(&format!("http://{}/", demo.metrics));
    browser.run(&axe());
    check(&browser, "the landing page");
}
