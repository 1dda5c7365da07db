//! What an agent says while it works.

use std::fmt;

use futures_channel::oneshot;
use thiserror::Error;

/// One thing an agent reports. Any of them counts as a sign of life.
#[derive(Debug)]
pub enum Delta {
    /// More text of the answer.
    Text(String),
    /// A file for the chat, to come after the answer.
    Media {
        /// Where it lies: beneath the media root, or it is not sent.
        path: std::path::PathBuf,
        /// What is to stand beneath it, in Markdown.
        caption: Option<String>,
    },
    /// It wants to use a tool and waits for the permit.
    ToolStart(ToolCall),
    /// A tool has ended.
    ToolEnd {
        /// The call's id.
        id: String,
        /// Whether it failed.
        failed: bool,
    },
    /// It is alive and has nothing to say yet.
    Progress,
    /// The answer is complete.
    Done {
        /// The whole answer where it differs from the pieces; else the pieces are the answer.
        text: Option<String>,
        /// What it cost.
        usage: Option<Usage>,
    },
}

/// A tool call that has not begun.
#[derive(Debug)]
pub struct ToolCall {
    /// The agent's id for the call.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its parameters.
    pub params: serde_json::Value,
    /// Where the permit goes.
    pub approval: ToolApproval,
}

/// The other end of an agent that waits. Dropping it denies the call.
pub struct ToolApproval(Option<oneshot::Sender<ToolDecision>>);

/// Whether a tool call may begin.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolDecision {
    /// Yes, with these parameters.
    Allow(serde_json::Value),
    /// No, and why.
    Deny(String),
}

impl ToolApproval {
    /// A permit and the end on which the agent waits for it.
    pub fn channel() -> (Self, oneshot::Receiver<ToolDecision>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Some(sender)), receiver)
    }

    /// For an agent that reports its tool calls and does not wait for a word.
    pub fn not_awaited() -> Self {
        Self(None)
    }

    /// Says the word. An agent that has gone away needs none.
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

/// What a turn cost, as far as the agent says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// The model that answered.
    pub model: Option<String>,
    /// Tokens read.
    pub input: Option<u64>,
    /// Tokens written.
    pub output: Option<u64>,
}

/// Why a turn has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AgentError {
    /// The agent went away in the middle: the turn may run once more.
    #[error("the agent died: {0}")]
    Died(String),
    /// The agent itself says that it cannot: running it again would say the same.
    #[error("the agent failed: {0}")]
    Failed(String),
    /// The agent cannot be started at all.
    #[error("the agent cannot be started: {0}")]
    Unavailable(String),
    /// The machine has too little of something now (descriptors, processes, memory) to start the agent. Nothing has
    /// begun: the turn waits and counts no attempt.
    #[error("the agent cannot be started now: {0}")]
    Later(String),
}
