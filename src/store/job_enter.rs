//! A run of a job that is due enters the session of its job, where its turn is claimed like that of any message.

use chrono::{DateTime, Utc};
use frontdesk_core::id::RunId;
use frontdesk_core::job::{JobId, JobState, PauseReason, SkipReason};
use frontdesk_core::key::SessionKey;
use rusqlite::params;

use crate::epoch::{begin_next, session_state};
use crate::fault::Outcome;
use crate::ids::Table;
use crate::job::{by_id, pause, settle, skip};
use crate::message::stored_roles;
use crate::queue::WorkClass;
use crate::row::{Entered, Entrance, EpochReason, JobChat, JobRow, RunToEnter, digest};
use crate::sql::{Sql, int, ms, parsed, small};
use crate::tx::Tx;
use crate::{Result, Store, StoreReader};

/// The source of the messages by which runs enter their sessions.
const SOURCE: &str = "job";
/// Maximum number of runs that are listed at once.
const MOST: u32 = 1000;

/// Whether an earlier run of the job of `run r` has not ended: it has entered, or waits to be tried again.
macro_rules! is_blocked {
    () => {
        "EXISTS (SELECT 1 FROM run o WHERE o.job_id = r.job_id AND o.id <> r.id AND o.state IN ('due', 'running')
                    AND (o.message_id IS NOT NULL OR o.tries > 0 AND o.id < r.id))"
    };
}

impl StoreReader {
    /// The runs that may begin, the oldest first, at most one of each job. Whether their owners still may is for the caller to
    /// decide.
    pub async fn runs_to_enter(&self, now: DateTime<Utc>) -> Result<Vec<RunToEnter>> {
        self.read(move |sql| to_enter(sql, now)).await
    }
}

impl Store {
    /// A run begins: it becomes a message of the session of its job, which waits for its turn. Or it does not, because an
    /// earlier run has not ended or its owner has lost access.
    pub async fn enter_run(&self, run: RunId, entrance: Entrance, now: DateTime<Utc>) -> Result<Entered> {
        self.write(WorkClass::Requests, move |tx| enter(tx, run, &entrance, now)).await
    }
}

fn to_enter(sql: &Sql<'_>, now: DateTime<Utc>) -> Outcome<Vec<RunToEnter>> {
    // A run that was made in the future is older than the clock, which was set back: its time is not waited for again.
    let due = concat!(
        "SELECT min(r.id), r.job_id FROM run r
         WHERE r.state IN ('due', 'running') AND r.state = 'due' AND r.message_id IS NULL
           AND (r.not_before <= ?1 OR r.created_at > ?1) AND NOT (r.waits AND ",
        is_blocked!(),
        ") GROUP BY r.job_id ORDER BY 1 LIMIT ?2"
    );
    let due = sql.all(due, params![ms(now), MOST], |row| Ok((RunId(row.get(0)?), parsed(row, 1)?)))?;
    let mut runs = Vec::new();
    for (run, id) in due {
        match by_id(sql, &id) {
            Ok(Some(JobRow { job, session, owner, origin, chat, .. })) => {
                runs.push(RunToEnter { run, job, session, owner, origin, chat });
            }
            Ok(None) => {}
            Err(fault) if !fault.takes_the_group() => {
                tracing::error!(job = %id, %run, cause = %fault.error(), "a job cannot be read; its run waits");
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(runs)
}

/// A run that has not entered its session.
struct DueRun {
    tries: u32,
    waits: bool,
    is_blocked: bool,
}

fn enter(tx: &Tx<'_>, run: RunId, entrance: &Entrance, now: DateTime<Utc>) -> Outcome<Entered> {
    let due = concat!(
        "SELECT r.job_id, r.tries, r.waits, ",
        is_blocked!(),
        " FROM run r WHERE r.id = ?1 AND r.state = 'due' AND r.message_id IS NULL"
    );
    let due = tx.one(due, [run.0], |row| {
        let run = DueRun { tries: small(row, 1)?, waits: row.get(2)?, is_blocked: row.get(3)? };
        Ok((parsed(row, 0)?, run))
    })?;
    let Some((id, due)) = due else { return Ok(Entered::Stale) };
    let Some(job) = by_id(tx, &id)? else { return Ok(Entered::Stale) };
    let (chat, task) = match entrance {
        Entrance::Begin(chat) => (chat, &job.job.task),
        Entrance::BeginWith(chat, task) => (chat, task),
        Entrance::Skip(reason) => {
            skip(tx, run, *reason, now)?;
            forget_skipped(tx, run, &id, *reason)?;
            return Ok(Entered::Skipped(*reason));
        }
        Entrance::Revoked => {
            skip(tx, run, SkipReason::Revoked, now)?;
            if job.state == JobState::Active {
                pause(tx, &id, (JobState::Paused, PauseReason::Revoked), true, now)?;
            }
            return Ok(Entered::Skipped(SkipReason::Revoked));
        }
    };
    if due.is_blocked && due.waits {
        return Ok(Entered::Waits);
    }
    if due.is_blocked {
        skip(tx, run, SkipReason::Overlap, now)?;
        settle(tx, &id)?;
        return Ok(Entered::Skipped(SkipReason::Overlap));
    }
    if matches!(entrance, Entrance::BeginWith(..)) {
        skip_others(tx, run, &id, now)?;
    }
    begin(tx, run, &job, (due.tries, task), chat, now)?;
    Ok(Entered::Begun(job.session))
}

/// Of the runs of a job that had nothing to do the newest is enough: a heartbeat has a hundred a day.
fn forget_skipped(tx: &Tx<'_>, run: RunId, job: &JobId, reason: SkipReason) -> Outcome<()> {
    tx.run(
        "DELETE FROM run WHERE job_id = ?1 AND state = 'skipped' AND reason = ?2 AND id <> ?3",
        params![job.as_str(), reason.name(), run.0],
    )
    .map(drop)
}

/// Skips the other runs of a job that wait to begin.
fn skip_others(tx: &Tx<'_>, run: RunId, job: &JobId, now: DateTime<Utc>) -> Outcome<()> {
    tx.run(
        "UPDATE run SET state = 'skipped', reason = ?3, finished_at = ?4
         WHERE job_id = ?1 AND state = 'due' AND message_id IS NULL AND id <> ?2",
        params![job.as_str(), run.0, SkipReason::Overlap.name(), ms(now)],
    )
    .map(drop)
}

/// The run becomes a message of its session.
fn begin(
    tx: &Tx<'_>,
    run: RunId,
    job: &JobRow,
    (tries, task): (u32, &str),
    chat: &JobChat,
    now: DateTime<Utc>,
) -> Outcome<()> {
    let epoch = epoch(tx, job, chat, now)?;
    let (message, owner) = (tx.new_id(Table::Inbound)?, &job.owner);
    tx.run(
        "INSERT INTO inbound (id, source, event_id, key, epoch, principal, address, sender, sender_kind, roles,
                              received_at, disposition, state, digest, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'turn', 'waiting', ?12, ?13)",
        params![
            message,
            SOURCE,
            format!("{run}/{tries}"),
            job.session.as_str(),
            int(epoch),
            owner.id.as_str(),
            chat.address.as_str(),
            owner.name,
            owner.kind.name(),
            stored_roles(&owner.roles),
            ms(now),
            digest(task),
            task,
        ],
    )?;
    tx.queued(1);
    tx.run(
        "UPDATE run SET message_id = ?2, turn_id = NULL, delivery = ?3, chat_key = ?4 WHERE id = ?1",
        params![run.0, message, job.job.delivery.name(), chat.session.as_ref().map(SessionKey::as_str),],
    )
    .map(drop)
}

/// The epoch of a run: the one that all runs share, or a new one.
fn epoch(tx: &Tx<'_>, job: &JobRow, chat: &JobChat, now: DateTime<Utc>) -> Outcome<u64> {
    let key = &job.session;
    let Some(session) = session_state(tx, key)? else {
        tx.run(
            "INSERT INTO session (key, address, epoch, last_epoch, seq, created_at) VALUES (?1, ?2, 1, 1, 0, ?3)",
            params![key.as_str(), chat.address.as_str(), ms(now)],
        )?;
        tx.run("UPDATE counter SET n = n + 1 WHERE name = 'sessions'", [])?;
        tx.run(
            "INSERT INTO epoch (key, n, started_at, reason) VALUES (?1, 1, ?2, 'first')",
            params![key.as_str(), ms(now)],
        )?;
        return Ok(1);
    };
    let moved = "UPDATE session SET address = ?2 WHERE key = ?1 AND address <> ?2";
    tx.run(moved, [key.as_str(), chat.address.as_str()])?;
    if job.job.resume_context {
        return Ok(session.epoch);
    }
    Ok(begin_next(tx, key, &session, EpochReason::Job, now)?.epoch)
}
