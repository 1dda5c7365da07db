//! What goes into the store and what comes out. No SQLite type is among it.

mod access;

pub use access::*;

use chrono::{DateTime, Utc};
use frontdesk_core::act::{Ending, Post};
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::delta::Usage;
use frontdesk_core::id::{MessageId, OutId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::markup::Part;
use frontdesk_core::message::{Attachment, Cursor, FileKind, Manner, Quote, Refusal, Source, Speaker};
use frontdesk_core::notice::Notice;
use frontdesk_core::pairing::Salt;
use frontdesk_core::port::Aside;
use frontdesk_core::profile::ReceiptRule;
use frontdesk_core::reset::ResetPolicy;

/// How the store puts words on their way without knowing a platform.
pub trait Speech: Send + Sync + 'static {
    /// When a part to this address counts as sent.
    fn receipt(&self, to: &Address) -> ReceiptRule;
    /// The Markdown `text` as parts for this address.
    fn parts(&self, to: &Address, text: &str) -> Vec<Part>;
    /// Whether the platform drops a part that it has already seen under the same key: such a part is sent
    /// again after a crash, whatever the operator wants done with those that may have arrived.
    fn idempotent(&self, to: &Address) -> bool;
    /// New outbox rows are on disk. Called by the writer after each commit, in the order of commit and before
    /// the verbs that made them return, so that durable frames are shown in the order of their numbers. Must
    /// not block.
    fn committed(&self, rows: &[OutRow]);
}

/// A batch of one source, decided by the gate; accepted in one transaction (T1).
#[derive(Debug, Clone)]
pub struct Batch {
    /// Where it comes from.
    pub source: Source,
    /// Our time of acceptance.
    pub received: DateTime<Utc>,
    /// The events, in the platform's order.
    pub items: Vec<Item>,
    /// The batch's end.
    pub cursor: Option<Cursor>,
}

/// One event and what the gate decided.
#[derive(Debug, Clone)]
pub enum Item {
    /// Counted and forgotten; the kind says as what.
    PassedOver(String),
    /// Stored.
    Keep(Box<Incoming>),
    /// A stranger asks to be let in.
    Ask(Box<Ask>),
}

/// An event to be stored.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The platform's own id.
    pub event_id: String,
    /// The session it belongs to.
    pub session: SessionKey,
    /// Who.
    pub principal: Principal,
    /// Where the answer goes.
    pub address: Address,
    /// Display name.
    pub sender: Option<String>,
    /// The platform's id of the message.
    pub platform_message: Option<String>,
    /// What was said; of `/new TEXT` only the text.
    pub text: String,
    /// The [`digest`] of the event's text as it came: what tells a redelivery from other content under the
    /// same id, whatever the gate makes of the text this time.
    pub digest: i64,
    /// In which way it was said. An edit whose message still waits is put in its place.
    pub manner: Manner,
    /// What kind of being said it.
    pub speaker: Speaker,
    /// The sender's roles there, by the platform's ids.
    pub roles: Vec<String>,
    /// What it replies to.
    pub quote: Option<Quote>,
    /// The album it is a piece of.
    pub album: Option<String>,
    /// Files, not yet fetched.
    pub attachments: Vec<Attachment>,
    /// What its sender may say in a day, if it counts and there is a limit.
    pub quota: Option<Quota>,
    /// What it is.
    pub disposition: Disposition,
    /// What it does to the session's epoch.
    pub epoch: EpochChange,
    /// When its conversation starts anew.
    pub policy: ResetPolicy,
    /// How many messages may wait in the session, itself included.
    pub per_session: u32,
    /// Whether its refusal is told to the person.
    pub tell: bool,
}

/// A text as a number: FNV-1a, which is the same in every version of this program. Never 0, which stands for
/// an erased text.
pub fn digest(text: &str) -> i64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash.max(1).cast_signed()
}

/// What a stored event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// For the agent.
    Turn,
    /// For us.
    Command,
    /// For the agent's next turn, as quiet context, of which a session keeps at most this many.
    Aside(u32),
    /// For nobody.
    Refused(Refusal),
}

/// What a stored event does to its session's epoch, in the transaction that stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochChange {
    /// Whatever the reset rule says (for messages; commands never trigger it).
    ByRule,
    /// A new one (`/new`).
    New,
    /// Back to an older one (`/resume`); `None` is the one before the current.
    Resume(Option<u64>),
}

/// What became of one item.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// A row, waiting.
    Accepted {
        /// Its id.
        message: MessageId,
        /// The epoch it joined.
        epoch: u64,
        /// The epoch that ended for it.
        ended: Option<u64>,
        /// Whether the conversation has just begun.
        began: bool,
    },
    /// Put into an earlier message that still waits (an edit), or kept as quiet context.
    Noted,
    /// A stranger's request.
    Asked {
        /// Its id.
        message: MessageId,
        /// Whether a code was made for it.
        new: bool,
    },
    /// Known already.
    Duplicate {
        /// The id it got the first time.
        message: MessageId,
        /// Its session then.
        session: SessionKey,
        /// Whether its text is the same.
        same: bool,
        /// Why it was refused, if it was.
        refused: Option<Refusal>,
    },
    /// A row, refused (by the gate, or because the session is full).
    Refused {
        /// Its id.
        message: MessageId,
        /// Why.
        reason: Refusal,
    },
    /// The event could not be stored as it is; what could be kept of it is, as dead.
    Dead {
        /// Its id.
        message: MessageId,
    },
    /// Counted.
    PassedOver,
}

/// The result of [`crate::Store::accept`].
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// One per item.
    pub items: Vec<Stored>,
    /// Notices that were put on their way.
    pub said: Vec<OutRow>,
}

/// A stored event.
#[derive(Debug, Clone, PartialEq)]
pub struct InboundRow {
    /// Its id.
    pub id: MessageId,
    /// The session.
    pub session: SessionKey,
    /// The epoch it joined.
    pub epoch: u64,
    /// The source's id.
    pub source: String,
    /// Who.
    pub principal: Principal,
    /// Where the answer goes.
    pub address: Address,
    /// Display name.
    pub sender: Option<String>,
    /// The platform's id of the message.
    pub platform_message: Option<String>,
    /// When it was accepted.
    pub received: DateTime<Utc>,
    /// `turn`, `command` or `refused`.
    pub disposition: String,
    /// `waiting`, `in_turn`, `answered`, `refused`, `superseded`, `cancelled` or `dead`.
    pub state: String,
    /// Of a refusal or death; of an epoch command what it did (`from:3`, `missing`).
    pub reason: Option<String>,
    /// What was said.
    pub text: String,
    /// In which way it was said.
    pub manner: Manner,
    /// What kind of being said it.
    pub speaker: Speaker,
    /// The sender's roles there, by the platform's ids.
    pub roles: Vec<String>,
    /// What it replies to.
    pub quote: Option<Quote>,
    /// The album it is a piece of.
    pub album: Option<String>,
    /// Files, not yet fetched.
    pub attachments: Vec<Attachment>,
    /// The turn that took it.
    pub turn: Option<TurnId>,
}

/// How many waiting messages one turn takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// The oldest (`followup`).
    One,
    /// All of the oldest's epoch (`collect`).
    All,
}

/// A turn that is ours to run (T2).
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedTurn {
    /// Its id.
    pub id: TurnId,
    /// Our right to end it.
    pub fence: i64,
    /// 1 for the first run.
    pub attempt: u32,
    /// How many of the attempts before this one ended in a death (not in an orderly stop).
    pub deaths: u32,
    /// The session.
    pub session: SessionKey,
    /// The epoch.
    pub epoch: u64,
    /// The messages, oldest first.
    pub messages: Vec<InboundRow>,
    /// What was said nearby since the turn before, oldest first. The same in every attempt.
    pub asides: Vec<Aside>,
    /// The reply's target.
    pub address: Address,
    /// The platform's id of the message it answers.
    pub reply_to: Option<String>,
    /// The message that an earlier attempt streamed into.
    pub streamed: Option<Streamed>,
    /// Whether messages wait behind it.
    pub more: bool,
}

/// The part 0 that is being streamed (`streaming`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Streamed {
    /// Its row.
    pub out: OutId,
    /// The platform's id, once it is known.
    pub platform_message: Option<String>,
}

/// The end of a turn (T3).
#[derive(Debug, Clone)]
pub struct Finish {
    /// The turn.
    pub turn: TurnId,
    /// Our right to end it.
    pub fence: i64,
    /// How it ended.
    pub ending: Ending,
    /// The whole answer in Markdown (also a cut-off one).
    pub answer: Option<String>,
    /// The answer's parts.
    pub parts: Vec<Part>,
    /// Files that follow the answer.
    pub media: Vec<OutMedia>,
    /// Why it failed, or why it was refused: a name.
    pub error: Option<String>,
    /// What the person is told besides.
    pub notice: Option<Notice>,
    /// What it cost.
    pub usage: Option<Usage>,
    /// Whether a hook answered instead of the agent.
    pub by_hook: bool,
    /// The time.
    pub now: DateTime<Utc>,
}

/// What a verb did that may come too late.
#[derive(Debug, Clone, PartialEq)]
pub enum Fenced<T> {
    /// Done.
    Done(T),
    /// Somebody else has ended or taken it meanwhile: nothing was changed.
    Stale,
}

/// What a command does besides answering (T1c).
#[derive(Debug, Clone)]
pub enum CommandEffect {
    /// Nothing.
    None,
    /// Cancels the running and the waiting turns that were accepted before it.
    Stop,
    /// Becomes a turn with the text of the last one.
    Retry,
    /// Changes who may speak.
    Access {
        /// How.
        change: Box<AccessChange>,
        /// Who does it.
        author: Author,
    },
}

/// What a command found and did; its reply is made from this.
#[derive(Debug, Clone, PartialEq)]
pub enum CommandFacts {
    /// Nothing to add.
    None,
    /// Turns that were cancelled.
    Stopped {
        /// Those that ran: their agents must be told.
        running: Vec<TurnId>,
        /// Messages that waited.
        waiting: Vec<MessageId>,
    },
    /// The command's row is a turn now, with the last turn's text.
    Retrying,
    /// There is nothing to retry.
    NothingToRetry,
    /// The last turn is still running.
    StillRunning,
    /// What came of a change of who may speak.
    Access(Box<AccessDone>),
}

/// The result of [`crate::Store::answer_command`].
#[derive(Debug, Clone, PartialEq)]
pub struct CommandDone {
    /// What it did.
    pub facts: CommandFacts,
    /// The reply.
    pub said: Vec<OutRow>,
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct OutRow {
    /// Where to.
    pub address: Address,
    /// What to say, with the row's id, key, kind, seq and what it is about.
    pub post: Post,
    /// Of an edit: the platform's id of the message to replace.
    pub edit: Option<String>,
    /// The file that it carries; its post's text stands beneath it.
    pub media: Option<OutMedia>,
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
pub struct OutMedia {
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
}

/// What became of a file that came with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaRow {
    /// The message.
    pub message: MessageId,
    /// Its place among the message's attachments, from 0.
    pub n: u32,
    /// Where it lies, relative to the media root, and its size in bytes; or one sentence that says why not.
    pub got: Result<(String, u64), String>,
}

/// The next part for an address.
#[derive(Debug, Clone, PartialEq)]
pub enum NextPart {
    /// Ours to send now (T4).
    Send(Box<OutRow>),
    /// Not before this time.
    Wait(DateTime<Utc>),
    /// None is open, or the oldest is still being streamed.
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
        /// When.
        next_at: DateTime<Utc>,
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
pub struct Outgoing {
    /// Where to.
    pub address: Address,
    /// The session it shows up in, where it has one.
    pub session: Option<SessionKey>,
    /// What.
    pub parts: Vec<Part>,
    /// Files that follow.
    pub media: Vec<OutMedia>,
    /// The same for every repetition of this request.
    pub key: String,
    /// The time.
    pub now: DateTime<Utc>,
}

/// How orphans of an earlier boot are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// The time.
    pub now: DateTime<Utc>,
    /// How many deaths a turn may have before it is dead.
    pub max_deaths: u32,
    /// Whether a part that may have arrived is sent again on platforms without idempotency keys.
    pub resend: bool,
}

/// What was found at the start.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recovered {
    /// Turns that will run once more.
    pub resumed: u64,
    /// Turns that are not run again, because they had acted.
    pub interrupted: u64,
    /// Turns that had died too often.
    pub dead: u64,
    /// Parts whose sending was cut off.
    pub parts: u64,
    /// Sessions with something to do, the longest waiting first.
    pub sessions: Vec<SessionKey>,
    /// Commands that wait.
    pub commands: Vec<MessageId>,
    /// Addresses with something to send.
    pub addresses: Vec<Address>,
}

/// A session as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    /// The key.
    pub key: SessionKey,
    /// Where its last message came from.
    pub address: Address,
    /// The current epoch.
    pub epoch: u64,
    /// The highest epoch ever.
    pub last_epoch: u64,
    /// The last message of the person in this epoch, or `/resume`: the reset rule's reference. Before there is
    /// one, when the epoch began.
    pub last_user_at: DateTime<Utc>,
    /// The last durable frame's number.
    pub seq: u64,
    /// When it began.
    pub created: DateTime<Utc>,
    /// Messages that wait.
    pub waiting: u64,
    /// The turn that runs.
    pub running: Option<TurnId>,
}

/// One life of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochRow {
    /// Its number.
    pub n: u64,
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it ended.
    pub ended: Option<DateTime<Utc>>,
    /// Why it began.
    pub reason: String,
    /// How many messages it has.
    pub messages: u64,
    /// How it opens.
    pub first_text: Option<String>,
}

/// A message with its answer: the history.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    /// What came in.
    pub message: InboundRow,
    /// What the agent said, on the last message of its turn.
    pub answer: Option<String>,
    /// How the turn stands.
    pub turn_state: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// What it cost.
    pub usage: Option<Usage>,
}

/// How the house stands, in numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Totals {
    /// Sessions ever.
    pub sessions: u64,
    /// Messages that wait.
    pub waiting: u64,
    /// Turns that run.
    pub running: u64,
    /// Parts to be sent.
    pub outbox: u64,
    /// Parts that are dead.
    pub dead_parts: u64,
    /// Since when the oldest unanswered message waits.
    pub oldest_waiting: Option<DateTime<Utc>>,
    /// Since when the oldest unsent part waits.
    pub oldest_part: Option<DateTime<Utc>>,
}

/// How long rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Ended outbox rows, in days.
    pub outbox_days: u32,
    /// Refused messages, in days.
    pub refused_days: u32,
    /// Messages and turns, in days.
    pub history_days: u32,
    /// Lines of the audit.
    pub audit_days: u32,
}
