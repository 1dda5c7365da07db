//! Tells hooks which parts were sent.

use frontdesk_core::hook::{HookEvent, HookPoint};
use frontdesk_store::row::{OutboxRow, SendResult};

use super::Claimed;
use crate::shared::Shared;

/// Tells hooks of a part, or of each file of an album, if it was sent. To be called when that is stored.
pub(super) fn tell(shared: &Shared, claimed: &Claimed, result: &SendResult) {
    let ids = match result {
        SendResult::Sent { platform_message } => std::slice::from_ref(platform_message),
        SendResult::AlbumSent { platform_messages } => platform_messages,
        _ => return,
    };
    for (part, id) in claimed.all().zip(ids) {
        // A deletion or a reaction sends no text.
        if part.act.brings_text() {
            tell_one(shared, part, id.clone());
        }
    }
}

/// Tells hooks of one part that was sent. Its text has the mask in place of a pairing code.
pub(super) fn tell_one(shared: &Shared, row: &OutboxRow, message_id: Option<String>) {
    if shared.hooks.any(HookPoint::MessageSent) {
        shared.hooks.tell(HookEvent::MessageSent {
            session: row.post.about.session.clone(),
            message: row.post.part.plain.clone(),
            channel: row.address.channel().to_owned(),
            message_id,
        });
    }
}
