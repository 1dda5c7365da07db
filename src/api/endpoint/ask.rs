//! Questions that wait for a person, and their answers.

use frontdesk_core::access::Action;
use frontdesk_core::ask::{
    self as questions, Answerer, AskAnswer, AskChoice, AskError, AskState, AskView, Press,
};
use frontdesk_core::id::{AskId, IdError};
use frontdesk_core::port::PromptInput;
use frontdesk_store::row::{self, AskFilter};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::ask;
use crate::endpoint::session;
use crate::error::ApiError;
use crate::list;
use crate::prompt;
use crate::prompt_queue::NewPrompt;
use crate::random;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;
use crate::token::{Caller, Scope};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AsksQuery {
    state: Option<String>,
    session: Option<String>,
    before: Option<String>,
    limit: Option<u32>,
}

/// Questions, the newest first: the open ones, unless the query names another state or all.
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query: AsksQuery = request.query()?;
    let filter = AskFilter {
        state: state(query.state.as_deref())?,
        session: query.session.as_deref().map(session::key).transpose()?,
        before: query.before.as_deref().map(id).transpose()?,
    };
    let (server, caller, limit) = (&request.server, request.caller()?, list::row_limit(query.limit));
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
    let shown = views.iter().map(|view| ask::view(view, server.may_answer(caller, &view.audience)));
    Ok(ApiResponse::ok(json!({"asks": shown.collect::<Vec<_>>(), "next": next})))
}

/// Answers a question.
pub(crate) async fn answer(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (id, given) = (id(request.param(0)?)?, request.json()?);
    let (server, caller) = (&request.server, request.caller()?);
    let view = give(server, caller, id, given).await?;
    Ok(ApiResponse::ok(ask::view(&view, server.may_answer(caller, &view.audience))))
}

/// The state that a query names; `None` for all.
fn state(name: Option<&str>) -> Result<Option<AskState>, ApiError> {
    match name {
        None => Ok(Some(AskState::Open)),
        Some("all") => Ok(None),
        Some(name) => AskState::named(name).map(Some).ok_or_else(|| {
            let names: Vec<_> = AskState::ALL.map(AskState::name).into();
            ApiError::bad_request(format!(
                "state: there is no {name:?}; there are {} and all",
                names.join(", ")
            ))
        }),
    }
}

/// An answer as a client sends it: the id of a choice, or a text. A text to a question with choices may be the number,
/// the id or the label of one.
#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct GivenAnswer {
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
) -> Result<Value, ApiError> {
    server.authorize(caller, Scope::Admin, Action::Write)?;
    let view = give(server, caller, self::id(ask)?, given).await?;
    let mut frame = Map::new();
    frame.extend(id.map(|id| ("id".to_owned(), id)));
    frame.insert("type".to_owned(), "ask_closed".into());
    frame.insert("ask".to_owned(), view.id.to_string().into());
    frame.insert("session".to_owned(), view.session.as_str().into());
    frame.extend(view.end.as_ref().map(ask::end).unwrap_or_default());
    Ok(Value::Object(frame))
}
