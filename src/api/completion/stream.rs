//! A streamed answer: chunks as server-sent events. A failure is an event with an error, never a normal end.

use std::sync::Arc;

use axum::response::Response;
use frontdesk_core::delivery::Ending;
use frontdesk_core::delta::Usage;
use frontdesk_core::id::MessageId;
use frontdesk_core::tool::ClientCall;
use frontdesk_runtime::ClientOffer;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::error;
use super::finish;
use super::growing_text::GrowingText;
use super::object::{self, Completion};
use crate::error::ApiError;
use crate::frame::{FrameKind, ServerFrame};
use crate::server::ServerState;
use crate::sse::{self, KEEP_ALIVE};
use crate::waiter::{AnswerWaiter, StreamEvent};

/// Cancels a message when its client disconnects before the answer has ended.
pub(crate) struct CancelOnDrop {
    server: Arc<ServerState>,
    message: Option<MessageId>,
}

impl CancelOnDrop {
    pub(crate) fn new(server: Arc<ServerState>, message: MessageId) -> Self {
        Self { server, message: Some(message) }
    }

    /// The message has ended, or is to be answered whether or not the client stays.
    pub(crate) fn disarm(&mut self) {
        self.message = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        let Some(message) = self.message.take() else { return };
        let handle = self.server.handle.clone();
        self.server.tasks.spawn(async move {
            if let Err(error) = handle.cancel_message(message).await {
                tracing::warn!(message_id = %message, %error, "the turn of a client that disconnected was not cancelled");
            }
        });
    }
}

/// The client's tools in the turn of its request.
pub(crate) struct TurnTools {
    /// `None` if the client offers none.
    pub(crate) offer: Option<ClientOffer>,
    /// Whether the answer may end with several calls.
    pub(crate) many: bool,
}

impl TurnTools {
    /// The calls with which the answer has ended. An agent calls again what the client does not get.
    pub(crate) fn calls(&self) -> Vec<ClientCall> {
        let mut calls = self.offer.as_ref().map(ClientOffer::calls).unwrap_or_default();
        if !self.many {
            calls.truncate(1);
        }
        calls
    }
}

/// An answer on its way to a client.
struct Streamed {
    waiter: AnswerWaiter,
    completion: Completion,
    include_usage: bool,
    text: GrowingText,
    /// The answer exists; its rest is sent once it can be read how it ends.
    answered: bool,
    tools: TurnTools,
    client: CancelOnDrop,
}

/// The response with the answer.
pub(crate) fn response(
    waiter: AnswerWaiter,
    completion: Completion,
    include_usage: bool,
    tools: TurnTools,
    client: CancelOnDrop,
) -> Response {
    let first = data(&completion.chunk(json!({"role": "assistant", "content": ""}), None));
    let (text, answered) = (GrowingText::default(), false);
    let streamed = Streamed { waiter, completion, include_usage, text, answered, tools, client };
    let rest = stream::unfold(Some(streamed), async |streamed| {
        let mut streamed = streamed?;
        let (written, goes_on) = streamed.next().await;
        Some((written, goes_on.then_some(streamed)))
    });
    sse::response(stream::iter([first]).chain(rest))
}

impl Streamed {
    /// The next text to write, and whether more follows.
    async fn next(&mut self) -> (String, bool) {
        loop {
            let written = match self.waiter.next().await {
                Ok(Some(StreamEvent::Frame(frame))) => match self.frame(&frame) {
                    Ok(written) => written,
                    Err(error) => return (self.failed(&error), false),
                },
                Ok(Some(StreamEvent::KeepAlive)) => Some(KEEP_ALIVE.to_owned()),
                Ok(None) if self.answered => return (self.end().await, false),
                Ok(None) => return (self.failed(&ApiError::internal()), false),
                Err(error) => return (self.failed(&error), false),
            };
            if let Some(written) = written {
                return (written, true);
            }
        }
    }

    /// What a frame adds to the answer.
    fn frame(&mut self, frame: &ServerFrame) -> Result<Option<String>, ApiError> {
        let more = match frame.kind {
            FrameKind::Delta => {
                let fields = serde_json::from_str::<Value>(frame.json.as_str()).unwrap_or_default();
                let piece = fields["text"].as_str().unwrap_or_default();
                self.text.add(fields["attempt"].as_u64().unwrap_or(0), piece)
            }
            FrameKind::Gap => {
                self.text.miss();
                None
            }
            FrameKind::Done | FrameKind::AskReply => {
                self.answered = true;
                None
            }
            FrameKind::End(Ending::Answered) => None,
            FrameKind::End(ending) => return Err(ApiError::ended(ending, self.completion.message)),
            FrameKind::Message
            | FrameKind::File
            | FrameKind::Prompt
            | FrameKind::Task
            | FrameKind::Progress
            | FrameKind::Ask
            | FrameKind::AskClosed
            | FrameKind::Typing
            | FrameKind::Stored => None,
        };
        Ok(more.map(|more| data(&self.completion.chunk(json!({"content": more}), None))))
    }

    /// The rest of the answer, and why it ends.
    async fn end(&mut self) -> String {
        self.client.disarm();
        let answer = match self.waiter.ended().await {
            Ok(answer) => answer,
            Err(error) => return self.failed(&error),
        };
        let Some(rest) = self.text.rest(answer.own_text()) else {
            return self.failed(&begun_anew().about(self.completion.message));
        };
        let mut end = String::new();
        if !rest.is_empty() {
            end.push_str(&data(&self.completion.chunk(json!({"content": rest}), None)));
        }
        let calls = self.tools.calls();
        match finish::reason(&answer, &calls, self.completion.message) {
            Ok(reason) => self.finish(&mut end, &calls, reason, answer.usage.as_ref()),
            Err(error) => end.push_str(&self.failed(&error)),
        }
        end
    }

    fn finish(&self, end: &mut String, calls: &[ClientCall], reason: &str, usage: Option<&Usage>) {
        if !calls.is_empty() {
            let delta = json!({"tool_calls": object::streamed_calls(calls)});
            end.push_str(&data(&self.completion.chunk(delta, None)));
        }
        end.push_str(&data(&self.completion.chunk(json!({}), Some(reason))));
        if let Some(usage) = usage.filter(|_| self.include_usage) {
            end.push_str(&data(&self.completion.usage_chunk(usage)));
        }
        end.push_str("data: [DONE]\n\n");
    }

    fn failed(&mut self, error: &ApiError) -> String {
        self.client.disarm();
        data(&error::body(error))
    }
}

/// The client has text that is not part of the answer.
fn begun_anew() -> ApiError {
    let mut error = ApiError::internal();
    error.code = "answer_restarted".into();
    error.message =
        "the agent took back what it had said and answered anew: ask without `stream` to get the answer"
            .into();
    error
}

fn data(object: &Value) -> String {
    format!("data: {object}\n\n")
}
