//! What the configuration says about edits of messages that do not wait any more.

use frontdesk_store::row::{EditRule, LaterEdits};

use super::admission::MARKS;
use crate::config::{LateEdits, Queue};

pub(super) fn rule(queue: &Queue) -> EditRule {
    let later = match queue.edits {
        LateEdits::Turn => LaterEdits::Answered,
        LateEdits::Note => LaterEdits::Noted { most: MARKS },
        LateEdits::Ignore => LaterEdits::Ignored,
    };
    let minutes = queue.edit_max_age_minutes.and_then(|minutes| i64::try_from(minutes).ok());
    EditRule { later, max_age: minutes.and_then(chrono::Duration::try_minutes) }
}
