//! The texts that growing messages show, as the platform has confirmed them, so that an edit that changes nothing is not
//! sent: an edit counts like a message, and most answers end with the text that was shown last.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use frontdesk_core::address::Address;
use frontdesk_core::delivery::{Delivery, Signal};

/// Maximum number of messages that are remembered. A forgotten one costs one edit that changes nothing.
const MESSAGES: usize = 1024;

/// The text of each growing message, by its chat and the platform's id.
#[derive(Default)]
pub(super) struct ShownTexts(Mutex<HashMap<(Address, String), String>>);

/// What a message shows if the platform accepts a delivery or a signal.
pub(super) enum ExpectedText {
    /// The text of a message that still grows. The id of a new message is not known yet.
    Growing { id: Option<String>, text: String },
    /// The final text of this message.
    Final { id: String },
}

impl ExpectedText {
    /// What a delivery is expected to make a message show; `None` if it changes no growing message.
    pub(super) fn of_delivery(delivery: &Delivery) -> Option<Self> {
        match delivery {
            Delivery::Post(post) if post.more => {
                Some(Self::Growing { id: None, text: post.part.body.clone() })
            }
            Delivery::Edit { target, .. } | Delivery::Delete { target } => {
                Some(Self::Final { id: target.clone() })
            }
            Delivery::Post(_)
            | Delivery::Media { .. }
            | Delivery::Album(_)
            | Delivery::React { .. }
            | Delivery::Pin { .. } => None,
        }
    }

    /// What a signal is expected to make a message show.
    pub(super) fn of_signal(signal: &Signal) -> Option<Self> {
        let Signal::Grow { target, text } = signal else { return None };
        Some(Self::Growing { id: Some(target.clone()), text: text.clone() })
    }
}

impl ShownTexts {
    /// Forgets every message.
    pub(super) fn forget(&self) {
        self.texts().clear();
    }

    /// The id of the message that shows already what a delivery would make it show. The text is final then and is
    /// forgotten.
    pub(super) fn delivered(&self, to: &Address, delivery: &Delivery) -> Option<String> {
        let Delivery::Edit { target, post } = delivery else { return None };
        // A growing message shows plain text, so a body with markup is something else.
        if post.part.body != post.part.plain {
            return None;
        }
        let mut shown = self.texts();
        let message = (to.clone(), target.clone());
        if shown.get(&message) != Some(&post.part.body) {
            return None;
        }
        shown.remove(&message);
        Some(target.clone())
    }

    /// Whether the message shows already what a signal would make it show.
    pub(super) fn is_shown(&self, to: &Address, signal: &Signal) -> bool {
        let Signal::Grow { target, text } = signal else { return false };
        self.texts().get(&(to.clone(), target.clone())) == Some(text)
    }

    /// Records whether the platform has accepted it, and the id that it gave a new message. The text of a message is
    /// forgotten if it is not certain.
    pub(super) fn note(&self, to: &Address, expected: ExpectedText, accepted: Result<Option<String>, ()>) {
        let mut shown = self.texts();
        match expected {
            ExpectedText::Growing { id, text } => {
                let (is_certain, named) = (accepted.is_ok(), accepted.ok().flatten());
                let Some(id) = named.or(id) else { return };
                let message = (to.clone(), id);
                if !is_certain {
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

    fn texts(&self) -> MutexGuard<'_, HashMap<(Address, String), String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
