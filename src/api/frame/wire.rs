//! The JSON of each frame.

use frontdesk_core::delivery::MessageRefs;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::markup::Node;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::ask::{AskEnding, Question};
use crate::attachment::{ReceivedFile, SentFile};
use crate::show::session::UsageNumbers;
use crate::task::TaskError;

/// A frame as it is serialized.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schemars(rename = "TypedFrame")]
pub(crate) enum Wire<'a> {
    /// The client is known, and may send frames.
    Ready { protocol: u8 },
    /// A prompt is stored.
    Accepted {
        /// The id of the prompt.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Value>,
        message: String,
        session: &'a str,
    },
    /// A piece of an answer that is being written. A higher attempt replaces the text of the one before.
    Delta {
        text: &'a str,
        #[serde(flatten)]
        turn: TurnFields<'a>,
        attempt: u32,
        /// It is the whole text so far.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        whole: bool,
    },
    /// What somebody has written, for others who follow the session.
    Prompt {
        id: &'a str,
        text: &'a str,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<ReceivedFile>,
        message: String,
        session: &'a str,
    },
    /// A whole answer.
    Done {
        #[serde(rename = "fullText")]
        full_text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        markup: Option<Vec<Node>>,
        #[serde(flatten)]
        turn: TurnFields<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
    },
    /// A file that was sent.
    File {
        file: SentFile,
        /// The caption.
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        markup: Option<Vec<Node>>,
        kind: &'static str,
        #[serde(flatten)]
        turn: TurnFields<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
    },
    /// Any other message: a notice, one that was sent, or the result of a task or a job.
    Message {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        markup: Option<Vec<Node>>,
        kind: &'static str,
        #[serde(flatten)]
        turn: TurnFields<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
    },
    /// A question.
    Ask {
        ask: String,
        /// Nothing else answers its message.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        reply: bool,
        #[serde(flatten)]
        turn: TurnFields<'a>,
        #[serde(flatten)]
        question: Question,
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
    },
    /// The end of a question.
    AskClosed {
        /// The id of the answer's frame, if it is this client's.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Value>,
        ask: String,
        #[serde(flatten)]
        turn: TurnFields<'a>,
        #[serde(flatten)]
        end: AskEnding,
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
    },
    /// A change of a background task's state.
    Task {
        task: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<&'a str>,
        state: &'static str,
        attempt: u32,
        title: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<TaskError>,
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
    },
    /// How far a background task is, or what the agent does before it answers.
    Progress {
        #[serde(skip_serializing_if = "Option::is_none")]
        task: Option<String>,
        #[serde(flatten)]
        turn: TurnFields<'a>,
        attempt: u32,
        percent: Option<u8>,
        text: Option<&'a str>,
    },
    /// A turn has ended without an error.
    Status {
        state: &'static str,
        model: Option<&'a str>,
        usage: Option<UsageNumbers>,
        #[serde(flatten)]
        turn: TurnFields<'a>,
    },
    /// A turn has ended with an error, or a frame of the client cannot be carried out.
    Error {
        // Flattened, because tools that make types of the schema drop what stands beside a reference.
        #[serde(flatten)]
        error: ErrorFrame<'a>,
    },
    /// The agent begins to answer.
    Typing,
    /// Pieces of an answer were left out, because the client reads too slowly.
    Gap { session: Option<&'a str> },
    /// The answer to `ping`.
    Pong,
}

/// What is wrong.
#[derive(Default, Serialize, JsonSchema)]
pub(crate) struct ErrorFrame<'a> {
    /// The id of the client's frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Value>,
    /// For programs, for example `not_found`.
    pub(super) code: &'a str,
    /// For people: what is wrong, and what to do.
    pub(super) message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<&'a str>,
    /// The message that the error is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) about: Option<String>,
    /// All messages of the turn, if there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) messages: Vec<String>,
    /// The text that the agent had written before its turn ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    /// Why the turn failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
    /// How to send a message again that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
    /// Seconds to wait before another attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_after: Option<u64>,
}

/// The session and the messages that a frame is about. `message` is the newest message of the turn; a turn of several
/// messages lists them all in `messages`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct TurnFields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) messages: Vec<String>,
}

impl<'a> TurnFields<'a> {
    pub(super) fn new(about: &'a MessageRefs) -> Self {
        let several = if about.messages.len() > 1 { about.messages.as_slice() } else { &[] };
        Self {
            session: about.session.as_ref().map(SessionKey::as_str),
            message: about.messages.last().map(MessageId::to_string),
            messages: several.iter().map(MessageId::to_string).collect(),
        }
    }
}
