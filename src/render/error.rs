//! A failed row's error, whole or cut.

use std::borrow::Cow;

use super::words::count;
use crate::judge::failures::Failure;

/// Returns it as it is shown: where something is left out, a line of its own says how much.
pub(super) fn text(failure: &Failure) -> Option<Cow<'_, str>> {
    let error = failure.error_message.as_deref()?;
    let Some(cut) = &failure.error_cut else {
        return Some(Cow::Borrowed(error));
    };
    let left_out = count(cut.left_out, "character", "characters");
    Some(Cow::Owned(format!(
        "{error}\n… {left_out} left out …\n{}",
        cut.end
    )))
}
