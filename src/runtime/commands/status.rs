//! `/status`: this conversation and what it waits for.

use frontdesk_store::StoreError;
use frontdesk_store::row::InboundRow;

use super::{Plan, when};
use crate::shared::Shared;

pub(super) async fn plan(shared: &Shared, row: &InboundRow) -> Result<Plan, StoreError> {
    let Some(session) = shared.store.session(&row.session).await? else {
        return Ok(Plan::say("There is no conversation here yet. Just write something."));
    };
    let doing = match (session.running, session.waiting) {
        (Some(_), 0) => "An answer is being written.".to_owned(),
        (Some(_), 1) => "An answer is being written; 1 message waits behind it.".to_owned(),
        (Some(_), waiting) => format!("An answer is being written; {waiting} messages wait behind it."),
        (None, 0) => "Nothing is waiting.".to_owned(),
        (None, 1) => "1 message waits for its turn.".to_owned(),
        (None, waiting) => format!("{waiting} messages wait for their turn."),
    };
    let policy = shared.policy(&row.session);
    let now = shared.clock.wall();
    let today = match shared.config.limits.daily {
        0 => String::new(),
        limit => {
            let used = shared.store.quota_used(&row.principal, shared.day(now)).await?;
            format!("\nToday you have sent {used} of {limit} messages.")
        }
    };
    let next = [policy.next_boundary(now), policy.idle_deadline(session.last_user_at)]
        .into_iter()
        .flatten()
        .min()
        .map_or("It never starts anew by itself.".to_owned(), |at| {
            format!("It starts anew with the first message after {}.", when(at))
        });
    Ok(Plan::say(format!(
        "Conversation {} with `{}`, since {}.\n{doing}\n{next}{today}\nSession: `{}`",
        session.epoch,
        row.session.agent(),
        when(session.created),
        row.session
    )))
}
