//! Inbound messages: batches as the gate decided them, and the rows that they become.

use chrono::{DateTime, Utc};
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::ask::AskError;
use frontdesk_core::budget::Budget;
use frontdesk_core::drop_reason::DropReason;
use frontdesk_core::id::{AskId, MessageId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{
    Attachment, Cursor, Event, EventKind, Forward, InputKind, Link, Quote, RawEvent, Refusal, Sender, Source,
};
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_core::reset::ResetPolicy;
use frontdesk_core::time::Now;

use super::{Answered, Answering, MessageState, PairingRequest, Quota, Reason, RowDisposition};

/// A batch of one source, decided by the gate; accepted in one transaction (T1).
#[derive(Debug, Clone)]
pub struct Batch {
    /// The source of the events.
    pub source: Source,
    /// Our time of acceptance.
    pub received: Now,
    /// The events, in the platform's order.
    pub events: Vec<Decided>,
    /// How far the source is read with this batch.
    pub cursor: Option<Cursor>,
}

/// An event with what the gate decided about it.
#[derive(Debug, Clone)]
pub enum Decided {
    /// Counted, and not stored.
    Dropped {
        /// The event.
        event: Event,
        /// Why.
        reason: DropReason,
        /// The session that it would belong to, if its sender may write there: an event that could not be read in full
        /// is kept as a dead letter then.
        session: Option<SessionKey>,
    },
    /// A message was deleted, by its id ([`EventKind::DeletedById`]): it ends if it waits.
    Deletion(Event),
    /// Stored.
    Admitted(Admitted),
}

impl Decided {
    /// The event.
    pub fn event(&self) -> &Event {
        match self {
            Decided::Dropped { event, .. } | Decided::Deletion(event) => event,
            Decided::Admitted(admitted) => &admitted.event,
        }
    }

    /// What arrived, with its session where that is known, if it is to be kept as a dead letter. Nothing is kept of
    /// people who may not write.
    pub fn dead_letter(&self) -> Option<(&RawEvent, Option<&SessionKey>)> {
        let session = match self {
            Decided::Dropped { session, .. } => session.as_ref(),
            Decided::Deletion(_) => None,
            Decided::Admitted(admitted) => Some(&admitted.session),
        };
        match &self.event().kind {
            // No rule can be asked about a sender who could not be read.
            EventKind::Undecodable(raw) => Some((raw, None)),
            EventKind::Unreadable { raw: Some(raw), .. } => session.map(|session| (raw, Some(session))),
            _ => None,
        }
    }
}

/// An event to be stored, with what its session's rules say.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// The event.
    pub event: Event,
    /// The session it belongs to.
    pub session: SessionKey,
    /// The session of its own chat, if that is joined to the session of another one.
    pub place: Option<SessionKey>,
    /// What it is.
    pub disposition: Disposition,
    /// What the agent is to read, if that is not the event's whole text: of `/new TEXT` only the text.
    pub text: Option<String>,
    /// What it does to the session's epoch.
    pub epoch: EpochChange,
    /// When its session starts a new epoch.
    pub policy: ResetPolicy,
    /// What its sender may send in a day, if it counts and there is a limit.
    pub quota: Option<Quota>,
    /// The budgets with a limit for which its turn would count, if it needs one.
    pub budgets: Vec<Budget>,
    /// The mode of its session's queue, unless another one was chosen in the chat.
    pub queue_mode: QueueMode,
    /// What happens to it if it is an edit whose message does not wait any more.
    pub edits: EditRule,
    /// How many messages may wait in the session, itself included. No limit (`u32::MAX`) for what no agent gets.
    pub per_session: u32,
    /// Whether its sender gets a notice if it is refused.
    pub tell: bool,
    /// The question whose choices an agent has offered and of which this message makes one.
    pub answers: Option<Box<Answering>>,
}

impl Admitted {
    /// What the agent is to read.
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or(&self.event.text)
    }

    /// The [`digest`] of the event's text as it came, and of its uploaded files: it tells a redelivery from other content under the same id,
    /// whatever the gate makes of the text this time.
    pub fn digest(&self) -> i64 {
        let uploaded = self.event.attachments.iter().filter(|file| file.kept.is_some());
        let references: String = uploaded.map(|file| format!("\0{}", file.reference)).collect();
        match references.is_empty() {
            true => digest(&self.event.text),
            false => digest(&format!("{}{references}", self.event.text)),
        }
    }
}

/// A dead letter as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct DeadLetterRow {
    /// Its id.
    pub id: i64,
    /// The source's id.
    pub source: String,
    /// The platform's own id, or a name that stands for it.
    pub event_id: String,
    /// The session that it would belong to, where that is known.
    pub session: Option<SessionKey>,
    /// The platform's name for what it is.
    pub kind: String,
    /// What could not be read.
    pub reason: String,
    /// How many bytes arrived.
    pub size: u64,
    /// When it arrived.
    pub received: DateTime<Utc>,
    /// The first bytes, as they arrived; empty in lists.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for DeadLetterRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeadLetterRow({} {}: {}, {} bytes)", self.id, self.kind, self.reason, self.size)
    }
}

/// A hash of a text: FNV-1a, which is the same in every version of this program. Never 0, which marks an erased text.
pub fn digest(text: &str) -> i64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash.max(1).cast_signed()
}

/// What a stored event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// A message for the agent.
    Turn,
    /// A command for the gateway.
    Command,
    /// An admin addressed the bot in a group that is not served. Answered as a command; nothing of the text is kept.
    NotServed,
    /// Context for the session's next turn. A session keeps at most this many.
    Context(u32),
    /// Refused.
    Refused(Refusal),
    /// An unknown sender asks to be let in. Refused; nothing of the text is kept.
    Pairing(Box<PairingRequest>),
    /// A pressed button of a question. Not stored if the answer does not count.
    Answer(Box<Answering>),
}

/// What a stored event does to its session's epoch, in the transaction that stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochChange {
    /// The reset rule decides. Commands never trigger it.
    ByRule,
    /// A new one (`/new`).
    New,
    /// Back to an older one (`/resume`); `None` is the one before the current.
    Resume(Option<u64>),
}

/// The outcome of one event.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// Stored, and waiting.
    Accepted {
        /// Its id.
        message: MessageId,
        /// The epoch it joined.
        epoch: u64,
        /// The epoch that ended for it.
        ended: Option<u64>,
        /// Whether the session was created for it.
        began: bool,
        /// The mode in which its session's messages wait.
        mode: QueueMode,
        /// The turns whose place it took. Nothing in other modes than [`QueueMode::Interrupt`].
        superseded: Stopped,
    },
    /// An edit that replaced the text of a message that still waits, or a message kept as context.
    Noted,
    /// The request of an unknown sender, for which a pairing code was made. A repeated one leaves no row and is
    /// [`Stored::Dropped`].
    Asked {
        /// Its id.
        message: MessageId,
    },
    /// A redelivery.
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
    /// A redelivery of a message whose conversation was deleted since: neither its text nor its answer is known.
    Erased {
        /// The id it got the first time.
        message: MessageId,
    },
    /// Stored as refused, by the gate or because the session is full.
    Refused {
        /// Its id.
        message: MessageId,
        /// Why.
        reason: Refusal,
        /// Whether a notice says so to the sender.
        told: bool,
    },
    /// A pressed button: the answer holds.
    Answered {
        /// The id of the event.
        message: MessageId,
        /// The question.
        ask: AskId,
        /// The answer, and what waits now because of it.
        answered: Answered,
    },
    /// A pressed button that does not count. It is not stored.
    NotAnswered {
        /// The question.
        ask: AskId,
        /// Why it does not count.
        error: AskError,
    },
    /// The event could not be stored as it is; what could be stored of it is dead.
    Dead {
        /// Its id.
        message: MessageId,
    },
    /// Counted, and not stored.
    Dropped,
}

/// What happens to edits of messages that do not wait any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EditRule {
    /// What happens to them.
    pub later: LaterEdits,
    /// How old the message may be; edits of older ones are ignored. `None` means any age.
    pub max_age: Option<chrono::Duration>,
}

/// What becomes of an edit whose message does not wait any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaterEdits {
    /// A message of its own.
    Answered,
    /// Context for the session's next turn.
    Noted {
        /// The number of context messages that a session keeps at most.
        most: u32,
    },
    /// Nothing.
    Ignored,
}

/// Turns and messages that were ended before they were answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stopped {
    /// Turns that ran: their agents must be told.
    pub running: Vec<TurnId>,
    /// Messages that waited, in rows or in turns that had not begun again.
    pub waiting: Vec<MessageId>,
}

/// A stored event.
#[derive(Debug, Clone, PartialEq)]
pub struct InboundRow {
    /// Its id.
    pub id: MessageId,
    /// The session.
    pub session: SessionKey,
    /// The session of its own chat, if that is joined to the session of another one.
    pub place: Option<SessionKey>,
    /// The epoch it joined.
    pub epoch: u64,
    /// The source's id.
    pub source: String,
    /// Its sender.
    pub from: Sender,
    /// Where the answer goes.
    pub address: Address,
    /// The platform's id of the message.
    pub platform_message: Option<String>,
    /// When it was accepted.
    pub received: DateTime<Utc>,
    /// What it is for.
    pub disposition: RowDisposition,
    /// Its state.
    pub state: MessageState,
    /// Why it is in this state, or what it did.
    pub reason: Option<Reason>,
    /// Its text.
    pub text: String,
    /// Whether it is a message, an edit, a button or a reaction.
    pub input_kind: InputKind,
    /// What it replies to.
    pub quote: Option<Quote>,
    /// The original author, if it is a forwarded message.
    pub forward: Option<Forward>,
    /// Links whose target the text does not show.
    pub links: Vec<Link>,
    /// The album it belongs to.
    pub album: Option<String>,
    /// Files, not yet fetched.
    pub attachments: Vec<Attachment>,
    /// Of a `/retry`: the messages that it runs again, instead of its own text.
    pub replays: Vec<MessageId>,
    /// The turn that took it.
    pub turn: Option<TurnId>,
}

impl InboundRow {
    /// The session of the chat that it came from: the rules of that chat apply to it, whichever session it belongs to.
    pub fn own_session(&self) -> &SessionKey {
        self.place.as_ref().unwrap_or(&self.session)
    }
}

/// A file that a client has uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRow {
    /// How its owner names it: random.
    pub name: String,
    /// Who has uploaded it.
    pub principal: Principal,
    /// The file as a message has it; the gateway has stored it.
    pub attachment: Attachment,
}

/// What became of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadStored {
    /// It is stored.
    New,
    /// The same request has stored this one before.
    Before(UploadRow),
    /// The person has uploaded as much as may wait for messages.
    OverDaily,
    /// As many files are kept as may be.
    OverTotal,
}

/// What became of a file that came with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaRow {
    /// The message.
    pub message: MessageId,
    /// Its place among the message's attachments, from 0.
    pub n: u32,
    /// Its path below the media root and its size in bytes; or one sentence that says why it is missing.
    pub got: Result<(String, u64), String>,
}
