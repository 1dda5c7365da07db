//! `/retry`: answers the last message again, as a new turn; where several people share the conversation, the last one of
//! the person who asks, unless a moderator or an admin does.

use frontdesk_core::access::Action;
use frontdesk_store::row::{CommandEffect, CommandFacts, InboundRow};

use super::Plan;
use crate::shared::Shared;

pub(super) fn plan(shared: &Shared, row: &InboundRow) -> Plan {
    let own = !shared.may_for_all(&shared.settings(), row, Action::Moderate);
    let effect = if own { CommandEffect::RetryOwn } else { CommandEffect::Retry };
    Plan::new(effect, move |facts| match facts {
        CommandFacts::StillRunning => {
            "The last message is still being answered. Send /stop first, then /retry.".to_owned()
        }
        CommandFacts::NothingToRetry if own => {
            "There is no message of yours to answer again in this conversation.".to_owned()
        }
        CommandFacts::NothingToRetry => {
            "There is no message to answer again in this conversation.".to_owned()
        }
        // The answer itself is the reply.
        _ => String::new(),
    })
}
