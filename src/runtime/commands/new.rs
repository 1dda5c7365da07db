//! `/new`: a new conversation. The epoch changes when the row is stored.

use frontdesk_store::row::InboundRow;

use super::{Plan, came_from};

pub(super) fn plan(row: &InboundRow) -> Plan {
    Plan::say(match came_from(row) {
        Some(previous) => format!("New conversation. Send /resume {previous} to return to the previous one."),
        None => "New conversation.".to_owned(),
    })
}
