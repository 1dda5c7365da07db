//! How far the tasks of a chat are, for a client that comes back: what was reported before is not stored as frames.

use frontdesk_core::delivery::MessageRefs;
use frontdesk_core::key::SessionKey;
use frontdesk_core::progress::Progress;
use frontdesk_store::row::{TaskFilter, TaskReach, TaskRow};

use crate::frame::ServerFrame;
use crate::server::ServerState;

/// Maximum number of tasks whose progress is sent.
const SHOWN: u32 = 50;

/// The latest progress of each open task of a session, the oldest task first.
pub(super) async fn frames(server: &ServerState, session: &SessionKey) -> Vec<ServerFrame> {
    let reach = TaskReach::Chat(session.clone());
    let open = TaskFilter { reach, state: None, open: true, before: None };
    // If they cannot be read, the client sees the next report.
    let tasks = server.handle.store().tasks(open, SHOWN).await.unwrap_or_default();
    let reported = tasks.into_iter().rev().filter(|task| task.progress != Progress::default());
    let frame = |task: TaskRow| {
        let about = MessageRefs { session: Some(session.clone()), messages: Vec::new() };
        ServerFrame::progress(about, Some(task.id), task.attempt, &task.progress)
    };
    reported.map(frame).collect()
}
