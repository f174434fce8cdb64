//! What people may change, and nothing else: retry and skip.
//!
//! What a request asks is read in [`request`], what became of each row is said in [`action`];
//! both are pure. Between them stands one transaction, in [`operator`].

pub mod action;
pub mod operator;
pub mod request;

mod postgres;
mod sqlite;
