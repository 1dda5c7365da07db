//! Leases: the boots that may hold rows. A row whose owner has no lease is an orphan.
//!
//! On SQLite one process at a time has the database, because it holds the lock file (`lock`). So a start ends every other
//! lease, here and nowhere else; all other code only asks whether an owner has a lease.

use chrono::{DateTime, Utc};
use frontdesk_core::id::BootId;
use rusqlite::params;

use crate::fault::Outcome;
use crate::sql::{Sql, ms};

/// The condition in SQL that a row's owner, the boot that this column names, has no lease. A row without an owner does not
/// meet it, because there always is a lease.
macro_rules! is_orphan {
    () => {
        $crate::lease::is_orphan!("owner")
    };
    ($column:literal) => {
        concat!($column, " NOT IN (SELECT owner FROM lease)")
    };
}
pub(crate) use is_orphan;

/// Begins the lease of this boot. Every other lease ends: its process no longer has the lock file.
pub(crate) fn begin(sql: &Sql<'_>, boot: &BootId, now: DateTime<Utc>) -> Outcome<()> {
    sql.run("DELETE FROM lease", [])?;
    let begin = "INSERT INTO lease (owner, pid, since) VALUES (?1, ?2, ?3)";
    sql.run(begin, params![boot.as_str(), std::process::id(), ms(now)]).map(drop)
}

/// Ends the lease of this boot, at an orderly close.
pub(crate) fn end(sql: &Sql<'_>, boot: &BootId) -> Outcome<()> {
    sql.run("DELETE FROM lease WHERE owner = ?1", [boot.as_str()]).map(drop)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rusqlite::Connection;

    use super::*;
    use crate::Store;
    use crate::null_renderer::NullRenderer;
    use crate::queue::WorkClass;
    use crate::row::Recovery;

    /// The owners with a lease, read while nobody has the database open.
    fn owners(database: &Path) -> Vec<String> {
        let conn = Connection::open(database).unwrap();
        let mut owners = conn.prepare("SELECT owner FROM lease").unwrap();
        owners.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    async fn run(store: &Store, sql: &'static str) {
        store.write(WorkClass::Requests, move |tx| tx.run(sql, []).map(drop)).await.unwrap();
    }

    #[tokio::test]
    async fn a_start_ends_the_lease_of_a_boot_that_died_and_an_orderly_close_ends_its_own() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("frontdesk.db");
        let store = NullRenderer::open(&path).await;
        run(&store, "INSERT INTO lease (owner, pid, since) VALUES ('died', 4711, 0)").await;
        let pid = "SELECT pid FROM lease WHERE owner = ?1";
        let boot = store.boot().as_str().to_owned();
        let pid = store.read(move |sql| sql.one(pid, [boot], |row| row.get::<_, u32>(0))).await.unwrap();
        assert_eq!(pid, Some(std::process::id()));
        store.close().await;
        assert_eq!(owners(&path), ["died"]);
        NullRenderer::open(&path).await.close().await;
        assert!(owners(&path).is_empty());
    }

    #[tokio::test]
    async fn rows_of_another_boot_are_orphans_only_when_its_lease_has_ended() {
        let home = tempfile::tempdir().unwrap();
        let store = NullRenderer::open(&home.path().join("frontdesk.db")).await;
        run(&store, "INSERT INTO lease (owner, pid, since) VALUES ('other', 4711, 0)").await;
        run(
            &store,
            "INSERT INTO turn (id, key, epoch, kind, address, attempt, released, state, owner, fence, created_at)
             VALUES (1, 'agent:main:telegram:dm:7', 1, 'message', 'telegram:7', 1, 0, 'running', 'other', 1, 0)",
        )
        .await;
        for (id, state, turn) in [(1, "sending", None), (2, "streaming", Some(1))] {
            let part = "INSERT INTO outbox (id, turn_id, address, part_key, kind, act, state, attempts, next_at, place, owner,
                                            fence, created_at, body)
                        VALUES (?1, ?3, 'telegram:7', ?1, 'answer', 'post', ?2, 1, 0, ?1, 'other', 1, 0, 'x')";
            let put = move |tx: &crate::tx::Tx<'_>| tx.run(part, params![id, state, turn]).map(drop);
            store.write(WorkClass::Requests, put).await.unwrap();
        }
        let how = Recovery { now: DateTime::UNIX_EPOCH, max_deaths: 2, resend: true };
        let found = store.recover(how).await.unwrap();
        assert_eq!((found.resumed, found.parts), (0, 0));
        run(&store, "DELETE FROM lease WHERE owner = 'other'").await;
        let found = store.recover(how).await.unwrap();
        assert_eq!((found.resumed, found.parts), (1, 1));
        // The streamed message goes with its turn, to whoever claims that.
        let session = "agent:main:telegram:dm:7".parse().unwrap();
        store
            .claim_turn(
                &session,
                crate::row::Take::InMode(frontdesk_core::queue_mode::QueueMode::Followup),
                how.now,
            )
            .await
            .unwrap()
            .unwrap();
        let owners = "SELECT DISTINCT owner FROM (SELECT owner FROM turn UNION ALL
                        SELECT owner FROM outbox WHERE state = 'streaming')";
        let owners = store.read(move |sql| sql.all(owners, [], |row| row.get::<_, String>(0))).await.unwrap();
        assert_eq!(owners, [store.boot().as_str()]);
        store.close().await;
    }
}
