//! Forwarded messages. Discord shows what they say, and not who said it.

use frontdesk_core::message::{Forward, ForwardKind};
use frontdesk_kit::json::{FieldError, Fields};

/// `message_reference.type` of a forward.
const FORWARD: u64 = 1;

/// The message that this one forwards, as it was then.
pub(super) fn snapshot<'a>(message: &Fields<'a>) -> Result<Option<Fields<'a>>, FieldError> {
    let reference: Option<Fields<'_>> = message.get("message_reference")?;
    if reference.and_then(|reference| reference.maybe::<u64>("type")) != Some(FORWARD) {
        return Ok(None);
    }
    let snapshots: Vec<Fields<'a>> = message.list("message_snapshots")?;
    let first = snapshots.first().ok_or_else(|| message.field_error("message_snapshots"))?;
    first.need("message").map(Some)
}

/// The author of a forwarded message.
pub(super) fn author() -> Forward {
    Forward { kind: ForwardKind::Unknown, id: None, name: None }
}
