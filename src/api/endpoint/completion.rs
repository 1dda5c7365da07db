//! Chat completions, for programs that know the OpenAI interface. Its models are the agents.

use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use frontdesk_core::message::Attachment;
use frontdesk_core::tool::ClientTools;
use schemars::JsonSchema;
use serde::Serialize;

use crate::completion::destination::{CHAT, Destination, Lasts};
use crate::completion::error;
use crate::completion::finish;
use crate::completion::image::Image;
use crate::completion::object::{self, ChatCompletion, Completion, Model};
use crate::completion::request::CompletionRequest;
use crate::completion::stream::{self, CancelOnDrop, TurnTools};
use crate::ending::beginning;
use crate::error::{AgentFailure, ApiError};
use crate::list;
use crate::prompt::{self, AcceptedPrompt};
use crate::prompt_queue::NewPrompt;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;
use crate::waiter::{AnswerWaiter, ReceivedAnswer};

/// The message's id, by which a complaint can be traced. The official clients log it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The agents, as models.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ModelList {
    object: &'static str,
    data: Vec<Model>,
}

/// Answers the last message of a conversation, as OpenAI's interface does.
#[utoipa::path(post, path = "/v1/chat/completions", request_body = CompletionRequest, responses(
    (status = 200, description = "A chat completion, or with `stream` its chunks as they come", content((ChatCompletion = "application/json"), (String = "text/event-stream"))),
    (status = 404), (status = 409), (status = 502),
))]
pub(crate) async fn complete(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let response = completed(request).await.unwrap_or_else(error::response);
    Ok(ApiResponse::Other(response))
}

/// Lists the agents as models.
#[utoipa::path(get, path = "/v1/models", responses((status = 200, body = ModelList)))]
pub(crate) async fn models(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let handle = &request.server.handle;
    let models = handle.agents().into_iter().map(|agent| object::model(&agent, handle.started()));
    Ok(ApiResponse::ok(ModelList { object: "list", data: models.collect() }))
}

/// One agent as a model.
#[utoipa::path(get, path = "/v1/models/{model}", responses((status = 200, body = Model), (status = 404)))]
pub(crate) async fn model(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    Ok(match known_agent(&request, request.param(0)?) {
        Ok(agent) => ApiResponse::ok(object::model(&agent, request.server.handle.started())),
        Err(error) => ApiResponse::Other(error::response(error)),
    })
}

async fn completed(mut request: ApiRequest) -> Result<Response, ApiError> {
    let asked: CompletionRequest = request.json()?;
    request.release_body();
    asked.check()?;
    let agent = known_agent(&request, &asked.model)?;
    let tools = asked.client_tools()?;
    check_tools(&request, &agent, &tools)?;
    let Destination { chat, id, input, images, lasts } = Destination::of(&request, &asked)?;
    let (server, caller) = (request.server.clone(), request.caller()?.clone());
    let address = prompt::address(&chat)?;
    // Subscribed before the prompt is submitted, so that no frame of the answer is missed.
    let mut subscriber = server.hub.subscriber();
    let session = server.handle.session_with(&agent, &address)?;
    subscriber.subscribe(session.clone(), Some(address));
    let offer = (!tools.tools.is_empty()).then(|| server.handle.offer_tools(session, tools));
    let tools = TurnTools { offer, many: asked.takes_many_calls() };
    let files = kept(&server, images).await?;
    let while_connected = lasts == Lasts::WhileConnected;
    let new = NewPrompt {
        files: files.clone(),
        agent: Some(agent.clone()),
        while_connected,
        ..NewPrompt::new(chat, id, input)
    };
    let accepted = prompt::submit(&server, &caller, new).await;
    if accepted.as_ref().map_or(true, |accepted| accepted.duplicate) {
        server.handle.discard_files(&files).await;
    }
    let accepted = accepted?;
    check_agent(&accepted, &agent)?;
    let completion = Completion { message: accepted.message, created: server.clock().wall(), model: agent };
    let mut client = CancelOnDrop::new(server.clone(), accepted.message);
    if lasts == Lasts::UntilAnswered {
        client.disarm();
    }
    let mut waiter = AnswerWaiter::new(server, caller, subscriber, &accepted);
    if while_connected {
        waiter.ends_with_the_gateway();
    }
    let mut response = if asked.stream {
        stream::response(waiter, completion, asked.include_usage(), tools, client)
    } else {
        whole(waiter, &completion, &tools, client).await?
    };
    if let Ok(id) = HeaderValue::from_str(&accepted.message.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    Ok(response)
}

/// The response with the whole answer.
async fn whole(
    mut waiter: AnswerWaiter,
    completion: &Completion,
    tools: &TurnTools,
    mut client: CancelOnDrop,
) -> Result<Response, ApiError> {
    let answer = waiter.answer().await;
    client.disarm();
    let (answer, calls) = (answer?, tools.calls());
    let reason = finish::reason(&answer, &calls, completion.message);
    let body = completion.whole(&answer, &calls, reason.map_err(|error| failed(error, &answer))?);
    Ok(match waiter.take_reserved() {
        Some(reserved) => list::reserved_response(&body, reserved)?,
        None => ApiResponse::ok(body),
    }
    .into_response())
}

/// Refuses a key that belongs to a request to another agent.
fn check_agent(accepted: &AcceptedPrompt, agent: &str) -> Result<(), ApiError> {
    if accepted.session.agent() == agent {
        return Ok(());
    }
    let mut error = ApiError::conflict(accepted.message);
    error.message =
        "this Idempotency-Key was already used for a request to another model: use a new one".into();
    Err(error)
}

/// The error of an answer that is not whole, with the text so far.
fn failed(mut error: ApiError, answer: &ReceivedAnswer) -> ApiError {
    let text = Some(answer.own_text().to_owned()).filter(|text| !text.is_empty());
    error.failed = Some(Box::new(AgentFailure { text: text.map(beginning), detail: None }));
    error
}

/// Refuses tools where they could not be called.
fn check_tools(request: &ApiRequest, agent: &str, tools: &ClientTools) -> Result<(), ApiError> {
    if tools.tools.is_empty() {
        return Ok(());
    }
    if request.parts.headers.contains_key(CHAT) {
        return Err(error::unsupported(
            "tools",
            "a chat goes on without the client, so leave X-Frontdesk-Chat out",
        ));
    }
    if request.parts.headers.contains_key("idempotency-key") {
        let why = "an answer that calls tools is not kept for a repetition, so leave Idempotency-Key out";
        return Err(error::unsupported("tools", why));
    }
    if !request.server.handle.takes_client_tools(agent) {
        let why = match &*request.server.handle.without_client_tools(agent) {
            [] => format!("the agent {agent} calls its own tools and none of a client"),
            some => format!(
                "the agent {agent} takes none, because {} may answer in its place and calls no tools of a client",
                some.join(" or ")
            ),
        };
        return Err(error::unsupported("tools", why));
    }
    Ok(())
}

/// Stores the images of a request.
async fn kept(server: &ServerState, images: Vec<Image>) -> Result<Vec<Attachment>, ApiError> {
    let mut files = Vec::with_capacity(images.len());
    for Image { mime, bytes } in images {
        match server.handle.keep_picture(bytes, mime).await {
            Ok(file) => files.push(file),
            Err(error) => {
                tracing::error!(%error, "the images of a request could not be stored");
                server.handle.discard_files(&files).await;
                return Err(ApiError::internal());
            }
        }
    }
    Ok(files)
}

/// The agent of this name.
fn known_agent(request: &ApiRequest, name: &str) -> Result<String, ApiError> {
    let agents = request.server.handle.agents();
    if agents.iter().any(|agent| agent == name) {
        return Ok(name.to_owned());
    }
    let mut error = ApiError::not_found(format!(
        "there is no such model; the models are the agents: {}",
        agents.join(", ")
    ));
    error.code = "model_not_found".into();
    Err(error)
}
