//! What goes out: rows of the outbox, how they are rendered, and who is told of them.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::delivery::{Post, PostKind};
use frontdesk_core::id::OutId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::markup::Part;
use frontdesk_core::message::FileKind;
use frontdesk_core::pairing::Salt;
use frontdesk_core::profile::ReceiptRule;
use frontdesk_core::time::Pause;

use super::{AccessState, Author, EndedAsk};

/// Renders text for a platform. The store calls it inside transactions, so it must be quick, and it may be called more
/// than once for one text.
pub trait Renderer: Send + Sync + 'static {
    /// When a part to this address counts as sent.
    fn receipt(&self, to: &Address) -> ReceiptRule;
    /// The Markdown `text` as parts for this address.
    fn parts(&self, to: &Address, text: &str) -> Vec<Part>;
    /// Whether a part to this address can carry buttons.
    fn buttons(&self, to: &Address) -> bool;
    /// Whether a message to this address can be edited once it is sent.
    fn edits(&self, to: &Address) -> bool;
    /// Whether a text is short enough for one part to this address, as it stands.
    fn fits(&self, to: &Address, text: &str) -> bool;
    /// The caption of a file that is sent to this address, and the text that follows the file if it does not fit there.
    fn caption(&self, to: &Address, text: &str) -> (Option<Part>, Vec<Part>);
    /// Whether hooks see every text before it is rendered: a text that a transaction makes is stored as an unseen row then.
    fn waits_for_hooks(&self) -> bool;
    /// The character with which people begin a command there.
    fn command_mark(&self, to: &Address) -> char;
    /// How long the platform drops a part that it has already seen under the same key: within this time such a part
    /// is sent again after a crash, whatever the operator configured for parts that may have arrived.
    fn idempotent(&self, to: &Address) -> Option<Duration>;
}

/// Is told of changes of access and of new outbox rows, on the writer's thread after each commit and before the
/// operations of that commit return. Must not block.
pub trait CommitListener: Send + Sync + 'static {
    /// Who has access now. Called before [`CommitListener::committed`], so that nobody sees the reply to a change, or
    /// can send it, before the change holds.
    fn access_changed(&self, state: AccessState);
    /// New outbox rows are on disk, in the order of commit, so that durable frames are shown in the order of their
    /// numbers.
    fn committed(&self, rows: Vec<OutboxRow>);
    /// Questions have ended. Called after [`CommitListener::committed`].
    fn asks_ended(&self, ended: Vec<EndedAsk>);
}

/// The right to end something that runs or is being sent: its id, and the fence of the claim. A later claim has a higher
/// fence, and what an earlier one reports is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim<Id> {
    /// The turn or the part.
    pub id: Id,
    /// Grows with each claim.
    pub fence: i64,
}

/// The state of a row of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboxState {
    /// To be sent.
    Queued,
    /// Posted by its turn, which still edits it.
    Streaming,
    /// On its way to the platform.
    Sending,
    /// The platform has it; where a part needs no platform, it is committed.
    Sent,
    /// It may have arrived.
    Unknown,
    /// It was refused or is too old.
    Dead,
    /// Nobody needs it any more.
    Dropped,
}

impl OutboxState {
    const ALL: [OutboxState; 7] = [
        OutboxState::Queued,
        OutboxState::Streaming,
        OutboxState::Sending,
        OutboxState::Sent,
        OutboxState::Unknown,
        OutboxState::Dead,
        OutboxState::Dropped,
    ];

    /// Its name in the database and in the interfaces.
    pub fn name(self) -> &'static str {
        match self {
            OutboxState::Queued => "queued",
            OutboxState::Streaming => "streaming",
            OutboxState::Sending => "sending",
            OutboxState::Sent => "sent",
            OutboxState::Unknown => "unknown",
            OutboxState::Dead => "dead",
            OutboxState::Dropped => "dropped",
        }
    }
}

/// What a row of the outbox does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboxAct {
    /// It posts a message.
    Post,
    /// It replaces the text of a message.
    Edit,
    /// It deletes a message.
    Delete,
    /// It puts a reaction, which is its text, on a message; an empty one takes back what was put there before.
    React,
    /// It pins a message.
    Pin,
}

impl OutboxAct {
    const ALL: [OutboxAct; 5] =
        [OutboxAct::Post, OutboxAct::Edit, OutboxAct::Delete, OutboxAct::React, OutboxAct::Pin];

    /// Its name in the database and in the interfaces.
    pub fn name(self) -> &'static str {
        match self {
            OutboxAct::Post => "post",
            OutboxAct::Edit => "edit",
            OutboxAct::Delete => "delete",
            OutboxAct::React => "react",
            OutboxAct::Pin => "pin",
        }
    }

    /// The act with this name; a post if there is none.
    pub(crate) fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|act| act.name() == name).unwrap_or(OutboxAct::Post)
    }

    /// Whether it brings a text or a file to the chat. If it does not, nothing is missing where it fails.
    pub fn brings_text(self) -> bool {
        matches!(self, OutboxAct::Post | OutboxAct::Edit)
    }
}

/// There is no such state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no state {0:?}; there are queued, streaming, sending, sent, unknown, dead, dropped")]
pub struct UnknownState(pub String);

impl FromStr for OutboxState {
    type Err = UnknownState;

    fn from_str(name: &str) -> Result<Self, UnknownState> {
        let named = |state: &OutboxState| state.name() == name;
        OutboxState::ALL.into_iter().find(named).ok_or_else(|| UnknownState(name.to_owned()))
    }
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxRow {
    /// Where to.
    pub address: Address,
    /// The text, with the row's id, key, kind, seq and what it is about.
    pub post: Post,
    /// What it does.
    pub act: OutboxAct,
    /// The platform's id of the message that it changes. `None` of a post, and while that id is not known.
    pub target: Option<String>,
    /// The row whose message it changes, or of a post replies to. Only of rows to be stored.
    pub about: Option<OutId>,
    /// The file that it carries; its post's text is the caption.
    pub media: Option<OutgoingFile>,
    /// The first file of the album that this file belongs to.
    pub album: Option<OutId>,
    /// Whether hooks are still to see its text: the whole text in Markdown.
    pub unseen: bool,
    /// The part that it follows at once in the order of its address, if its own id does not say its place.
    pub follows: Option<OutId>,
    /// The salt of the pairing code that replaces [`frontdesk_core::pairing::MASK`] when it is sent: the code itself is
    /// never stored.
    pub salt: Option<Salt>,
    /// Its state.
    pub state: OutboxState,
    /// How often it was sent, with the times that a kill cut off.
    pub attempts: u32,
    /// How often that failed and is to be tried again: the pause before the next attempt grows with this number.
    pub failures: u32,
    /// When it may be tried next.
    pub next_at: DateTime<Utc>,
    /// How often it was claimed.
    pub fence: i64,
    /// The platform's id, once sent.
    pub platform_message: Option<String>,
    /// The last error.
    pub error: Option<String>,
    /// When it was stored.
    pub created: DateTime<Utc>,
    /// The end of the quiet hours that hold it back, or did.
    pub held_until: Option<DateTime<Utc>>,
}

/// The quiet hours of an address: messages that nobody there has asked for wait until they end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// When they end, by the calendar.
    pub until: DateTime<Utc>,
    /// The same in steady time.
    pub steady: DateTime<Utc>,
}

impl OutboxRow {
    /// The right to report how its sending ended, after a claim.
    pub fn claim(&self) -> Claim<OutId> {
        Claim { id: self.post.out, fence: self.fence }
    }

    /// Whether its chat lacks something without it. It does not without a notice, nor without a change of a message, unless
    /// that completes an answer.
    pub(crate) fn is_missed(&self) -> bool {
        match self.act {
            OutboxAct::Post => self.post.kind != PostKind::Notice,
            OutboxAct::Edit => self.post.kind == PostKind::Answer,
            OutboxAct::Delete | OutboxAct::React | OutboxAct::Pin => false,
        }
    }

    /// Of an edit: the platform's id of the message to replace.
    pub fn edit(&self) -> Option<&str> {
        self.target.as_deref().filter(|_| self.act == OutboxAct::Edit)
    }

    /// Of a deletion: the platform's id of the message to delete.
    pub fn delete(&self) -> Option<&str> {
        self.target.as_deref().filter(|_| self.act == OutboxAct::Delete)
    }
}

/// An outgoing file beneath the media root.
#[derive(Debug, Clone, PartialEq)]
pub struct OutgoingFile {
    /// Its path relative to the media root: a name that this program chose.
    pub file: String,
    /// The name that the reader sees.
    pub name: String,
    /// The media type, where it is known.
    pub mime: Option<String>,
    /// How it is to be shown.
    pub kind: FileKind,
    /// Its size in bytes, where it is known.
    pub size: Option<u64>,
    /// Its caption.
    pub caption: Option<Part>,
    /// Its text where that does not fit into the caption: messages that follow the file. Empty when read back: they are
    /// rows of their own then.
    pub after: Vec<Part>,
    /// Whether it is sent in one album with the file before it. Only of files to be stored.
    pub joins: bool,
}

/// The next part for an address.
#[derive(Debug, Clone, PartialEq)]
pub enum NextPart {
    /// Ours to send now (T4).
    Send {
        /// The part.
        part: Box<OutboxRow>,
        /// If it is a file of an album: the other files, which are sent in the same request and end with it.
        others: Vec<OutboxRow>,
    },
    /// Hooks are to see this text first ([`Store::seen`](crate::Store::seen)).
    Unseen(Box<OutboxRow>),
    /// Not before this time.
    Wait(DateTime<Utc>),
    /// None is open, or the oldest is on its way and its result is not known yet.
    Nothing,
}

/// A text that hooks keep from being sent. Its row says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// The text in Markdown.
    pub text: String,
    /// Whether a hook that must see every text has failed: an operator can have the text tried again.
    pub failed: bool,
    /// Why.
    pub error: String,
}

impl Withheld {
    pub(crate) fn state(&self) -> OutboxState {
        if self.failed { OutboxState::Dead } else { OutboxState::Dropped }
    }
}

/// How a send ended (T5).
#[derive(Debug, Clone, PartialEq)]
pub enum SendResult {
    /// The platform has it.
    Sent {
        /// Its id there.
        platform_message: Option<String>,
    },
    /// The platform has every file of an album.
    AlbumSent {
        /// Their ids there, in the order of the files.
        platform_messages: Vec<Option<String>>,
    },
    /// An album that is refused: each of its files is sent alone, at once, so that a fault of one of them does not lose
    /// the others.
    Apart {
        /// Why.
        error: String,
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
    /// A message could not be deleted, pinned or reacted to. Nothing is missing, so there is no notice.
    Unmarked {
        /// Why.
        error: String,
    },
    /// It may or may not have arrived, and will not be sent again (`on_ambiguous = "hold"`).
    Unknown {
        /// Why.
        error: String,
    },
    /// The platform will never accept it. The chat gets a notice if it lacks something now.
    Dead {
        /// Why.
        error: String,
    },
    /// The chat is gone: everything for it is dead, and no notice can be sent.
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
