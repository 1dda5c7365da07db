//! `/steer`: a message that the agent may take into the answer under way; otherwise it is answered next.

use frontdesk_store::row::CommandEffect;

use super::Plan;

pub(super) fn plan(text: String) -> Plan {
    // The answer itself is the reply.
    Plan::new(CommandEffect::Message { text, mode: None }, |_| String::new())
}
