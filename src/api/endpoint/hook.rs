//! Events of other programs (`[hooks]`): checked, read, and stored before they are acknowledged.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use frontdesk_core::message::Outcome;
use frontdesk_runtime::{EventRequest, EventStored};
use frontdesk_store::row::OutboxRow;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::error::ApiError;
use crate::hook::signature::{Rejected, Signature};
use crate::hook::{EventError, EventText, Hook, payload};
use crate::prompt;
use crate::request::{ApiRequest, ApiResponse, Identity};
use crate::server::ServerState;

/// Refuses an event by its head: what does not come from its sender, is too old, or is for no endpoint. An address with too
/// many such requests must wait, but a request with the right secret is accepted from it all the same.
pub(crate) fn check_head(
    server: &ServerState,
    params: &[String],
    headers: &HeaderMap,
    ip: IpAddr,
) -> Result<Identity, ApiError> {
    let hook = match server.hook(params) {
        Ok(hook) => hook,
        Err(unknown) => {
            server.limit_without_token(ip, headers)?;
            return Err(unknown);
        }
    };
    hook.check_head(headers, server.clock().wall()).map_err(|why| refused(server, &hook, why, ip))?;
    Ok(if hook.signature == Signature::Bearer { Identity::Sender } else { Identity::Unknown })
}

/// What an event has become.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AcceptedEvent {
    /// The key by which a repetition is recognised.
    event: String,
    #[serde(flatten)]
    became: Became,
}

/// A background task, a message to an agent, or messages to a chat, as the endpoint is configured.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum Became {
    Task {
        task: String,
        session: String,
        state: &'static str,
    },
    Messages {
        parts: Vec<QueuedPart>,
    },
    Message {
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<String>,
    },
}

/// A message to a chat. Its sender learns neither the chat nor what became of it.
#[derive(Debug, Serialize, JsonSchema)]
struct QueuedPart {
    id: String,
    state: &'static str,
}

/// The answer to a request that is no event.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum EventReply {
    /// Slack asks whether the endpoint is there.
    Challenge { challenge: String },
    /// The event is of no interest.
    Ignored { ignored: bool },
}

const IGNORED: EventReply = EventReply::Ignored { ignored: true };

/// Takes an event of another program: JSON or a form, as the endpoint is configured in `[hooks]`. Answers once it is stored; a
/// repetition gets the same answer and changes nothing.
#[utoipa::path(post, path = "/hooks/{hook}", request_body = Value, responses(
    (status = 200, body = EventReply), (status = 202, body = AcceptedEvent), (status = 401), (status = 404), (status = 409), (status = 422),
))]
pub(crate) async fn receive(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (server, headers) = (&request.server, &request.parts.headers);
    let hook = server.hook(&request.params)?;
    hook.check_body(headers, &request.body).map_err(|why| refused(server, &hook, why, request.ip))?;
    request.peer.slot.authenticate();
    hook.rate_limiter.take(&(), server.now()).map_err(ApiError::too_many)?;
    let event = payload::read(headers, &request.body)?;
    if let Some(answer) = only_a_question(&hook, headers, &event) {
        return Ok(ApiResponse::ok(answer));
    }
    let text = match hook.text(&event) {
        Ok(EventText::Text(text)) => text,
        Ok(EventText::Unwanted) => return Ok(ApiResponse::ok(IGNORED)),
        Err(error) => return Err(unreadable(&hook, &error)),
    };
    let key = payload::key(hook.signature, headers, &request.body, &event)?;
    let owner = match &hook.owner {
        Some(owner) => owner.clone(),
        None => server.tokens.operator().ok_or_else(ApiError::internal)?,
    };
    let (name, target) = (hook.name.clone(), hook.target.clone());
    let stored = EventRequest { hook: name, key: key.clone(), text, owner, target };
    let body = AcceptedEvent { became: became(server.handle.event(stored).await?)?, event: key };
    metrics::counter!("frontdesk_events_total", "hook" => hook.name.clone()).increment(1);
    Ok(ApiResponse::json(StatusCode::ACCEPTED, body))
}

/// The answer to a request by which a sender only asks whether the endpoint is there.
fn only_a_question(hook: &Hook, headers: &HeaderMap, event: &Value) -> Option<EventReply> {
    let is = |field: &str, value: &str| event.get(field).and_then(Value::as_str) == Some(value);
    match hook.signature {
        Signature::Slack if is("type", "url_verification") => {
            let challenge = event.get("challenge").and_then(Value::as_str).unwrap_or_default();
            Some(EventReply::Challenge { challenge: challenge.to_owned() })
        }
        Signature::Github if headers.get("x-github-event").map(HeaderValue::as_bytes) == Some(b"ping") => {
            Some(IGNORED)
        }
        _ => None,
    }
}

/// What an event has become.
fn became(stored: EventStored) -> Result<Became, ApiError> {
    Ok(match stored {
        EventStored::Task(task) => Became::Task {
            task: task.id.to_string(),
            session: task.session.as_str().to_owned(),
            state: task.state.name(),
        },
        // The sender may show it to people who are to know neither the chat nor what became of the message.
        EventStored::Messages(parts) => Became::Messages { parts: parts.iter().map(part).collect() },
        // Its template has changed since: it is the same event all the same.
        EventStored::Input(Outcome::Conflict { message }) => {
            Became::Message { message: message.to_string(), session: None }
        }
        EventStored::Input(outcome) => {
            let accepted = prompt::accepted(Ok(Ok(outcome)))?;
            let session = Some(accepted.session.as_str().to_owned());
            Became::Message { message: accepted.message.to_string(), session }
        }
    })
}

fn part(part: &OutboxRow) -> QueuedPart {
    QueuedPart { id: part.post.out.to_string(), state: part.state.name() }
}

fn refused(server: &ServerState, hook: &Hook, why: Rejected, ip: IpAddr) -> ApiError {
    let to = format!("hooks/{}", hook.name);
    match why {
        Rejected::Forged => server.refuse_forged(&to, ip),
        Rejected::Stale => server.refuse_stale(&to, ip),
    }
}

/// The sender sees it, and the log says it too: the template is the operator's.
fn unreadable(hook: &Hook, error: &EventError) -> ApiError {
    let message = match error {
        EventError::Missing(missing) => {
            tracing::warn!(hook = hook.name, %missing, "an event does not have what its template names");
            format!("hooks.endpoints.{}.template does not fit this event: {missing}", hook.name)
        }
        EventError::NoText => "`text` must say something".to_owned(),
    };
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "unreadable_event", message)
}
