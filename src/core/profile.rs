//! What a platform can do, as data.

use std::time::Duration;

use crate::markup::Dialect;

/// Everything the rest of the house needs to know about one platform. Numbers are defaults that the
/// adapter's own config may override before it hands the profile out.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The channel's name as it stands in keys and addresses: `web`, `telegram`.
    pub channel: &'static str,
    /// How long one part may be.
    pub limit: Limit,
    /// How long the text beneath a file may be, in the same unit.
    pub caption: usize,
    /// How text is written on this platform.
    pub dialect: &'static Dialect,
    /// How an answer arrives while the agent is still speaking.
    pub flow: Flow,
    /// When an outgoing part counts as sent.
    pub receipt: ReceiptRule,
    /// How often "typing" must be repeated to stay visible; `None` where there is no such thing.
    pub typing: Option<Duration>,
    /// Whether one chat holds several conversations (topics, threads).
    pub threads: bool,
    /// The largest file that can be sent, in bytes; `None` where none can.
    pub media: Option<u64>,
    /// What stands before a person's id to name their private chat, so that an admin can be told something
    /// without having written before; `None` where there is no such way.
    pub person_chat: Option<&'static str>,
    /// Whether the adapter wants to hear of every turn's end ([`crate::act::Act::End`]).
    pub ends: bool,
    /// Whether a message can carry buttons.
    pub buttons: bool,
    /// How long the platform knows the key of a part that it has seen, and drops a second one under it; `None` where
    /// it knows none.
    pub idempotent: Option<Duration>,
    /// The pace of sends that the platform tolerates.
    pub pacing: Pacing,
    /// How long a healthy connection may be silent (see `Inbox::heard`) before the account counts as deaf;
    /// `None` where nothing can be heard but messages.
    pub patience: Option<Duration>,
}

/// The longest text of one part, in the platform's own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// At most this many units, tags included.
    pub max: usize,
    /// What is counted.
    pub unit: Unit,
}

/// What a platform counts when it says "too long".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// UTF-8 bytes.
    Bytes,
    /// Unicode scalar values.
    Characters,
    /// UTF-16 code units.
    Utf16,
}

impl Unit {
    /// The length of `text` in this unit.
    pub fn len(self, text: &str) -> usize {
        match self {
            Unit::Bytes => text.len(),
            Unit::Characters => text.chars().count(),
            Unit::Utf16 => text.encode_utf16().count(),
        }
    }

    /// The name that `frontdesk format --json` prints.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Bytes => "bytes",
            Unit::Characters => "characters",
            Unit::Utf16 => "utf16",
        }
    }
}

/// How an answer arrives while the agent is still speaking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// One post when the turn has ended.
    Whole,
    /// A post early on, edited no more often than `every`, and once with its formatting at the end.
    Edits {
        /// The shortest time between two edits.
        every: Duration,
    },
    /// The same, at the ends of paragraphs only.
    Blocks {
        /// The shortest time between two edits.
        every: Duration,
    },
    /// A draft that goes away by itself, in private chats; elsewhere like [`Flow::Edits`].
    Draft {
        /// The shortest time between two states of the draft.
        every: Duration,
    },
    /// Every piece as it comes.
    Live,
}

/// When an outgoing part counts as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptRule {
    /// When the platform has answered with its id for the message.
    Platform,
    /// When the row is committed: readers fetch it from us, by its sequence number (the web channel).
    Commit,
}

/// The pace of sends that a platform tolerates; `None` means "as fast as you like".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pacing {
    /// The shortest time between two sends to one chat.
    pub per_chat: Option<Duration>,
    /// The shortest mean time between two sends to one chat of several people.
    pub per_group: Option<Duration>,
    /// The shortest mean time between two sends of one account.
    pub per_account: Option<Duration>,
}
