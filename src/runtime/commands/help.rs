//! `/help`: the commands that the reader may use.

use frontdesk_core::access::Action;
use frontdesk_core::command;
use frontdesk_store::row::InboundRow;

use super::Plan;
use crate::shared::Shared;

pub(super) fn plan(shared: &Shared, row: &InboundRow) -> Plan {
    let is_admin = shared.still_may(&shared.settings(), row, Action::Administer);
    let lines: Vec<String> = command::list()
        .iter()
        .filter(|spec| is_admin || !spec.admin)
        // Not in a code span: chat apps turn a plain `/status` into something to tap.
        .map(|spec| format!("- {}: {}", spec.usage, spec.help))
        .collect();
    Plan::say(format!("Just write: everything else goes to the agent.\n\n{}", lines.join("\n")))
}
