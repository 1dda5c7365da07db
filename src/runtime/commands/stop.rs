//! `/stop`: cancels what runs and what waits, and says how much that was.

use frontdesk_core::count::counted;
use frontdesk_store::row::{CommandEffect, CommandFacts};

use super::Plan;

pub(super) fn plan() -> Plan {
    Plan::new(CommandEffect::Stop, reply)
}

fn reply(facts: &CommandFacts) -> String {
    let CommandFacts::Stopped { running, waiting } = facts else { return "Nothing to stop.".to_owned() };
    match (running.len(), waiting.len()) {
        (0, 0) => "Nothing to stop.".to_owned(),
        (0, waiting) => format!("Stopped: {} that waited.", counted(waiting as u64, "message")),
        (_, 0) => "Stopped the running answer.".to_owned(),
        (_, waiting) => {
            format!("Stopped the running answer and {} that waited.", counted(waiting as u64, "message"))
        }
    }
}
