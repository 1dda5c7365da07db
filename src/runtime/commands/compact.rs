//! `/compact`: the agent compacts its context, after the answers that were asked for before.

use frontdesk_store::row::{CommandEffect, CommandFacts, InboundRow};

use super::Plan;
use crate::shared::Shared;

pub(super) fn plan(shared: &Shared, row: &InboundRow, instructions: String) -> Plan {
    let settings = shared.settings();
    let entry = settings.agents.get(row.session.agent());
    if !entry.is_some_and(|entry| entry.agent.capabilities().compact) {
        return Plan::say("This agent cannot compact a conversation. Send /new to start a new one.");
    }
    Plan::new(CommandEffect::Compact { instructions }, |facts| match facts {
        CommandFacts::CompactsAlready => {
            "A summary is already waiting to be made. It covers your request too.".to_owned()
        }
        // What the agent reports is the reply.
        _ => String::new(),
    })
}
