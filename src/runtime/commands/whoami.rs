//! `/whoami`: who somebody is to us, and what they may do.

use frontdesk_core::access::Action;
use frontdesk_store::row::InboundRow;

use super::Plan;
use crate::shared::Shared;

pub(super) fn plan(shared: &Shared, row: &InboundRow) -> Plan {
    let admin = shared.still_may(row, Action::Administer);
    let may =
        if admin { "You may talk to the agent and administer it." } else { "You may talk to the agent." };
    Plan::say(format!(
        "You are `{}`. {may}\nThis chat is `{}`; its session is `{}`.",
        row.principal, row.address, row.session
    ))
}
