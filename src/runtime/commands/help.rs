//! `/help`: what can be written here.

use frontdesk_core::command;

use super::Plan;

pub(super) fn plan() -> Plan {
    let lines: Vec<String> =
        command::list().iter().map(|spec| format!("- `{}` {}", spec.usage, spec.help)).collect();
    Plan::say(format!("Whatever you write goes to the agent, except these:\n\n{}", lines.join("\n")))
}
