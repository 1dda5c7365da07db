//! Sessions, history and totals, and the input and results of recovery and purge.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::agent::SessionOptions;
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::delta::Usage;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_core::voice::with_transcripts;

use super::{EpochReason, InboundRow, Reason, TurnState};

/// A message that a search has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundMessage {
    /// Its id.
    pub message: MessageId,
    /// Its session.
    pub session: SessionKey,
    /// When it was accepted.
    pub received: DateTime<Utc>,
    /// Its text.
    pub text: String,
    /// Its answer.
    pub answer: Option<String>,
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
    /// Messages that are not answered, because their clients are gone.
    pub left_behind: u64,
    /// Parts whose sending was cut off.
    pub parts: u64,
    /// Sessions with something to do, the longest waiting first.
    pub sessions: Vec<SessionKey>,
    /// Those of them in which pieces of an album wait: others may be on their way.
    pub albums: Vec<SessionKey>,
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
    /// The last message for the agent in this epoch, or `/resume`: the reset rule's reference. `None` before there is
    /// one: then the rule resets nothing.
    pub last_user_at: Option<DateTime<Utc>>,
    /// The last durable frame's number.
    pub seq: u64,
    /// When it began.
    pub created: DateTime<Utc>,
    /// Messages that wait.
    pub waiting: u64,
    /// The turn that runs.
    pub running: Option<TurnId>,
    /// What is chosen for it.
    pub options: SessionOptions,
    /// How its messages wait, if that was chosen in the chat.
    pub queue_mode: Option<QueueMode>,
    /// The name that somebody gave it.
    pub title: Option<String>,
    /// When it was put away.
    pub archived: Option<DateTime<Utc>>,
}

/// Which sessions a list has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Only those of this channel (`telegram`) or account (`telegram@work`).
    pub channel: Option<String>,
    /// Only those of this agent.
    pub agent: Option<String>,
    /// Only those with this text in their key or title, in any case.
    pub find: Option<String>,
}

/// A session in a list by its last message.
#[derive(Debug, Clone, PartialEq)]
pub struct RecentSession {
    /// The session.
    pub session: SessionRow,
    /// Its last message.
    pub message: MessageId,
    /// When that was accepted.
    pub at: DateTime<Utc>,
}

/// A change of how a session is listed. What is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionChange {
    /// Its name; `Some(None)` removes it.
    pub title: Option<Option<String>>,
    /// Whether it is put away.
    pub archived: Option<bool>,
}

/// One epoch of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochRow {
    /// Its number.
    pub n: u64,
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it ended.
    pub ended: Option<DateTime<Utc>>,
    /// Why it began.
    pub reason: EpochReason,
    /// How many messages it has.
    pub messages: u64,
    /// The beginning of its first message.
    pub first_text: Option<String>,
}

/// A message with its answer: the history.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    /// What came in.
    pub message: InboundRow,
    /// The words of its recordings, by their places among its attachments.
    pub transcripts: BTreeMap<u32, String>,
    /// The agent's answer, on the last message of its turn.
    pub answer: Option<String>,
    /// Whether the agent has said everything.
    pub end: AnswerEnd,
    /// How many bytes of the answer the agent wrote, if a remark follows them.
    pub own: Option<u64>,
    /// The turn's state.
    pub turn_state: Option<TurnState>,
    /// Why it failed.
    pub error: Option<Reason>,
    /// What it cost.
    pub usage: Option<Usage>,
}

impl HistoryRow {
    /// The words of the message: its text, and the transcripts of its recordings.
    pub fn words(&self) -> String {
        let file = |n: u32| self.message.attachments.get(usize::try_from(n).ok()?);
        let said = self.transcripts.iter().filter(|(_, words)| !words.is_empty());
        let said =
            said.map(|(n, words)| (file(*n).map(|file| file.kind).unwrap_or_default(), words.as_str()));
        with_transcripts(&self.message.text, said)
    }

    /// The size of these words, in bytes.
    pub(crate) fn bytes_of_words(&self) -> usize {
        self.message.text.len() + self.transcripts.values().map(String::len).sum::<usize>()
    }
}

/// What the turns of one epoch have used, as far as their agent has reported it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EpochUsage {
    /// The last answer. Without the use of the context if that was compacted since.
    pub last: Option<Usage>,
    /// All turns together, with compactions.
    pub total: UsageTotal,
}

/// What answers and compactions have used together. A number is `None` if no turn has reported it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageTotal {
    /// How many answers. Compactions have a cost and are no answers.
    pub answers: u64,
    /// Input tokens.
    pub input: Option<u64>,
    /// Output tokens.
    pub output: Option<u64>,
    /// Input tokens that were read from the provider's cache.
    pub cache_read: Option<u64>,
    /// Input tokens that were written to it.
    pub cache_write: Option<u64>,
    /// The cost, in millionths of the currency in which the agent counts.
    pub cost_micro: Option<u64>,
}

/// Rows of a list, as many as may be held at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// At least one, if there is any.
    pub rows: Vec<T>,
    /// The size of their texts in bytes.
    pub bytes: usize,
    /// Whether the next row was left out because of its size: the list goes on after the last one.
    pub more: bool,
}

/// Numbers for metrics and status.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Totals {
    /// Sessions ever.
    pub sessions: u64,
    /// Messages that wait.
    pub waiting: u64,
    /// Turns that run.
    pub running: u64,
    /// Questions that wait for a person.
    pub asks: u64,
    /// Parts to be sent.
    pub outbox: u64,
    /// Parts that are dead.
    pub dead_parts: u64,
    /// Events that could not be read and are kept.
    pub dead_letters: u64,
    /// Older ones that were deleted to make space.
    pub dead_letters_deleted: u64,
    /// Since when the oldest unanswered message waits.
    pub oldest_waiting: Option<DateTime<Utc>>,
    /// Since when the oldest unsent part waits.
    pub oldest_part: Option<DateTime<Utc>>,
}

/// How long rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Ended outbox rows, in days.
    pub outbox_days: u32,
    /// Refused messages, in days.
    pub refused_days: u32,
    /// Events that could not be read, in days.
    pub dead_letter_days: u32,
    /// Messages and turns, in days.
    pub history_days: u32,
    /// Rows of the audit, in days.
    pub audit_days: u32,
}
