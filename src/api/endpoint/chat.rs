//! Prompts over HTTP: answered when the prompt is stored, when the agent has answered, or as a stream of events.

use axum::http::{StatusCode, header};
use frontdesk_core::port::PromptInput;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::callback;
use crate::error::ApiError;
use crate::list;
use crate::prompt::{self, AcceptedPrompt};
use crate::prompt_queue::NewPrompt;
use crate::random;
use crate::request::{ApiRequest, ApiResponse};
use crate::show::usage;
use crate::sse::{self, KEEP_ALIVE, event};
use crate::waiter::{AnswerWaiter, ReceivedAnswer, StreamEvent};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChatRequest {
    #[serde(default)]
    text: String,
    /// Uploads of the caller.
    #[serde(default)]
    files: Vec<String>,
    #[serde(default = "prompt::default_chat")]
    chat: String,
    #[serde(default = "yes")]
    wait: bool,
    #[serde(default)]
    stream: bool,
    /// Where it is posted what became of the message, if the caller does not wait.
    callback: Option<String>,
}

/// Accepts a prompt. The `Idempotency-Key` is the prompt's id: a repeated key means the same message and gets the same
/// answer, also after a restart.
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
        return Ok(ApiResponse::Json(StatusCode::ACCEPTED, to_json(&accepted)));
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
    let mut body = to_json(&accepted);
    body["text"] = text.into();
    if let Some(used) = used {
        body["usage"] = usage(&used);
    }
    Ok(match waiter.take_reserved() {
        Some(reserved) => list::reserved_response(body.to_string(), reserved),
        None => ApiResponse::ok(body),
    })
}

fn yes() -> bool {
    true
}

fn to_json(accepted: &AcceptedPrompt) -> Value {
    json!({"message": accepted.message.to_string(), "session": accepted.session.as_str()})
}

fn accepts_events(request: &ApiRequest) -> bool {
    let accept = request.parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/event-stream"))
}

/// The answer as server-sent events, with the same JSON as the WebSocket's frames.
fn events(waiter: AnswerWaiter, accepted: &AcceptedPrompt) -> axum::response::Response {
    let mut first = to_json(accepted);
    first["type"] = "accepted".into();
    let first = event("accepted", &first.to_string());
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
