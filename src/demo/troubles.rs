//! What goes wrong with a document, and what is then written in its `error_message`.

use fastrand::Rng;

use super::stages::{DEEP_SUMMARY, EXTRACT, SUMMARIZE};

const BAD_PDF: &str = "PdfReadError:";
const FIRST_FAILURE: f64 = 0.02;
const REPEATED_FAILURE: f64 = 0.3;
/// A broken file stays broken: retrying one in the demo should teach that some rows want skipping.
const BROKEN_FILE: f64 = 0.95;

/// Decides by chance whether an attempt fails, given the error of an earlier one
pub(super) fn strikes(rng: &mut Rng, earlier: Option<&str>) -> bool {
    let chance = match earlier {
        None => FIRST_FAILURE,
        Some(error) if error.starts_with(BAD_PDF) => BROKEN_FILE,
        Some(_) => REPEATED_FAILURE,
    };
    rng.f64() < chance
}

/// Words the error of a stage, different each time as real ones are
pub(super) fn message(rng: &mut Rng, stage: &str, document_id: i64) -> String {
    match stage {
        EXTRACT if rng.bool() => {
            let offset = rng.u32(10_000..4_000_000);
            format!("{BAD_PDF} EOF marker not found (xref at byte {offset})")
        }
        EXTRACT => {
            let page = rng.u32(1..120);
            format!("{BAD_PDF} cannot decode stream object on page {page}")
        }
        SUMMARIZE | DEEP_SUMMARY => {
            let request = rng.u32(0x1000_0000..);
            format!(
                "ReadTimeout: no answer from the model \
                 (request {request:08x}, document {document_id})"
            )
        }
        _ => {
            let tried = rng.u32(256..2048);
            let free = rng.u32(12..200);
            format!(
                "torch.OutOfMemoryError: CUDA out of memory. \
                 Tried to allocate {tried} MiB (GPU 0; {free} MiB free)"
            )
        }
    }
}
