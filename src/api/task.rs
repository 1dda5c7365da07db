//! Background tasks, as JSON.

use frontdesk_core::task::{TaskProblem, TaskState};
use frontdesk_store::row::{OutboxState, OutgoingFile, TaskRow};
use serde_json::{Value, json};

use crate::show::{escaped, time};

/// A task in a list.
pub(crate) fn row(task: &TaskRow) -> Value {
    let delivered = task.result_out.is_some_and(|(_, state)| state == OutboxState::Sent);
    json!({
        "id": task.id.to_string(),
        "state": task.state.name(),
        "attempt": task.attempt,
        "title": task.order.title,
        "agent": task.session.agent(),
        "owner": task.order.owner.id.as_str(),
        "owner_name": task.order.owner.name.as_deref().map(escaped),
        "source": task.order.source.name(),
        "session": task.session.as_str(),
        "origin": task.order.origin.as_ref().map(|origin| origin.as_str()),
        "to": task.order.delivers.then(|| task.order.address.as_str()),
        "retry_of": task.order.retry_of.map(|task| task.to_string()),
        "progress": {"percent": task.progress.percent, "text": task.progress.line},
        "error": error(task),
        "time_limit_s": task.order.limit.as_secs(),
        "created": time(task.created),
        "started": task.started.map(time),
        "finished": task.finished.map(time),
        "delivered": task.order.delivers.then_some(delivered),
    })
}

/// A task with its text, its open questions, and its result with the files that were sent with it.
pub(crate) fn whole(task: &TaskRow, asks: Vec<Value>, files: &[OutgoingFile]) -> Value {
    let mut shown = row(task);
    let said = task.result.as_deref().unwrap_or_default();
    shown["text"] = task.order.text.as_str().into();
    shown["asks"] = asks.into();
    shown["result"] = Value::Null;
    if task.state == TaskState::Succeeded {
        let file = |file: &OutgoingFile| json!({"name": escaped(&file.name), "path": file.file, "kind": file.kind.name(), "mime": file.mime});
        let files: Vec<Value> = files.iter().map(file).collect();
        shown["result"] = json!({"text": said, "files": files});
    } else if task.state.has_ended() && !said.is_empty() {
        // What its agent had said until then.
        shown["error"]["text"] = said.into();
    }
    shown
}

fn error(task: &TaskRow) -> Option<Value> {
    task.problem().as_ref().map(problem)
}

/// Why a task has no result.
pub(crate) fn problem(problem: &TaskProblem) -> Value {
    json!({"code": problem.code, "message": problem.message})
}
