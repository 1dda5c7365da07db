//! The message that another message replies to.

use super::{Attachment, Link};
use crate::address::Principal;

/// The message that another one replies to. It was written by a third party, so it is never parsed for commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The platform's id of that message.
    pub message: Option<String>,
    /// The stable id of its sender, where the platform gives it.
    pub id: Option<Principal>,
    /// The display name of its sender.
    pub sender: Option<String>,
    /// Its text, or the quoted part of it.
    pub text: String,
    /// Links whose target that text does not show.
    pub links: Vec<Link>,
    /// Its files, not yet fetched.
    pub attachments: Vec<Attachment>,
    /// Whether the bot itself sent that message.
    pub ours: bool,
}

impl Quote {
    /// A quote of which only the text is known.
    pub fn of(text: impl Into<String>) -> Self {
        Self {
            message: None,
            id: None,
            sender: None,
            text: text.into(),
            links: Vec::new(),
            attachments: Vec::new(),
            ours: false,
        }
    }
}
