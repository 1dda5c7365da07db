//! `/retry`: answers the last message again, as a new turn.

use frontdesk_store::row::{CommandEffect, CommandFacts};

use super::Plan;

pub(super) fn plan() -> Plan {
    Plan::new(CommandEffect::Retry, |facts| match facts {
        CommandFacts::StillRunning => {
            "The last message is still being answered. Send /stop first, then /retry.".to_owned()
        }
        CommandFacts::NothingToRetry => {
            "There is no message to answer again in this conversation.".to_owned()
        }
        // The answer itself is the reply.
        _ => String::new(),
    })
}
