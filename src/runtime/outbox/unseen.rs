//! Texts that hooks see at the head of their address, because a transaction made them.

use frontdesk_core::hook::HookText;
use frontdesk_store::StoreError;
use frontdesk_store::row::OutboxRow;

use crate::lanes::NextRun;
use crate::shared::Shared;

/// Shows a text to the hooks and stores what they make of it. If the process dies before that, they see it again.
pub(super) async fn show(shared: &Shared, row: &OutboxRow) -> Result<NextRun, StoreError> {
    let text = HookText {
        session: row.post.about.session.clone(),
        message: row.post.part.body.clone(),
        channel: row.address.channel().to_owned(),
        piece: false,
        choices: match &row.post.ask {
            Some(ask) if ask.closed.is_none() => {
                ask.choices.iter().map(|choice| choice.label.clone()).collect()
            }
            _ => Vec::new(),
        },
    };
    let seen = shared.hooks.sending_question(text).await;
    let (out, now) = (row.post.out, shared.time.wall());
    match seen {
        Ok(HookText { message, choices, .. }) => shared.store.seen(out, message, choices, now).await?,
        Err(withheld) => shared.store.withheld(out, withheld, now).await?,
    };
    if row.post.ask.is_some() {
        // A question that cannot be shown ends.
        shared.work.asks.note_change();
    }
    Ok(NextRun::Again)
}
