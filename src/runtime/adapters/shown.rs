//! What growing messages show, as their platform has confirmed it, so that an edit that changes nothing is not made: an
//! edit counts like a message, and most answers end with the text that was shown last.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use frontdesk_core::act::{Act, Receipt, SendError};
use frontdesk_core::address::Address;

/// Maximum number of messages that are remembered. One that is forgotten costs one edit that changes nothing.
const MESSAGES: usize = 1024;

/// The text of each growing message, by its chat and the platform's id.
#[derive(Default)]
pub(super) struct Shown(Mutex<HashMap<(Address, String), String>>);

/// What an act will have shown if the platform takes it.
pub(super) enum Shows {
    /// This much of an answer that still grows; of a new message the id is not known yet.
    Growing { id: Option<String>, text: String },
    /// The last word of this message.
    Last { id: String },
}

impl Shown {
    /// Whether an act says what its message says already.
    pub(super) fn is_said(&self, to: &Address, act: &Act) -> bool {
        let Act::Edit { target, post } = act else { return false };
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let message = (to.clone(), target.clone());
        // What is shown while it grows has no marks.
        let is_said =
            shown.get(&message).is_some_and(|text| *text == post.part.body && *text == post.part.plain);
        if is_said && !post.more {
            shown.remove(&message);
        }
        is_said
    }

    /// Remembers what an act has come to. Whatever is not known for certain is forgotten.
    pub(super) fn note(&self, to: &Address, shows: Shows, sent: &Result<Receipt, SendError>) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match shows {
            Shows::Growing { id, text } => {
                let named = sent.as_ref().ok().and_then(|receipt| receipt.message.clone());
                let Some(id) = named.or(id) else { return };
                let message = (to.clone(), id);
                if sent.is_err() {
                    shown.remove(&message);
                    return;
                }
                // Nothing is lost with what is forgotten here: turns whose messages never got a last word left it.
                if shown.len() >= MESSAGES && !shown.contains_key(&message) {
                    shown.clear();
                }
                shown.insert(message, text);
            }
            Shows::Last { id } => {
                shown.remove(&(to.clone(), id));
            }
        }
    }
}

impl Shows {
    /// `None` for what changes no growing message.
    pub(super) fn of(act: &Act) -> Option<Shows> {
        match act {
            Act::Post(post) if post.more => Some(Shows::Growing { id: None, text: post.part.body.clone() }),
            Act::Edit { target, post } if post.more => {
                Some(Shows::Growing { id: Some(target.clone()), text: post.part.body.clone() })
            }
            Act::Edit { target, .. } | Act::Delete { target } => Some(Shows::Last { id: target.clone() }),
            _ => None,
        }
    }
}
