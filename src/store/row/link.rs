//! Private chats that share one session.

use chrono::{DateTime, Utc};
use frontdesk_core::address::Principal;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::link::LinkError;
use frontdesk_core::pairing::{Code, Salt};

/// A private chat whose messages belong to the session of another one.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkRow {
    /// The session of the chat itself.
    pub place: SessionKey,
    /// The session that it shares.
    pub target: SessionKey,
    /// Whose chat it is.
    pub principal: Principal,
    /// Whose chat the other one is.
    pub other: Principal,
}

/// What a command does about two private chats and their conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkStep {
    /// Show a code.
    Show {
        /// The salt that the code is derived from.
        salt: Salt,
        /// The code's salted hash.
        hash: [u8; 32],
    },
    /// Enter the code of the other chat.
    Enter(Code),
    /// Agree to join the chats. The message is the one that entered the code.
    Confirm(MessageId),
    /// Refuse to join them.
    Refuse(MessageId),
    /// Separate the chats.
    Off,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkDone {
    /// The reply shows the code of this salt.
    Shown(Salt),
    /// Both chats are asked.
    Asked,
    /// The other chat has not agreed yet.
    Agreed,
    /// The chats share one session now.
    Joined {
        /// Whose chat the other one is.
        other: Principal,
    },
    /// They are not joined.
    Refused,
    /// Chats were separated.
    Parted {
        /// How many other chats.
        chats: usize,
    },
    /// Nothing has changed, for this reason.
    Failed(LinkError),
    /// A wrong code.
    NoSuchCode {
        /// After how many more the person is locked out.
        left: u32,
    },
    /// The person has entered too many wrong codes.
    Locked {
        /// Until when.
        until: DateTime<Utc>,
    },
}
