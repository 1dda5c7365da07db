//! A prompt over HTTP: taken at commit, and answered when the agent has answered.

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use frontdesk_core::address::Address;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::frame::usage;
use crate::gate::{Answer, Call};
use crate::list;
use crate::prompt::{self, Taken};
use crate::random;
use crate::waiter::{Answered, Step, Waiter};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    text: String,
    #[serde(default = "prompt::default_chat")]
    chat: String,
    #[serde(default = "yes")]
    wait: bool,
    #[serde(default)]
    stream: bool,
}

/// Takes a prompt. `Idempotency-Key` is the prompt's id: the same one again is the same message, with the
/// same answer, also after a restart.
pub(crate) async fn chat(mut call: Call) -> Result<Answer, ApiError> {
    let ask: Ask = call.json()?;
    call.forget_body();
    prompt::check(&ask.chat, &ask.text)?;
    let id = match call.key()? {
        Some(key) => key,
        None => random::id()?,
    };
    let streams = ask.stream || accepts_events(&call);
    if !ask.wait && !streams {
        let taken = prompt::take(&call.server, call.caller()?, &ask.chat, &id, ask.text).await?;
        return Ok(Answer::Json(StatusCode::ACCEPTED, taken_as_json(&taken)));
    }
    // The reader is there before the prompt is, so that no answer comes too early to be seen.
    let address = Address::new("web", None, &ask.chat, None)
        .map_err(|error| ApiError::bad_request(error.to_string()))?;
    let session = call.server.handle.session_at(&address)?;
    let mut reader = call.server.hub.reader();
    reader.subscribe(session, Some(address));
    let taken = prompt::take(&call.server, call.caller()?, &ask.chat, &id, ask.text).await?;
    reader.subscribe(taken.session.clone(), None);
    let mut waiter = Waiter::new(call.server.clone(), reader, &taken);
    if streams {
        return Ok(Answer::Other(events(waiter, &taken)));
    }
    let Answered { text, cost, .. } = waiter.answer().await?;
    let mut body = taken_as_json(&taken);
    body["text"] = text.into();
    if let Some(cost) = cost {
        body["usage"] = usage(&cost);
    }
    Ok(match waiter.take_room() {
        Some(reserved) => list::kept(body.to_string(), reserved),
        None => Answer::ok(body),
    })
}

fn yes() -> bool {
    true
}

fn taken_as_json(taken: &Taken) -> Value {
    json!({"message": taken.message.to_string(), "session": taken.session.as_str()})
}

fn accepts_events(call: &Call) -> bool {
    let accept = call.parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/event-stream"))
}

/// The answer as server-sent events, with the JSON of the WebSocket's frames.
fn events(waiter: Waiter, taken: &Taken) -> axum::response::Response {
    let mut accepted = taken_as_json(taken);
    accepted["type"] = "accepted".into();
    let first = event("accepted", &accepted.to_string());
    let rest = stream::unfold(Some(waiter), async |waiter| {
        let mut waiter = waiter?;
        Some(match waiter.step().await {
            Step::Frame(frame) => (event(frame.event(), frame.json.as_str()), Some(waiter)),
            Step::Nothing => (": still at work\n\n".to_owned(), Some(waiter)),
            Step::End => return None,
            Step::Failed(error) => (event("error", &error.frame(None).to_string()), None),
        })
    });
    let all = futures_util::StreamExt::chain(stream::iter([first]), rest);
    let body =
        futures_util::StreamExt::map(all, |event| Ok::<_, std::convert::Infallible>(Bytes::from(event)));
    let kind = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (kind, Body::from_stream(body)).into_response()
}

fn event(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}
