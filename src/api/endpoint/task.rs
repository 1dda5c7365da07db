//! Background tasks: handed over, listed, looked at, cancelled and run again.

use std::time::Duration;

use axum::http::StatusCode;
use frontdesk_core::address::{Address, AddressError};
use frontdesk_core::ask::AskState;
use frontdesk_core::id::{IdError, TaskId};
use frontdesk_core::task::{TaskSource, TaskState};
use frontdesk_runtime::{TaskPlace, TaskRequest};
use frontdesk_store::row::{AskFilter, Author, TaskFilter, TaskReach, TaskRow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ask::Ask;
use crate::endpoint::session;
use crate::error::ApiError;
use crate::file::{self, NewFile};
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::server::ServerState;
use crate::task::{Task, TaskDetails};
use crate::token::Caller;

/// How many open questions of a task are shown.
const ASKS: u32 = 50;

/// A task as a client hands it over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTask {
    /// What is to be done.
    #[schemars(pattern(r"\S"))]
    text: String,
    /// Unset means the agent that answers in the chat.
    agent: Option<String>,
    /// A session of the caller, which gets the result. A task has a session, an address or neither.
    session: Option<String>,
    /// The address that gets the result.
    to: Option<String>,
    title: Option<String>,
    #[schemars(range(min = 1, max = 604_800))]
    time_limit_s: Option<u64>,
    #[serde(default)]
    attachments: Vec<NewFile>,
}

/// Which tasks a client asks for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TasksQuery {
    /// Unset means `all`.
    #[schemars(extend("enum" = states()))]
    state: Option<String>,
    /// `next` of the page before.
    #[schemars(pattern(r"^b[0-9]{1,18}$"))]
    #[serde(alias = "before")]
    cursor: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

/// A task that is stored.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SubmittedTask {
    /// For example `b4`.
    task: String,
    session: String,
    state: &'static str,
}

/// Background tasks.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Tasks {
    tasks: Vec<Task>,
    next: Option<String>,
}

/// Hands over a task. With an `Idempotency-Key` it is stored once, also across a restart.
#[utoipa::path(post, path = "/api/tasks", request_body = NewTask, responses((status = 202, body = SubmittedTask), (status = 404), (status = 409)))]
pub(crate) async fn submit(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let new = request.json()?;
    let source = if request.author()?.via == "cli" { TaskSource::Cli } else { TaskSource::Api };
    let key = request.idempotency_key()?;
    let body = submit_task(&request.server, request.caller()?, new, source, key.as_deref()).await?;
    Ok(ApiResponse::json(StatusCode::ACCEPTED, body))
}

/// Stores a task. HTTP and the WebSocket use this. `key` names the request, if it may be repeated.
pub(crate) async fn submit_task(
    server: &ServerState,
    caller: &Caller,
    new: NewTask,
    source: TaskSource,
    key: Option<&str>,
) -> Result<SubmittedTask, ApiError> {
    let NewTask { text, agent, session, to, title, time_limit_s, attachments } = new;
    let place = match (session, to) {
        (None, None) => TaskPlace::Nowhere,
        (Some(key), None) => {
            let key = session::key(&key)?;
            if !caller.owns(&key) {
                return Err(session::no_session(&key));
            }
            TaskPlace::Session(key)
        }
        (None, Some(to)) => TaskPlace::Chat(address(&to)?),
        (Some(_), Some(_)) => {
            return Err(ApiError::bad_request("a task has either a `session` or a `to`, not both"));
        }
    };
    let files = file::kept(server, attachments).await?;
    let task = TaskRequest {
        owner: caller.principal.clone(),
        operator: server.is_operator(caller),
        source,
        key: key.map(|key| stored_key(caller, "submit", key)),
        text,
        title,
        files: files.clone(),
        agent,
        place,
        limit: time_limit_s.map(Duration::from_secs),
    };
    let stored = server.handle.submit_task(task).await;
    // A task that is refused needs no files, and one that was stored before has its own.
    if stored.as_ref().map_or(true, |task| task.order.attachments != files) {
        server.handle.discard_files(&files).await;
    }
    let task = stored?;
    Ok(SubmittedTask {
        task: task.id.to_string(),
        session: task.session.as_str().to_owned(),
        state: task.state.name(),
    })
}

/// Lists tasks, the newest first: those in the state that the query names, or all.
#[utoipa::path(get, path = "/api/tasks", params(TasksQuery), responses((status = 200, body = Tasks)))]
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    Ok(ApiResponse::ok(tasks(&request.server, request.caller()?, request.query()?).await?))
}

pub(crate) async fn tasks(
    server: &ServerState,
    caller: &Caller,
    query: TasksQuery,
) -> Result<Tasks, ApiError> {
    let (state, open) = state(query.state.as_deref())?;
    let before = query.cursor.as_deref().map(id).transpose()?;
    let filter = TaskFilter { reach: reach(server, caller), state, open, before };
    let limit = list::row_limit(query.limit)?;
    let tasks = server.handle.store().tasks(filter, limit).await?;
    let next = tasks.last().filter(|_| tasks.len() >= limit as usize).map(|task| task.id.to_string());
    Ok(Tasks { tasks: tasks.iter().map(Task::from).collect(), next })
}

/// One task with its text, its open questions and its result.
#[utoipa::path(get, path = "/api/tasks/{task}", responses((status = 200, body = TaskDetails), (status = 404)))]
pub(crate) async fn get(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let shown = task(&request.server, request.caller()?, request.param(0)?).await?;
    request.server.large_response(&shown).await
}

/// A task with its text, its open questions and its result.
pub(crate) async fn task(server: &ServerState, caller: &Caller, name: &str) -> Result<TaskDetails, ApiError> {
    let task = server.handle.task(id(name)?, reach(server, caller)).await?;
    whole(server, caller, &task).await
}

/// Cancels a task that has not ended.
#[utoipa::path(post, path = "/api/tasks/{task}/cancel", responses((status = 200, body = Task), (status = 404), (status = 409)))]
pub(crate) async fn cancel(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (server, caller) = (&request.server, request.caller()?);
    Ok(ApiResponse::ok(cancel_task(server, caller, request.param(0)?, request.author()?).await?))
}

pub(crate) async fn cancel_task(
    server: &ServerState,
    caller: &Caller,
    name: &str,
    author: Author,
) -> Result<Task, ApiError> {
    let task = server.handle.cancel_task(id(name)?, reach(server, caller), author).await?;
    Ok(Task::from(&task))
}

/// Runs an ended task again, as a new task.
#[utoipa::path(post, path = "/api/tasks/{task}/retry", responses((status = 202, body = Task), (status = 404), (status = 409)))]
pub(crate) async fn retry(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let (caller, key) = (request.caller()?, request.idempotency_key()?);
    let again = retry_task(&request.server, caller, request.param(0)?, key.as_deref()).await?;
    Ok(ApiResponse::json(StatusCode::ACCEPTED, again))
}

pub(crate) async fn retry_task(
    server: &ServerState,
    caller: &Caller,
    name: &str,
    key: Option<&str>,
) -> Result<Task, ApiError> {
    let id = id(name)?;
    let key = key.map(|key| stored_key(caller, &format!("retry {id}"), key));
    Ok(Task::from(&server.handle.retry_task(id, reach(server, caller), key).await?))
}

/// A task with its text, its open questions and its result.
async fn whole(server: &ServerState, caller: &Caller, task: &TaskRow) -> Result<TaskDetails, ApiError> {
    let asked_in = task.order.origin.as_ref().unwrap_or(&task.session).clone();
    let open = AskFilter { state: Some(AskState::Open), session: Some(asked_in), before: None };
    let asks = match task.state {
        TaskState::Waiting => server.handle.all_asks(open, ASKS).await?,
        _ => Vec::new(),
    };
    let of_task = asks.iter().filter(|view| view.turn.is_some() && view.turn == task.turn);
    let asks = of_task.map(|view| Ask::new(view, server.may_answer(caller, &view.audience))).collect();
    let files = server.handle.store().task_files(task.id).await?;
    Ok(TaskDetails::new(task, asks, &files))
}

/// The tasks that the caller may see and change.
fn reach(server: &ServerState, caller: &Caller) -> TaskReach {
    server.handle.task_reach(&caller.principal)
}

/// The key of a request in the database, unique over all tokens.
fn stored_key(caller: &Caller, what: &str, key: &str) -> String {
    // A token's id may contain any character, so its length separates it from the key.
    format!("{what}:{}:{}/{key}", caller.person.len(), caller.person)
}

/// The state that a query names, and whether it names all that have not ended.
fn state(name: Option<&str>) -> Result<(Option<TaskState>, bool), ApiError> {
    match name {
        None | Some("all") => Ok((None, false)),
        Some("open") => Ok((None, true)),
        Some(name) => TaskState::named(name).map(|state| (Some(state), false)).ok_or_else(|| {
            let names = states().join(", ");
            ApiError::bad_request(format!("state: there is no {name:?}; there are {names}"))
        }),
    }
}

/// What a query may name as the state.
fn states() -> Vec<&'static str> {
    TaskState::ALL.map(TaskState::name).into_iter().chain(["open", "all"]).collect()
}

fn id(text: &str) -> Result<TaskId, ApiError> {
    text.parse().map_err(|error: IdError| ApiError::bad_request(error.to_string()))
}

fn address(text: &str) -> Result<Address, ApiError> {
    text.parse().map_err(|error: AddressError| ApiError::bad_request(error.to_string()))
}
