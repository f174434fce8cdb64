//! How much of an answer a failed row takes.

use crate::snapshot::{FailedRow, Id, Text};

/// Returns how many bytes its texts take as they are written in an answer, at the most.
pub(super) fn of(row: &FailedRow) -> usize {
    let texts = [
        &row.title,
        &row.original_filename,
        &row.file_path,
        &row.error_message,
        &row.error_end,
    ];
    let texts = texts.into_iter().flatten().map(|text: &Text| &**text);
    let ids = [Some(&row.id), row.document_id.as_ref()];
    let ids = ids.into_iter().flatten().map(Id::as_str);
    texts.chain(ids).chain([&*row.stage]).map(written).sum()
}

/// A byte that JSON or HTML escapes takes six at most.
fn written(text: &str) -> usize {
    let is_escaped = |byte: &u8| byte.is_ascii_control() || b"\"&<>\\".contains(byte);
    text.len() + 5 * text.bytes().filter(|byte| is_escaped(byte)).count()
}
