//! The ports: what the house asks of the world outside. No method has a default.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_core::stream::BoxStream;
use thiserror::Error;

use crate::account::AccountId;
use crate::act::{Act, Receipt, SendError};
use crate::address::Address;
use crate::delta::{AgentError, Delta};
use crate::id::{MessageId, TurnId};
use crate::key::SessionKey;
use crate::message::{
    Attachment, Cursor, Event, FileKind, Forward, InputKind, Link, Outcome, Quote, Sender, Source,
};
use crate::profile::Profile;

/// Time. Deadlines and backoff are `mono`; only calendars and stored times are `wall`.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The calendar's time. It may jump either way.
    fn wall(&self) -> DateTime<Utc>;
    /// Time since some fixed moment. It never goes back.
    fn mono(&self) -> Mono;
    /// Time since some fixed moment, while the machine sleeps as well: `mono` may stand still then. It never goes back.
    fn elapsed(&self) -> Duration;
    /// Returns when `mono` has reached `deadline`.
    async fn sleep_until(&self, deadline: Mono);
}

/// A reading of the monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mono(pub Duration);

impl std::ops::Add<Duration> for Mono {
    type Output = Mono;
    fn add(self, later: Duration) -> Mono {
        Mono(self.0.saturating_add(later))
    }
}

impl Mono {
    /// The time since `earlier`, zero if that lies ahead.
    pub fn since(self, earlier: Mono) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// One account of one platform.
#[async_trait]
pub trait Adapter: Send + Sync + 'static {
    /// What the platform can do.
    fn profile(&self) -> &Profile;
    /// The account in the configuration.
    fn account(&self) -> &AccountId;
    /// Receives until `stop` says so, and only then returns `Ok`. An error ends this connection; the
    /// supervisor calls again after a backoff. Must not acknowledge anything before `push` has returned.
    async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) -> Result<(), AdapterError>;
    /// Carries out one act. Must not retry: the outbox does.
    async fn send(&self, to: &Address, act: Act) -> Result<Receipt, SendError>;
    /// Hands out the bytes of a file that came with a message, as the platform delivers them. Reads from the
    /// platform's own hosts alone. Must not retry, and keeps nothing.
    async fn fetch(&self, file: &Attachment) -> Result<Bytes, FetchError>;
    /// The place where the platform brings its events by itself; `None` where the adapter goes and asks.
    fn webhook(&self) -> Option<Arc<dyn Webhook>>;
}

/// A file's bytes, piece by piece.
pub type Bytes = BoxStream<'static, Result<Vec<u8>, FetchError>>;

/// Why a file cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FetchError {
    /// Another attempt may succeed.
    #[error("not now: {0}")]
    Later(String),
    /// The platform does not hand it out, and will not.
    #[error("not to be had: {0}")]
    Refused(String),
}

/// Where a platform brings its events by HTTP. The API owns the socket and has checked the size.
#[async_trait]
pub trait Webhook: Send + Sync + 'static {
    /// A cheap look at the headers before the body is read: `false` where they cannot come from the platform.
    /// Header names are given in lower case.
    fn admits(&self, header: &(dyn for<'n> Fn(&'n str) -> Option<String> + Sync)) -> bool;
    /// Takes one request and returns when its events are committed.
    async fn receive(&self, request: WebhookRequest) -> WebhookOutcome;
}

/// One request of a platform, whole: some sign the body together with headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRequest {
    /// Whether it is a GET; else it is a POST.
    pub get: bool,
    /// What follows the `?`, undecoded.
    pub query: String,
    /// Names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl WebhookRequest {
    /// The first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookOutcome {
    /// Committed: the platform may forget it. Some platforms want an answer of theirs back.
    Taken(Option<WebhookReply>),
    /// It does not come from the platform. Nothing of it was read.
    Forged,
    /// Not taken now: the platform must bring it again.
    Busy,
    /// This will never be understood; bringing it again is no use. It was counted.
    Garbage,
}

/// What a platform wants to hear back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookReply {
    /// The media type.
    pub mime: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AdapterError {
    /// The connection broke; another one may hold.
    #[error("connection lost: {0}")]
    Lost(String),
    /// The connection broke, and the platform says when it may be tried again.
    #[error("connection lost, not before {} s: {detail}", after.as_secs())]
    Later {
        /// For the log.
        detail: String,
        /// How long to wait at least.
        after: Duration,
    },
    /// The platform does not accept our credentials.
    #[error("credentials refused: {0}")]
    Credentials(String),
    /// On the platform's side something is not set up as it must be: an operator must act.
    #[error("the platform must be set up differently: {0}")]
    Setup(String),
}

/// Says when to stop. Cloning is cheap; all clones are told.
pub use tokio_util::sync::CancellationToken as Stop;

/// Where an adapter hands its events in.
#[async_trait]
pub trait Inbox: Send + Sync + 'static {
    /// Takes a batch of one source, in the platform's order. Returns when it is committed, with one outcome
    /// per event; only then may the adapter acknowledge. `cursor` names the batch's end and is committed
    /// with it. An empty batch with a cursor is fine. Without a cursor a source may be pushed to from several
    /// connections at once.
    async fn push(
        &self,
        source: &Source,
        batch: Vec<Event>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Outcome>, Busy>;
    /// The chats from which somebody has spoken since then, the latest first and at most a thousand: where a platform
    /// must be asked what was missed, and does not list its private chats itself.
    async fn chats(&self, source: &Source, since: DateTime<Utc>) -> Result<Vec<Address>, Busy>;
    /// Where the source stood at the last commit.
    async fn cursor(&self, source: &Source) -> Result<Option<Cursor>, Busy>;
    /// The platform has just shown that it still speaks to us (a poll has ended, a heartbeat was answered,
    /// an event came in). Readiness is measured on this alone.
    fn heard(&self, source: &Source);
}

/// Nothing was taken and nothing may be acknowledged: the platform must bring it again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Busy {
    /// As many messages wait as may.
    #[error("the queue is full ({waiting} messages wait)")]
    Full {
        /// How many wait.
        waiting: u64,
    },
    /// The database does not take writes now.
    #[error("the database does not take writes: {0}")]
    Storage(String),
    /// We are on the way down.
    #[error("shutting down")]
    Stopping,
    /// An admin has disconnected the channel.
    #[error("the channel is disconnected")]
    Disconnected,
}

/// Who answers.
#[async_trait]
pub trait Agent: Send + Sync + 'static {
    /// Runs one turn. Dropping the stream ends it at once and leaves no process behind.
    fn turn(&self, turn: Turn) -> BoxStream<'static, Result<Delta, AgentError>>;
    /// Gives a running turn another message. `Ok(false)` means that the agent did not take it.
    async fn steer(&self, turn: TurnId, said: &Prompt) -> Result<bool, AgentError>;
    /// Asks a running turn to end. Its stream must end soon after.
    async fn abort(&self, turn: TurnId);
    /// The conversation will not be continued: whatever is kept for it may go.
    async fn forget(&self, session: &SessionKey, epoch: u64);
    /// Ends every process and waits for them.
    async fn stop(&self);
    /// What keeps it from answering, in one sentence with what to do, as far as that can be said without starting
    /// anything. Asked at the start and for the status.
    fn problem(&self) -> Option<String>;
}

/// One run of an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Its id, the same in every attempt.
    pub id: TurnId,
    /// 1 for the first run.
    pub attempt: u32,
    /// Whether an earlier run was cut off: the agent may have seen the prompt already.
    pub resumed: bool,
    /// The conversation.
    pub session: SessionKey,
    /// Which life of the conversation. Agents keep their context per session and epoch.
    pub epoch: u64,
    /// What was said, oldest first; more than one when messages were collected.
    pub prompt: Vec<Prompt>,
    /// What was said here meanwhile and not to the agent, oldest first.
    pub context_messages: Vec<ContextMessage>,
    /// What hooks want the agent to know for this turn, besides the prompt.
    pub context: Vec<String>,
}

/// Something that was said near the agent, not to it: quiet context. Data of third parties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextMessage {
    /// Who said it.
    pub from: Sender,
    /// In which way it was said.
    pub input_kind: InputKind,
    /// What was said.
    pub text: String,
    /// Whose words it passes on, where they are not the sender's own.
    pub forward: Option<Forward>,
    /// When we took it.
    pub received: DateTime<Utc>,
}

/// A file that came with a message, as the agent gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// How it was shown.
    pub kind: FileKind,
    /// The name that its sender gave it: display data.
    pub name: Option<String>,
    /// The media type, as the platform states it.
    pub mime: Option<String>,
    /// Its size in bytes, where it is known.
    pub size: Option<u64>,
    /// Where it lies, or one sentence that says why it is not there.
    pub got: Result<std::path::PathBuf, String>,
}

/// One message in a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The message.
    pub message: MessageId,
    /// What was said.
    pub text: String,
    /// Who said it, also where somebody else runs it once more.
    pub from: Sender,
    /// Who runs it once more.
    pub retried_by: Option<Sender>,
    /// In which way it was said.
    pub input_kind: InputKind,
    /// Whose words it passes on, where they are not the sender's own.
    pub forward: Option<Forward>,
    /// Links whose target the text does not show.
    pub links: Vec<Link>,
    /// What it replies to.
    pub quote: Option<Quote>,
    /// Files of the message that it replies to.
    pub quoted_files: Vec<File>,
    /// Files that came with it.
    pub files: Vec<File>,
    /// When we accepted it.
    pub received: DateTime<Utc>,
}

/// Connects the web adapter to the HTTP server. The server owns the sockets: it hands prompts to the adapter and shows
/// the adapter's acts to the clients that are connected.
#[async_trait]
pub trait Live: Send + Sync + 'static {
    /// Waits for the next prompt from a WebSocket or an HTTP request. `None` once the server takes no more prompts.
    async fn next(&self) -> Option<PendingPrompt>;
    /// Shows an act to every client that reads its session, or its address where it names no session. There may be
    /// no such client. The adapter passes on only posts, deltas, ends and typing.
    fn show(&self, to: &Address, act: Act);
}

/// A prompt of an authenticated client that is not stored yet.
pub struct PendingPrompt {
    /// The id of the client's token: the person.
    pub token: Arc<str>,
    /// The chat, `main` unless the client named another one.
    pub chat: String,
    /// The client's id for the prompt, unique per token and chat.
    pub id: String,
    /// The text of the prompt.
    pub text: String,
    /// Must be called with the outcome once the prompt is stored or refused. It also holds the server's memory
    /// reservation for the prompt, so it must live as long as the prompt's text does.
    pub reply: PromptReply,
}

/// Tells the client of a [`PendingPrompt`] the outcome. The client may have disconnected. If this is dropped without a
/// call, the client is told that the gateway is stopping.
pub type PromptReply = Box<dyn FnOnce(Result<Outcome, Busy>) + Send>;
