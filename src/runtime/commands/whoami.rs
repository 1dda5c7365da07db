//! `/whoami`: the sender's id and permissions.

use frontdesk_core::access::Action;
use frontdesk_core::visible::quoted_label;
use frontdesk_store::row::InboundRow;

use super::Plan;
use crate::shared::Shared;

pub(super) fn plan(shared: &Shared, row: &InboundRow) -> Plan {
    let admin = shared.still_may(&shared.settings(), row, Action::Administer);
    let may = match admin {
        true => "You may write to the agent and manage the gateway.",
        false => "You may write to the agent.",
    };
    Plan::say(format!(
        "Your id is {}.\n{may}\nThis chat is {}.",
        quoted_label(row.from.id.as_str()),
        quoted_label(row.address.as_str())
    ))
}
