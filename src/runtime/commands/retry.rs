//! `/retry`: the last message once more, as a turn of its own.

use frontdesk_store::row::{CommandEffect, CommandFacts};

use super::Plan;

pub(super) fn plan() -> Plan {
    Plan::new(CommandEffect::Retry, |facts| match facts {
        CommandFacts::StillRunning => {
            "The last message is still being answered. Send /stop first to run it again.".to_owned()
        }
        CommandFacts::NothingToRetry => "There is nothing to run again in this conversation.".to_owned(),
        // The answer itself is the reply.
        _ => String::new(),
    })
}
