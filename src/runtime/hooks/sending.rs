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
        self.sending_question(text).await.map(|text| text.message)
    }

    /// The same for a question, with its choices.
    pub(crate) async fn sending_question(&self, text: HookText) -> Result<HookText, Withheld> {
        if !self.any(HookPoint::MessageSending) {
            return Ok(text);
        }
        let before = text.clone();
        let outcome = self.ask(HookEvent::MessageSending(text)).await;
        let (failed, error) = match (outcome.end, outcome.event) {
            (None, HookEvent::MessageSending(text)) => return Ok(cleaned(text, &before)),
            (Some(HookEnd::Dropped { hook, reason }), _) => {
                (false, format!("dropped by the hook {hook}: {reason}"))
            }
            (Some(HookEnd::Failed { hook }), _) => {
                (true, format!("the hook {hook}, which must check every text first, failed"))
            }
            // This point allows no answer.
            (Some(HookEnd::Answered(_)) | None, _) => return Ok(before),
        };
        Err(Withheld { text: before.message, failed, error })
    }
}

/// What hooks made of a text, without sequences for a terminal.
fn cleaned(text: HookText, before: &HookText) -> HookText {
    let clean = |new: String, old: Option<&String>| match old == Some(&new) {
        true => new,
        false => terminal::plain(&new).into_owned(),
    };
    let choices = text.choices.into_iter().enumerate();
    let choices = choices.map(|(n, label)| clean(label, before.choices.get(n))).collect();
    HookText { message: clean(text.message, Some(&before.message)), choices, ..before.clone() }
}
