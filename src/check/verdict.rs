//! What the facts mean for the numbers. Pure.

use std::time::Duration;

use crate::admin::operator::Failure;
use crate::config::Pipeline;
use crate::judge::{Board, Lanes};
use crate::source::fault::{Fault, reason};

use super::facts::{Facts, Index};
use super::finding::Finding;
use super::{ACTING, schema};

/// What Prometheus gives a scrape unless it is told otherwise, in seconds.
const SCRAPE_TIMEOUT: f64 = 10.0;

/// A clock that is further off makes ages and stale jobs wrong by as much, in seconds.
const MOST_SKEW: f64 = 5.0;

/// What one row costs when it comes by an index, in seconds: seen with ten million rows.
const SECONDS_A_ROW: f64 = 0.4e-6;

/// So many rows are read in no time, with or without an index.
const FEW_ROWS: f64 = 1000.0;

/// So many failed rows take a moment to sort for each page of their list.
const MANY_FAILED: i64 = 10_000;

/// How those that are missing are made.
const MAKE_INDEXES: &str = "the owner of the table runs: queueboard-exporter indexes | psql …";

/// How many times a scrape and the database speak with each other.
const ROUND_TRIPS: f64 = 8.0;

/// How many connections a reader may need: two for scrapes, two for lists of failed rows.
const CONNECTIONS: i32 = 4;

/// Returns what the configuration says.
pub fn configuration(pipeline: &Pipeline) -> Finding {
    let (machines, stages) = (pipeline.machines.len(), pipeline.stages.len());
    let zone = pipeline.timezone.name();
    let seen = format!("{machines} machines, {stages} stages, midnight in {zone}");
    Finding::good("configuration", seen)
}

/// Returns that a database could not be looked at, and why; `flag` names its URL.
pub fn unreachable(subject: &str, flag: &str, error: &anyhow::Error) -> Finding {
    let mut causes = error.chain();
    let fault = causes.find_map(|cause| cause.downcast_ref::<sqlx::Error>());
    let why = fault.map_or_else(|| error.root_cause().to_string(), reason);
    // Between the first and the last, each repeats what comes below it.
    let what = error
        .chain()
        .next()
        .filter(|what| !what.is::<sqlx::Error>());
    let what = what.map(ToString::to_string).filter(|what| *what != why);
    let seen = what.map_or(why.clone(), |what| format!("{what}: {why}"));
    let fix = match fault.map(Fault::of) {
        None | Some(Fault::Lost | Fault::Unanswered | Fault::Other) => {
            "check that the database runs, that it can be reached from here, and the URL's host, \
             name, user and password"
        }
        Some(fault) => fault.advice(),
    };
    Finding::broken(subject, seen, fix.replace("--database-url", flag))
}

/// Returns the findings of whoever reads.
pub fn reading(facts: &Facts) -> Vec<Finding> {
    let mut findings = vec![connection(facts), clock(facts)];
    findings.extend(schema::tables(facts));
    findings.extend(role(facts));
    findings.extend(facts.ports.map(pooler));
    findings.extend(facts.journal.as_deref().map(journal));
    findings.extend(facts.transaction_timeout.and_then(transaction_timeout));
    findings
}

/// Returns the findings of a collection that was made as each scrape makes it.
pub fn board(board: &Board, facts: &Facts) -> Vec<Finding> {
    let mut findings = vec![collectors(board), time(board)];
    if let Some(lanes) = &board.lanes {
        if !facts.indexes.is_empty() {
            findings.push(indexes(board.scrape_seconds, lanes, facts));
        }
        findings.extend(list_indexes(lanes, facts));
        findings.extend(unassigned(lanes));
        findings.extend(malformed(lanes));
    }
    findings
}

/// Returns whether people may retry and skip, and what came of trying.
pub fn acting(facts: &Facts, rehearsed: Result<(), Failure>) -> Finding {
    let missing = schema::unchangeable(facts);
    let role = facts.role.as_ref().map(|role| role.name.as_str());
    if facts.read_only {
        let seen = "nothing can be written in this database";
        let fix = "give the primary's URL as --admin.database-url";
        return Finding::advice(ACTING, seen, fix);
    }
    if let (Some(role), false) = (role, missing.is_empty()) {
        let columns = missing.join(", ");
        let fix = format!("GRANT UPDATE ({columns}) ON processing_queue TO {role}");
        return Finding::broken(ACTING, format!("{role} may not change {columns}"), fix);
    }
    match rehearsed {
        Ok(()) => {
            let role = role.map_or(String::new(), |role| format!(", as {role}"));
            Finding::good(ACTING, format!("done to a row and taken back{role}"))
        }
        Err(failure) => {
            let fix = "read through it, and name in --admin.database-url a role in whose \
                       search_path the table itself stands first";
            Finding::broken(ACTING, format!("{failure} ({})", failure.reason()), fix)
        }
    }
}

fn connection(facts: &Facts) -> Finding {
    let role = facts.role.as_ref();
    let role = role.map_or(String::new(), |role| format!(", as {}", role.name));
    let standby = if facts.read_only { ", read only" } else { "" };
    let away = milliseconds(facts.round_trip.as_secs_f64());
    let seen = format!("{}{role}{standby}, {away} away", facts.engine);
    match facts.too_old {
        Some(oldest) => Finding::broken("connection", seen, format!("use {oldest} or later")),
        None => Finding::good("connection", seen),
    }
}

fn clock(facts: &Facts) -> Finding {
    let seen = format!("the database's is {:+.1} s from this machine's", facts.skew);
    if facts.skew.abs() <= MOST_SKEW {
        return Finding::good("clock", seen);
    }
    let fix = "set both by NTP: windows and stale jobs go by the database's clock, ages in \
               dashboards and alerts by Prometheus's";
    Finding::advice("clock", seen, fix)
}

fn role(facts: &Facts) -> Vec<Finding> {
    let Some(role) = &facts.role else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    if role.is_superuser {
        let seen = format!("{} may do everything", role.name);
        let fix = "read as a role that may only SELECT: deploy/roles.sql makes one";
        findings.push(Finding::advice("rights", seen, fix));
    }
    if let Some(most) = role.connections.filter(|most| *most < CONNECTIONS) {
        let seen = format!("{} may have {most} connections", role.name);
        let fix = format!("ALTER ROLE {} CONNECTION LIMIT {CONNECTIONS}", role.name);
        findings.push(Finding::advice("connections", seen, fix));
    }
    findings
}

fn pooler((ours, theirs): (u16, u16)) -> Finding {
    let seen = format!(
        "port {ours} leads to a server that listens on {theirs}: through a pooler or a proxy, \
         which is fine in transaction mode too"
    );
    Finding::good("pooler", seen)
}

fn journal(mode: &str) -> Finding {
    let seen = format!("the journal's mode is {mode}: a scrape and a write wait for each other");
    Finding::advice(
        "journal",
        seen,
        "PRAGMA journal_mode = WAL, once, by the file's owner",
    )
}

fn transaction_timeout(limit: Duration) -> Option<Finding> {
    let seen = format!(
        "transaction_timeout ends a scrape after {} s",
        limit.as_secs_f64()
    );
    let fix = format!("ALTER ROLE … SET transaction_timeout = '{SCRAPE_TIMEOUT}s'");
    let is_short = limit.as_secs_f64() < SCRAPE_TIMEOUT;
    is_short.then(|| Finding::advice("time-outs", seen, fix))
}

fn collectors(board: &Board) -> Finding {
    let failed: Vec<&str> = board
        .outcomes
        .iter()
        .filter(|outcome| !outcome.success)
        .map(|outcome| outcome.collector.as_str())
        .collect();
    if failed.is_empty() {
        let all: Vec<&str> = board
            .outcomes
            .iter()
            .map(|outcome| outcome.collector.as_str())
            .collect();
        return Finding::good("collectors", format!("{} answer", all.join(", ")));
    }
    let seen = format!("{} failed", failed.join(", "));
    let fix = "the log line above says why; what is broken in the tables is named there too";
    Finding::broken("collectors", seen, fix)
}

fn time(board: &Board) -> Finding {
    let seconds = board.scrape_seconds;
    let seen = format!(
        "a scrape takes {} of the {SCRAPE_TIMEOUT} s that Prometheus gives it by default",
        milliseconds(seconds)
    );
    let fix = "give the job a longer scrape_timeout, and see the finding on indexes";
    if seconds * 2.0 > SCRAPE_TIMEOUT {
        Finding::broken("time-outs", seen, fix)
    } else if seconds * 10.0 > SCRAPE_TIMEOUT {
        Finding::advice("time-outs", seen, fix)
    } else {
        Finding::good("time-outs", seen)
    }
}

fn indexes(now: f64, lanes: &Lanes, facts: &Facts) -> Finding {
    let all = facts.indexes.iter().chain(&facts.list_indexes);
    let broken = names(all.filter(|index| index.is_valid == Some(false)));
    if !broken.is_empty() {
        let seen = format!("{broken}: broken off while being built, and of no use");
        let fix = "DROP INDEX CONCURRENTLY …, then queueboard-exporter indexes | psql …";
        return Finding::advice("indexes", seen, fix);
    }
    let missing = names(missing(&facts.indexes));
    let now_ms = milliseconds(now);
    if missing.is_empty() && facts.indexes_serve {
        let seen = format!("all are there, and used: a scrape takes {now_ms}");
        return Finding::good("indexes", seen);
    }
    if missing.is_empty() {
        let seen = "they were made, and the planner has no use for them: they are of another \
                    definition, or the columns of a view are not those of its table";
        let fix = "drop them, and make those that queueboard-exporter indexes prints for this \
                   database and this --config.file";
        return Finding::advice("indexes", seen, fix);
    }
    let needed = needed_rows(lanes);
    let with = needed * SECONDS_A_ROW + ROUND_TRIPS * facts.round_trip.as_secs_f64();
    // It is the rows passed over that cost; a busy machine is slow with few of them too.
    let all = facts.rows.unwrap_or_default();
    if all < 10.0 * needed.max(FEW_ROWS) || with * 2.0 > now {
        let seen = format!("{missing} not there, and not needed yet: a scrape takes {now_ms}");
        return Finding::good("indexes", seen);
    }
    let seen = format!(
        "{missing} not there: a scrape takes {now_ms} now; with them it would read {needed:.0} \
         of {all:.0} rows and take about {}",
        milliseconds(with)
    );
    Finding::advice("indexes", seen, MAKE_INDEXES)
}

/// A few failed rows are sorted in no time.
fn list_indexes(lanes: &Lanes, facts: &Facts) -> Option<Finding> {
    let failed: i64 = lanes.stages.iter().map(|lane| lane.items.failed).sum();
    let missing = names(missing(&facts.list_indexes));
    if missing.is_empty() || failed < MANY_FAILED {
        return None;
    }
    let seen =
        format!("{missing} not there: each page of the list sorts all of {failed} failed rows");
    Some(Finding::advice("lists", seen, MAKE_INDEXES))
}

fn missing(indexes: &[Index]) -> impl Iterator<Item = &Index> {
    indexes.iter().filter(|index| index.is_valid.is_none())
}

fn names<'a>(indexes: impl Iterator<Item = &'a Index>) -> String {
    let names: Vec<&str> = indexes.map(|index| index.name).collect();
    names.join(", ")
}

/// The rows that a scrape cannot do without: those alive, and those of the windows.
fn needed_rows(lanes: &Lanes) -> f64 {
    let rows = lanes.stages.iter().map(|lane| {
        let live = lane.items.pending + lane.items.processing + lane.items.failed;
        live + lane.completed.today.max(lane.completed.h1) + lane.created_1h
    });
    rows.sum::<i64>() as f64
}

fn unassigned(lanes: &Lanes) -> Option<Finding> {
    let lane = lanes.machines.iter().find(|lane| lane.is_unassigned())?;
    let seen = format!("no machine has the stages {}", lane.stages.join(", "));
    let fix = "give each to a machine in --config.file";
    Some(Finding::advice("attribution", seen, fix))
}

fn malformed(lanes: &Lanes) -> Option<Finding> {
    let stages = lanes
        .stages
        .iter()
        .filter(|lane| lane.deferred_malformed > 0);
    let stages: Vec<String> = stages
        .map(|lane| format!("{} ({})", lane.stage, lane.deferred_malformed))
        .collect();
    let seen = format!(
        "payload.deferred_until is no timestamp in rows of {}",
        stages.join(", ")
    );
    let fix = "write it as ISO 8601, such as 2026-11-24T18:00:00+09:00: these rows count as not \
               deferred";
    (!stages.is_empty()).then(|| Finding::advice("deferrals", seen, fix))
}

fn milliseconds(seconds: f64) -> String {
    let ms = seconds * 1e3;
    if ms < 10.0 {
        format!("{ms:.1} ms")
    } else {
        format!("{ms:.0} ms")
    }
}
