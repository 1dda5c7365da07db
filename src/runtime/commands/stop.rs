//! `/stop`: cancels the running turn and the waiting messages, and says how many. Where several people share the
//! conversation, only moderators and admins stop what others asked for.

use frontdesk_core::access::Action;
use frontdesk_core::count::counted;
use frontdesk_store::row::{CommandEffect, CommandFacts, InboundRow, Stopped};

use super::Plan;
use crate::shared::Shared;

pub(super) fn plan(shared: &Shared, row: &InboundRow) -> Plan {
    let effect = match shared.may_for_all(&shared.settings(), row, Action::Moderate) {
        true => CommandEffect::Stop,
        false => CommandEffect::StopOwn,
    };
    Plan::new(effect, reply)
}

fn reply(facts: &CommandFacts) -> String {
    let (Stopped { running, waiting }, others) = match facts {
        CommandFacts::Stopped(stopped) => (stopped, false),
        CommandFacts::StoppedOwn { stopped, others, .. } => (stopped, *others),
        _ => return "There is nothing to stop.".to_owned(),
    };
    match (running.len(), waiting.len()) {
        (0, 0) if others => {
            "There is nothing of yours to stop. What others asked for can be stopped by them, by moderators and by \
             admins."
                .to_owned()
        }
        (0, 0) => "There is nothing to stop.".to_owned(),
        (0, waiting) => format!("Dropped {} from the queue.", counted(waiting as u64, "message")),
        (_, 0) => "Stopped the answer.".to_owned(),
        (_, waiting) => {
            format!("Stopped the answer and dropped {} from the queue.", counted(waiting as u64, "message"))
        }
    }
}
