use super::text::columns;
use super::*;
use crate::judge::current::{Item, Working};
use crate::judge::jobs::{Job, Jobs};
use crate::judge::problems::{Problem, What};
use crate::render::page::tests::board;

const NARROW_SHEET: Sheet = Sheet {
    name: "",
    width: Width::Narrow,
    ink: Ink::Plain,
};

const WIDE_SHEET: Sheet = Sheet {
    width: Width::Wide,
    ..NARROW_SHEET
};

fn job(name: &str) -> Job {
    Job {
        id: 1.into(),
        kind: name.into(),
        label: None,
        machine: "macmini".into(),
        state: "running".into(),
        processed: Some(25),
        total: Some(100),
        started_at: None,
        finished_at: None,
        heartbeat: None,
        elapsed: Some(60.0),
        eta: Some(180.0),
        stale: false,
        error: None,
    }
}

fn with_jobs(details: Vec<Job>) -> Board {
    let counts = Vec::new();
    Board {
        jobs: Some(Jobs { details, counts }),
        ..board()
    }
}

/// Names that are as long, and numbers that are as large, as they may be.
fn hostile() -> Board {
    let name = "이름이 아주 긴 \u{1b}[2J것 ".repeat(20);
    let mut board = with_jobs(vec![Job {
        state: name.clone(),
        processed: Some(i64::MAX),
        total: None,
        elapsed: Some(1e15),
        ..job(&name)
    }]);
    if let Some(lanes) = &mut board.lanes {
        lanes.machines[0].label.clone_from(&name);
        lanes.machines[0].items.pending = i64::MAX;
        lanes.machines[0].completed.today = i64::MIN;
        lanes.stages[0].stage = name.replace(' ', "");
        lanes.stages[0].items.processing = i64::MAX;
    }
    board.current = Some(vec![Working {
        machine: "macmini".into(),
        items: vec![Item {
            stage: name.clone(),
            document_id: None,
            title: name.clone(),
            started_at: None,
        }],
    }]);
    board.problems.push(Problem {
        what: What::JobStale(name.replace(' ', "")),
        machine: None,
        stage: None,
    });
    board
}

#[test]
fn a_narrow_board_fits_eighty_columns() {
    let name = "문서 파이프라인 ".repeat(20);
    let sheet = Sheet {
        name: &name,
        ..NARROW_SHEET
    };
    for board in [board(), with_jobs(vec![job("digest")]), hostile()] {
        let reasons = [name.clone()];
        for page in [
            sheet.render(&board, &reasons),
            sheet.render_stale(&board, 1e15, &reasons),
        ] {
            for line in page.lines() {
                assert!(columns(line) <= 80, "{line}\n{page}");
                assert!(!line.contains(char::is_control), "{line:?}");
            }
        }
    }
    assert!(
        WIDE_SHEET
            .render(&hostile(), &[])
            .lines()
            .any(|line| columns(line) > 80)
    );
}

#[test]
fn what_matters_comes_first() {
    let sheet = Sheet {
        name: "papers",
        ..NARROW_SHEET
    };
    let page = sheet.render(&board(), &["it rains".to_owned()]);
    let expected = "papers · Queueboard, as of 26 Nov 2025 08:31:02 Asia/Seoul\n\
                    ! summarize: growing, 7 rows waiting\n\
                    ! summarize: due by 08:00, may be 10 min late\n\
                    ! 맥미니: idle, 7 rows waiting\n\
                    3 failed rows.\n\
                    Note: it rains\n\nMACHINE ";
    assert!(page.starts_with(expected), "{page}");
    let mut fine = Board {
        problems: Vec::new(),
        ..board()
    };
    let page = NARROW_SHEET.render(&fine, &[]);
    assert!(page.contains("Asia/Seoul\n3 failed rows.\n"), "{page}");
    if let Some(lanes) = &mut fine.lanes {
        lanes.stages[0].items.failed = 0;
    }
    let page = NARROW_SHEET.render(&fine, &[]);
    assert!(page.starts_with("Queueboard, as of"), "{page}");
    assert!(page.contains("\nNo problems.\n"), "{page}");
    let stale = NARROW_SHEET.render_stale(&fine, 40.0, &["it rains".to_owned()]);
    let (head, rest) = stale.split_once('\n').expect("lines");
    assert!(head.starts_with("Queueboard, as of"), "{stale}");
    let expected = "STALE: this is 40s old. The last refresh failed.\nNote: it rains\nNo problems.";
    assert!(rest.starts_with(expected), "{stale}");
}

#[test]
fn a_wide_board_tells_more() {
    let (narrow, wide) = (&NARROW_SHEET, &WIDE_SHEET);
    let board = with_jobs(vec![job("digest")]);
    for (sheet, words) in [
        (narrow, vec!["40 min", "██░░░░░░░░  25%"]),
        (
            wide,
            vec![
                "about 40 min (25 to 70)",
                "█████░░░░░░░░░░░░░░░  25% 25/100",
                "OLDEST",
                "none, growing",
            ],
        ),
    ] {
        let page = sheet.render(&board, &[]);
        for word in words {
            assert!(page.contains(word), "{word}:\n{page}");
        }
    }
    assert!(!narrow.render(&board, &[]).contains("OLDEST"));
}

#[test]
fn a_stale_job_promises_nothing() {
    let alive = NARROW_SHEET.render(&with_jobs(vec![job("digest")]), &[]);
    assert!(
        alive.contains("3m 0s") && alive.contains("running"),
        "{alive}"
    );
    let stale = Job {
        stale: true,
        ..job("digest")
    };
    let stale = NARROW_SHEET.render(&with_jobs(vec![stale]), &[]);
    assert!(
        !stale.contains("3m 0s") && stale.contains("STALE"),
        "{stale}"
    );
}

#[test]
fn colours_change_no_word_and_no_place() {
    let sheet = Sheet {
        ink: Ink::Coloured,
        ..NARROW_SHEET
    };
    let coloured = sheet.render(&board(), &[]);
    assert!(
        coloured.contains("\x1b[1;31m! summarize: growing"),
        "{coloured}"
    );
    let mut plain = String::new();
    for (n, part) in coloured.split("\x1b[").enumerate() {
        let text = part.split_once('m').map_or(part, |(_, text)| text);
        plain += if n == 0 { part } else { text };
    }
    assert_eq!(plain, NARROW_SHEET.render(&board(), &[]));
}

#[test]
fn what_could_not_be_read_is_said() {
    let blind = Board {
        lanes: None,
        prospects: None,
        jobs: None,
        ..board()
    };
    let page = NARROW_SHEET.render(&blind, &[]);
    for words in [
        "Machines and stages could not be read.",
        "When stages are done could not be read.",
        "Background jobs could not be read.",
    ] {
        assert!(page.contains(words), "{page}");
    }
    let unread = NARROW_SHEET.render(&board(), &[]);
    assert!(
        unread.contains("What machines work on could not be read."),
        "{unread}"
    );
}
