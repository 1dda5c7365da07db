//! `/stop`: cancels what runs and what waits, and says how much that was.

use frontdesk_store::row::{CommandEffect, CommandFacts};

use super::Plan;

pub(super) fn plan() -> Plan {
    Plan::new(CommandEffect::Stop, reply)
}

fn reply(facts: &CommandFacts) -> String {
    let CommandFacts::Stopped { running, waiting } = facts else { return "Nothing to stop.".to_owned() };
    match (running.len(), waiting.len()) {
        (0, 0) => "Nothing to stop.".to_owned(),
        (0, waiting) => format!("Stopped: {} that waited.", messages(waiting)),
        (_, 0) => "Stopped the running answer.".to_owned(),
        (_, waiting) => format!("Stopped the running answer and {} that waited.", messages(waiting)),
    }
}

fn messages(count: usize) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}
