//! What an adapter is asked to deliver and to show, and how it answers.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::address::Principal;
use crate::ask::PostedAsk;
use crate::cause::Cause;
use crate::delta::Usage;
use crate::id::{MessageId, OutId, TaskId};
use crate::key::SessionKey;
use crate::markup::Part;
use crate::message::FileKind;
use crate::progress::Progress;
use crate::task::TaskChange;

/// One outgoing row: the gateway keeps it until the platform has accepted or refused it. Adding a variant breaks every
/// adapter on purpose, until its author has handled it.
#[derive(Debug, Clone, PartialEq)]
pub enum Delivery {
    /// Send a new message.
    Post(Post),
    /// Change the text of an earlier message.
    Edit {
        /// The platform's id of that message.
        target: String,
        /// Its new text.
        post: Post,
    },
    /// Send a file with the post's text as its caption.
    Media {
        /// The file.
        file: MediaFile,
        /// The caption. Its part is empty if there is none.
        post: Post,
    },
    /// Send several files as one album ([`crate::profile::Albums`]): at least two. It is accepted or refused as a whole;
    /// if it is refused, its files are delivered one by one.
    Album(Vec<AlbumFile>),
    /// Delete a message.
    Delete {
        /// The platform's id of that message.
        target: String,
    },
    /// Put a reaction on a message, in place of an earlier one of this account.
    React {
        /// The platform's id of that message.
        target: String,
        /// The reaction as an emoji, in the form of [`crate::reaction::normalized`]; `None` takes the earlier one back.
        emoji: Option<String>,
    },
    /// Pin a message in its chat.
    Pin {
        /// The platform's id of that message.
        target: String,
    },
}

/// What a chat is shown in passing. It has no row, so it may be lost without harm.
#[derive(Debug, Clone, PartialEq)]
pub enum Signal {
    /// Show that an answer is being written.
    Typing,
    /// Show the present state of an answer as a draft that disappears by itself, on platforms that have drafts
    /// ([`crate::profile::Flow::Draft`]).
    Draft {
        /// The id of the draft, the same for all its states; never 0.
        id: i64,
        /// The text of this state.
        text: String,
    },
    /// Change a posted message to the present state of its answer ([`crate::profile::Flow::Edits`]). The final text
    /// follows as a [`Delivery::Edit`].
    Grow {
        /// The platform's id of the message, which was posted with [`Post::more`].
        target: String,
        /// The text of this state, without formatting.
        text: String,
    },
    /// Mark somebody's message as one that waits for its answer, or remove that mark, on platforms that have such marks
    /// ([`crate::profile::Profile::waiting_marks`]). May come again for a message that is marked, or is not.
    Waits {
        /// The platform's id of that message.
        target: String,
        /// Whether it waits.
        waits: bool,
    },
    /// A piece of an answer in progress, for clients that are connected now.
    Delta {
        /// The session and the messages of the turn.
        about: MessageRefs,
        /// The attempt of the turn. A higher attempt replaces the text of a lower one.
        attempt: u32,
        /// The text to add.
        text: String,
    },
    /// How far a background task is, or what the agent does before it answers, for clients that are connected now.
    Progress {
        /// The session that has handed the task over, or the session and the messages of the turn.
        about: MessageRefs,
        /// The task; `None` of a turn that answers messages.
        task: Option<TaskId>,
        /// How often it was begun. What an earlier attempt has reported does not count any more.
        attempt: u32,
        /// How far it is.
        progress: Progress,
    },
    /// The turn has ended. Its answer, if any, was delivered as posts before.
    End {
        /// The session and the messages of the turn.
        about: MessageRefs,
        /// How it ended.
        ending: Ending,
        /// The usage that the agent reported.
        usage: Option<Usage>,
    },
}

/// An outgoing file, opened and checked. It must not be looked up by its name again.
#[derive(Debug, Clone)]
pub struct MediaFile {
    /// The open file, at its beginning. Read from a clone of the handle.
    pub handle: Arc<std::fs::File>,
    /// Its size in bytes.
    pub size: u64,
    /// The file name that the reader sees.
    pub name: String,
    /// The media type, if known.
    pub mime: Option<String>,
    /// How it should be shown.
    pub kind: FileKind,
    /// Whether it was sent before and may have arrived: an adapter that can look for it does that first.
    pub tried: bool,
}

impl PartialEq for MediaFile {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.handle, &other.handle) && self.name == other.name && self.kind == other.kind
    }
}

/// One file of an album.
#[derive(Debug, Clone, PartialEq)]
pub struct AlbumFile {
    /// The file.
    pub file: MediaFile,
    /// The caption. Its part is empty if there is none.
    pub post: Post,
}

/// An outgoing message.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// The text, formatted and plain.
    pub part: Part,
    /// The outbox row that it comes from.
    pub out: OutId,
    /// The idempotency key: the same for every attempt to send this part, and for no other part in any database. It has
    /// any length; for a platform with short keys, use a hash of it, never a piece.
    pub key: String,
    /// The message that it answers, as the event's `platform_message` named it.
    pub reply_to: Option<String>,
    /// The kind of message.
    pub kind: PostKind,
    /// The session and the messages that it belongs to.
    pub about: MessageRefs,
    /// Its sequence number in the session (web channel only).
    pub seq: Option<u64>,
    /// Whether the text is not complete yet: [`Signal::Grow`] and a [`Delivery::Edit`] of it will follow.
    pub more: bool,
    /// The question that it asks or closes.
    pub ask: Option<PostedAsk>,
    /// The change of a background task's state that it shows. Its text is the title of the task then.
    pub task: Option<TaskChange>,
    /// The only person who may see it, on platforms with [`crate::profile::Profile::private_posts`]; elsewhere every
    /// post is for the whole chat.
    pub audience: Option<Principal>,
    /// The file that it shows, where clients fetch it (web channel only).
    pub file: Option<PostedFile>,
    /// The message in the platform's own form, as [`crate::profile::Profile::native`] has returned it. The text stands for
    /// it where it cannot be shown, as in notifications.
    pub native: Option<serde_json::Value>,
}

/// A file that clients fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedFile {
    /// The name that the reader sees.
    pub name: String,
    /// The media type, if known.
    pub mime: Option<String>,
    /// How it should be shown.
    pub kind: FileKind,
    /// Its size in bytes, if known.
    pub size: Option<u64>,
}

/// The kind of an outgoing part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PostKind {
    /// The answer to a message, or a command's reply.
    Answer,
    /// Something about the service itself: a reset, a refusal, a failure. A notice never causes another notice.
    Notice,
    /// Sent by an operator, a program or an agent without a message that it answers.
    Send,
    /// What has come of background work. It is sent however late that is.
    Result,
}

impl PostKind {
    /// The name in the database and in the API.
    pub fn name(self) -> &'static str {
        match self {
            PostKind::Answer => "answer",
            PostKind::Notice => "notice",
            PostKind::Send => "send",
            PostKind::Result => "result",
        }
    }
}

/// The session and the messages that an outgoing message or a signal belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageRefs {
    /// The session; `None` for what is sent to an address without a session.
    pub session: Option<SessionKey>,
    /// The messages, oldest first. More than one if they were collected into one turn.
    pub messages: Vec<MessageId>,
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// With an answer.
    Answered,
    /// Somebody sent `/stop`.
    Cancelled,
    /// A newer message replaced it (`queue.mode = "interrupt"`).
    Superseded,
    /// It was given up here, because its messages go on as this background task.
    MovedTo(TaskId),
    /// A hook rejected the message before it reached the agent.
    Refused,
    /// It failed for good. A notice says so.
    Dead,
}

impl Ending {
    /// The name in the database and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Ending::Answered => "answered",
            Ending::Cancelled => "cancelled",
            Ending::Superseded | Ending::MovedTo(_) => "superseded",
            Ending::Refused => "refused",
            Ending::Dead => "dead",
        }
    }
}

/// The platform has accepted a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// The platform's id of the message, if it gives one. On a platform that gives ids, a part without one does not
    /// count as sent.
    pub message: Option<String>,
    /// The platform's ids of the other files of an album, in their order. Empty if the album is one message.
    pub others: Vec<String>,
}

impl Receipt {
    /// The receipt of one message.
    pub fn of(message: String) -> Self {
        Self { message: Some(message), others: Vec::new() }
    }
}

/// Why the platform has not accepted a delivery or a signal, and therefore what happens next. After a signal that is only
/// a pause, or the end of the signals of that kind for this answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SendError {
    /// Temporary: there were too many requests, or the platform has a fault. A delivery is tried again.
    #[error("try again{}: {detail}", after.map(|d| format!(" in {} ms", d.as_millis())).unwrap_or_default())]
    Later {
        /// How long the platform asks to wait; `None` means the usual backoff.
        after: Option<Duration>,
        /// What has to wait.
        scope: Bucket,
        /// Why.
        detail: Cause,
    },
    /// This part will never be accepted. The next one may be.
    #[error("refused: {0}")]
    Refused(Cause),
    /// The platform could not parse the formatting. The part's plain text may be accepted.
    #[error("markup refused: {0}")]
    Markup(Cause),
    /// The chat does not exist any more, or the bot was removed from it.
    #[error("chat is gone: {0}")]
    Gone(Cause),
    /// The topic or thread is deleted or closed; its chat still exists.
    #[error("topic is gone: {0}")]
    ThreadGone(Cause),
    /// The chat has a new id: everything for it goes there from now on.
    #[error("the chat has moved to {to}")]
    Moved {
        /// The new id.
        to: String,
    },
    /// The token is not accepted. Nothing can be sent until an operator acts.
    #[error("credentials refused: {0}")]
    Credentials(Cause),
    /// The request was sent and no answer came: the message may have been delivered.
    #[error("unknown whether it arrived: {0}")]
    Unknown(Cause),
    /// The adapter is not connected, and nothing was sent. This does not count as an attempt.
    #[error("not connected: {0}")]
    Offline(Cause),
}

impl SendError {
    /// Why, except for a chat that has moved.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            SendError::Later { detail, .. } => Some(detail),
            SendError::Refused(cause)
            | SendError::Markup(cause)
            | SendError::Gone(cause)
            | SendError::ThreadGone(cause)
            | SendError::Credentials(cause)
            | SendError::Unknown(cause)
            | SendError::Offline(cause) => Some(cause),
            SendError::Moved { .. } => None,
        }
    }
}

/// What a "too many requests" refers to. Limits on single methods are tracked by the adapter itself: it answers `Later`
/// for the chat until they are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// One chat.
    Chat,
    /// The whole account.
    Account,
}
