//! A failed row's error, whole or cut.

use std::borrow::Cow;

use form_urlencoded::byte_serialize;

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

/// Returns where it is answered whole.
pub(super) fn link(failure: &Failure) -> String {
    let id: String = byte_serialize(failure.id.as_str().as_bytes()).collect();
    // What a form writes for a blank stands for itself in a path.
    format!("./api/queue/failed/{}", id.replace('+', "%20"))
}
