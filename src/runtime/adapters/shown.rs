//! What the chats show of answers that still grow, so that a last word that is there already is not said again: most
//! answers end with the text that was shown last, and an edit counts like a message.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use frontdesk_core::act::{Act, Receipt, SendError};
use frontdesk_core::address::Address;

/// So many chats are remembered; beyond them none is, which costs a request each.
const CHATS: usize = 1024;

#[derive(Default)]
pub(super) struct Shown(Mutex<HashMap<Address, Message>>);

/// A message that grows, as the platform has confirmed it.
struct Message {
    id: String,
    text: String,
}

/// What an act will have shown if the platform takes it.
pub(super) enum Shows {
    /// This much of an answer that still grows; of a new message the id is not known yet.
    Growing { id: Option<String>, text: String },
    /// Something else.
    Other,
}

impl Shown {
    /// Whether an act says what its message says already.
    pub(super) fn is_said(&self, to: &Address, act: &Act) -> bool {
        let Act::Edit { target, post } = act else { return false };
        let chats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !post.more && chats.get(to).is_some_and(|shown| shown.id == *target && shown.text == post.part.body)
    }

    /// Remembers what an act has come to. Whatever is not known for certain is forgotten.
    pub(super) fn note(&self, to: &Address, shows: Shows, sent: &Result<Receipt, SendError>) {
        let mut chats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (shows, sent) {
            (Shows::Growing { id, text }, Ok(receipt)) if chats.len() < CHATS || chats.contains_key(to) => {
                if let Some(id) = receipt.message.clone().or(id) {
                    chats.insert(to.clone(), Message { id, text });
                }
            }
            _ => {
                chats.remove(to);
            }
        }
    }
}

impl Shows {
    /// `None` for what changes no message.
    pub(super) fn of(act: &Act) -> Option<Shows> {
        match act {
            Act::Post(post) if post.more => Some(Shows::Growing { id: None, text: post.part.body.clone() }),
            Act::Edit { target, post } if post.more => {
                Some(Shows::Growing { id: Some(target.clone()), text: post.part.body.clone() })
            }
            Act::Post(_) | Act::Edit { .. } | Act::Delete { .. } => Some(Shows::Other),
            _ => None,
        }
    }
}
