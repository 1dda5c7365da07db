//! What goes out: parts, and how the store makes and shows them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::act::Post;
use frontdesk_core::address::Address;
use frontdesk_core::key::SessionKey;
use frontdesk_core::markup::Part;
use frontdesk_core::message::FileKind;
use frontdesk_core::pairing::Salt;
use frontdesk_core::profile::ReceiptRule;
use frontdesk_core::time::Pause;

use super::Author;

/// How the store puts words on their way without knowing a platform.
pub trait Speech: Send + Sync + 'static {
    /// When a part to this address counts as sent.
    fn receipt(&self, to: &Address) -> ReceiptRule;
    /// The Markdown `text` as parts for this address.
    fn parts(&self, to: &Address, text: &str) -> Vec<Part>;
    /// Whether a text is short enough for one part to this address, as it stands.
    fn fits(&self, to: &Address, text: &str) -> bool;
    /// How long the platform drops a part that it has already seen under the same key: within this time such a part
    /// is sent again after a crash, whatever the operator wants done with those that may have arrived.
    fn idempotent(&self, to: &Address) -> Option<Duration>;
    /// New outbox rows are on disk. Called by the writer after each commit, in the order of commit and before
    /// the verbs that made them return, so that durable frames are shown in the order of their numbers. Must
    /// not block.
    fn committed(&self, rows: &[OutboxRow]);
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxRow {
    /// Where to.
    pub address: Address,
    /// What to say, with the row's id, key, kind, seq and what it is about.
    pub post: Post,
    /// Of an edit: the platform's id of the message to replace.
    pub edit: Option<String>,
    /// Of a deletion: the platform's id of the message to delete. Such a row says nothing.
    pub delete: Option<String>,
    /// The file that it carries; its post's text stands beneath it.
    pub media: Option<OutgoingFile>,
    /// What the pairing code follows from that is put in place of [`frontdesk_core::pairing::MASK`] when it is
    /// sent: the code itself is never stored.
    pub salt: Option<Salt>,
    /// `queued`, `streaming`, `sending`, `sent`, `unknown`, `dead` or `dropped`.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it may be tried next.
    pub next_at: DateTime<Utc>,
    /// Our right to say how it ended, after a claim.
    pub fence: i64,
    /// The platform's id, once sent.
    pub platform_message: Option<String>,
    /// The last error.
    pub error: Option<String>,
    /// When it was put on its way.
    pub created: DateTime<Utc>,
}

/// A file on its way out, beneath the media root.
#[derive(Debug, Clone, PartialEq)]
pub struct OutgoingFile {
    /// Where it lies, relative to the media root: a name of ours.
    pub file: String,
    /// The name that the reader sees.
    pub name: String,
    /// The media type, where it is known.
    pub mime: Option<String>,
    /// How it is to be shown.
    pub kind: FileKind,
    /// What stands beneath it.
    pub caption: Option<Part>,
    /// Its text where that does not fit beneath it: messages that follow the file. Empty when read back: they are rows
    /// of their own then.
    pub after: Vec<Part>,
}

/// The next part for an address.
#[derive(Debug, Clone, PartialEq)]
pub enum NextPart {
    /// Ours to send now (T4).
    Send(Box<OutboxRow>),
    /// Not before this time.
    Wait(DateTime<Utc>),
    /// None is open, or the oldest is on its way and its result is not known yet.
    Nothing,
}

/// How a send ended (T5).
#[derive(Debug, Clone, PartialEq)]
pub enum SendResult {
    /// The platform has it.
    Sent {
        /// Its id there.
        platform_message: Option<String>,
    },
    /// To be tried again.
    Later {
        /// After which pause, in steady time.
        pause: Pause,
        /// Why.
        error: String,
        /// Whether it counts as an attempt (a wait for the adapter or a rate limit does not).
        counts: bool,
    },
    /// To be tried again as plain text, at once.
    Plain {
        /// Why.
        error: String,
    },
    /// To be posted anew, at once: the message that it should edit cannot be edited. That message is deleted once the
    /// new one is sent.
    Anew {
        /// Why.
        error: String,
    },
    /// A file to be sent again without its caption, at once: the caption follows as a message.
    Uncaptioned {
        /// Why.
        error: String,
    },
    /// Its topic or thread does not exist any more: everything for it goes to the chat itself, at once.
    ThreadGone {
        /// The chat.
        chat: Address,
        /// Why.
        error: String,
    },
    /// A message that could not be deleted stays. Nobody misses anything, so nobody is told.
    Undeleted {
        /// Why.
        error: String,
    },
    /// It may or may not have arrived, and will not be sent again (`on_ambiguous = "hold"`).
    Unknown {
        /// Why.
        error: String,
    },
    /// It will never be taken. The person is told, unless it was a notice itself.
    Dead {
        /// Why.
        error: String,
    },
    /// The chat is gone: everything for it is dead, and nobody can be told.
    Gone {
        /// Why.
        error: String,
    },
}

/// Something to send that no turn produced.
#[derive(Debug, Clone)]
pub struct OutgoingMessage {
    /// Where to.
    pub address: Address,
    /// The session it shows up in, where it has one.
    pub session: Option<SessionKey>,
    /// What.
    pub parts: Vec<Part>,
    /// Files that follow.
    pub media: Vec<OutgoingFile>,
    /// The same for every repetition of this request.
    pub key: String,
    /// Who sends it, for the audit.
    pub author: Author,
    /// The time.
    pub now: DateTime<Utc>,
}
