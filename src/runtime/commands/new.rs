//! `/new`: a new conversation. The epoch was changed when the row was stored.

use frontdesk_store::row::InboundRow;

use super::{Plan, came_from};

pub(super) fn plan(row: &InboundRow) -> Plan {
    Plan::say(match came_from(row) {
        Some(previous) => format!(
            "New conversation (number {}). Send `/resume {previous}` to go back to the last one.",
            row.epoch
        ),
        None => "New conversation.".to_owned(),
    })
}
