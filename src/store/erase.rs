//! Erasing a session: its texts and files go; its ids, numbers and event ids stay.

use chrono::{DateTime, Utc};
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use rusqlite::params;

use crate::audit::audit;
use crate::epoch::{begin_next, session_state};
use crate::fault::Outcome;
use crate::queue::WorkClass;
use crate::row::{Author, EpochReason, Stopped};
use crate::sql::{int, ms};
use crate::stop::stop;
use crate::tx::Tx;
use crate::{Result, Store, context_message, job_control, task_control};

/// Number of rows that one unit erases: a few milliseconds of the writer's time.
const CHUNK: usize = 100;

/// The tables whose rows are erased, in this order.
const ERASED: [ErasedTable; 17] = [
    ErasedTable {
        rows: "SELECT id FROM upload WHERE message_id IN (SELECT id FROM session_message WHERE key = ?1 AND id <= ?2)",
        newest: "SELECT coalesce(max(id), 0) FROM inbound",
        erase: "DELETE FROM upload WHERE id = ?1",
    },
    ErasedTable {
        rows: "SELECT DISTINCT message_id FROM media WHERE message_id IN
                (SELECT id FROM session_message WHERE key = ?1 AND id <= ?2)",
        newest: "SELECT coalesce(max(id), 0) FROM inbound",
        erase: "DELETE FROM media WHERE message_id = ?1",
    },
    ErasedTable {
        rows: "SELECT id FROM session_message WHERE key = ?1 AND id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM inbound",
        erase: "UPDATE inbound SET body = '', attachments = NULL, quote = NULL, forward = NULL, links = NULL, sender = NULL,
                                   digest = 0
                WHERE id = ?1",
    },
    ErasedTable {
        // Found by its turn: the index by session has only the messages that wait, and those are deleted already.
        rows: "SELECT id FROM context_message WHERE turn_id IN (SELECT turn_id FROM session_message WHERE key = ?1) AND id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM context_message",
        erase: "DELETE FROM context_message WHERE id = ?1",
    },
    ErasedTable {
        rows: "SELECT DISTINCT turn_id FROM session_message WHERE key = ?1 AND turn_id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM turn",
        erase: "UPDATE turn SET answer = NULL WHERE id = ?1",
    },
    ErasedTable {
        rows: "SELECT id FROM compaction WHERE key = ?1 AND id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM compaction",
        erase: "DELETE FROM compaction WHERE id = ?1",
    },
    ErasedTable {
        rows: "SELECT id FROM dead_letter WHERE key = ?1 AND id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM dead_letter",
        erase: "DELETE FROM dead_letter WHERE id = ?1",
    },
    ErasedTable {
        rows: "SELECT id FROM ask WHERE key = ?1 AND id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM ask",
        erase: "DELETE FROM ask WHERE id = ?1",
    },
    ErasedTable {
        rows: "SELECT id FROM outbox WHERE key = ?1 AND id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM outbox",
        erase: "UPDATE outbox SET body = '', plain = NULL, media = NULL, salt = NULL, native = NULL WHERE id = ?1",
    },
    // The background tasks of the session are erased with it.
    ErasedTable {
        rows: "SELECT m.id FROM task k JOIN session_message m ON m.key = k.key WHERE k.origin_key = ?1 AND m.id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM inbound",
        erase: "UPDATE inbound SET body = '', attachments = NULL, sender = NULL, digest = 0 WHERE id = ?1",
    },
    ErasedTable {
        rows: "SELECT turn_id FROM task WHERE origin_key = ?1 AND turn_id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM turn",
        erase: "UPDATE turn SET answer = NULL WHERE id = ?1",
    },
    ErasedTable {
        rows: "SELECT id FROM task WHERE origin_key = ?1 AND id <= ?2 UNION SELECT id FROM task WHERE key = ?1",
        newest: "SELECT coalesce(max(id), 0) FROM task",
        erase: "UPDATE task SET title = '', body = '', attachments = NULL, line = NULL, owner_name = NULL WHERE id = ?1",
    },
    ErasedTable {
        rows: "SELECT m.id FROM job j JOIN session_message m ON m.key = j.key WHERE j.origin_key = ?1 AND m.id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM inbound",
        erase: "UPDATE inbound SET body = '', sender = NULL, digest = 0 WHERE id = ?1",
    },
    ErasedTable {
        rows: "SELECT DISTINCT m.turn_id FROM job j JOIN session_message m ON m.key = j.key
               WHERE j.origin_key = ?1 AND m.turn_id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM turn",
        erase: "UPDATE turn SET answer = NULL WHERE id = ?1",
    },
    // Results for web servers, when the session of a job itself is erased.
    ErasedTable {
        rows: "SELECT r.id FROM job j JOIN run r ON r.job_id = j.id
               WHERE j.key = ?1 AND r.hook_body IS NOT NULL AND r.id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM run",
        erase: "UPDATE run SET hook_body = NULL, hook_next_at = NULL,
                               hook_state = iif(hook_state = 'waiting', 'dead', hook_state)
                WHERE id = ?1",
    },
    ErasedTable {
        rows: "SELECT r.id FROM job j JOIN run r ON r.job_id = j.id
               WHERE j.origin_key = ?1 AND j.source <> 'config' AND r.id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM run",
        erase: "DELETE FROM run WHERE id = ?1",
    },
    // The last of what is erased, because it names the rest.
    ErasedTable {
        rows: "SELECT rowid FROM job WHERE origin_key = ?1 AND source <> 'config' AND rowid <= ?2",
        newest: "SELECT coalesce(max(rowid), 0) FROM job",
        erase: "DELETE FROM job WHERE rowid = ?1",
    },
];

/// The statements that find messages and turns, for the test of their plans.
#[cfg(test)]
pub(crate) fn rows_of_messages() -> impl Iterator<Item = &'static str> {
    ERASED.iter().map(|table| table.rows).filter(|rows| rows.contains("session_message"))
}

/// The rows of one table that hold text or files of a session.
struct ErasedTable {
    /// Their ids: those of session `?1` up to `?2`.
    rows: &'static str,
    /// The newest id of the table at the moment of the erasure: a later row belongs to the new epoch.
    newest: &'static str,
    /// Deletes row `?1`, or removes its texts.
    erase: &'static str,
}

impl Store {
    /// Erases a session: everything open ends, every text of it is removed, and a new epoch begins whose number was
    /// never used. Event ids stay, so that a redelivery is still recognised. Returns what [`Store::cancel`] returns, or
    /// `None` if there is no such session. The texts are removed in small units after the first one; if the process dies
    /// in between, erasing again removes the rest.
    pub async fn erase(
        &self,
        key: &SessionKey,
        author: &Author,
        now: DateTime<Utc>,
    ) -> Result<Option<Stopped>> {
        let (session, author) = (key.clone(), author.clone());
        let closed = self.write(WorkClass::Requests, move |tx| close(tx, &session, &author, now)).await?;
        let Some(Closed { stopped, newest }) = closed else { return Ok(None) };
        for (table, newest) in ERASED.iter().zip(newest) {
            let session = key.clone();
            let rows = self
                .read(move |sql| {
                    sql.all(table.rows, params![session.as_str(), newest], |row| row.get::<_, i64>(0))
                })
                .await?;
            for chunk in rows.chunks(CHUNK) {
                let chunk = chunk.to_vec();
                self.write(WorkClass::Requests, move |tx| {
                    chunk.iter().try_for_each(|id| tx.run(table.erase, [id]).map(drop))
                })
                .await?;
            }
        }
        Ok(Some(stopped))
    }
}

/// The result of the first unit.
struct Closed {
    stopped: Stopped,
    /// The newest id of each table in [`ERASED`].
    newest: Vec<i64>,
}

/// Ends everything that is open, deletes the old epochs and begins a new one.
fn close(tx: &Tx<'_>, key: &SessionKey, author: &Author, now: DateTime<Utc>) -> Outcome<Option<Closed>> {
    let Some(session) = session_state(tx, key)? else { return Ok(None) };
    let mut stopped = stop(tx, key, MessageId(i64::MAX), now)?;
    let Stopped { running, waiting } = task_control::cancel_of(tx, key, author, now)?;
    stopped.running.extend(running);
    stopped.waiting.extend(waiting);
    let Stopped { running, waiting } = job_control::stop_of(tx, key, now)?;
    stopped.running.extend(running);
    stopped.waiting.extend(waiting);
    let commands = tx.run(
        "UPDATE inbound SET state = 'cancelled' WHERE key = ?1 AND disposition = 'command' AND state = 'waiting'",
        [key.as_str()],
    )?;
    tx.taken(commands);
    context_message::forget(tx, key)?;
    let epoch = begin_next(tx, key, &session, EpochReason::Erased, now)?.epoch;
    tx.run("DELETE FROM epoch WHERE key = ?1 AND n <> ?2", params![key.as_str(), int(epoch)])?;
    tx.run("UPDATE session SET last_user_at = NULL, title = NULL WHERE key = ?1", [key.as_str()])?;
    tx.run(
        "UPDATE outbox SET state = 'dropped', done_at = ?2, owner = NULL
         WHERE key = ?1 AND state IN ('queued', 'streaming', 'sending')",
        params![key.as_str(), ms(now)],
    )?;
    audit(tx, author, "session erase", key.as_str(), "done", now)?;
    let newest = |table: &ErasedTable| Ok(tx.one(table.newest, [], |row| row.get(0))?.unwrap_or(0));
    let newest = ERASED.iter().map(newest).collect::<Outcome<_>>()?;
    Ok(Some(Closed { stopped, newest }))
}
