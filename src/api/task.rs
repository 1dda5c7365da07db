//! Background tasks, as JSON.

use frontdesk_core::task::{TaskProblem, TaskSource, TaskState};
use frontdesk_store::row::{OutboxState, OutgoingFile, TaskRow};
use schemars::JsonSchema;
use serde::Serialize;

use crate::ask::Ask;
use crate::show::{Timestamp, escaped, maybe};

/// A background task.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Task {
    /// For example `b4`.
    id: String,
    #[schemars(extend("enum" = TaskState::ALL.map(TaskState::name)))]
    state: &'static str,
    /// Grows with each attempt.
    attempt: u32,
    title: String,
    agent: String,
    owner: String,
    owner_name: Option<String>,
    #[schemars(extend("enum" = TaskSource::ALL.map(TaskSource::name)))]
    source: &'static str,
    /// The task's own session.
    session: String,
    /// The session in which it was handed over.
    origin: Option<String>,
    /// The address to which its result goes.
    to: Option<String>,
    /// The task that it repeats.
    retry_of: Option<String>,
    progress: TaskProgress,
    error: Option<TaskError>,
    time_limit_s: u64,
    created: Timestamp,
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
    /// Whether the result was sent; null if it goes to no chat.
    delivered: Option<bool>,
}

/// How far a task is.
#[derive(Debug, Serialize, JsonSchema)]
struct TaskProgress {
    percent: Option<u8>,
    text: Option<String>,
}

/// Why a task has no result.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct TaskError {
    code: String,
    message: String,
    /// What its agent had said until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// A task with its text, its open questions, and its result with the files that were sent with it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TaskDetails {
    #[serde(flatten)]
    task: Task,
    text: String,
    asks: Vec<Ask>,
    /// Set once the task has succeeded.
    result: Option<TaskResult>,
}

/// The result of a task.
#[derive(Debug, Serialize, JsonSchema)]
struct TaskResult {
    text: String,
    files: Vec<ResultFile>,
}

/// A file that was sent with a result.
#[derive(Debug, Serialize, JsonSchema)]
struct ResultFile {
    name: String,
    /// Relative to the media folder.
    path: String,
    kind: &'static str,
    mime: Option<String>,
}

impl From<&TaskRow> for Task {
    fn from(task: &TaskRow) -> Self {
        let order = &task.order;
        let delivered = task.result_out.is_some_and(|(_, state)| state == OutboxState::Sent);
        Self {
            id: task.id.to_string(),
            state: task.state.name(),
            attempt: task.attempt,
            title: order.title.clone(),
            agent: task.session.agent().to_owned(),
            owner: order.owner.id.as_str().to_owned(),
            owner_name: order.owner.name.as_deref().map(escaped),
            source: order.source.name(),
            session: task.session.as_str().to_owned(),
            origin: order.origin.as_ref().map(|origin| origin.as_str().to_owned()),
            to: order.delivers.then(|| order.address.as_str().to_owned()),
            retry_of: order.retry_of.map(|task| task.to_string()),
            progress: TaskProgress { percent: task.progress.percent, text: task.progress.line.clone() },
            error: task.problem().as_ref().map(TaskError::from),
            time_limit_s: order.limit.as_secs(),
            created: task.created.into(),
            started: maybe(task.started),
            finished: maybe(task.finished),
            delivered: order.delivers.then_some(delivered),
        }
    }
}

impl TaskDetails {
    pub(crate) fn new(row: &TaskRow, asks: Vec<Ask>, files: &[OutgoingFile]) -> Self {
        let mut task = Task::from(row);
        let said = row.result.as_deref().unwrap_or_default();
        let result = (row.state == TaskState::Succeeded).then(|| TaskResult {
            text: said.to_owned(),
            files: files.iter().map(ResultFile::from).collect(),
        });
        if result.is_none()
            && row.state.has_ended()
            && !said.is_empty()
            && let Some(error) = &mut task.error
        {
            error.text = Some(said.to_owned());
        }
        Self { task, text: row.order.text.clone(), asks, result }
    }
}

impl From<&OutgoingFile> for ResultFile {
    fn from(file: &OutgoingFile) -> Self {
        Self {
            name: escaped(&file.name),
            path: file.file.clone(),
            kind: file.kind.name(),
            mime: file.mime.clone(),
        }
    }
}

impl From<&TaskProblem> for TaskError {
    fn from(problem: &TaskProblem) -> Self {
        Self { code: problem.code.to_string(), message: problem.message.to_string(), text: None }
    }
}
