//! Background tasks. A task gets its place as a message in a session of its own; from then on its turn says who works on it,
//! and the transactions of that turn carry its state.

mod ending;
mod progress;
mod read;
mod shown;

pub(crate) use ending::{ended, report, stopped, turn_is_dead};
pub(crate) use progress::shown_by;
#[cfg(test)]
pub(crate) use read::{ENDED, LIST, OPEN};
pub(crate) use read::{by_id, of_session, reaches};
pub(crate) use shown::{show_state, show_state_of};

use chrono::{DateTime, Utc};
use frontdesk_core::id::{TaskId, TurnId};
use rusqlite::params;

use crate::fault::Outcome;
use crate::row::TurnTask;
use crate::sql::ms;
use crate::tx::Tx;

/// A turn works on a task from now on, or once more.
pub(crate) fn begun(
    tx: &Tx<'_>,
    task: &TurnTask,
    turn: TurnId,
    attempt: u32,
    now: DateTime<Utc>,
) -> Outcome<()> {
    tx.run(
        "UPDATE task SET state = 'running', turn_id = ?2, attempt = ?3, started_at = coalesce(started_at, ?4)
         WHERE id = ?1 AND state IN ('queued', 'running')",
        params![task.id.0, turn.0, attempt, ms(now)],
    )?;
    show_state(tx, task.id, now)
}

/// The turn that worked on a task waits again.
pub(crate) fn waits_again(tx: &Tx<'_>, turn: TurnId, now: DateTime<Utc>) -> Outcome<()> {
    let waits = "UPDATE task SET state = 'queued' WHERE id = (SELECT task_id FROM turn WHERE id = ?1) AND state = 'running'
                 RETURNING id";
    let task = tx.one(waits, [turn.0], |row| row.get(0).map(TaskId))?;
    task.map_or(Ok(()), |task| show_state(tx, task, now))
}
