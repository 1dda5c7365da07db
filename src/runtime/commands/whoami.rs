//! `/whoami`: the sender's id and permissions, and who answers them.

use frontdesk_core::access::Action;
use frontdesk_core::visible::quoted_label;
use frontdesk_store::row::InboundRow;

use super::Plan;
use crate::shared::Shared;

pub(super) fn plan(shared: &Shared, row: &InboundRow) -> Plan {
    let settings = shared.settings();
    let route = shared.route_of(&settings, &row.session, Some(&row.from.id));
    let admin = shared.still_may(&settings, row, Action::Administer);
    let role = route.role.map(|role| format!(" in the role {}", quoted_label(role))).unwrap_or_default();
    let may = match admin {
        true => "You may write to the agent and manage the gateway.",
        false => "You may write to the agent.",
    };
    Plan::say(format!(
        "Your id is {}.\n{may}\nThis chat is {}. The agent {} answers here{role}.",
        quoted_label(row.from.id.as_str()),
        quoted_label(row.address.as_str()),
        quoted_label(row.session.agent())
    ))
}
