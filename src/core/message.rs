//! What arrives: events as an adapter understood them, and what became of each.

use chrono::{DateTime, Utc};

use crate::address::{Address, Principal};
use crate::id::MessageId;
use crate::key::SessionKey;

/// Where events come from and in which order: one platform account, one bot, one token. Dedupe and the
/// stored cursor belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The platform's own stable id with the channel in front: `telegram:8123456`, `web:main`.
    pub id: String,
    /// The channel's name.
    pub channel: &'static str,
    /// The account as the config names it.
    pub account: String,
}

/// One event of a platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The platform's own id, unique within the source. A redelivery has the same one.
    pub id: String,
    /// What happened.
    pub kind: EventKind,
    /// Who did it.
    pub principal: Principal,
    /// Where an answer goes.
    pub address: Address,
    /// Which conversation it belongs to.
    pub place: Place,
    /// Whether it speaks to us: a direct message, a mention, a reply to the bot or a command.
    pub addressed: bool,
    /// What was said, without the mention of the bot.
    pub text: String,
    /// How the sender is shown. Display data: never an identity.
    pub sender: Option<String>,
    /// The platform's id of this message, to reply to or to react on.
    pub platform_message: Option<String>,
    /// Files that came with it, not yet fetched.
    pub attachments: Vec<Attachment>,
    /// When the platform says it was sent. Never used for resets: those follow our time of acceptance.
    pub sent_at: Option<DateTime<Utc>>,
}

/// What happened on the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// Somebody said something.
    Message,
    /// Anything that no agent can take, with the platform's name for it. It is counted, not stored.
    Other(String),
}

/// The conversation an event belongs to, in the platform's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A private chat with one person.
    Dm {
        /// The chat's id, in most platforms the person's.
        chat: String,
    },
    /// A chat of several people.
    Group {
        /// The chat's id.
        chat: String,
    },
    /// A channel of a server or a workspace.
    Channel {
        /// The channel's id.
        chat: String,
    },
    /// A named part of a group that lasts.
    Topic {
        /// The group's id.
        chat: String,
        /// The topic's id.
        thread: String,
    },
    /// A side conversation under a message.
    Thread {
        /// The chat's id.
        chat: String,
        /// The thread's id.
        thread: String,
    },
}

impl Place {
    /// Whether only one person is in it.
    pub fn is_private(&self) -> bool {
        matches!(self, Place::Dm { .. })
    }

    /// The chat's id.
    pub fn chat(&self) -> &str {
        match self {
            Place::Dm { chat }
            | Place::Group { chat }
            | Place::Channel { chat }
            | Place::Topic { chat, .. }
            | Place::Thread { chat, .. } => chat,
        }
    }

    /// The thread's or topic's id.
    pub fn thread(&self) -> Option<&str> {
        match self {
            Place::Topic { thread, .. } | Place::Thread { thread, .. } => Some(thread),
            _ => None,
        }
    }
}

/// A file that came with a message, as a reference. Its bytes are fetched after the acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What the platform needs to hand the file out.
    pub reference: String,
    /// The file's name, as its sender chose it: display data.
    pub name: Option<String>,
    /// The media type, as the platform states it.
    pub mime: Option<String>,
    /// The size in bytes, as the platform states it.
    pub size: Option<u64>,
}

/// How far a source has been read, in the platform's own terms. Opaque to everyone but its adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// What became of one event. Every one of these means that the adapter may acknowledge it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Stored; an answer will follow.
    Accepted {
        /// The id to speak about it.
        message: MessageId,
        /// The conversation it joined.
        session: SessionKey,
    },
    /// Known already, with the same content; nothing was stored.
    Duplicate {
        /// The id it got the first time.
        message: MessageId,
        /// The conversation it joined then.
        session: SessionKey,
    },
    /// The id is known already, with other content; nothing was stored.
    Conflict {
        /// The id of the event that was first.
        message: MessageId,
    },
    /// Stored as refused; the person was told, where there is something to tell.
    Refused {
        /// The id to speak about it.
        message: MessageId,
        /// Why.
        reason: Refusal,
    },
    /// Its sender may not speak here; counted, not stored.
    Denied,
    /// Nothing that an agent could take; counted, not stored.
    Ignored,
}

/// Why a message was stored and not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The sender, the chat or the account sends more per minute than the operator allows.
    RateLimited,
    /// The session has as many waiting messages as it may.
    SessionFull,
    /// A hook dropped it.
    Hook,
    /// It waited longer than `queue.max_age`.
    TooOld,
    /// It was longer than `queue.max_text`.
    TooLong,
    /// Its sender was shut out while it waited.
    Revoked,
}

impl Refusal {
    /// Every one.
    pub const ALL: [Refusal; 6] = [
        Refusal::RateLimited,
        Refusal::SessionFull,
        Refusal::Hook,
        Refusal::TooOld,
        Refusal::TooLong,
        Refusal::Revoked,
    ];

    /// The one with this name.
    pub fn named(name: &str) -> Option<Refusal> {
        Refusal::ALL.into_iter().find(|refusal| refusal.name() == name)
    }

    /// The name in the database, in the API and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Refusal::RateLimited => "rate_limited",
            Refusal::SessionFull => "session_full",
            Refusal::Hook => "hook",
            Refusal::TooOld => "too_old",
            Refusal::TooLong => "too_long",
            Refusal::Revoked => "revoked",
        }
    }

    /// Whether the person hears of it: somebody who was shut out does not, and a hook speaks for itself.
    pub fn is_told(self) -> bool {
        !matches!(self, Refusal::Revoked | Refusal::Hook)
    }

    /// The sentence for the person, with what to do next.
    pub fn sentence(self) -> &'static str {
        match self {
            Refusal::RateLimited => {
                "You are sending faster than I may take it. Please wait a minute and say it again."
            }
            Refusal::SessionFull => {
                "Too many messages are waiting here already, so I did not take this one. \
                 Wait for an answer, or send /stop to clear them."
            }
            Refusal::Hook | Refusal::Revoked => "This message was not passed on.",
            Refusal::TooOld => {
                "This message waited too long to be answered. Please send it again if it still matters."
            }
            Refusal::TooLong => "This message is too long. Please send it in smaller pieces.",
        }
    }
}
