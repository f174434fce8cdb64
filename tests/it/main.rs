//! Everything after the unit tests: the binary, real databases, real peers.
//!
//! Run by `tests/run`, which installs what is missing and starts PostgreSQL.

mod support;

/// An in-memory model of what every number means, written apart from the SQL and the judging.
mod model;
/// Random boards, hostile ones included.
mod random;
/// The plain data of one test board.
mod rows;

/// Clients that go away before they are answered.
mod abandoned;
/// Retry and skip, row by row.
mod actions;
/// The alert rules: what they say, when they fire, and that their tests would notice a change.
mod alerts;
/// The arrows between the modules that the design forbids.
mod architecture;
/// Whoever has no credentials, or a role of the database, and wants more.
mod attacks;
/// The pages behind a proxy, in a browser, and whom the proxy says it serves.
mod behind;
/// Random bodies of a retry or a skip, sent in every way.
mod bodies;
mod by_filter;
/// The command `check`: what is sound, what is broken, what could be better.
mod check;
/// Columns of other types than those of the other tests.
mod columns;
/// The command line, and what bad input gets.
mod command_line;
/// Configuration files that are refused.
mod configuration;
/// Connections from before the web configuration was changed.
mod connections;
/// What a scrape costs the database.
mod cost;
/// The dashboards: their rules, their queries, and a Prometheus that answers them.
mod dashboards;
/// The demo, as a newcomer meets it.
mod demo;
/// What is shipped to run it for good: a systemd unit, a container, and all its peers.
mod deploy;
/// Every number equals the model's, on both engines.
mod equality;
/// The list of failed rows, its pages and filters.
mod failed_list;
/// What the engines' errors are taken for, in whatever language they are told.
mod faults;
/// The exposition formats, read by parsers and a Prometheus that are not ours.
mod formats;
/// A small board in full: the page of metrics and the overview, as a person would read them.
mod golden;
mod guessing;
/// Names, numbers and times that nobody would expect.
mod hostile;
/// The hosts that requests name, in raw words and in a browser that was lied to.
mod hosts;
/// Clients that do not finish, or say what is no HTTP.
mod intruders;
/// What is said of how long a job will run.
mod job_eta;
/// What requests are answered.
mod listeners;
/// Tables that are locked, and what waits for us.
mod locks;
/// What is logged, and how often.
mod logs;
/// Errors of any length: how they are told, and that they take no memory.
mod long_errors;
/// A database that is lost in the middle of an action.
mod lost;
/// Lists of failed rows where very many failed.
mod many_failed;
/// A database that is absent, restarted, killed, or behind a network that is silent.
mod outages;
/// When stages are done: SQL counts what the rows tell, and a changed past is seen.
mod outlook;
/// The failures page in a real browser.
mod page;
/// The whole way from a database in trouble to somebody who is paged.
mod pager;
/// What a person reads on the dashboards, by Grafana's own code.
mod panel_texts;
/// A transaction pooler between the exporter and its database.
mod pooler;
/// What somebody should look at: the same by the overview as by the alert rules.
mod presets;
mod problems;
/// Configuration that is read again while it serves.
mod reload;
/// What the admin listener refuses.
mod requests;
/// People, and a pipeline, that act on the same rows at once.
mod rivals;
/// What the database's roles may and may not do.
mod roles;
/// The runbook: its commands, statements and queries, each of which is run.
mod runbook;
/// Tables that are absent, locked or lack a column; machines that are off.
mod situations;
/// A hot standby, which ends transactions that are in its way.
mod standby;
/// Tables as people have them: read right, or refused in words that mend them.
mod tables;
/// The board in the terminal: whatever is in the database, on a screen and in a pipe, again and again.
mod terminal;
/// What an action waits for, who holds it, and deadlocks with workers.
mod waits;
/// TLS, passwords and headers, with curl and a Prometheus as the clients.
mod web;
