//! What an agent reports during a turn.

use std::fmt;

use futures_channel::oneshot;
use thiserror::Error;

use crate::answer_end::AnswerEnd;
use crate::ask::AgentQuestion;
use crate::cause::Cause;
use crate::markup::closing;
use crate::progress::Progress;
use crate::visible::is_visible;

/// One report of an agent. Each of them shows that the agent is alive.
#[derive(Debug)]
pub enum Delta {
    /// More text of the answer.
    Text(String),
    /// Forget the text and the files of this attempt so far, in the chat too: the agent begins its answer again.
    Restart,
    /// The agent's own name for the conversation. Stored at once, and handed back with the next turn of this epoch.
    Session(String),
    /// It begins to compact its context.
    Compacting,
    /// It has compacted its context.
    Compacted(Compacted),
    /// A file for the chat, sent after the answer.
    Media {
        /// Its path. A file outside the media root is not sent.
        path: std::path::PathBuf,
        /// Its caption, in Markdown.
        caption: Option<String>,
    },
    /// It wants to call a tool and waits for approval.
    ToolStart(ToolCall),
    /// A tool call has ended.
    ToolEnd {
        /// The call's id.
        id: String,
        /// The tool's name.
        name: String,
        /// What it returned, as text; empty if the agent does not report it. The runtime keeps the first
        /// [`TOOL_RESULT`] bytes.
        result: String,
        /// Whether it failed.
        failed: bool,
    },
    /// It asks a person a question, and goes on once that has ended.
    Ask(AgentQuestion),
    /// It has failed, and another model or agent can take the turn over from the beginning. Waits for the decision.
    TakeOver(TakeOver),
    /// Another model or agent gives this answer than gave the last one of the conversation. The person is told.
    AnsweredBy(AnswererChange),
    /// It is alive and has no text yet.
    Progress,
    /// How far it is: shown for background work, where nobody sees the text before the end.
    Step(Progress),
    /// The usage of this attempt so far; a later report replaces it. Stored with the end of the turn, however it ends.
    Usage(Usage),
    /// The answer has ended.
    Done {
        /// The whole answer, if it differs from the text reported so far.
        text: Option<String>,
        /// Whether the agent has said everything. The runtime adds the remark for people.
        end: AnswerEnd,
    },
}

/// How much of a tool's result is passed on, in bytes.
pub const TOOL_RESULT: usize = 64 * 1024;

/// A tool call that has not begun.
#[derive(Debug)]
pub struct ToolCall {
    /// The agent's id of the call.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// Its parameters.
    pub params: serde_json::Value,
    /// Receives the decision.
    pub approval: ToolApproval,
}

/// Passes the decision about a tool call to the agent. Dropping it denies the call.
pub struct ToolApproval(Option<oneshot::Sender<ToolDecision>>);

/// Whether a tool call may begin.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolDecision {
    /// The call may begin, with these parameters.
    Allow(serde_json::Value),
    /// The call is denied, for this reason.
    Deny(String),
}

impl ToolApproval {
    /// An approval, and the receiver on which the agent waits for it.
    pub fn channel() -> (Self, oneshot::Receiver<ToolDecision>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Some(sender)), receiver)
    }

    /// For an agent that reports its tool calls and does not wait for approval.
    pub fn not_awaited() -> Self {
        Self(None)
    }

    /// Passes the decision on. It is dropped if the agent does not wait any more.
    pub fn decide(self, decision: ToolDecision) {
        if let Some(sender) = self.0 {
            drop(sender.send(decision));
        }
    }
}

impl fmt::Debug for ToolApproval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "ToolApproval(awaited)" } else { "ToolApproval(not awaited)" })
    }
}

/// Asks whether another model or agent may take over a turn from the beginning. Dropping it means no.
#[derive(Debug)]
pub struct TakeOver(oneshot::Sender<bool>);

impl TakeOver {
    /// The question, and the receiver of the decision.
    pub fn channel() -> (Self, oneshot::Receiver<bool>) {
        let (sender, receiver) = oneshot::channel();
        (Self(sender), receiver)
    }

    /// Passes the decision on: whether nothing has happened in this turn that must not happen twice.
    pub fn decide(self, may: bool) {
        // An agent that does not wait any more needs no decision.
        self.0.send(may).unwrap_or_default();
    }
}

/// Another model or agent answers than before, by the names that people know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswererChange {
    /// The one that answered before.
    pub before: String,
    /// The one that answers now.
    pub now: String,
    /// Whether the one that answers now is preferred to the one before: it has failed earlier and works again.
    pub is_return: bool,
}

/// The usage of a turn, as far as the agent reports it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// The model that answered.
    pub model: Option<String>,
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
    /// Tokens of the context window that are used now.
    pub context_used: Option<u64>,
    /// The size of the context window, in tokens.
    pub context_window: Option<u64>,
}

/// An agent has compacted its context of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compacted {
    /// What is left of the older part of the conversation. The runtime keeps the first [`SUMMARY`] bytes.
    pub summary: Option<String>,
    /// The size of the context before, in tokens.
    pub tokens: Option<u64>,
    /// What the compaction cost, of [`Agent::compact`](crate::port::Agent::compact). During a turn it belongs to the turn's
    /// own usage.
    pub usage: Option<Usage>,
}

impl Compacted {
    /// What people are told after a sentence that says that the conversation was summarized: how large it was, and the
    /// beginning of the summary, in Markdown.
    pub fn told(&self) -> String {
        let before =
            self.tokens.map(|tokens| format!(" Before, it used {tokens} tokens.")).unwrap_or_default();
        let Some(summary) = self.summary.as_deref().filter(|summary| is_visible(summary)) else {
            return before;
        };
        let shown = &summary[..summary.floor_char_boundary(SUMMARY_SHOWN)];
        let cut = if shown.len() < summary.len() { " …" } else { "" };
        format!("{before}\n\n{shown}{}{cut}", closing(shown))
    }

    /// Whether there is a summary that people can read.
    pub fn has_summary(&self) -> bool {
        self.summary.as_deref().is_some_and(is_visible)
    }
}

/// How much of a summary the chat shows, in bytes.
const SUMMARY_SHOWN: usize = 1500;

/// How much of a summary is kept, in bytes.
pub const SUMMARY: usize = 64 * 1024;

/// Why a turn has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AgentError {
    /// The agent's process ended during the turn: the turn may run once more.
    #[error("the agent died: {0}")]
    Died(Cause),
    /// The agent reports that it cannot answer: running the turn again would give the same result.
    #[error("the agent failed: {0}")]
    Failed(Cause),
    /// The agent cannot be started at all, or what it depends on does not work, such as a model provider.
    #[error("the agent cannot be started: {0}")]
    Unavailable(Cause),
    /// The machine temporarily lacks descriptors, processes or memory to start the agent. Nothing has begun: the turn
    /// waits, and this does not count as an attempt.
    #[error("the agent cannot be started now: {0}")]
    Later(Cause),
}

impl AgentError {
    /// Why it has no answer.
    pub fn into_cause(self) -> Cause {
        match self {
            AgentError::Died(cause)
            | AgentError::Failed(cause)
            | AgentError::Unavailable(cause)
            | AgentError::Later(cause) => cause,
        }
    }
}
