//! Questions that wait for a person, and their answers.

use axum::extract::ws::Utf8Bytes;
use frontdesk_core::access::Action;
use frontdesk_core::ask::{
    self as questions, Answerer, AskAnswer, AskChoice, AskError, AskState, AskView, Press,
};
use frontdesk_core::id::{AskId, IdError};
use frontdesk_core::port::PromptInput;
use frontdesk_store::row::{self, AskFilter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ask::Ask;
use crate::endpoint::session;
use crate::error::ApiError;
use crate::frame;
use crate::list;
use crate::prompt;
use crate::prompt_queue::NewPrompt;
use crate::random;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;
use crate::token::{Caller, Scope};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AsksQuery {
    /// Unset means `open`.
    #[schemars(extend("enum" = states()))]
    state: Option<String>,
    /// The session in which they are asked. A token with the scope `chat` must name one of its own.
    session: Option<String>,
    /// `next` of the page before.
    #[schemars(pattern(r"^a[0-9]{1,18}$"))]
    before: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

/// Questions to people.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Asks {
    asks: Vec<Ask>,
    next: Option<String>,
}

/// Lists questions, the newest first: the open ones, unless the query names another state or all.
#[utoipa::path(get, path = "/api/asks", params(AsksQuery), responses((status = 200, body = Asks), (status = 404)))]
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query: AsksQuery = request.query()?;
    let filter = AskFilter {
        state: state(query.state.as_deref())?,
        session: query.session.as_deref().map(session::key).transpose()?,
        before: query.before.as_deref().map(id).transpose()?,
    };
    let (server, caller, limit) = (&request.server, request.caller()?, list::row_limit(query.limit)?);
    match &filter.session {
        Some(session) => server.authorize_session(caller, Scope::Read, session)?,
        None if caller.scope == Scope::Chat => {
            return Err(ApiError::bad_request(
                "session: with a token for chats, name the session of one of its chats",
            ));
        }
        None => server.authorize(caller, Scope::Read, Action::Administer)?,
    }
    let views = server.handle.all_asks(filter, limit).await?;
    let next = views.last().filter(|_| views.len() >= limit as usize).map(|view| view.id.to_string());
    let asks = views.iter().map(|view| Ask::new(view, server.may_answer(caller, &view.audience))).collect();
    Ok(ApiResponse::ok(Asks { asks, next }))
}

/// Answers a question.
#[utoipa::path(post, path = "/api/asks/{ask}", request_body = GivenAnswer, responses((status = 200, body = Ask), (status = 404), (status = 409)))]
pub(crate) async fn answer(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (id, given) = (id(request.param(0)?)?, request.json()?);
    let (server, caller) = (&request.server, request.caller()?);
    let view = give(server, caller, id, given).await?;
    Ok(ApiResponse::ok(Ask::new(&view, server.may_answer(caller, &view.audience))))
}

/// The state that a query names; `None` for all.
fn state(name: Option<&str>) -> Result<Option<AskState>, ApiError> {
    match name {
        None => Ok(Some(AskState::Open)),
        Some("all") => Ok(None),
        Some(name) => AskState::named(name).map(Some).ok_or_else(|| {
            let names = states().join(", ");
            ApiError::bad_request(format!("state: there is no {name:?}; there are {names}"))
        }),
    }
}

/// What a query may name as the state.
fn states() -> Vec<&'static str> {
    AskState::ALL.map(AskState::name).into_iter().chain(["all"]).collect()
}

/// An answer as a client sends it: the id of a choice, or a text. A text to a question with choices may be the number,
/// the id or the label of one.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
pub(crate) struct GivenAnswer {
    /// The id of a choice.
    choice: Option<String>,
    text: Option<String>,
}

/// The id of a question.
fn id(text: &str) -> Result<AskId, ApiError> {
    text.parse().map_err(|error: IdError| ApiError::bad_request(error.to_string()))
}

/// Answers a question as the holder of a token, and returns it closed.
async fn give(
    server: &ServerState,
    caller: &Caller,
    id: AskId,
    given: GivenAnswer,
) -> Result<AskView, ApiError> {
    let answer = match (given.choice, given.text) {
        (Some(choice), None) => row::GivenAnswer::Exact(AskAnswer::Choice(choice)),
        (None, Some(text)) => row::GivenAnswer::Typed(text),
        _ => return Err(ApiError::bad_request("an answer has either a `choice` or a `text`")),
    };
    let asked = server.handle.ask(id).await?;
    if asked.answer_is_message {
        return choose(server, caller, asked, answer).await;
    }
    let by = Answerer { id: caller.principal.clone(), name: None };
    Ok(server.handle.answer_ask(id, by, server.is_operator(caller), answer).await?)
}

/// Makes a choice that an agent has offered: it is a message of the caller in the chat of the question.
async fn choose(
    server: &ServerState,
    caller: &Caller,
    asked: AskView,
    given: row::GivenAnswer,
) -> Result<AskView, ApiError> {
    let is_asked = asked.names(&caller.principal);
    if !is_asked || prompt::address_of(&asked.session).is_none() {
        // Nobody can speak for somebody else, not even an operator.
        let is_for_others = !is_asked && !server.is_operator(caller);
        return Err(ApiError::answer(&if is_for_others { AskError::NotYours } else { AskError::OnlyInChat }));
    }
    let answer = match given {
        row::GivenAnswer::Typed(text) => questions::read(asked.kind, &asked.choices, &text).ok(),
        row::GivenAnswer::Exact(answer) => Some(answer),
        row::GivenAnswer::Position(_) => None,
    };
    let is_chosen = |choice: &AskChoice| answer == Some(AskAnswer::Choice(choice.id.clone()));
    let choice = asked.choices.iter().position(is_chosen);
    let choice = choice.ok_or_else(|| ApiError::answer(&AskError::UnknownChoice))?;
    let (chat, id) = (asked.session.id().to_owned(), random::id()?);
    let press = PromptInput::Press(Press { ask: asked.id, choice });
    prompt::press(server, caller, NewPrompt::new(chat, id, press)).await?;
    Ok(server.handle.ask(asked.id).await?)
}

/// Answers a question over the WebSocket. Returns the frame for this client; the other clients of the chat get the
/// stored one.
pub(crate) async fn answer_frame(
    server: &ServerState,
    caller: &Caller,
    id: Option<Value>,
    ask: &str,
    given: GivenAnswer,
) -> Result<Utf8Bytes, ApiError> {
    server.authorize(caller, Scope::Admin, Action::Write)?;
    let view = give(server, caller, self::id(ask)?, given).await?;
    Ok(frame::answered(id, &view))
}
