//! What is being done, on standard error.

use std::io::Write;
use std::sync::OnceLock;
use std::time::Instant;

pub(crate) fn progress(what: &str) {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    let seconds = BEGUN.get_or_init(Instant::now).elapsed().as_secs();
    let _ = writeln!(std::io::stderr(), "{seconds:4} s  {what}");
}
