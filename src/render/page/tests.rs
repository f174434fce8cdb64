use super::*;
use crate::judge::Lanes;
use crate::judge::deadline::Deadline;
use crate::judge::failures::{Cut, Failure, Total};
use crate::judge::machines::{MachineLane, State};
use crate::judge::outlook::Outlook;
use crate::judge::problems::{Problem, What};
use crate::judge::prospect::Prospect;
use crate::judge::prospects::{PipelineProspect, Prospects, StageProspect};
use crate::judge::quantiles::Quantiles;
use crate::judge::stages::{Completed, Items, StageLane};

pub(in crate::render) fn board() -> Board {
    let items = Items {
        pending: 7,
        processing: 0,
        failed: 3,
    };
    let stage = StageLane {
        stage: "summarize".into(),
        machine: "macmini".into(),
        items,
        deferred: 0,
        deferred_malformed: 0,
        unknown_status: 0,
        completed: Completed::default(),
        skipped: Completed::default(),
        created_1h: 4,
        wait: Quantiles::default(),
        processing: Quantiles::default(),
        oldest_pending: None,
        oldest_processing: None,
        oldest_pending_age: None,
    };
    let machine = MachineLane {
        key: "macmini".into(),
        label: "맥미니".into(),
        state: State::Idle,
        stages: vec!["summarize".into()],
        items,
        completed: Completed::default(),
        deferred: 0,
    };
    Board {
        up: true,
        now: chrono::DateTime::from_timestamp(1_764_113_462, 0),
        timezone: chrono_tz::Tz::Asia__Seoul,
        item: "document".to_owned(),
        outcomes: Vec::new(),
        scrape_seconds: 0.0,
        machine_labels: vec![("macmini".into(), "맥미니".into())],
        lanes: Some(Lanes {
            machines: vec![machine],
            stages: vec![stage],
            pools: Vec::new(),
        }),
        prospects: Some(prospects()),
        trends: None,
        jobs: None,
        current: None,
        causes: None,
        unknown_statuses: Vec::new(),
        problems: vec![
            of_summarize(What::Growing(7)),
            of_summarize(What::DeadlineMissed("08:00".to_owned(), 600.0)),
            Problem {
                what: What::MachineIdle(7),
                machine: Some("macmini".into()),
                stage: None,
            },
        ],
    }
}

fn of_summarize(what: What) -> Problem {
    Problem {
        what,
        machine: Some("macmini".into()),
        stage: Some("summarize".into()),
    }
}

/// One stage that grows and will be late.
fn prospects() -> Prospects {
    let prospect = Prospect {
        outlook: Outlook::Growing,
        pace: Some(0.003),
        drain: Some(2400.0),
        drain_with_upstream: Some(2400.0),
        drain_low: Some(1500.0),
        drain_high: Some(4200.0),
        score: None,
    };
    let (stage, machine) = ("summarize".to_owned(), "macmini".to_owned());
    Prospects {
        pipeline: Some(PipelineProspect {
            drain: 2400.0,
            bottleneck: Some(stage.clone()),
        }),
        deadlines: vec![Deadline {
            stage: stage.clone(),
            machine: machine.clone(),
            by: "08:00".to_owned(),
            at: 0.0,
            slack: Some(-600.0),
        }],
        stages: vec![StageProspect {
            stage,
            machine,
            prospect,
        }],
    }
}

fn failure(id: i64, stage: &str, cause: &str) -> Failure {
    Failure {
        id: id.into(),
        stage: stage.into(),
        machine: "macmini".into(),
        document_id: Some((id + 1000).into()),
        document_is_gone: false,
        title: format!("<script>alert({id})</script>"),
        attempts: Some(3),
        max_attempts: Some(3),
        error_message: Some(format!("\"{cause}\" & <b>")),
        error_cut: None,
        cause: cause.into(),
        failed_at: Some(1.0),
        age: Some(7500.0),
    }
}

fn failures(items: Vec<Failure>, total: i64) -> Failures {
    Failures {
        items,
        total: Total::counted(total),
        next: None,
    }
}

fn page(failures: Option<&Failures>, filter: &Filter, next: Option<&str>) -> String {
    render(&View {
        name: "",
        board: &board(),
        failures,
        filter,
        next,
        cursors: &[],
        recent: &[],
    })
}

#[test]
fn what_the_database_holds_is_text() {
    let rows = failures(vec![failure(1, "a\"b", "x' onclick='y")], 1);
    let page = page(Some(&rows), &Filter::default(), None);
    assert!(!page.contains("<script>alert"));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("data-stage=\"a&quot;b\""));
    assert!(page.contains("&amp; &lt;b&gt;"));
    // What the policy of the page refuses is not in it.
    assert!(!page.contains("style=") && !page.contains("<style"));
}

#[test]
fn counts_are_told_in_words() {
    let all = Filter::default();
    let some = Filter {
        stage: Some("ocr".into()),
        ..Filter::default()
    };
    let one = vec![failure(1, "ocr", "c")];
    for (rows, filter, words) in [
        (failures(Vec::new(), 0), &all, "No failed rows."),
        (failures(one.clone(), 1), &all, "1 failed row."),
        (
            failures(one.clone(), 1),
            &some,
            "1 failed row with this filter.",
        ),
        (
            failures(one.clone(), 1204),
            &all,
            "Showing 1 of 1,204 failed rows.",
        ),
        (
            failures(one, 10_001),
            &all,
            "Showing 1 of more than 10,000 failed rows.",
        ),
    ] {
        assert!(page(Some(&rows), filter, None).contains(words), "{words}");
    }
    assert!(page(None, &all, None).contains("The failed rows could not be read."));
}

#[test]
fn nobody_is_offered_a_number_of_rows_that_was_not_counted() {
    let buttons = |total| {
        let rows = failures(vec![failure(1, "ocr", "c")], total);
        page(Some(&rows), &Filter::default(), Some("d"))
    };
    assert!(buttons(10_000).contains("Retry all 10,000</button>"));
    let more = buttons(10_001);
    assert!(more.contains("Retry all</button>") && more.contains("All, on every page:"));
    assert!(!more.contains("10,001"));
}

#[test]
fn rows_stand_by_stage_then_by_cause_as_they_are_first_seen() {
    let rows = [
        failure(1, "summarize", "b"),
        failure(2, "summarize", "a"),
        failure(3, "embed", "b"),
        failure(4, "summarize", "b"),
    ];
    let order: Vec<(&str, &str, Vec<i64>)> = groups::of(&rows)
        .iter()
        .flat_map(|group| group.causes.iter().map(|cause| (group.stage, cause)))
        .map(|(stage, cause)| {
            (
                stage,
                cause.cause,
                cause
                    .rows
                    .iter()
                    .filter_map(|row| row.id.number())
                    .collect(),
            )
        })
        .collect();
    let expected = [
        ("summarize", "b", vec![1, 4]),
        ("summarize", "a", vec![2]),
        ("embed", "b", vec![3]),
    ];
    assert_eq!(order, expected);
}

#[test]
fn the_next_page_keeps_the_filter() {
    let filter = Filter {
        stage: Some("a&b 단계".into()),
        machine: Some("macmini".into()),
        ..Filter::default()
    };
    let link = filter::link(&filter, Some("c+/="));
    assert_eq!(
        link,
        "./?stage=a%26b+%EB%8B%A8%EA%B3%84&machine=macmini&after=c%2B%2F%3D"
    );
    let rows = failures(vec![failure(1, "a&b 단계", "c")], 2);
    let page = page(Some(&rows), &filter, Some("c+/="));
    assert!(page.contains(&link.replace('&', "&amp;")));
    assert!(page.contains("<option value=\"a&amp;b 단계\" selected>"));
    assert_eq!(filter::link(&Filter::default(), None), "./");
}

#[test]
fn the_pages_before_are_a_way_back() {
    let rows = failures(vec![failure(1, "ocr", "c")], 901);
    let (all, board, cursors) = (Filter::default(), board(), ["b".to_owned(), "c".to_owned()]);
    let page = render(&View {
        name: "",
        board: &board,
        failures: Some(&rows),
        filter: &all,
        cursors: &cursors,
        next: Some("d"),
        recent: &[],
    });
    for link in [
        "<a href=\"./#failures\">First page</a>",
        "<a rel=\"prev\" href=\"./?after=b#failures\">Previous page</a>",
        "<a rel=\"next\" href=\"./?after=b&amp;after=c&amp;after=d#failures\">Next page</a>",
    ] {
        assert!(page.contains(link), "{link}: {page}");
    }
}

#[test]
fn what_a_filter_asks_for_in_vain_is_named() {
    let told = |stage: Option<&str>, machine: Option<&str>| {
        let filter = Filter {
            stage: stage.map(str::to_owned),
            machine: machine.map(str::to_owned),
            ..Filter::default()
        };
        page(Some(&failures(Vec::new(), 0)), &filter, None)
    };
    let all = "<a href=\"./#failures\">Show all failed rows</a>";
    for (page, words) in [
        (
            told(Some("<b>"), None),
            "There is no stage <bdi>&lt;b&gt;</bdi>.",
        ),
        (
            told(None, Some("gone")),
            "There is no machine <bdi>gone</bdi>.",
        ),
    ] {
        assert!(page.contains(words) && page.contains(all), "{page}");
    }
    let known = told(Some("summarize"), Some("macmini"));
    assert!(
        known.contains(all) && !known.contains("There is no"),
        "{known}"
    );
    assert!(!told(None, None).contains(all));
}

#[test]
fn rows_and_times_can_be_named_to_others() {
    let text = page(
        Some(&failures(vec![failure(17, "ocr", "c")], 1)),
        &Filter::default(),
        None,
    );
    for words in [
        "as of <time datetime=\"2025-11-26T08:31:02+09:00\">08:31:02</time> Asia/Seoul",
        "row 17 · document 1017 · attempts 3/3 · failed ",
        "<time datetime=\"1970-01-01T09:00:01+09:00\">1 Jan 1970 09:00:01</time>, 2h 5m ago",
        "<time datetime=\"1970-01-01T09:00:00+09:00\">due by 08:00, may be 10 min late</time>",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn what_failed_stands_before_what_is_well() {
    let text = page(Some(&failures(Vec::new(), 0)), &Filter::default(), None);
    let places = [
        "id=\"wrong\"",
        "id=\"failures\"",
        "id=\"jobs-title\"",
        "class=\"cards\"",
    ];
    let places = places.map(|words| text.find(words).expect(words));
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn what_is_wrong_stands_first() {
    let text = page(Some(&failures(Vec::new(), 0)), &Filter::default(), None);
    for words in [
        "summarize</bdi>:</strong> growing, 7 rows waiting",
        "summarize</bdi>:</strong> due by 08:00, may be 10 min late",
        "맥미니</bdi>:</strong> idle, 7 rows waiting",
        "done in about 40 min; summarize is done last.",
        "done in about 40 min (25 to 70)",
        "3 failed rows",
        "no ETA, growing",
    ] {
        assert!(text.contains(words), "{words}");
    }
    let down = Board {
        up: false,
        lanes: None,
        problems: vec![Problem {
            what: What::DatabaseUnreachable,
            machine: None,
            stage: None,
        }],
        ..board()
    };
    let filter = Filter::default();
    let view = View {
        name: "",
        board: &down,
        failures: None,
        filter: &filter,
        next: None,
        cursors: &[],
        recent: &[],
    };
    assert!(render(&view).contains("The database cannot be reached:"));
}

#[test]
fn an_error_that_is_cut_says_so_and_leads_to_the_whole() {
    let row = Failure {
        id: "a b/+".into(),
        error_cut: Some(Cut {
            left_out: 1_046_576,
            end: "the <end>".into(),
        }),
        ..failure(1, "ocr", "begins")
    };
    let page = page(Some(&failures(vec![row], 1)), &Filter::default(), None);
    assert!(page.contains("\n… 1,046,576 characters left out …\nthe &lt;end&gt;"));
    assert!(page.contains("href=\"./api/queue/failed/a%20b%2F%2B\""));
}
