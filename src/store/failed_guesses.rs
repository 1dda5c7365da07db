//! Wrong codes, counted for each author: too many of them lock the author out for a while.

use chrono::{DateTime, Duration, Utc};
use frontdesk_core::pairing::{DECAY, FAILURES, LOCKOUT};
use frontdesk_core::time::Pause;
use rusqlite::params;

use crate::fault::Outcome;
use crate::sql::{Sql, at, maybe_at, ms, small};
use crate::tx::Tx;

/// Somebody's wrong codes that are not forgotten yet, and whether they were too many.
pub(crate) struct FailedGuesses {
    pub(crate) failures: u32,
    pub(crate) locked_until: Option<DateTime<Utc>>,
}

impl FailedGuesses {
    pub(crate) fn of(sql: &Sql<'_>, author: &str, now: DateTime<Utc>) -> Outcome<Self> {
        let known = sql.one(
            "SELECT failures, last_at, locked_until FROM pairing_failure WHERE author = ?1",
            [author],
            |row| Ok((small(row, 0)?, at(row, 1)?, maybe_at(row, 2)?)),
        )?;
        let Some((failures, last, locked)) = known else {
            return Ok(Self { failures: 0, locked_until: None });
        };
        let forgotten = (now - last).num_milliseconds().max(0) / DECAY.num_milliseconds();
        let forgotten = u32::try_from(forgotten).unwrap_or(u32::MAX);
        Ok(Self {
            failures: failures.saturating_sub(forgotten),
            // The failure that exceeded the limit is the last one.
            locked_until: locked.filter(|until| !Pause { since: last, until: *until }.is_over(now)),
        })
    }

    /// Counts a failure; returns how many are left.
    pub(crate) fn failed(&self, tx: &Tx<'_>, author: &str, now: DateTime<Utc>) -> Outcome<u32> {
        let failures = self.failures + 1;
        let locked: Option<Duration> = (failures >= FAILURES).then_some(LOCKOUT);
        tx.run(
            "INSERT INTO pairing_failure (author, failures, last_at, locked_until) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (author) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at,
                                                locked_until = excluded.locked_until",
            params![author, failures, ms(now), locked.map(|span| ms(now + span))],
        )?;
        Ok(FAILURES.saturating_sub(failures))
    }
}
