//! Views of a [`crate::judge::Board`]. Pure: a board in, text out.

pub mod actions;
pub mod exposition;
pub mod failed;
pub mod findings;
pub mod landing;
pub mod metrics;
pub mod overview;
pub mod page;
pub mod terminal;

mod drain;
mod error;
mod problems;
mod words;
