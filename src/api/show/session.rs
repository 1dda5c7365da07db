//! Sessions, their conversations and their messages.

use frontdesk_core::delta;
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_runtime as runtime;
use frontdesk_store::row::{self, EpochRow, HistoryRow, SessionRow, TurnState};
use schemars::JsonSchema;
use serde::Serialize;

use super::status::Failover;
use super::{Timestamp, maybe};
use crate::attachment::ReceivedFile;

/// A session: everything that a chat says to an agent and is answered.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Session {
    /// For example `agent:main:telegram:dm:4711`.
    key: String,
    agent: String,
    channel: String,
    account: String,
    scope: &'static str,
    id: String,
    thread: Option<String>,
    address: String,
    /// The number of the current conversation.
    epoch: u64,
    /// The highest number of a conversation.
    last_epoch: u64,
    /// When the person last wrote.
    last_user_at: Option<Timestamp>,
    /// The number of its newest stored frame.
    seq: u64,
    created: Timestamp,
    title: Option<String>,
    archived: Option<Timestamp>,
    /// Number of messages that wait.
    waiting: u64,
    /// The turn that runs.
    running: Option<String>,
}

impl From<&SessionRow> for Session {
    fn from(row: &SessionRow) -> Self {
        Self {
            key: row.key.as_str().to_owned(),
            agent: row.key.agent().to_owned(),
            channel: row.key.channel().to_owned(),
            account: row.key.account().name().to_owned(),
            scope: row.key.scope().name(),
            id: row.key.id().to_owned(),
            thread: row.key.thread().map(str::to_owned),
            address: row.address.as_str().to_owned(),
            epoch: row.epoch,
            last_epoch: row.last_epoch,
            last_user_at: maybe(row.last_user_at),
            seq: row.seq,
            created: row.created.into(),
            title: row.title.clone(),
            archived: maybe(row.archived),
            waiting: row.waiting,
            running: row.running.map(|turn| turn.to_string()),
        }
    }
}

/// A session with what its agent has reported of the current conversation.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SessionDetails {
    #[serde(flatten)]
    session: Session,
    /// The model that answers next; null if only the agent knows.
    model: Option<String>,
    thinking: Option<String>,
    options: ChosenOptions,
    /// The usage of the last answer.
    usage: Option<Usage>,
    usage_total: UsageTotal,
    queue: SessionQueue,
    failover: Option<Failover>,
    /// Its conversations, the newest first.
    epochs: Vec<Epoch>,
}

/// What was chosen in the chat.
#[derive(Debug, Serialize, JsonSchema)]
struct ChosenOptions {
    model: Option<String>,
    thinking: Option<String>,
}

/// How messages wait.
#[derive(Debug, Serialize, JsonSchema)]
struct SessionQueue {
    #[schemars(extend("enum" = QueueMode::ALL.map(QueueMode::name)))]
    mode: &'static str,
    /// The mode that was chosen in the chat.
    chosen: Option<&'static str>,
    /// The messages that wait, the oldest first.
    waiting: Vec<WaitingMessage>,
}

impl SessionDetails {
    pub(crate) fn new(
        status: &runtime::SessionStatus,
        waiting: Vec<WaitingMessage>,
        epochs: Vec<Epoch>,
    ) -> Self {
        let runtime::SessionStatus { session: row, model, thinking, usage: used, .. } = status;
        Self {
            session: row.into(),
            model: model.value.clone(),
            thinking: thinking.value.clone(),
            options: ChosenOptions {
                model: row.options.model.clone(),
                thinking: row.options.thinking.clone(),
            },
            usage: used.last.as_ref().map(Usage::from),
            usage_total: (&used.total).into(),
            queue: SessionQueue {
                mode: status.queue_mode.name(),
                chosen: row.queue_mode.map(QueueMode::name),
                waiting,
            },
            failover: status.failover.as_ref().map(Failover::from),
            epochs,
        }
    }
}

/// What all answers of a conversation have used.
#[derive(Debug, Serialize, JsonSchema)]
struct UsageTotal {
    answers: u64,
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    cost_micro: Option<u64>,
}

impl From<&row::UsageTotal> for UsageTotal {
    fn from(total: &row::UsageTotal) -> Self {
        Self {
            answers: total.answers,
            input: total.input,
            output: total.output,
            cache_read: total.cache_read,
            cache_write: total.cache_write,
            cost_micro: total.cost_micro,
        }
    }
}

/// One conversation of a session.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Epoch {
    epoch: u64,
    started: Timestamp,
    ended: Option<Timestamp>,
    /// Why it began.
    reason: String,
    /// Number of its messages.
    messages: u64,
    first_text: Option<String>,
}

impl From<&EpochRow> for Epoch {
    fn from(row: &EpochRow) -> Self {
        Self {
            epoch: row.n,
            started: row.started.into(),
            ended: maybe(row.ended),
            reason: row.reason.to_string(),
            messages: row.messages,
            first_text: row.first_text.clone(),
        }
    }
}

/// A message with its answer.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Message {
    /// For example `m7`.
    message: String,
    session: String,
    epoch: u64,
    /// Who wrote it.
    principal: String,
    /// The name that the writer shows.
    sender: Option<String>,
    received: Timestamp,
    disposition: &'static str,
    /// `accepted`, `answered`, `refused`, `superseded`, `cancelled` or `dead`, or a state before one of these.
    state: &'static str,
    /// Why it was not answered.
    reason: Option<String>,
    text: String,
    attachments: Vec<TranscribedFile>,
    answer: Option<String>,
    /// How the answer ends; null until the turn is done.
    answer_end: Option<&'static str>,
    turn: Option<String>,
    turn_state: Option<&'static str>,
    /// Why the turn failed.
    error: Option<String>,
    usage: Option<Usage>,
}

/// A file that came with a message, with what is said in it.
#[derive(Debug, Serialize, JsonSchema)]
struct TranscribedFile {
    #[serde(flatten)]
    file: ReceivedFile,
    transcript: Option<String>,
}

impl From<&HistoryRow> for Message {
    fn from(row: &HistoryRow) -> Self {
        let message = &row.message;
        let files = (0..).zip(&message.attachments);
        Self {
            message: message.id.to_string(),
            session: message.session.as_str().to_owned(),
            epoch: message.epoch,
            principal: message.from.id.as_str().to_owned(),
            sender: message.from.name.clone(),
            received: message.received.into(),
            disposition: message.disposition.name(),
            state: message.state.name(),
            reason: message.reason.map(|reason| reason.to_string()),
            text: message.text.clone(),
            attachments: files
                .map(|(n, file)| TranscribedFile {
                    file: file.into(),
                    transcript: row.transcripts.get(&n).cloned(),
                })
                .collect(),
            answer: row.answer.clone(),
            answer_end: row.turn_state.filter(|state| *state == TurnState::Done).map(|_| row.end.name()),
            turn: message.turn.map(|turn| turn.to_string()),
            turn_state: row.turn_state.map(TurnState::name),
            error: row.error.map(|error| error.to_string()),
            usage: row.usage.as_ref().map(Usage::from),
        }
    }
}

/// A message that waits.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WaitingMessage {
    message: String,
    principal: String,
    sender: Option<String>,
    received: Timestamp,
    text: String,
    /// Number of its files.
    attachments: usize,
}

impl From<&row::WaitingMessage> for WaitingMessage {
    fn from(waiting: &row::WaitingMessage) -> Self {
        let message = &waiting.message;
        Self {
            message: message.id.to_string(),
            principal: message.from.id.as_str().to_owned(),
            sender: message.from.name.clone(),
            received: message.received.into(),
            text: message.text.clone(),
            attachments: message.attachments.len(),
        }
    }
}

/// The usage of a turn.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Usage {
    model: Option<String>,
    #[serde(flatten)]
    numbers: UsageNumbers,
}

/// Tokens and cost of a turn; null where the agent does not count something.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UsageNumbers {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    /// In millionths of the currency in which the agent counts.
    cost_micro: Option<u64>,
    /// Tokens of the context window that are used now.
    context_used: Option<u64>,
    /// Size of the context window in tokens.
    context_window: Option<u64>,
}

impl From<&delta::Usage> for Usage {
    fn from(usage: &delta::Usage) -> Self {
        Self { model: usage.model.clone(), numbers: usage.into() }
    }
}

impl From<&delta::Usage> for UsageNumbers {
    fn from(usage: &delta::Usage) -> Self {
        Self {
            input: usage.input,
            output: usage.output,
            cache_read: usage.cache_read,
            cache_write: usage.cache_write,
            cost_micro: usage.cost_micro,
            context_used: usage.context_used,
            context_window: usage.context_window,
        }
    }
}
