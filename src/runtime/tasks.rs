//! Background tasks: they are submitted, begin when the limits allow it, and are cancelled or run again. What their turns do
//! differently is in `turn/task.rs`.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::delivery::Ending;
use frontdesk_core::id::TaskId;
use frontdesk_core::port::Stop;
use frontdesk_core::route::Place;
use frontdesk_core::task::{TaskSource, TaskState};
use frontdesk_store::StoreError;
use frontdesk_store::row::{
    Author, CancelledTask, NewTask, TaskFound, TaskOrder, TaskReach, TaskRow, TaskSubmitted,
};

use crate::error::{GatewayError, TaskError};
use crate::shared::Shared;

/// Pause after a database error.
const PAUSE: Duration = Duration::from_secs(1);

/// Begins waiting tasks as the limits allow it, until `stop`.
pub(crate) async fn run(shared: Arc<Shared>, stop: Stop) {
    loop {
        let places = shared.settings().config.tasks.places();
        let accounts = shared.adapters.ids().into_iter().collect();
        let placed = shared.store.place_tasks(places, accounts, shared.time.wall()).await;
        shared.health.note(placed.as_ref().err());
        let again = async {
            match placed.is_err() {
                true => shared.time.sleep(PAUSE).await,
                false => std::future::pending().await,
            }
        };
        for session in placed.iter().flatten() {
            shared.work.turns.wake(session);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.work.tasks.noted() => {}
            () = again => {}
        }
    }
}

impl Shared {
    /// Follows up on a task that was cancelled in the database: its agent is stopped, and another one may begin.
    pub(crate) async fn task_cancelled(&self, cancelled: CancelledTask) {
        let CancelledTask { session, address, stopped } = cancelled;
        self.stopped(&session, &address, stopped, Ending::Cancelled).await;
        self.work.outbox.wake(&address);
        self.work.tasks.note();
    }
}

/// One task.
pub(crate) async fn task(shared: &Shared, id: TaskId, reach: TaskReach) -> Result<TaskRow, GatewayError> {
    let task = shared.store.task(id, reach).await?;
    task.ok_or_else(|| unknown(id))
}

/// Stores a task whose place and permissions are decided. A repetition of a request returns the first task.
pub(crate) async fn hand_over(shared: &Arc<Shared>, task: NewTask) -> Result<TaskRow, GatewayError> {
    let (text, title, source) = (task.order.text.clone(), task.order.title.clone(), task.order.source);
    let to_store = shared.clone();
    let stored = async move {
        let submitted = to_store.store.submit_task(task, to_store.time.wall()).await?;
        to_store.work.tasks.note();
        Ok(submitted)
    };
    let row = submitted(shared, to_its_end(shared, stored).await?).await?;
    // The text of an event is made from a template, which may have changed since.
    match source == TaskSource::Event || row.order.text == text && row.order.title == title {
        true => Ok(row),
        false => Err(TaskError::Conflict.into()),
    }
}

/// Cancels a task and returns it. One that is cancelled already stays as it is.
pub(crate) async fn cancel(
    shared: &Arc<Shared>,
    id: TaskId,
    reach: TaskReach,
    author: Author,
) -> Result<TaskRow, GatewayError> {
    let (to_cancel, of) = (shared.clone(), reach.clone());
    let cancelled = async move {
        match to_cancel.store.cancel_task(id, of, author, to_cancel.time.wall()).await? {
            TaskFound::Done(cancelled) => {
                to_cancel.task_cancelled(cancelled).await;
                Ok(TaskState::Cancelled)
            }
            TaskFound::NotNow(state) => Ok(state),
            TaskFound::Unknown => Err(unknown(id)),
        }
    };
    match to_its_end(shared, cancelled).await? {
        TaskState::Cancelled => task(shared, id, reach).await,
        state => Err(TaskError::Ended(id, state).into()),
    }
}

/// Runs an ended task again as a new task, which is returned.
pub(crate) async fn retry(
    shared: &Arc<Shared>,
    id: TaskId,
    reach: TaskReach,
    request: Option<String>,
) -> Result<TaskRow, GatewayError> {
    let (to_store, open) = (shared.clone(), shared.settings().config.tasks.open());
    let agent = successor(shared, id, reach.clone()).await?;
    let found = async move {
        let now = to_store.time.wall();
        let found = to_store.store.retry_task(id, reach, (request, agent), open, now).await?;
        to_store.work.tasks.note();
        Ok(found)
    };
    match to_its_end(shared, found).await? {
        TaskFound::Done(again) => submitted(shared, again).await,
        TaskFound::NotNow(state) => Err(TaskError::Open(id, state).into()),
        TaskFound::Unknown => Err(unknown(id)),
    }
}

/// The agent that runs a task again if its own is not in the configuration any more: the one that answers in its chat.
pub(crate) async fn successor(
    shared: &Shared,
    id: TaskId,
    reach: TaskReach,
) -> Result<Option<String>, StoreError> {
    let settings = shared.settings();
    let Some(task) = shared.store.task(id, reach).await? else { return Ok(None) };
    if settings.agents.contains_key(task.session.agent()) {
        return Ok(None);
    }
    let TaskOrder { origin, address, owner, .. } = &task.order;
    let route = match origin {
        Some(origin) => shared.route_of(&settings, origin, Some(&owner.id)),
        None => {
            let place = Place { chat: address.chat(), thread: address.thread(), ..Place::default() };
            shared.route(&settings, address.account(), place)
        }
    };
    Ok(Some(route.agent.to_owned()).filter(|agent| settings.agents.contains_key(agent)))
}

async fn submitted(shared: &Shared, submitted: TaskSubmitted) -> Result<TaskRow, GatewayError> {
    match submitted {
        TaskSubmitted::Stored(id) | TaskSubmitted::Known(id) => task(shared, id, TaskReach::All).await,
        TaskSubmitted::PersonFull => Err(TaskError::PersonFull.into()),
        TaskSubmitted::Full => Err(TaskError::Full.into()),
        TaskSubmitted::OverBudget(used_up) => {
            Err(TaskError::OverBudget(used_up.sentence(shared.time.wall())).into())
        }
    }
}

/// Runs an operation that continues if the caller disconnects, because waiting tasks begin and agents are stopped after it.
async fn to_its_end<T: Send + 'static>(
    shared: &Shared,
    operation: impl Future<Output = Result<T, GatewayError>> + Send + 'static,
) -> Result<T, GatewayError> {
    shared.work.finished(operation, StoreError::Closed.into()).await
}

fn unknown(id: TaskId) -> GatewayError {
    GatewayError::NotFound(format!("background task {id}"))
}
