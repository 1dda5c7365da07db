//! The port of agents, and what one run of an agent is given.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_core::stream::BoxStream;

use crate::agent::{Capabilities, Origin, SessionOptions, TurnRole};
use crate::delta::{AgentError, Compacted, Delta};
use crate::failover::Failover;
use crate::history::History;
use crate::id::{ChatMessageId, MessageId, TurnId};
use crate::key::SessionKey;
use crate::message::{FileKind, Forward, InputKind, Link, Quote, Sender};
use crate::tool::{Tool, Tools};

/// An agent: answers messages.
///
/// The runtime runs at most one turn per session at a time, and turns of different sessions in parallel. A panic in any
/// method is contained and counts as a failed turn.
#[async_trait]
pub trait Agent: Send + Sync + 'static {
    /// What it can do besides answering. Must not start anything.
    fn capabilities(&self) -> Capabilities;
    /// Runs one turn and reports its progress as a stream, which ends with [`Delta::Done`] or an error.
    ///
    /// Dropping the stream must end the turn at once and leave no process behind. The stream must yield something
    /// ([`Delta::Progress`] at least) more often than `turns.progress_timeout_seconds`, or the turn is ended as silent.
    fn turn(&self, turn: Turn) -> BoxStream<'static, Result<Delta, AgentError>>;
    /// Adds a message to a running turn. `Ok(false)` means that the agent did not take it. Called only if
    /// [`Capabilities::steer`] is set, and while the turn's stream is polled.
    ///
    /// Returns when the agent has decided. After [`STEER_TIMEOUT`](crate::agent::STEER_TIMEOUT) the message waits for its
    /// own turn; if the agent takes it later, but before the turn's stream ends, it is answered in this turn after all.
    /// Must have returned when the stream ends.
    async fn steer(&self, turn: TurnId, prompt: &Prompt) -> Result<bool, AgentError>;
    /// Asks a running turn or compaction to end. Its stream or future must end soon afterwards; it is dropped if it does
    /// not. Unknown turns are ignored.
    async fn abort(&self, turn: TurnId);
    /// Compacts its context of a conversation. `turn` has no messages; `instructions` say in a person's words what the
    /// summary should keep. Called only if [`Capabilities::compact`] is set, and not while a turn of the session runs.
    /// Dropping the future must end the work at once and leave no process behind.
    async fn compact(&self, turn: Turn, instructions: Option<String>) -> Result<Compacted, AgentError>;
    /// The conversation will not be continued in this epoch: whatever the agent keeps for it may be deleted.
    async fn forget(&self, session: &SessionKey, epoch: u64);
    /// Ends every process and waits until all have ended.
    async fn stop(&self);
    /// What prevents it from answering, in one sentence that says what to do; `None` if nothing is known. Asked at the
    /// start and for the status. Must not start anything.
    fn problem(&self) -> Option<String>;
    /// The models or agents that may answer for it, and the one that answers a conversation with what is chosen for it, or
    /// a new one; `None` if it answers alone. Must not start anything.
    fn failover(&self, of: Option<(&SessionKey, &SessionOptions)>) -> Option<Failover>;
}

/// One run of an agent.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The id of the turn, the same in every attempt.
    pub id: TurnId,
    /// 1 for the first run.
    pub attempt: u32,
    /// Whether an earlier attempt was interrupted: the agent may have seen the prompt already.
    pub resumed: bool,
    /// The conversation.
    pub session: SessionKey,
    /// The epoch of the conversation. Agents keep their context per session and epoch.
    pub epoch: u64,
    /// The agent's own name for this conversation, as it has reported it last with [`Delta::Session`].
    pub agent_ref: Option<String>,
    /// What began the turn.
    pub origin: Origin,
    /// Whether it answers only admins, in private: they may do themselves what the agent does for them.
    pub trusted: bool,
    /// What is chosen for the session, or else what the role says, of what the agent offers.
    pub options: SessionOptions,
    /// The role of the chat or the person, if there is one. An agent leaves out what it cannot use.
    pub role: Option<Arc<TurnRole>>,
    /// How long nothing may be reported before the turn is ended as silent.
    pub progress_timeout: Duration,
    /// What was said in this epoch before.
    pub history: Arc<dyn History>,
    /// What the agent can do in the gateway.
    pub tools: Arc<dyn Tools>,
    /// The messages, oldest first. More than one if they were collected.
    pub prompt: Vec<Prompt>,
    /// Messages of this chat that were not meant for the agent, oldest first.
    pub context_messages: Vec<ContextMessage>,
    /// Texts that hooks have added for this turn.
    pub context: Vec<String>,
}

impl Turn {
    /// The gateway's tools that the agent has in the role of this turn.
    pub fn tools_in_role(&self) -> Vec<Tool> {
        let has = |tool: &Tool| self.role.as_ref().is_none_or(|role| role.gives.has_tool(tool.name));
        self.tools.list().into_iter().filter(has).collect()
    }
}

/// A message that was not meant for the agent and is passed to it as context. Its sender is a third party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextMessage {
    /// Its sender.
    pub from: Sender,
    /// How it was given: as a message, an edit, a button or a reaction.
    pub input_kind: InputKind,
    /// Its text.
    pub text: String,
    /// The original author, if it is a forwarded message.
    pub forward: Option<Forward>,
    /// When it was accepted.
    pub received: DateTime<Utc>,
}

/// A file that came with a message, as the agent gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// How the chat showed it.
    pub kind: FileKind,
    /// The file name that the sender chose. Only for display.
    pub name: Option<String>,
    /// The media type, as the platform states it.
    pub mime: Option<String>,
    /// Its size in bytes, if known.
    pub size: Option<u64>,
    /// Its path, or one sentence that says why it is missing.
    pub got: Result<std::path::PathBuf, String>,
    /// Of a recording: its words, or one sentence that says why there are none. `None` for other files, and for a recording
    /// that is missing.
    pub transcript: Option<Result<String, String>>,
}

/// One message in a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The id of the message.
    pub message: MessageId,
    /// The text.
    pub text: String,
    /// Its sender, also if another person sent `/retry`.
    pub from: Sender,
    /// Who sent `/retry`, if it runs again because of that.
    pub retried_by: Option<Sender>,
    /// The id of the message that it replies to, if the agent can name that one to the gateway's tools.
    pub quoted: Option<ChatMessageId>,
    /// How it was given: as a message, an edit, a button or a reaction.
    pub input_kind: InputKind,
    /// The original author, if it is a forwarded message.
    pub forward: Option<Forward>,
    /// Links whose target the text does not show.
    pub links: Vec<Link>,
    /// The message that it replies to.
    pub quote: Option<Quote>,
    /// Files of the message that it replies to.
    pub quoted_files: Vec<File>,
    /// Files that came with it.
    pub files: Vec<File>,
    /// When it was accepted.
    pub received: DateTime<Utc>,
}
