//! How far a task is.

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::id::{OutId, TaskId, TurnId};
use frontdesk_core::profile::ReceiptRule;
use frontdesk_core::progress::Progress;
use rusqlite::params;

use crate::fault::Outcome;
use crate::queue::WorkClass;
use crate::row::{Claim, Fenced, TaskRow};
use crate::turn::OpenTurn;
use crate::tx::Tx;
use crate::{Result, Store};

use super::ending::first_progress;
use super::read::by_id;

impl Store {
    /// The agent of a running turn has reported how far its task is. `text` is what the chat is to show; the message for that
    /// is stored with the first report. Returns its row.
    pub async fn task_progress(
        &self,
        claim: Claim<TurnId>,
        progress: Progress,
        text: String,
        now: DateTime<Utc>,
    ) -> Result<Fenced<Option<OutId>>> {
        self.write(WorkClass::Outbox, move |tx| {
            let Some(task) = task_of(tx, claim)? else { return Ok(Fenced::Stale) };
            tx.run(
                "UPDATE task SET percent = ?2, line = ?3 WHERE id = ?1",
                params![task.id.0, progress.percent, progress.line],
            )?;
            // Readers that fetch what was sent see the progress as it is reported, and in no message.
            if tx.shared.renderer.receipt(&task.order.address) == ReceiptRule::Commit {
                return Ok(Fenced::Done(None));
            }
            if task.progress_out.is_some() || !task.order.delivers || !task.order.source.is_awaited() {
                return Ok(Fenced::Done(task.progress_out));
            }
            let out = first_progress(tx, &task, &text, now)?;
            out.map_or(Ok(()), |out| shows_progress(tx, task.id, out))?;
            Ok(Fenced::Done(out))
        })
        .await
    }
}

/// The task of a turn that this process holds.
fn task_of(tx: &Tx<'_>, claim: Claim<TurnId>) -> Outcome<Option<TaskRow>> {
    match OpenTurn::held(tx, claim)?.and_then(|turn| turn.task) {
        Some(task) => by_id(tx, task),
        None => Ok(None),
    }
}

/// The reply to the command that has handed over a task shows its progress from now on. Of a task that is run again from another
/// chat it does not: that is shown in its own chat.
pub(crate) fn shown_by(tx: &Tx<'_>, task: TaskId, reply: OutId, chat: &Address) -> Outcome<()> {
    let shown = "UPDATE task SET progress_out = ?2 WHERE id = ?1 AND address = ?3";
    tx.run(shown, params![task.0, reply.0, chat.as_str()]).map(drop)
}

/// This message shows the progress of a task from now on.
fn shows_progress(tx: &Tx<'_>, task: TaskId, out: OutId) -> Outcome<()> {
    tx.run("UPDATE task SET progress_out = ?2 WHERE id = ?1", params![task.0, out.0]).map(drop)
}
