//! Pieces of an answer that hooks see before the chat does.

use frontdesk_core::address::Address;
use frontdesk_core::delivery::MessageRefs;
use frontdesk_core::hook::HookText;

use crate::hooks::Pieces;
use crate::shared::Shared;

/// What hooks are told of a piece besides its text.
pub(super) struct HookPiece<'a> {
    pub(super) hooks: Pieces,
    pub(super) about: &'a MessageRefs,
    pub(super) address: &'a Address,
}

impl HookPiece<'_> {
    /// The text that may be shown; `None` if hooks keep it back.
    pub(super) async fn seen(&self, shared: &Shared, text: String) -> Option<String> {
        match self.hooks {
            Pieces::Free => Some(text),
            Pieces::Off => None,
            Pieces::Seen => {
                let (session, channel) = (self.about.session.clone(), self.address.channel().to_owned());
                let text = HookText { session, message: text, channel, piece: true, choices: Vec::new() };
                shared.hooks.sending(text).await.ok()
            }
        }
    }
}
