//! The outcome of accepting an event.

use crate::ask::AskError;
use crate::id::{AskId, MessageId};
use crate::key::SessionKey;
use crate::visible::{LABEL, clean};

/// Maximum length of a sentence for one person, in characters: the shortest limit of a platform for such texts.
const SENTENCE: usize = 200;

/// The outcome of accepting one event. After any of them the adapter may acknowledge the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Stored; an answer will follow.
    Accepted {
        /// Its id.
        message: MessageId,
        /// The session it belongs to.
        session: SessionKey,
    },
    /// The event is known already, with the same content. Nothing was stored.
    Duplicate {
        /// The id it got the first time.
        message: MessageId,
        /// The session it was assigned to then.
        session: SessionKey,
    },
    /// The event id is known already, with different content. Nothing was stored.
    Conflict {
        /// The id of the first event with this id.
        message: MessageId,
    },
    /// The event id is known already, and the conversation of its message was deleted since. Nothing was stored.
    Erased {
        /// The id of the deleted message.
        message: MessageId,
    },
    /// An edit of a message that still waits, which now has the new text; or a message kept as context. It gets no
    /// answer of its own.
    Noted,
    /// Stored as refused. The sender gets a notice if [`Refusal::is_told`].
    Refused {
        /// Its id.
        message: MessageId,
        /// The reason of the refusal.
        reason: Refusal,
    },
    /// A button that answers a question, and the answer holds. [`Outcome::private_sentence`] says so to its sender.
    Answered {
        /// The id of the event.
        message: MessageId,
        /// The question.
        ask: AskId,
        /// The answer as people read it: the label of the choice, or the text.
        answer: String,
    },
    /// A button of a question, which does not count. [`Outcome::private_sentence`] says why to its sender.
    NotAnswered {
        /// The question.
        ask: AskId,
        /// Why it does not count.
        error: AskError,
    },
    /// The sender may not write here. Counted, not stored.
    Denied,
    /// Nothing that an agent could take. Counted, not stored.
    Ignored,
    /// The event could not be read. Kept as a dead letter for the operator.
    DeadLetter,
    /// The event cannot be stored as it is. Its row is dead, so that it does not block the events after it.
    Unstorable {
        /// Its id.
        message: MessageId,
    },
}

impl Outcome {
    /// One sentence about an answer to a question for the person who gave it and nobody else, such as beside the
    /// button that they pressed.
    pub fn private_sentence(&self) -> Option<String> {
        match self {
            Outcome::Answered { answer, .. } => Some(format!("Your answer: {}", clean(answer, LABEL))),
            Outcome::NotAnswered { error, .. } => Some(clean(&error.to_string(), LABEL)),
            Outcome::Refused { reason, .. } if reason.is_told() => Some(clean(reason.sentence(), SENTENCE)),
            _ => None,
        }
    }
}

/// Why a message was stored and not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The sender, the chat or the account sends more per minute than the operator allows.
    RateLimited,
    /// The session's queue is full (`queue.per_session`).
    SessionFull,
    /// A hook dropped it.
    Hook,
    /// It waited longer than `queue.max_age_minutes`.
    TooOld,
    /// It was longer than `queue.max_text`.
    TooLong,
    /// The sender lost access while the message waited.
    Revoked,
    /// The sender is unknown and got a pairing code to show to an admin.
    Pairing,
    /// The sender has reached the daily limit.
    Quota,
    /// A budget of the day is used up.
    Budget,
    /// Nothing that an agent could take.
    Unreadable,
    /// `/retry`: none of the authors of the message may write here any more.
    AuthorRevoked,
}

impl Refusal {
    /// All variants.
    pub const ALL: [Refusal; 11] = [
        Refusal::RateLimited,
        Refusal::SessionFull,
        Refusal::Hook,
        Refusal::TooOld,
        Refusal::TooLong,
        Refusal::Revoked,
        Refusal::Pairing,
        Refusal::Quota,
        Refusal::Budget,
        Refusal::Unreadable,
        Refusal::AuthorRevoked,
    ];

    /// The reason with this name.
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
            Refusal::Pairing => "pairing",
            Refusal::Quota => "quota",
            Refusal::Budget => "budget",
            Refusal::Unreadable => "unreadable",
            Refusal::AuthorRevoked => "author_revoked",
        }
    }

    /// Whether the sender gets a notice. Not after their access was revoked; not after a hook, which answers for
    /// itself if it wants to; and not with a pairing code, which is the answer.
    pub fn is_told(self) -> bool {
        !matches!(self, Refusal::Revoked | Refusal::Hook | Refusal::Pairing)
    }

    /// The notice for the sender: what happened and what to do next.
    pub fn sentence(self) -> &'static str {
        match self {
            Refusal::RateLimited => {
                "You are sending messages too fast. Wait a minute and send the last one again."
            }
            Refusal::SessionFull => {
                "Too many messages are waiting here, so I did not take this one. Wait for an answer, or send /stop to \
                 drop yours."
            }
            Refusal::Hook | Refusal::Revoked | Refusal::Pairing => "This message was not passed on.",
            Refusal::Quota => {
                "You have reached today's message limit. Please continue tomorrow; /status shows the count."
            }
            Refusal::Budget => "Today's budget is used up; /usage shows when it opens again.",
            Refusal::Unreadable => {
                "I cannot read this kind of message. Please send text, a picture or a file."
            }
            Refusal::AuthorRevoked => {
                "I did not answer the last message again, because the person who wrote it may no longer write here."
            }
            Refusal::TooOld => {
                "This message waited too long and was not answered. Send it again if you still need an answer."
            }
            Refusal::TooLong => "This message is too long. Please split it into shorter ones.",
        }
    }
}
