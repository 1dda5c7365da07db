//! Events that are counted and not stored.

use std::fmt;

use crate::access::DenyReason;
use crate::message::Outcome;

/// Why an event is counted and not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DropReason {
    /// Its sender may not write here.
    Denied(DenyReason),
    /// Its sender is unknown, and it is not a message that could be answered with a pairing code.
    UnknownSender,
    /// Its sender is unknown and has a pairing code already, or had one a short time ago.
    PairingPending,
    /// Its sender is unknown, and too many unknown senders write to this account at once.
    PairingFlood,
    /// It is not meant for the bot.
    NotForUs,
    /// The chat is muted.
    Muted,
    /// An admin addresses the bot in a group that is not served, more often than the limit allows.
    RateLimited,
    /// Too many messages of bots follow each other in this chat.
    BotLoop,
    /// Its chat id cannot be part of a session key.
    NoSession,
    /// The chat has a new id; the event says nothing else.
    Moved,
    /// A known kind of event that nothing here uses, by the platform's name for it.
    Unused(String),
    /// Not even its sender or its chat could be read; the platform's name for it. It is kept as a dead letter.
    Undecodable(String),
}

impl DropReason {
    /// What the adapter is told.
    pub fn outcome(&self) -> Outcome {
        match self {
            DropReason::Denied(_)
            | DropReason::UnknownSender
            | DropReason::PairingPending
            | DropReason::PairingFlood => Outcome::Denied,
            DropReason::NotForUs
            | DropReason::Muted
            | DropReason::RateLimited
            | DropReason::BotLoop
            | DropReason::NoSession
            | DropReason::Moved
            | DropReason::Unused(_) => Outcome::Ignored,
            DropReason::Undecodable(_) => Outcome::DeadLetter,
        }
    }
}

/// The text form under which such events are counted in the database: `denied:not_allowed`, `ignored:sticker`.
impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DropReason::Denied(reason) => write!(f, "denied:{}", reason.name()),
            DropReason::UnknownSender => f.write_str("denied:unknown"),
            DropReason::PairingPending => f.write_str("denied:pairing_pending"),
            DropReason::PairingFlood => f.write_str("denied:pairing_flood"),
            DropReason::NotForUs => f.write_str("ignored:not_for_us"),
            DropReason::Muted => f.write_str("ignored:muted"),
            DropReason::RateLimited => f.write_str("ignored:rate_limited"),
            DropReason::BotLoop => f.write_str("ignored:bot_loop"),
            DropReason::NoSession => f.write_str("ignored:no_session"),
            DropReason::Moved => f.write_str("ignored:moved"),
            DropReason::Unused(kind) => write!(f, "ignored:{kind}"),
            DropReason::Undecodable(kind) => write!(f, "undecodable:{kind}"),
        }
    }
}
