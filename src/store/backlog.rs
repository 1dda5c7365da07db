//! What has waited or run for too long, for the watchdog.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_core::id::TurnId;
use rusqlite::params;

use crate::fault::Outcome;
use crate::row::{Backlog, LateParts, StuckTurn};
use crate::sql::{Sql, at, count, maybe_at, ms, parsed};
use crate::{Result, StoreReader};

/// How many late parts are looked at.
const LATE: i64 = 1000;

impl StoreReader {
    /// What has waited or run for too long: parts for longer than `late`, turns beyond `turns` if they have no limit of
    /// their own.
    pub async fn backlog(&self, now: DateTime<Utc>, late: TimeDelta, turns: TimeDelta) -> Result<Backlog> {
        self.read(move |sql| {
            Ok(Backlog {
                oldest_message: oldest_message(sql)?,
                late_parts: late_parts(sql, now - late)?,
                failed_parts: sql
                    .one(
                        "SELECT count(*) FROM outbox WHERE state IN ('unknown', 'dead') AND state = 'dead' AND done_at > ?1",
                        [ms(now - TimeDelta::hours(1))],
                        |row| count(row, 0),
                    )?
                    .unwrap_or(0),
                stuck: stuck(sql, now, turns)?,
            })
        })
        .await
    }
}

/// When the oldest message came that a person has written and that waits for an answer.
fn oldest_message(sql: &Sql<'_>) -> Outcome<Option<DateTime<Utc>>> {
    let oldest = "SELECT min(received_at) FROM inbound
                  WHERE state = 'waiting' AND disposition = 'turn' AND source NOT IN ('task', 'job')";
    Ok(sql.one(oldest, [], |row| maybe_at(row, 0))?.flatten())
}

/// The parts that were to be sent before `limit`, by account. One that quiet hours hold back was to be sent at their end.
fn late_parts(sql: &Sql<'_>, limit: DateTime<Utc>) -> Outcome<Vec<LateParts>> {
    let late = "SELECT id, address, created_at FROM outbox
                WHERE state IN ('queued', 'streaming', 'sending') AND max(created_at, coalesce(held_until, 0)) < ?1
                ORDER BY id LIMIT ?2";
    let late = sql.all_legible(late, params![ms(limit), LATE], |row| {
        Ok((parsed::<Address>(row, 1)?.account().clone(), at(row, 2)?))
    })?;
    let mut accounts = BTreeMap::<AccountId, (DateTime<Utc>, u64)>::new();
    for (account, created) in late {
        let (oldest, parts) = accounts.entry(account).or_insert((created, 0));
        *oldest = created.min(*oldest);
        *parts += 1;
    }
    let accounts = accounts.into_iter();
    Ok(accounts.map(|(account, (oldest, parts))| LateParts { account, oldest, parts }).collect())
}

/// Turns that run beyond their limit. The time during which they waited for a person does not count.
fn stuck(sql: &Sql<'_>, now: DateTime<Utc>, limit: TimeDelta) -> Outcome<Vec<StuckTurn>> {
    let stuck = "
        SELECT t.id, t.key, t.started_at FROM turn t LEFT JOIN task ON task.id = t.task_id
        WHERE t.state IN ('queued', 'running') AND t.state = 'running'
          AND max(t.started_at, coalesce((SELECT max(ended_at) FROM ask WHERE turn_id = t.id), 0))
              + coalesce(task.limit_ms, ?1) < ?2
          AND NOT EXISTS (SELECT 1 FROM ask WHERE turn_id = t.id AND state = 'open')
        ORDER BY t.id LIMIT 20";
    sql.all_legible(stuck, params![limit.num_milliseconds(), ms(now)], |row| {
        Ok(StuckTurn { turn: TurnId(row.get(0)?), session: parsed(row, 1)?, since: at(row, 2)? })
    })
}
