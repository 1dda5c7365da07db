//! The ports: the interfaces between the gateway and the world outside.
//!
//! Authors of adapters and agents implement [`Adapter`] and [`Agent`]; the gateway implements [`Inbox`] and calls them.
//! No method has a default implementation, so that a new method is a decision for every implementation.

mod agent;
mod web;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_core::stream::BoxStream;
use thiserror::Error;

use crate::account::AccountId;
use crate::address::Address;
use crate::ask::Press;
use crate::delivery::{Delivery, Post, Receipt, SendError, Signal};
use crate::group::{Group, GroupPage, LookupError};
use crate::message::{Attachment, Cursor, Event, Outcome, Source};
use crate::profile::Profile;

pub use agent::{Agent, ContextMessage, File, Prompt, Turn};
pub use web::{WebhookFault, WebhookPost, WebhookSender};

/// The clock. Use `mono` for deadlines and backoff; use `wall` only for calendar dates and stored times.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The calendar time in UTC. It may jump in either direction when somebody sets the clock.
    fn wall(&self) -> DateTime<Utc>;
    /// The time since a fixed moment. Never goes back. May stand still while the machine sleeps.
    fn mono(&self) -> Mono;
    /// The time since a fixed moment, including the time that the machine slept. Never goes back.
    fn elapsed(&self) -> Duration;
    /// Returns once `mono` has reached `deadline`.
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
    /// The time since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Mono) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// A connection to one account of one platform.
///
/// The runtime owns the adapter: it calls [`run`](Adapter::run) in a loop with a growing pause after each error, and
/// [`deliver`](Adapter::deliver), [`signal`](Adapter::signal) and [`fetch`](Adapter::fetch) from other tasks at any time,
/// also while `run` is not running.
/// A panic in any method is contained and counts as an error of that call.
#[async_trait]
pub trait Adapter: Send + Sync + 'static {
    /// The platform's capabilities and limits. Must always return the same profile.
    fn profile(&self) -> &Profile;
    /// The account that this adapter serves, as the configuration names it.
    fn account(&self) -> &AccountId;
    /// The platform's stable id of the bot or login that it connects as, if that is known before it connects, as from a
    /// token that contains it. Must always return the same value. The platform's ids of messages belong to it: when an
    /// account has another one than before, the gateway sends nothing until the adapter has called [`Inbox::heard`] or
    /// [`Inbox::push`], and then forgets the ids that it has stored.
    fn login(&self) -> Option<String>;
    /// Connects, receives events and hands them to `inbox`, until `stop` is cancelled or the connection fails.
    ///
    /// Must return `Ok` only after `stop` is cancelled, and soon then. Returns an error when the connection is lost;
    /// must not reconnect by itself, because the runtime calls again after a backoff. Must not acknowledge an event to
    /// the platform before [`Inbox::push`] has returned `Ok` for it. Must not drop an event that it cannot read: see
    /// [`EventKind::Undecodable`](crate::message::EventKind::Undecodable).
    async fn run(&self, inbox: Arc<dyn Inbox>, stop: Stop) -> Result<(), AdapterError>;
    /// Delivers one outgoing row and reports the result.
    ///
    /// Must not retry: the outbox decides about that from the error. Must not wait out rate limits, but return
    /// [`SendError::Later`]. Must return [`SendError::Unknown`] if the request may have reached the platform and
    /// [`SendError::Offline`] only if it certainly has not. What the platform does not support is
    /// [`SendError::Refused`].
    async fn deliver(&self, to: &Address, delivery: Delivery) -> Result<Receipt, SendError>;
    /// Shows something that has no row and may be lost without harm.
    ///
    /// Must not retry and must not wait. An error only paces: the runtime sends later signals after the pause that it
    /// names, or none of that kind for this answer, and delivers the answer all the same. A signal that the platform
    /// does not support is success.
    async fn signal(&self, to: &Address, signal: Signal) -> Result<(), SendError>;
    /// Downloads a file that came with a message. Must read only from the platform's own hosts. Must not retry and must
    /// not keep a copy.
    async fn fetch(&self, file: &Attachment) -> Result<Bytes, FetchError>;
    /// Describes a group or channel by the id that the configuration names it by. Must not retry.
    async fn group(&self, id: &str) -> Result<Group, LookupError>;
    /// Lists the groups and channels that the bot can see, from the beginning or from `next` of a page before. Must not
    /// retry. The gateway asks only when an operator does.
    async fn groups(&self, from: Option<&str>) -> Result<GroupPage, LookupError>;
    /// The endpoint for platforms that deliver events by HTTP request; `None` if the adapter fetches events itself.
    /// Must always return the same value.
    fn webhook(&self) -> Option<Arc<dyn Webhook>>;
}

/// The bytes of a file, in chunks.
pub type Bytes = BoxStream<'static, Result<Vec<u8>, FetchError>>;

/// Why a file cannot be downloaded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FetchError {
    /// A later attempt may succeed.
    #[error("the platform cannot provide it now: {0}")]
    Later(String),
    /// The platform does not provide the file and never will.
    #[error("the platform does not provide it: {0}")]
    Refused(String),
}

/// Receives the HTTP requests of a platform that delivers events. The HTTP server owns the socket and has limited the
/// size of the request.
#[async_trait]
pub trait Webhook: Send + Sync + 'static {
    /// How requests show that they come from the platform. Must always return the same value.
    fn proof(&self) -> WebhookProof;
    /// Checks the headers before the body is read: `false` if the request cannot come from the platform. Must be cheap.
    /// `header` takes names in lower case.
    fn admits(&self, header: &(dyn for<'n> Fn(&'n str) -> Option<String> + Sync)) -> bool;
    /// Checks whether the whole request comes from the platform. Until then it counts as a stranger's.
    fn verify(&self, request: &WebhookRequest) -> Result<(), Forgery>;
    /// Handles one request that was verified. Must return only after its events are committed, because the answer
    /// acknowledges them.
    async fn receive(&self, request: WebhookRequest) -> WebhookOutcome;
}

/// How requests show that they come from the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookProof {
    /// The headers have its secret, which [`Webhook::admits`] has checked.
    Head,
    /// The body is signed, so that nothing is known before it is read.
    Body,
}

/// Why a request is not the platform's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgery {
    /// It does not come from the platform.
    Forged,
    /// It comes from the platform, and its signature names a time that is too far from now: it may have been recorded, or a
    /// clock is wrong.
    Stale,
}

/// A whole request of a platform. Some platforms sign the body together with headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRequest {
    /// Whether it is a GET request; otherwise it is a POST request.
    pub get: bool,
    /// The query string after the `?`, not decoded.
    pub query: String,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, unchanged.
    pub body: Vec<u8>,
}

impl WebhookRequest {
    /// The first header with this name. The name must be in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The result of a delivered request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookOutcome {
    /// Its events are committed, so the platform may forget it. The reply is for platforms that expect one.
    Taken(Option<WebhookReply>),
    /// It could not be taken now: the platform must deliver it again.
    Busy,
    /// It can never be read, so that another delivery would not help. It was counted.
    Garbage,
}

/// The reply that a platform expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookReply {
    /// The media type.
    pub mime: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// Why [`Adapter::run`] has ended.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AdapterError {
    /// The connection was lost; a new one may succeed.
    #[error("connection lost: {0}")]
    Lost(String),
    /// The connection was lost, and the platform says when it may be opened again.
    #[error("connection lost, to be opened again in {} s: {detail}", after.as_secs())]
    Later {
        /// For the log.
        detail: String,
        /// The minimum pause.
        after: Duration,
    },
    /// The platform does not accept the credentials.
    #[error("credentials refused: {0}")]
    Credentials(String),
    /// Something must be configured differently on the platform: an operator has to act.
    #[error("the platform must be set up differently: {0}")]
    Setup(String),
}

/// The signal to stop. Clones share one state and are cheap.
pub use tokio_util::sync::CancellationToken as Stop;

/// Where an adapter hands in its events. Implemented by the gateway.
#[async_trait]
pub trait Inbox: Send + Sync + 'static {
    /// Stores a batch of events of one source, in the platform's order. Returns when the batch is committed, with one
    /// outcome per event in the same order. Only then may the adapter acknowledge the events to the platform; after an
    /// error it must not, and the platform has to deliver them again.
    ///
    /// `cursor` is the position after the batch and is committed with it. An empty batch with a cursor is allowed. A
    /// source with a cursor must be pushed from one task at a time; without a cursor, several connections may push at
    /// once.
    async fn push(
        &self,
        source: &Source,
        batch: Vec<Event>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Outcome>, Busy>;
    /// The chats of this account that have sent a message since then, the latest first, at most a thousand. For
    /// adapters that have to fetch missed messages from a platform that does not list its private chats.
    async fn chats(&self, source: &Source, since: DateTime<Utc>) -> Result<Vec<Address>, Busy>;
    /// The cursor of the last committed batch; `None` before the first one.
    async fn cursor(&self, source: &Source) -> Result<Option<Cursor>, Busy>;
    /// Reports that the platform has just shown that the connection works: a poll has returned, a heartbeat was
    /// answered, an event has arrived. The account's readiness depends on these calls alone.
    fn heard(&self, source: &Source);
}

/// Nothing of the batch was stored. The adapter must not acknowledge it, so that the platform delivers it again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Busy {
    /// The queue is full (`queue.global`).
    #[error("the queue is full ({waiting} messages wait)")]
    Full {
        /// The number of waiting messages.
        waiting: u64,
    },
    /// The database cannot be written at the moment.
    #[error("the database does not take writes: {0}")]
    Storage(String),
    /// The gateway is shutting down.
    #[error("shutting down")]
    Stopping,
    /// An admin has stopped the account.
    #[error("the channel is stopped")]
    Disconnected,
}

/// Connects the web adapter to the HTTP server. The server owns the sockets: it hands prompts to the adapter and shows
/// the adapter's posts and signals to the clients that are connected.
#[async_trait]
pub trait Live: Send + Sync + 'static {
    /// Waits for the next prompt from a WebSocket or an HTTP request. `None` once the server takes no more prompts.
    async fn next(&self) -> Option<PendingPrompt>;
    /// Shows a post to every client that reads its session, or its address where it names no session. There may be no
    /// such client.
    fn show(&self, to: &Address, post: Post);
    /// Shows a signal to the same clients. The adapter passes on only deltas, ends and typing.
    fn signal(&self, to: &Address, signal: Signal);
}

/// The id of the first token, which every gateway has. Its holder is an admin of the web channel.
pub const OWNER_TOKEN: &str = "main";

/// A prompt of an authenticated client that is not stored yet.
pub struct PendingPrompt {
    /// The id of the client's token: the person.
    pub token: Arc<str>,
    /// The chat, `main` unless the client named another one.
    pub chat: String,
    /// The client's id for the prompt, unique per token and chat.
    pub id: String,
    /// What it says.
    pub input: PromptInput,
    /// Files that came with it. The server has stored them already.
    pub files: Vec<Attachment>,
    /// The agent that is to answer; `None` for the one that the configuration names.
    pub agent: Option<String>,
    /// Whether the answer is only for this client while it is connected: see [`Event::while_connected`].
    pub while_connected: bool,
    /// Must be called with the outcome once the prompt is stored or refused. It also holds the server's memory
    /// reservation for the prompt, so it must live as long as the prompt's text does.
    pub reply: PromptReply,
}

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptInput {
    /// A text, whose first line may be a command.
    Message(String),
    /// A text that is never a command.
    Plain(String),
    /// A pressed button of a question.
    Press(Press),
}

impl PromptInput {
    /// The size of its text, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            PromptInput::Message(text) | PromptInput::Plain(text) => text.len(),
            PromptInput::Press(_) => 0,
        }
    }
}

/// Tells the client of a [`PendingPrompt`] the outcome. The client may have disconnected. If this is dropped without a
/// call, the client is told that the gateway is stopping.
pub type PromptReply = Box<dyn FnOnce(Result<Outcome, Busy>) + Send>;
