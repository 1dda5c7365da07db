//! Changes of tasks' states, as rows of `outbox` hold them.

use frontdesk_core::id::TaskId;
use frontdesk_core::task::{TaskChange, TaskProblem, TaskState};
use serde_json::{Value, json};

use crate::message::text;

/// A change as it is stored.
pub(crate) fn stored(change: &TaskChange) -> String {
    let TaskChange { task, state, attempt, problem } = change;
    let (code, message) = problem.as_ref().map(|problem| (&problem.code, &problem.message)).unzip();
    json!({"task": task.0, "state": state.name(), "attempt": attempt, "code": code, "message": message})
        .to_string()
}

/// A change as it was stored.
pub(crate) fn read(json: &str) -> Option<TaskChange> {
    let stored: Value = serde_json::from_str(json)
        .inspect_err(|error| tracing::error!(%error, "a stored change of a task cannot be read"))
        .ok()?;
    let problem = text(&stored, "code").zip(text(&stored, "message"));
    Some(TaskChange {
        task: TaskId(stored["task"].as_i64()?),
        state: TaskState::named(stored["state"].as_str()?)?,
        attempt: stored["attempt"].as_u64()?.try_into().ok()?,
        problem: problem.map(|(code, message)| TaskProblem { code, message }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_read_as_it_was_stored() {
        let problem = TaskProblem { code: "agent_failed".into(), message: "The agent \"failed\".".into() };
        for problem in [None, Some(problem)] {
            let change = TaskChange { task: TaskId(7), state: TaskState::Failed, attempt: 2, problem };
            assert_eq!(read(&stored(&change)), Some(change));
        }
        assert_eq!(read("{}"), None);
    }
}
