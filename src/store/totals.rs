//! Numbers for metrics and status, none of which needs a scan.

use chrono::{DateTime, Utc};
use frontdesk_core::key::keys_of_agent;

use crate::queue::WorkClass;
use crate::row::Totals;
use crate::sql::{Sql, count, maybe_at};
use crate::{Result, Store, StoreReader, fault::Outcome};

impl Store {
    /// Writes without changing anything, to find out whether the database takes writes again.
    pub async fn probe(&self) -> Result<()> {
        self.write(WorkClass::Requests, |tx| {
            tx.run(
                "INSERT INTO dropped_event (source, kind, n) VALUES ('gateway', 'probe', 0)
                 ON CONFLICT (source, kind) DO UPDATE SET n = n",
                [],
            )
            .map(drop)
        })
        .await
    }
}

impl StoreReader {
    /// Numbers for people and metrics. Every one comes from a small index or a kept count.
    pub async fn totals(&self) -> Result<Totals> {
        self.read(totals).await
    }

    /// How many messages wait for an agent, those of turns that were given back too.
    pub async fn waiting_for_agent(&self, agent: &str) -> Result<u64> {
        let (first, end) = keys_of_agent(agent);
        self.read(move |sql| {
            let waiting = "
                SELECT (SELECT count(*) FROM inbound
                         WHERE key > ?1 AND key < ?2 AND disposition = 'turn' AND state = 'waiting')
                     + (SELECT count(*) FROM inbound WHERE turn_id IN
                         (SELECT id FROM turn WHERE key > ?1 AND key < ?2 AND state IN ('queued', 'running')
                             AND state = 'queued'))";
            Ok(sql.one(waiting, [&first, &end], |row| count(row, 0))?.unwrap_or(0))
        })
        .await
    }
}

fn totals(sql: &Sql<'_>) -> Outcome<Totals> {
    let number = |statement: &str| {
        Ok::<u64, crate::fault::Fault>(sql.one(statement, [], |row| count(row, 0))?.unwrap_or(0))
    };
    let since = |statement: &str| {
        Ok::<Option<DateTime<Utc>>, crate::fault::Fault>(
            sql.one(statement, [], |row| maybe_at(row, 0))?.flatten(),
        )
    };
    Ok(Totals {
        sessions: number("SELECT n FROM counter WHERE name = 'sessions'")?,
        // A turn that was given back waits as well, with its messages.
        waiting: number(
            "SELECT (SELECT count(*) FROM inbound WHERE state = 'waiting')
                  + (SELECT count(*) FROM inbound WHERE turn_id IN
                      (SELECT id FROM turn WHERE state IN ('queued', 'running') AND state = 'queued'))",
        )?,
        running: number(
            "SELECT count(*) FROM turn WHERE state IN ('queued', 'running') AND state = 'running'",
        )?,
        asks: number("SELECT count(*) FROM ask WHERE state = 'open'")?,
        outbox: number("SELECT count(*) FROM outbox WHERE state IN ('queued', 'streaming', 'sending')")?,
        dead_parts: number(
            "SELECT count(*) FROM outbox WHERE state IN ('unknown', 'dead') AND state = 'dead'",
        )?,
        dead_letters: number("SELECT count(*) FROM dead_letter")?,
        dead_letters_deleted: number("SELECT n FROM counter WHERE name = 'dead_letters_deleted'")?,
        oldest_waiting: since(
            "SELECT min(received_at) FROM
              (SELECT received_at FROM inbound WHERE state = 'waiting'
               UNION ALL
               SELECT received_at FROM inbound WHERE turn_id IN
                (SELECT id FROM turn WHERE state IN ('queued', 'running') AND state = 'queued'))",
        )?,
        oldest_part: since(
            "SELECT min(created_at) FROM outbox WHERE state IN ('queued', 'streaming', 'sending')",
        )?,
    })
}
