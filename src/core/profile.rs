//! What a platform can do, as data.

use std::time::Duration;

pub use crate::limit::{Limit, Unit};
use crate::markup::{self, Dialect, Part};
use crate::message::FileKind;

/// The capabilities and limits of one platform. The numbers are defaults; the adapter applies its own config to them
/// before it returns the profile. It owns its texts, so that it can be made at run time.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The channel's name in keys and addresses: `web`, `telegram`.
    pub channel: String,
    /// The longest text of one part.
    pub limit: Limit,
    /// The longest caption of a file, in the same unit.
    pub caption: usize,
    /// The platform's markup. It consists of functions, so it is part of the program.
    pub dialect: &'static Dialect,
    /// How an answer is shown while the agent is still writing it.
    pub flow: Flow,
    /// When an outgoing part counts as sent.
    pub receipt: ReceiptRule,
    /// How often the typing indicator must be repeated to stay visible; `None` if the platform has none.
    pub typing: Option<Duration>,
    /// Whether a chat can contain several conversations (topics, threads).
    pub threads: bool,
    /// The largest file that can be sent, in bytes; `None` if files cannot be sent.
    pub media: Option<u64>,
    /// Which files can be sent together as one album; `None` if each file is a message of its own.
    pub albums: Option<Albums>,
    /// The prefix that turns a person's id into the id of their private chat, so that an admin can get a notice without
    /// having written before; `None` if there is no such rule.
    pub person_chat: Option<String>,
    /// The chat in which the operator reads, on channels that have one.
    pub operator_chat: Option<String>,
    /// Whether the adapter gets an [`Signal::End`](crate::delivery::Signal::End) after every turn.
    pub ends: bool,
    /// Whether a message can carry buttons.
    pub buttons: bool,
    /// What can be done with a message that was sent or received.
    pub changes: MessageChanges,
    /// Whether a message that waits for its answer can be marked ([`Signal::Waits`](crate::delivery::Signal::Waits)).
    pub waiting_marks: bool,
    /// Whether a post can be shown to one person of a chat alone, if only as the answer to a command or a button.
    pub private_posts: bool,
    /// The character with which people begin a command, as texts of the gateway name it: a slash, unless the platform keeps
    /// that for commands of its own.
    pub command_mark: char,
    /// Reads a message in the platform's own form, which programs may send beside a text, and returns it as it is to be
    /// sent: nobody is notified by it. An error says what is wrong with it. `None` if the platform has no such form.
    pub native: Option<NativeForm>,
    /// How long the platform remembers the idempotency key of a part and drops a second one with the same key; `None`
    /// if it knows no keys.
    pub idempotent: Option<Duration>,
    /// How fast the platform allows messages to be sent.
    pub pacing: Pacing,
    /// How long a healthy connection may be silent (see [`Inbox::heard`](crate::port::Inbox::heard)) before the account
    /// counts as not ready; `None` if the platform sends nothing but messages.
    pub max_silence: Option<Duration>,
}

/// Checks a message in a platform's own form: returns it as it is to be sent, or what is wrong with it.
pub type NativeForm = fn(&serde_json::Value) -> Result<serde_json::Value, String>;

impl Profile {
    /// The parts of `text` as the platform gets them. Empty if `text` is invisible.
    pub fn render(&self, text: &str) -> Vec<Part> {
        markup::render(text, self.dialect, self.limit)
    }
}

/// What can be done with a message afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessageChanges {
    /// [`Delivery::Edit`](crate::delivery::Delivery::Edit) of a message of this account.
    pub edit: bool,
    /// [`Delivery::Delete`](crate::delivery::Delivery::Delete) of a message of this account.
    pub delete: bool,
    /// [`Delivery::React`](crate::delivery::Delivery::React).
    pub react: bool,
    /// [`Delivery::Pin`](crate::delivery::Delivery::Pin).
    pub pin: bool,
}

/// Which files a platform accepts as one album.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Albums {
    /// The largest number of files.
    pub max: usize,
    /// The kinds of files that can be together: one list for each sort of album.
    pub together: Vec<Vec<FileKind>>,
}

impl Albums {
    /// Whether a file of this kind can be added to an album of files of these kinds.
    pub fn accept(&self, files: &[FileKind], next: FileKind) -> bool {
        let fits = |kinds: &Vec<FileKind>| files.iter().chain([&next]).all(|kind| kinds.contains(kind));
        files.len() < self.max && self.together.iter().any(fits)
    }
}

/// How an answer is shown while the agent is still writing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// As one post after the turn has ended.
    Whole,
    /// As a post that is edited, at most once per `every`, and once more with its formatting at the end.
    Edits {
        /// The minimum time between two edits.
        every: Duration,
    },
    /// As a post that is edited like [`Flow::Edits`], but only when a paragraph is complete.
    Blocks {
        /// The minimum time between two edits.
        every: Duration,
    },
    /// As a draft that disappears by itself, in private chats; elsewhere like [`Flow::Edits`].
    Draft {
        /// The minimum time between two states of the draft.
        every: Duration,
    },
    /// Piece by piece, as it arrives.
    Live,
}

/// When an outgoing part counts as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptRule {
    /// When the platform has returned its id of the message.
    Platform,
    /// When the row is committed: clients fetch it from us by its sequence number (web channel).
    Commit,
}

/// How fast a platform allows messages to be sent; `None` means without a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pacing {
    /// The minimum time between two messages to one chat.
    pub per_chat: Option<Duration>,
    /// The minimum average time between two messages to one group.
    pub per_group: Option<Duration>,
    /// The minimum average time between two messages of one account.
    pub per_account: Option<Duration>,
}
