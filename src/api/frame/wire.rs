//! The JSON of each frame.

use frontdesk_core::delivery::MessageRefs;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::markup::Node;
use serde::Serialize;
use serde_json::{Map, Value};

/// A frame as it is serialized.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Wire<'a> {
    Delta {
        text: &'a str,
        #[serde(flatten)]
        turn: TurnFields<'a>,
        attempt: u32,
        /// It is the whole text so far.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        whole: bool,
    },
    Prompt {
        id: &'a str,
        text: &'a str,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Value>,
        message: String,
        session: &'a str,
    },
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
    File {
        file: Value,
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
    Ask {
        ask: String,
        /// Nothing else answers its message.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        reply: bool,
        #[serde(flatten)]
        turn: TurnFields<'a>,
        #[serde(flatten)]
        question: Map<String, Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
    },
    AskClosed {
        ask: String,
        #[serde(flatten)]
        turn: TurnFields<'a>,
        #[serde(flatten)]
        end: Map<String, Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
    },
    Task {
        task: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<&'a str>,
        state: &'static str,
        attempt: u32,
        title: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
    },
    Progress {
        #[serde(skip_serializing_if = "Option::is_none")]
        task: Option<String>,
        #[serde(flatten)]
        turn: TurnFields<'a>,
        attempt: u32,
        percent: Option<u8>,
        text: Option<&'a str>,
    },
    Status {
        state: &'static str,
        model: Option<&'a str>,
        usage: Option<Value>,
        #[serde(flatten)]
        turn: TurnFields<'a>,
    },
    Error {
        code: &'static str,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        about: Option<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        messages: Vec<String>,
    },
}

/// The session and the messages that a frame is about. `message` is the newest message of the turn; a turn of several
/// messages lists them all in `messages`.
#[derive(Serialize)]
pub(super) struct TurnFields<'a> {
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
