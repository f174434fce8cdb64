//! Views of a [`crate::judge::Board`]. Pure: a board in, text out.

pub mod exposition;
pub mod metrics;
pub mod overview;
pub mod terminal;
