//! `/stop`: cancels the running turn and the waiting messages, and says how many.

use frontdesk_core::count::counted;
use frontdesk_store::row::{CommandEffect, CommandFacts, Stopped};

use super::Plan;

pub(super) fn plan() -> Plan {
    Plan::new(CommandEffect::Stop, reply)
}

fn reply(facts: &CommandFacts) -> String {
    let CommandFacts::Stopped(Stopped { running, waiting }) = facts else {
        return "There is nothing to stop.".to_owned();
    };
    match (running.len(), waiting.len()) {
        (0, 0) => "There is nothing to stop.".to_owned(),
        (0, waiting) => format!("Dropped {} from the queue.", counted(waiting as u64, "message")),
        (_, 0) => "Stopped the answer.".to_owned(),
        (_, waiting) => {
            format!("Stopped the answer and dropped {} from the queue.", counted(waiting as u64, "message"))
        }
    }
}
