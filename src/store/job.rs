//! Scheduled jobs. A run enters the session of its job as a message; from then on its turn says who works on it, and the
//! transactions of that turn carry the state of the run.

mod ending;
mod read;
mod state;
mod tell;

pub(crate) use ending::{EndedRun, ended, report, turn_is_dead};
pub(crate) use read::{by_id, job, job_select, of_message, within_reach};
pub(crate) use state::{pause, settle, skip};
pub(crate) use tell::{missed, undelivered, warn};

use chrono::{DateTime, Utc};
use frontdesk_core::id::{RunId, TurnId};
use rusqlite::params;

use crate::fault::Outcome;
use crate::sql::ms;
use crate::tx::Tx;

/// A turn works on a run from now on, or once more.
pub(crate) fn begun(tx: &Tx<'_>, run: RunId, turn: TurnId, attempt: u32, now: DateTime<Utc>) -> Outcome<()> {
    tx.run(
        "UPDATE run SET state = 'running', turn_id = ?2, attempt = ?3, started_at = coalesce(started_at, ?4)
         WHERE id = ?1 AND state IN ('due', 'running')",
        params![run.0, turn.0, attempt, ms(now)],
    )
    .map(drop)
}

/// The turn that worked on a run waits again.
pub(crate) fn waits_again(tx: &Tx<'_>, turn: TurnId) -> Outcome<()> {
    tx.run(
        "UPDATE run SET state = 'due' WHERE id = (SELECT run_id FROM turn WHERE id = ?1) AND state = 'running'",
        [turn.0],
    )
    .map(drop)
}
