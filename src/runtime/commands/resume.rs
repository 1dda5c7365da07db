//! `/resume`: back to an earlier conversation. The epoch changes when the row is stored.

use frontdesk_store::row::InboundRow;

use super::{Plan, came_from};

pub(super) fn plan(row: &InboundRow, asked: Option<u64>) -> Plan {
    Plan::say(match (came_from(row), asked) {
        (Some(previous), _) => format!(
            "You are back in conversation {}. Send /resume {previous} to return to the one you left.",
            row.epoch
        ),
        (None, Some(asked)) if asked == row.epoch => format!("You are already in conversation {asked}."),
        (None, Some(asked)) => {
            format!("There is no conversation {asked} here. /sessions lists the ones there are.")
        }
        (None, None) => "There is no earlier conversation.".to_owned(),
    })
}
