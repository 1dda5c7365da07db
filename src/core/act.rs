//! What an adapter can be asked to do, and how it answers.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::delta::Usage;
use crate::id::{MessageId, OutId};
use crate::key::SessionKey;
use crate::markup::Part;
use crate::message::FileKind;

/// One request to an adapter. A new act breaks every adapter until its author has answered it.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Say something new.
    Post(Post),
    /// Replace what an earlier message says.
    Edit {
        /// The platform's id of that message.
        target: String,
        /// What it says from now on.
        post: Post,
    },
    /// Take a message back.
    Delete {
        /// The platform's id of that message.
        target: String,
    },
    /// Put a mark on a message.
    React {
        /// The platform's id of that message.
        target: String,
        /// The mark.
        emoji: String,
    },
    /// Keep a message at the top.
    Pin {
        /// The platform's id of that message.
        target: String,
    },
    /// Show that an answer is being written.
    Typing,
    /// Send a file, with the post's text beneath it.
    Media {
        /// The file.
        file: MediaFile,
        /// What stands beneath it: its part is empty where nothing does.
        post: Post,
    },
    /// Show an answer in progress as a draft that goes away by itself, where the platform has such a thing
    /// ([`crate::profile::Flow::Draft`]). Nothing is lost without it.
    Draft {
        /// The same for every state of one draft; never 0.
        id: i64,
        /// What it says now.
        text: String,
    },
    /// A piece of an answer in progress, for readers who are there now. Nothing is lost without it.
    Delta {
        /// The turn's place in the world.
        about: About,
        /// Which run of the turn; a higher one replaces the text of a lower one.
        attempt: u32,
        /// The text to add.
        text: String,
    },
    /// The turn has ended. Its answer, if any, came as posts before.
    End {
        /// The turn's place in the world.
        about: About,
        /// How it ended.
        ending: Ending,
        /// What it cost.
        usage: Option<Usage>,
    },
}

/// A file on its way out, opened and checked: nobody looks it up by its name again.
#[derive(Debug, Clone)]
pub struct MediaFile {
    /// The open file, at its beginning. Read from a clone of the handle.
    pub handle: Arc<std::fs::File>,
    /// Its size in bytes.
    pub size: u64,
    /// The name that the reader sees.
    pub name: String,
    /// The media type, where it is known.
    pub mime: Option<String>,
    /// How it is to be shown.
    pub kind: FileKind,
}

impl PartialEq for MediaFile {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.handle, &other.handle) && self.name == other.name && self.kind == other.kind
    }
}

/// Something to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// The text, rendered and plain.
    pub part: Part,
    /// The row it comes from.
    pub out: OutId,
    /// The same for every attempt to send this part and no other, in any database: the idempotency key where the
    /// platform has one. Of any length: a platform with short keys gets a hash of it, never a piece.
    pub key: String,
    /// What it answers, as the event's `platform_message` named it.
    pub reply_to: Option<String>,
    /// What it is.
    pub kind: PostKind,
    /// The messages it is about.
    pub about: About,
    /// Its place in the session's durable frames (the web channel).
    pub seq: Option<u64>,
    /// Whether the text still grows: an edit of it follows.
    pub more: bool,
}

/// What an outgoing part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PostKind {
    /// The answer to a message, or a command's reply.
    Answer,
    /// Something about the service itself: a reset, a refusal, a failure. Never produces another notice.
    Notice,
    /// Sent by an operator, a program or an agent on its own account.
    Send,
}

impl PostKind {
    /// The name in the database and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            PostKind::Answer => "answer",
            PostKind::Notice => "notice",
            PostKind::Send => "send",
        }
    }
}

/// Which messages of which session something is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// The session, unless it was sent to a bare address.
    pub session: Option<SessionKey>,
    /// The messages, oldest first. Several when they were collected into one turn.
    pub messages: Vec<MessageId>,
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// With an answer.
    Answered,
    /// Somebody said `/stop`.
    Cancelled,
    /// A newer message took its place (`queue.mode = "interrupt"`).
    Superseded,
    /// A hook kept it from the agent.
    Refused,
    /// It failed for good; a notice says so.
    Dead,
}

impl Ending {
    /// The name in the database and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Ending::Answered => "answered",
            Ending::Cancelled => "cancelled",
            Ending::Superseded => "superseded",
            Ending::Refused => "refused",
            Ending::Dead => "dead",
        }
    }
}

/// The platform took it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Its id for the message, where it gives one. A part without it is not "sent" on a platform that
    /// gives ids.
    pub message: Option<String>,
}

/// The platform did not take it, and what follows from that.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SendError {
    /// Try again; the platform was asked too often, or has a fault of its own.
    #[error("try again{}: {detail}", after.map(|d| format!(" in {} ms", d.as_millis())).unwrap_or_default())]
    Later {
        /// The time the platform asks for; none means "use the backoff".
        after: Option<Duration>,
        /// What must wait.
        scope: Bucket,
        /// For the log.
        detail: String,
    },
    /// This part will never be taken; the next one may be.
    #[error("refused: {0}")]
    Refused(String),
    /// The markup was not understood; the part's plain text may be.
    #[error("markup refused: {0}")]
    Markup(String),
    /// The chat is gone or has shut us out.
    #[error("chat is gone: {0}")]
    Gone(String),
    /// The topic or thread is gone or closed; the chat it belongs to is there.
    #[error("topic is gone: {0}")]
    ThreadGone(String),
    /// The chat has another id now: everything for it goes there.
    #[error("the chat has moved to {to}")]
    Moved {
        /// The new id.
        to: String,
    },
    /// Our token is not accepted; nothing can be sent until an operator acts.
    #[error("credentials refused: {0}")]
    Credentials(String),
    /// The request left and no answer came: it may have been delivered.
    #[error("unknown whether it arrived: {0}")]
    Unknown(String),
    /// The adapter is not connected; nothing left. Waiting for it is no attempt.
    #[error("not connected")]
    Offline,
}

/// What a platform's "too many requests" is about. Limits of single methods are the adapter's own to keep: it
/// answers `Later` for the chat until they are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// One chat.
    Chat,
    /// The whole account.
    Account,
}
