//! Background tasks: they are submitted, get a place when there is one, and are cancelled. What their turns do differently is
//! in `turn/task.rs`.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::delivery::Ending;
use frontdesk_core::port::Stop;
use frontdesk_store::row::CancelledTask;

use crate::shared::Shared;

/// Pause after a database error.
const PAUSE: Duration = Duration::from_secs(1);

/// Gives places to tasks that wait, until `stop`.
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
