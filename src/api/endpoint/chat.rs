//! Prompts over HTTP: answered when the prompt is stored, when the agent has answered, or as a stream of events.

use axum::http::{StatusCode, header};
use frontdesk_core::port::PromptInput;
use futures_util::{StreamExt, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::callback;
use crate::error::ApiError;
use crate::frame::{self, Wire};
use crate::list;
use crate::prompt::{self, AcceptedPrompt};
use crate::prompt_queue::NewPrompt;
use crate::random;
use crate::request::{ApiRequest, ApiResponse};
use crate::show::session::Usage;
use crate::sse::{self, KEEP_ALIVE, event};
use crate::waiter::{AnswerWaiter, ReceivedAnswer, StreamEvent};

/// A message to the agent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatRequest {
    /// A message has a text, files or both.
    #[serde(default)]
    text: String,
    /// Uploads of the caller.
    #[serde(default)]
    #[schemars(length(max = prompt::MAX_FILES))]
    files: Vec<String>,
    /// The name of the caller's chat.
    #[serde(default = "prompt::default_chat")]
    #[schemars(length(min = 1, max = prompt::MAX_CHAT_NAME))]
    chat: String,
    /// Whether to wait for the answer; otherwise the response comes once the message is stored.
    #[serde(default = "yes")]
    wait: bool,
    /// Whether to answer as server-sent events, whose data are frames. The header `Accept: text/event-stream` says the same.
    #[serde(default)]
    stream: bool,
    /// Where it is posted what became of the message, if the caller does not wait.
    callback: Option<String>,
}

/// A message that is stored.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AcceptedMessage {
    /// For example `m7`.
    message: String,
    session: String,
}

/// A message that is answered.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AnsweredMessage {
    #[serde(flatten)]
    accepted: AcceptedMessage,
    /// The answer.
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

/// Sends a message to the agent. The `Idempotency-Key` is the message's id: a repeated key means the same message and gets
/// the same answer, also after a restart.
#[utoipa::path(post, path = "/api/chat", request_body = ChatRequest, responses(
    (status = 200, description = "The answer, or with `stream` its events as they come", content((AnsweredMessage = "application/json"), (String = "text/event-stream"))),
    (status = 202, description = "The message is stored (`wait` is false)", body = AcceptedMessage),
    (status = 404), (status = 409), (status = 502),
))]
pub(crate) async fn chat(mut request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let ChatRequest { text, files, chat, wait, stream, callback } = request.json()?;
    request.release_body();
    prompt::check(&chat, &text, !files.is_empty())?;
    let id = match request.idempotency_key()? {
        Some(key) => key,
        None => random::id()?,
    };
    let stream = stream || accepts_events(&request);
    if let Some(url) = &callback {
        callback::check(url)?;
        if wait || stream {
            return Err(ApiError::bad_request("callback: this is for requests with \"wait\": false"));
        }
    }
    let chat = request.caller()?.chat(chat);
    let address = prompt::address(&chat)?;
    let files = prompt::uploads(&request.server, request.caller()?, &files).await?;
    let prompt = NewPrompt { files, ..NewPrompt::new(chat, id, PromptInput::Message(text)) };
    if !wait && !stream {
        let accepted = prompt::submit(&request.server, request.caller()?, prompt).await?;
        if let Some(url) = callback {
            callback::add(&request.server, request.caller()?, accepted.message, url).await?;
        }
        return Ok(ApiResponse::json(StatusCode::ACCEPTED, AcceptedMessage::from(&accepted)));
    }
    // Subscribed before the prompt is submitted, so that no frame of the answer is missed.
    let session = request.server.handle.session_at(&address)?;
    let mut subscriber = request.server.hub.subscriber();
    subscriber.subscribe(session, Some(address));
    let accepted = prompt::submit(&request.server, request.caller()?, prompt).await?;
    subscriber.subscribe(accepted.session.clone(), None);
    let caller = request.caller()?.clone();
    let mut waiter = AnswerWaiter::new(request.server.clone(), caller, subscriber, &accepted);
    if stream {
        return Ok(ApiResponse::Other(events(waiter, &accepted)));
    }
    let ReceivedAnswer { text, usage: used, .. } = waiter.answer().await?;
    let body = AnsweredMessage { accepted: (&accepted).into(), text, usage: used.as_ref().map(Usage::from) };
    Ok(match waiter.take_reserved() {
        Some(reserved) => list::reserved_response(&body, reserved)?,
        None => ApiResponse::ok(body),
    })
}

fn yes() -> bool {
    true
}

impl From<&AcceptedPrompt> for AcceptedMessage {
    fn from(accepted: &AcceptedPrompt) -> Self {
        Self { message: accepted.message.to_string(), session: accepted.session.as_str().to_owned() }
    }
}

fn accepts_events(request: &ApiRequest) -> bool {
    let accept = request.parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/event-stream"))
}

/// The answer as server-sent events, with the same JSON as the WebSocket's frames.
fn events(waiter: AnswerWaiter, accepted: &AcceptedPrompt) -> axum::response::Response {
    let (message, session) = (accepted.message.to_string(), accepted.session.as_str());
    let first = event("accepted", &frame::text(&Wire::Accepted { id: None, message, session }));
    let rest = stream::unfold(Some(waiter), async |waiter| {
        let mut waiter = waiter?;
        Some(match waiter.next().await {
            Ok(Some(StreamEvent::Frame(frame))) => {
                (event(frame.event_name(), waiter.json(&frame)), Some(waiter))
            }
            Ok(Some(StreamEvent::KeepAlive)) => (KEEP_ALIVE.to_owned(), Some(waiter)),
            Ok(None) => return None,
            Err(error) => (event("error", &error.frame(None).to_string()), None),
        })
    });
    sse::response(stream::iter([first]).chain(rest))
}
