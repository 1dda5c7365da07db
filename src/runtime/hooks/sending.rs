//! What hooks make of a text before it is sent or shown.
//!
//! A text that is made outside of a transaction, an answer or a message of an operator, is seen before its rows are
//! stored. A text that a transaction makes, a notice or the reply to a command, is stored as an unseen row, and seen at the
//! head of its address (`outbox/unseen.rs`). So no platform and no client gets a text that hooks have not seen, and no
//! transaction waits for a hook.

use frontdesk_core::hook::{HookEvent, HookPoint, HookText};
use frontdesk_core::terminal;
use frontdesk_store::row::Withheld;

use super::{HookEnd, Hooks};

/// Whether an answer may be shown while it is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pieces {
    /// No hook sees texts.
    Free,
    /// Hooks see every piece first.
    Seen,
    /// A hook takes no pieces: the answer is shown when it is complete.
    Off,
}

impl Hooks {
    /// Whether an answer may be shown while it is being written.
    pub(crate) fn pieces(&self) -> Pieces {
        match self.any(HookPoint::MessageSending) {
            false => Pieces::Free,
            true if self.at(HookPoint::MessageSending).all(|(_, hook)| hook.takes_pieces()) => Pieces::Seen,
            true => Pieces::Off,
        }
    }

    /// What is sent of a text, in Markdown, or why hooks keep it from being sent. Sequences for a terminal are removed
    /// from what hooks write, as from what agents write.
    pub(crate) async fn sending(&self, text: HookText) -> Result<String, Withheld> {
        if !self.any(HookPoint::MessageSending) {
            return Ok(text.message);
        }
        let before = text.message.clone();
        let mut outcome = self.ask(HookEvent::MessageSending(text)).await;
        let (failed, error) = match outcome.end {
            None => {
                let text = outcome.event.text_mut().map(std::mem::take).unwrap_or_default();
                return Ok(if text == before { text } else { terminal::plain(&text).into_owned() });
            }
            Some(HookEnd::Dropped { hook, reason }) => {
                (false, format!("dropped by the hook {hook}: {reason}"))
            }
            Some(HookEnd::Failed { hook }) => {
                (true, format!("the hook {hook} failed, which must see it first"))
            }
            // This point allows no answer.
            Some(HookEnd::Answered(_)) => return Ok(before),
        };
        Err(Withheld { text: before, failed, error })
    }
}
