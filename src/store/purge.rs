//! The purge: rows that are too old are deleted, in small units behind every message.

use chrono::{DateTime, Duration, Utc};
use frontdesk_core::pairing::{DECAY, FAILURES, LOCKOUT};
use rusqlite::{Row, params};

use crate::fault::Outcome;
use crate::queue::WorkClass;
use crate::row::Retention;
use crate::sql::{Sql, at, ms};
use crate::{Result, Store, StoreReader};

/// Event ids are kept at least this long: WhatsApp redelivers for seven days.
const DEDUPE_DAYS: u32 = 8;

/// Rows that one unit deletes: a few milliseconds of the writer's time.
const CHUNK: usize = 100;

/// Rows that one read looks at.
const PAGE: i64 = 5000;

/// One kind of rows that are purged. They are read in the order of their ids, from the oldest to the first that is young
/// enough: no index on a time is needed, and no row is read twice.
struct Sweep {
    /// `id, whether it may go` of rows after `?1` and older than `?2`, at most `?3`.
    old: &'static str,
    delete: &'static str,
}

const OUTBOX: Sweep = Sweep {
    old: "SELECT id, state IN ('sent', 'unknown', 'dead', 'dropped') AND created_at < ?2, created_at < ?2
          FROM outbox WHERE id > ?1 ORDER BY id LIMIT ?3",
    delete: "DELETE FROM outbox WHERE id = ?1 AND state IN ('sent', 'unknown', 'dead', 'dropped')",
};
const REFUSED: Sweep = Sweep {
    // The rows that were read are deleted before the next read, so there is no place to continue from.
    old: "SELECT id, 1, 1 FROM inbound INDEXED BY inbound_refused
          WHERE state = 'refused' AND received_at < ?2 AND ?1 >= 0 LIMIT ?3",
    delete: "DELETE FROM inbound WHERE id = ?1 AND state = 'refused'",
};
const INBOUND: Sweep = Sweep {
    old: "SELECT id, state NOT IN ('waiting', 'in_turn') AND received_at < ?2, received_at < ?2
          FROM inbound WHERE id > ?1 ORDER BY id LIMIT ?3",
    delete: "DELETE FROM inbound WHERE id = ?1 AND state NOT IN ('waiting', 'in_turn')",
};
const TURNS: Sweep = Sweep {
    old: "SELECT id, state NOT IN ('queued', 'running') AND created_at < ?2, created_at < ?2
          FROM turn WHERE id > ?1 ORDER BY id LIMIT ?3",
    delete: "DELETE FROM turn WHERE id = ?1 AND state NOT IN ('queued', 'running')",
};
const ASKS: Sweep = Sweep {
    old: "SELECT id, state <> 'open' AND created_at < ?2, created_at < ?2 FROM ask WHERE id > ?1 ORDER BY id LIMIT ?3",
    delete: "DELETE FROM ask WHERE id = ?1 AND state <> 'open'",
};

const AUDIT: Sweep = Sweep {
    old: "SELECT id, at < ?2, at < ?2 FROM audit WHERE id > ?1 ORDER BY id LIMIT ?3",
    delete: "DELETE FROM audit WHERE id = ?1",
};
const PAIRING: Sweep = Sweep {
    // Nothing that old can still be open.
    old: "SELECT id, created_at < ?2, created_at < ?2 FROM pairing WHERE id > ?1 ORDER BY id LIMIT ?3",
    delete: "DELETE FROM pairing WHERE id = ?1",
};
const WAITING_CONTEXT: Sweep = Sweep {
    old: "SELECT id, 1, 1 FROM context_message INDEXED BY context_message_waiting
          WHERE turn_id IS NULL AND received_at < ?2 AND ?1 >= 0 LIMIT ?3",
    delete: "DELETE FROM context_message WHERE id = ?1 AND turn_id IS NULL",
};
const USED_CONTEXT: Sweep = Sweep {
    old: "SELECT id, turn_id IS NOT NULL AND received_at < ?2, received_at < ?2
          FROM context_message WHERE id > ?1 ORDER BY id LIMIT ?3",
    delete: "DELETE FROM context_message WHERE id = ?1 AND turn_id IS NOT NULL",
};
const COMPACTIONS: Sweep = Sweep {
    old: "SELECT id, at < ?2, at < ?2 FROM compaction WHERE id > ?1 ORDER BY id LIMIT ?3",
    delete: "DELETE FROM compaction WHERE id = ?1",
};
const TASKS: Sweep = Sweep {
    old: "SELECT id, state NOT IN ('queued', 'running') AND created_at < ?2, created_at < ?2
          FROM task WHERE id > ?1 ORDER BY id LIMIT ?3",
    delete: "DELETE FROM task WHERE id = ?1 AND state NOT IN ('queued', 'running')",
};
const RUNS: Sweep = Sweep {
    // The newest of each job stays: it says how the job has ended last.
    old: "SELECT id, state NOT IN ('due', 'running') AND coalesce(hook_state, '') <> 'waiting' AND created_at < ?2
                 AND id <> (SELECT max(o.id) FROM run o WHERE o.job_id = run.job_id), created_at < ?2
          FROM run WHERE id > ?1 ORDER BY id LIMIT ?3",
    delete: "DELETE FROM run WHERE id = ?1 AND state NOT IN ('due', 'running') AND coalesce(hook_state, '') <> 'waiting'",
};
const DEAD_LETTERS: Sweep = Sweep {
    old: "SELECT id, received_at < ?2, received_at < ?2 FROM dead_letter WHERE id > ?1 ORDER BY id LIMIT ?3",
    delete: "DELETE FROM dead_letter WHERE id = ?1",
};
const MEDIA: Sweep = Sweep {
    // Of messages that are gone. Deleted with all of its files, so a page may end between two of one message.
    old: "SELECT message_id, fetched_at < ?2 AND NOT EXISTS (SELECT 1 FROM inbound WHERE id = message_id),
                 fetched_at < ?2
          FROM media WHERE message_id > ?1 ORDER BY message_id LIMIT ?3",
    delete: "DELETE FROM media WHERE message_id = ?1",
};

/// A row that was looked at.
struct Seen {
    id: i64,
    may_go: bool,
    old: bool,
}

impl Store {
    /// Deletes rows that have been kept long enough; returns how many. Rows that wait or run stay, and no event id is
    /// deleted before the last redelivery of it can have come.
    pub async fn purge(&self, keep: Retention, now: DateTime<Utc>) -> Result<u64> {
        // Beyond the calendar nothing is old enough.
        let before =
            |days: u32| Duration::try_days(days.into()).and_then(|age| now.checked_sub_signed(age)).map(ms);
        let history = before(keep.history_days.max(DEDUPE_DAYS));
        let plan = [
            (&OUTBOX, before(keep.outbox_days)),
            (&REFUSED, before(keep.refused_days.max(DEDUPE_DAYS))),
            (&INBOUND, history),
            (&DEAD_LETTERS, before(keep.dead_letter_days)),
            (&TURNS, history),
            (&ASKS, history),
            (&USED_CONTEXT, history),
            (&COMPACTIONS, history),
            (&TASKS, history),
            (&RUNS, history),
            (&MEDIA, history),
            (&AUDIT, before(keep.audit_days)),
            (&PAIRING, before(DEDUPE_DAYS)),
            (&WAITING_CONTEXT, before(DEDUPE_DAYS)),
        ];
        let mut gone = 0;
        for (sweep, before) in plan {
            let Some(before) = before else { continue };
            gone += self.sweep(sweep, before).await?;
        }
        gone += self.sweep_quota(now).await?;
        gone += self.sweep_failures(now).await?;
        Ok(gone)
    }

    /// Stores a date that is trusted.
    pub async fn date_believed(&self, date: DateTime<Utc>) -> Result<()> {
        self.write(WorkClass::Sweep, move |tx| {
            let sql = "INSERT INTO counter (name, n) VALUES ('believed_date', ?1)
                       ON CONFLICT (name) DO UPDATE SET n = excluded.n";
            tx.run(sql, [ms(date)]).map(drop)
        })
        .await
    }

    async fn sweep(&self, sweep: &'static Sweep, before: i64) -> Result<u64> {
        let (mut after, mut gone) = (0, 0);
        loop {
            let seen = self.read(move |sql| look(sql, sweep, after, before)).await?;
            let Some(last) = seen.last() else { return Ok(gone) };
            let young = !last.old;
            after = last.id;
            let ids: Vec<i64> = seen.iter().filter(|row| row.may_go).map(|row| row.id).collect();
            for chunk in ids.chunks(CHUNK) {
                let chunk = chunk.to_vec();
                gone += self
                    .write(WorkClass::Sweep, move |tx| {
                        let mut gone = 0;
                        for id in &chunk {
                            gone += tx.run(sweep.delete, [id])?;
                        }
                        Ok(gone as u64)
                    })
                    .await?;
            }
            if young {
                return Ok(gone);
            }
        }
    }
}

impl StoreReader {
    /// The last date that was trusted (see `CautiousCalendar`), whatever the clock says now.
    pub async fn believed_date(&self) -> Result<Option<DateTime<Utc>>> {
        self.read(|sql| sql.one("SELECT n FROM counter WHERE name = 'believed_date'", [], |row| at(row, 0)))
            .await
    }
}

impl Store {
    /// Deletes what was counted on past days.
    async fn sweep_quota(&self, now: DateTime<Utc>) -> Result<u64> {
        let oldest = now.timestamp().div_euclid(86_400) - i64::from(DEDUPE_DAYS);
        let mut gone = 0;
        for delete in [
            "DELETE FROM quota WHERE (day, principal) IN (SELECT day, principal FROM quota WHERE day < ?1 LIMIT ?2)",
            "DELETE FROM media_quota WHERE (day, principal) IN
              (SELECT day, principal FROM media_quota WHERE day < ?1 LIMIT ?2)",
            "DELETE FROM spend WHERE (scope, subject, day) IN
              (SELECT scope, subject, day FROM spend WHERE day < ?1 LIMIT ?2)",
        ] {
            loop {
                let some = self
                    .write(WorkClass::Sweep, move |tx| tx.run(delete, params![oldest, CHUNK as i64]))
                    .await?;
                gone += some as u64;
                if some < CHUNK {
                    break;
                }
            }
        }
        Ok(gone)
    }

    /// Deletes failed approvals that have decayed. Only admins cause any, so they are few.
    async fn sweep_failures(&self, now: DateTime<Utc>) -> Result<u64> {
        self.write(WorkClass::Sweep, move |tx| {
            let gone = tx.run(
                "DELETE FROM pairing_failure WHERE last_at < ?1 AND (locked_until IS NULL OR locked_until < ?1)",
                [ms(now - LOCKOUT - DECAY * i32::try_from(FAILURES).unwrap_or(i32::MAX))],
            )?;
            Ok(gone as u64)
        })
        .await
    }
}

fn look(sql: &Sql<'_>, sweep: &Sweep, after: i64, before: i64) -> Outcome<Vec<Seen>> {
    sql.all(sweep.old, params![after, before, PAGE], |row: &Row<'_>| {
        Ok(Seen { id: row.get(0)?, may_go: row.get(1)?, old: row.get(2)? })
    })
}
