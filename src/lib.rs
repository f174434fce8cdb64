//! A Prometheus exporter for a work queue kept in PostgreSQL or SQLite.
//!
//! Everything it shows is one sentence with another last word:
//! **collect** (asks a database, may fail) → **judge** (pure, cannot fail) → **render** (pure).
//!
//! # The map, in reading order
//!
//! * [`snapshot`]: what one scrape read, as plain rows
//! * [`windows`]: the clock of a scrape: midnight, hours, day-light changes
//! * [`source`]: PostgreSQL and SQLite behind one small interface, and their SQL
//! * [`collect`]: one scrape: a deadline, one transaction, failures kept apart, callers shared
//! * [`config`]: whose work is it: YAML made into a pipeline without contradictions
//! * [`queues`]: other systems' queues, which views show as the tables that are read
//! * [`judge`]: rows become a board: lanes, stages, forecast, trend, jobs, titles;
//!   [`judge::prospect`] foretells when a stage is done, held against simulated lives by
//!   `tests/eta/run`; [`judge::problems`] names what somebody should look at
//! * [`render`]: a board becomes metrics, JSON, or text for a terminal
//! * [`admin`]: what people may change: retry, skip, the one transaction that does it, and the runs
//!   of many of them
//! * [`exporter`]: collect and judge in one call, as every command and listener does
//! * [`mod@check`]: what would keep the exporter from telling the truth, and how to mend it
//! * [`telemetry`]: the exporter's own numbers
//! * [`http`]: the listener for Prometheus and the one for people
//! * [`demo`]: an embedded pipeline that lives while it is watched
//! * [`cli`]: commands and flags
//!
//! # What there is not
//!
//! * [`judge`] and [`render`] touch nothing outside their arguments: no database, clock,
//!   environment or log. A test reads their source to hold this.
//! * No number outlives its scrape but how many failed rows share a cause, which takes long to count
//!   and is told for five minutes at most ([`collect::kept`]): metric families are made anew from
//!   each board. What else is kept between scrapes is only evidence for predictions: what the queue did in the past, relied on
//!   for an hour at most (`collect::past`), and how far the jobs that run were at their heartbeats
//!   of the last hour of work ([`collect::heartbeats`]).
//! * No second place knows what an ETA is, what a metric is called, or what a database error means.
//! * Nothing writes to a pipeline's database but [`admin`], when a person asks for it, and
//!   [`demo`] to the one that it made.
//! * Nothing about a pipeline is compiled in, but the defaults in `config/default.yml`.

pub mod admin;
pub mod check;
pub mod cli;
pub mod collect;
pub mod config;
pub mod demo;
pub mod exporter;
pub mod http;
pub mod judge;
pub mod queues;
pub mod render;
pub mod snapshot;
pub mod source;
pub mod telemetry;
pub mod windows;
