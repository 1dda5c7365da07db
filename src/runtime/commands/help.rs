//! `/help`: the commands that the reader may use and that the agent of this chat has a use for.

use frontdesk_core::access::Action;
use frontdesk_core::agent::Capabilities;
use frontdesk_core::command;
use frontdesk_store::row::InboundRow;

use super::Plan;
use crate::shared::Shared;

pub(super) fn plan(shared: &Shared, row: &InboundRow) -> Plan {
    let settings = shared.settings();
    let is_admin = shared.still_may(&settings, row, Action::Administer);
    let entry = settings.agents.get(row.session.agent());
    let capabilities = entry.map(|entry| entry.agent.capabilities()).unwrap_or_default();
    let lines: Vec<String> = command::list()
        .iter()
        .filter(|spec| (is_admin || !spec.admin) && is_useful(spec.name, &capabilities))
        // Not in a code span: chat apps turn a plain `/status` into something to tap.
        .map(|spec| format!("- {}: {}", spec.usage, spec.help))
        .collect();
    Plan::say(format!("Just write: everything else goes to the agent.\n\n{}", lines.join("\n")))
}

fn is_useful(command: &str, capabilities: &Capabilities) -> bool {
    match command {
        "steer" => capabilities.steer,
        "compact" => capabilities.compact,
        "model" => !capabilities.models.is_empty(),
        "thinking" => !capabilities.thinking.is_empty(),
        _ => true,
    }
}
