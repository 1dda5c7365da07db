//! The texts that growing messages show, as the platform has confirmed them, so that an edit that changes nothing is not
//! sent: an edit counts like a message, and most answers end with the text that was shown last.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use frontdesk_core::act::{Act, Receipt, SendError};
use frontdesk_core::address::Address;

/// Maximum number of messages that are remembered. A forgotten one costs one edit that changes nothing.
const MESSAGES: usize = 1024;

/// The text of each growing message, by its chat and the platform's id.
#[derive(Default)]
pub(super) struct ShownTexts(Mutex<HashMap<(Address, String), String>>);

/// What a message shows if the platform accepts an act.
pub(super) enum ExpectedText {
    /// The text of a message that still grows. The id of a new message is not known yet.
    Growing { id: Option<String>, text: String },
    /// The final text of this message.
    Final { id: String },
}

impl ShownTexts {
    /// Whether the message shows already what an edit would make it show.
    pub(super) fn is_shown(&self, to: &Address, act: &Act) -> bool {
        let Act::Edit { target, post } = act else { return false };
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let message = (to.clone(), target.clone());
        // A growing message shows plain text, so a body with markup is something else.
        let is_shown =
            shown.get(&message).is_some_and(|text| *text == post.part.body && *text == post.part.plain);
        if is_shown && !post.more {
            shown.remove(&message);
        }
        is_shown
    }

    /// What an act is expected to make a message show; `None` if it changes no growing message.
    pub(super) fn expected(act: &Act) -> Option<ExpectedText> {
        match act {
            Act::Post(post) if post.more => {
                Some(ExpectedText::Growing { id: None, text: post.part.body.clone() })
            }
            Act::Edit { target, post } if post.more => {
                Some(ExpectedText::Growing { id: Some(target.clone()), text: post.part.body.clone() })
            }
            Act::Edit { target, .. } | Act::Delete { target } => {
                Some(ExpectedText::Final { id: target.clone() })
            }
            _ => None,
        }
    }

    /// Records the result of an act. The text of a message is forgotten if it is not certain.
    pub(super) fn note(&self, to: &Address, expected: ExpectedText, sent: &Result<Receipt, SendError>) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match expected {
            ExpectedText::Growing { id, text } => {
                let named = sent.as_ref().ok().and_then(|receipt| receipt.message.clone());
                let Some(id) = named.or(id) else { return };
                let message = (to.clone(), id);
                if sent.is_err() {
                    shown.remove(&message);
                    return;
                }
                // What is forgotten here belongs mostly to turns that never sent a final text.
                if shown.len() >= MESSAGES && !shown.contains_key(&message) {
                    shown.clear();
                }
                shown.insert(message, text);
            }
            ExpectedText::Final { id } => {
                shown.remove(&(to.clone(), id));
            }
        }
    }
}
