//! `/resume`: back to an earlier conversation. The epoch was changed when the row was stored.

use frontdesk_store::row::InboundRow;

use super::{Plan, came_from};

pub(super) fn plan(row: &InboundRow, asked: Option<u64>) -> Plan {
    Plan::say(match (came_from(row), asked) {
        (Some(previous), _) => format!(
            "Back in conversation {}. Send `/resume {previous}` to return to the one you came from.",
            row.epoch
        ),
        (None, Some(asked)) if asked == row.epoch => format!("You are in conversation {asked} already."),
        (None, Some(asked)) => {
            format!("There is no conversation {asked} here. /sessions shows those that there are.")
        }
        (None, None) => "There is no earlier conversation to go back to.".to_owned(),
    })
}
