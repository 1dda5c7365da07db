//! Tasks are cancelled, run again, and erased.

use chrono::{DateTime, Utc};
use frontdesk_core::delivery::Ending;
use frontdesk_core::id::{MessageId, TaskId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::task::TaskState;
use rusqlite::params;

use crate::audit::audit;
use crate::dequeue::ends_unanswered;
use crate::fault::Outcome;
use crate::queue::WorkClass;
use crate::row::{
    Author, CancelledTask, MessageState, NewTask, OpenTasks, Stopped, TaskFound, TaskOrder, TaskReach,
    TaskRow, TaskSubmitted, TurnState,
};
use crate::sql::ms;
use crate::turn::OpenTurn;
use crate::tx::Tx;
use crate::waiting::waiting;
use crate::{Result, Store, finish};

use crate::task::{by_id, reaches, show_state, stopped};
use crate::task_submit::submit;

impl Store {
    /// Cancels a task that has not ended.
    pub async fn cancel_task(
        &self,
        id: TaskId,
        reach: TaskReach,
        author: Author,
        now: DateTime<Utc>,
    ) -> Result<TaskFound<CancelledTask>> {
        self.write(WorkClass::Commands, move |tx| cancel(tx, id, &reach, &author, now)).await
    }

    /// Submits a task that has ended once more, as a new one. `request` names the request, if it may be repeated. `agent` gets
    /// it in place of its own.
    pub async fn retry_task(
        &self,
        id: TaskId,
        reach: TaskReach,
        (request, agent): (Option<String>, Option<String>),
        open: OpenTasks,
        now: DateTime<Utc>,
    ) -> Result<TaskFound<TaskSubmitted>> {
        self.write(WorkClass::Requests, move |tx| {
            retry(tx, id, &reach, (request.as_deref(), agent.as_deref()), open, now)
        })
        .await
    }
}

pub(crate) fn cancel(
    tx: &Tx<'_>,
    id: TaskId,
    reach: &TaskReach,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<TaskFound<CancelledTask>> {
    let Some(task) = by_id(tx, id)?.filter(|task| reaches(reach, task)) else {
        return Ok(TaskFound::Unknown);
    };
    if task.state.has_ended() {
        return Ok(TaskFound::NotNow(task.state));
    }
    let stopped = end_open(tx, &task, now)?;
    audit(tx, author, "task cancel", &id.to_string(), "done", now)?;
    Ok(TaskFound::Done(CancelledTask { session: task.session, address: task.order.address, stopped }))
}

/// Cancels a task that has not ended, with its turn or the message by which it entered its session.
fn end_open(tx: &Tx<'_>, task: &TaskRow, now: DateTime<Utc>) -> Outcome<Stopped> {
    let mut ended = Stopped::default();
    let turn = match task.turn {
        Some(turn) => OpenTurn::by_id(tx, turn)?,
        None => None,
    };
    match turn.filter(|turn| matches!(turn.state, TurnState::Queued | TurnState::Running)) {
        Some(turn) => {
            finish::cancel(tx, &turn, Ending::Cancelled, None, now)?;
            match turn.state {
                TurnState::Running => ended.running.push(turn.id),
                _ => ended.waiting.extend(&turn.messages),
            }
        }
        None => ended.waiting = leave(tx, task, now)?,
    }
    Ok(ended)
}

/// Cancels the open tasks that fit: their owners have lost access.
pub(crate) fn cancel_where(
    tx: &Tx<'_>,
    fits: impl Fn(&TaskRow) -> bool,
    now: DateTime<Utc>,
) -> Outcome<Vec<CancelledTask>> {
    let open = "SELECT id FROM task WHERE state IN ('queued', 'running')";
    let mut cancelled = Vec::new();
    for id in tx.all(open, [], |row| row.get(0).map(TaskId))? {
        let Some(task) = by_id(tx, id)?.filter(&fits) else { continue };
        let stopped = end_open(tx, &task, now)?;
        cancelled.push(CancelledTask { session: task.session, address: task.order.address, stopped });
    }
    Ok(cancelled)
}

/// A task on which no turn works ends, with the message by which it entered its session.
fn leave(tx: &Tx<'_>, task: &TaskRow, now: DateTime<Utc>) -> Outcome<Vec<MessageId>> {
    let waiting = waiting(tx, &task.session, -1)?.into_iter().map(|row| row.id);
    let waiting: Vec<MessageId> = waiting.collect();
    for message in &waiting {
        ends_unanswered(tx, *message, MessageState::Cancelled, None, now)?;
    }
    end_unbegun(tx, task, now)?;
    Ok(waiting)
}

fn end_unbegun(tx: &Tx<'_>, task: &TaskRow, now: DateTime<Utc>) -> Outcome<()> {
    let cancelled = TaskState::Cancelled;
    tx.run(
        "UPDATE task SET state = ?2, finished_at = ?3 WHERE id = ?1 AND state IN ('queued', 'running')",
        params![task.id.0, cancelled.name(), ms(now)],
    )?;
    show_state(tx, task.id, now)?;
    stopped(tx, &TaskRow { state: cancelled, ..task.clone() }, now)
}

/// The session of a task was stopped as such: a task that waited in it has ended.
pub(crate) fn session_stopped(tx: &Tx<'_>, session: &SessionKey, now: DateTime<Utc>) -> Outcome<()> {
    let id = "SELECT id FROM task WHERE key = ?1 AND state IN ('queued', 'running')";
    let Some(id) = tx.one(id, [session.as_str()], |row| row.get(0).map(TaskId))? else { return Ok(()) };
    match by_id(tx, id)? {
        Some(task) => end_unbegun(tx, &task, now),
        None => Ok(()),
    }
}

fn retry(
    tx: &Tx<'_>,
    id: TaskId,
    reach: &TaskReach,
    (request, agent): (Option<&str>, Option<&str>),
    open: OpenTasks,
    now: DateTime<Utc>,
) -> Outcome<TaskFound<TaskSubmitted>> {
    let Some(task) = by_id(tx, id)?.filter(|task| reaches(reach, task)) else {
        return Ok(TaskFound::Unknown);
    };
    if !task.state.has_ended() {
        return Ok(TaskFound::NotNow(task.state));
    }
    if task.order.text.is_empty() && task.order.attachments.is_empty() {
        // It was erased.
        return Ok(TaskFound::Unknown);
    }
    let again = NewTask {
        agent: agent.unwrap_or(task.session.agent()).to_owned(),
        account: task.session.account().clone(),
        order: TaskOrder { retry_of: Some(id), ..task.order },
        request: request.map(str::to_owned),
        open,
        // Asked when its turn is claimed.
        budgets: Vec::new(),
    };
    submit(tx, &again, now).map(TaskFound::Done)
}

/// Retries a task as part of a command.
pub(crate) fn retried(
    tx: &Tx<'_>,
    id: TaskId,
    reach: &TaskReach,
    agent: Option<&str>,
    open: OpenTasks,
    now: DateTime<Utc>,
) -> Outcome<TaskFound<TaskSubmitted>> {
    retry(tx, id, reach, (None, agent), open, now)
}

/// Cancels everything that a session has handed over and that has not ended.
pub(crate) fn cancel_of(
    tx: &Tx<'_>,
    origin: &SessionKey,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<Stopped> {
    let open = "SELECT id FROM task WHERE origin_key = ?1 AND state IN ('queued', 'running')";
    let mut all = Stopped::default();
    for id in tx.all(open, [origin.as_str()], |row| row.get(0).map(TaskId))? {
        if let TaskFound::Done(cancelled) = cancel(tx, id, &TaskReach::All, author, now)? {
            all.running.extend(cancelled.stopped.running);
            all.waiting.extend(cancelled.stopped.waiting);
        }
    }
    Ok(all)
}
