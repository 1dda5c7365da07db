//! What is too old goes, in small units behind every message.

use chrono::{DateTime, Duration, Utc};
use rusqlite::{Row, params};

use crate::fault::Outcome;
use crate::queue::Line;
use crate::row::Keep;
use crate::sql::{Sql, ms};
use crate::{Result, Store};

/// Event ids are kept at least this long: WhatsApp redelivers for seven days.
const DEDUPE_DAYS: u32 = 8;

/// Rows that one unit deletes: a few milliseconds of the writer's time.
const CHUNK: usize = 100;

/// Rows that one read looks at.
const PAGE: i64 = 5000;

/// One kind of rows that grow old. Each is walked in the order in which it was made, from the oldest to the
/// first that is young enough: no index on a time is needed, and nothing is read twice in vain.
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
    // What was read is gone at the next look, so there is no place to go on from.
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

/// A row that was looked at.
struct Seen {
    id: i64,
    may_go: bool,
    old: bool,
}

impl Store {
    /// Deletes what has been kept long enough; returns how many rows. What waits or runs stays, and no event id
    /// goes before the last redelivery of it can have come.
    pub async fn purge(&self, keep: Keep, now: DateTime<Utc>) -> Result<u64> {
        // Beyond the calendar nothing is old enough.
        let before =
            |days: u32| Duration::try_days(days.into()).and_then(|age| now.checked_sub_signed(age)).map(ms);
        let history = before(keep.history_days.max(DEDUPE_DAYS));
        let plan = [
            (&OUTBOX, before(keep.outbox_days)),
            (&REFUSED, before(keep.refused_days.max(DEDUPE_DAYS))),
            (&INBOUND, history),
            (&TURNS, history),
        ];
        let mut gone = 0;
        for (sweep, before) in plan {
            let Some(before) = before else { continue };
            gone += self.sweep(sweep, before).await?;
        }
        Ok(gone)
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
                    .write(Line::Sweep, move |tx| {
                        chunk.iter().try_fold(0, |gone, id| Ok(gone + tx.run(sweep.delete, [id])? as u64))
                    })
                    .await?;
            }
            if young {
                return Ok(gone);
            }
        }
    }
}

fn look(sql: &Sql<'_>, sweep: &Sweep, after: i64, before: i64) -> Outcome<Vec<Seen>> {
    sql.all(sweep.old, params![after, before, PAGE], |row: &Row<'_>| {
        Ok(Seen { id: row.get(0)?, may_go: row.get(1)?, old: row.get(2)? })
    })
}
