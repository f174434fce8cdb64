//! What people may change, and nothing else: retry and skip.
//!
//! What a request asks is read in [`request`], what became of each row is said in [`action`];
//! both are pure. Between them stands one transaction, in [`operator`]. A [`run`] is as many of
//! them as a request takes, and [`runs`] remembers the latest.

pub mod action;
pub mod holder;
pub mod operator;
pub mod plan;
pub mod request;
pub mod run;
pub mod runs;

mod postgres;
mod sqlite;
