//! What was measured in each minute, for charts.

use chrono::{DateTime, Duration, Utc};
use rusqlite::params;

use crate::queue::WorkClass;
use crate::row::{MinuteRow, minute_of};
use crate::sql::{count, int};
use crate::{Result, Store, StoreReader};

/// How many days of minutes are kept: the charts show the last one.
const DAYS: i64 = 2;

impl Store {
    /// Adds what was measured in these minutes, and deletes those of before yesterday.
    pub async fn minutes_measured(&self, minutes: Vec<(i64, MinuteRow)>, now: DateTime<Utc>) -> Result<()> {
        self.write(WorkClass::Requests, move |tx| {
            for (minute, row) in &minutes {
                tx.run(
                    "INSERT INTO minute VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                     ON CONFLICT (minute) DO UPDATE SET
                       messages = messages + excluded.messages, turns = turns + excluded.turns,
                       turn_ms = turn_ms + excluded.turn_ms, turn_max_ms = max(turn_max_ms, excluded.turn_max_ms),
                       cost_micro = cost_micro + excluded.cost_micro, commits = commits + excluded.commits,
                       commit_us = commit_us + excluded.commit_us,
                       commit_max_us = max(commit_max_us, excluded.commit_max_us),
                       queue_ms = max(queue_ms, excluded.queue_ms)",
                    params![
                        minute,
                        int(row.messages),
                        int(row.turns),
                        int(row.turn_ms),
                        int(row.turn_max_ms),
                        int(row.cost_micro),
                        int(row.commits),
                        int(row.commit_us),
                        int(row.commit_max_us),
                        int(row.queue_ms),
                    ],
                )?;
            }
            let oldest = minute_of(now).saturating_sub(DAYS * Duration::days(1).num_minutes());
            tx.run("DELETE FROM minute WHERE minute < ?1", [oldest])?;
            Ok(())
        })
        .await
    }
}

impl StoreReader {
    /// The minutes since a time in which something happened, the oldest first.
    pub async fn minutes(&self, since: DateTime<Utc>) -> Result<Vec<(i64, MinuteRow)>> {
        self.read(move |sql| {
            sql.all(
                "SELECT minute, messages, turns, turn_ms, turn_max_ms, cost_micro, commits, commit_us, commit_max_us,
                        queue_ms
                 FROM minute WHERE minute >= ?1 ORDER BY minute",
                [minute_of(since)],
                |row| {
                    let measured = MinuteRow {
                        messages: count(row, 1)?,
                        turns: count(row, 2)?,
                        turn_ms: count(row, 3)?,
                        turn_max_ms: count(row, 4)?,
                        cost_micro: count(row, 5)?,
                        commits: count(row, 6)?,
                        commit_us: count(row, 7)?,
                        commit_max_us: count(row, 8)?,
                        queue_ms: count(row, 9)?,
                    };
                    Ok((row.get(0)?, measured))
                },
            )
        })
        .await
    }
}
