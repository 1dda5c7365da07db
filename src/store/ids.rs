//! Row ids that are never used again, taken from blocks that are reserved in the `counter` table.
//!
//! SQLite's AUTOINCREMENT promises the same, but reads and writes a table of its own at every insert. A block costs one
//! update in a few hundred inserts. What a crash leaves of a block is skipped; an orderly stop gives it back. Blocks that
//! several processes reserve do not overlap.

use std::cell::Cell;

use rusqlite::Connection;

use crate::fault::{Fault, Outcome};
use crate::sql::Sql;

/// How many ids one block has: the largest gap that a crash leaves.
const BLOCK: i64 = 256;

/// The tables whose ids are never used again.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Table {
    Inbound,
    ContextMessage,
    DeadLetter,
    Turn,
    Outbox,
    Pairing,
    Audit,
    Ask,
    Task,
    Run,
}

impl Table {
    const ALL: [Table; 10] = [
        Table::Inbound,
        Table::ContextMessage,
        Table::DeadLetter,
        Table::Turn,
        Table::Outbox,
        Table::Pairing,
        Table::Audit,
        Table::Ask,
        Table::Task,
        Table::Run,
    ];

    fn name(self) -> &'static str {
        match self {
            Table::Inbound => "inbound",
            Table::ContextMessage => "context_message",
            Table::DeadLetter => "dead_letter",
            Table::Turn => "turn",
            Table::Outbox => "outbox",
            Table::Pairing => "pairing",
            Table::Audit => "audit",
            Table::Ask => "ask",
            Table::Task => "task",
            Table::Run => "run",
        }
    }

    /// The name of its row in `counter`, which holds the last id of the newest block.
    fn counter(self) -> &'static str {
        match self {
            Table::Inbound => "inbound_ids",
            Table::ContextMessage => "context_message_ids",
            Table::DeadLetter => "dead_letter_ids",
            Table::Turn => "turn_ids",
            Table::Outbox => "outbox_ids",
            Table::Pairing => "pairing_ids",
            Table::Audit => "audit_ids",
            Table::Ask => "ask_ids",
            Table::Task => "task_ids",
            Table::Run => "run_ids",
        }
    }
}

/// The ids of one table.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    /// The last id given out. Never goes back, also when the transaction that used it is rolled back.
    last: i64,
    /// The last id of the block: as long as ids are left, nobody else can have reserved them.
    reserved: i64,
}

/// What is reserved of all tables.
pub(crate) type Reserved = [i64; Table::ALL.len()];

/// The ids of all tables, on the writer's thread.
pub(crate) struct Ids([Cell<Block>; Table::ALL.len()]);

impl Ids {
    /// Continues behind every id that was ever given out.
    pub(crate) fn load(conn: &Connection) -> rusqlite::Result<Self> {
        let ids = Self(Default::default());
        for table in Table::ALL {
            let (name, counter) = (table.name(), table.counter());
            // The newest row as well: tools that fill a database need not know the counter.
            let last = format!(
                "SELECT max(coalesce((SELECT n FROM counter WHERE name = '{counter}'), 0),
                            coalesce((SELECT max(id) FROM {name}), 0))"
            );
            let last = conn.query_row(&last, [], |row| row.get(0))?;
            ids.block(table).set(Block { last, reserved: last });
        }
        Ok(ids)
    }

    /// The next id of a table.
    pub(crate) fn next(&self, sql: &Sql<'_>, table: Table) -> Outcome<i64> {
        let block = self.block(table);
        let Block { last, reserved } = block.get();
        let Block { last, reserved } =
            if last < reserved { Block { last, reserved } } else { reserve(sql, table, last)? };
        block.set(Block { last: last + 1, reserved });
        Ok(last + 1)
    }

    /// What is reserved now, to come back to after a rollback.
    pub(crate) fn reserved(&self) -> Reserved {
        self.0.each_ref().map(|block| block.get().reserved)
    }

    /// A rollback has undone the reservations since `before`. Ids that were given out meanwhile are not used again.
    pub(crate) fn rolled_back(&self, before: Reserved) {
        for (block, reserved) in self.0.iter().zip(before) {
            block.set(Block { reserved, ..block.get() });
        }
    }

    /// Gives back what is left of the blocks, unless somebody has reserved another block behind them; to be called once,
    /// when nothing is inserted any more.
    pub(crate) fn give_back(&self, sql: &Sql<'_>) -> Outcome<()> {
        for table in Table::ALL {
            let Block { last, reserved } = self.block(table).get();
            let given_back = "UPDATE counter SET n = ?2 WHERE name = ?1 AND n = ?3 AND n > ?2";
            sql.run(given_back, (table.counter(), last, reserved))?;
        }
        Ok(())
    }

    fn block(&self, table: Table) -> &Cell<Block> {
        let [inbound, context_message, dead_letter, turn, outbox, pairing, audit, ask, task, run] = &self.0;
        match table {
            Table::Inbound => inbound,
            Table::ContextMessage => context_message,
            Table::DeadLetter => dead_letter,
            Table::Turn => turn,
            Table::Outbox => outbox,
            Table::Pairing => pairing,
            Table::Audit => audit,
            Table::Ask => ask,
            Table::Task => task,
            Table::Run => run,
        }
    }
}

/// Reserves the next block behind `last` and behind everybody's reservations.
fn reserve(sql: &Sql<'_>, table: Table, last: i64) -> Outcome<Block> {
    let reserve = "INSERT INTO counter (name, n) VALUES (?1, ?2 + ?3)
                   ON CONFLICT (name) DO UPDATE SET n = max(n, ?2) + ?3 RETURNING n";
    let reserved = sql.one(reserve, (table.counter(), last, BLOCK), |row| row.get(0))?;
    let reserved: i64 =
        reserved.ok_or_else(|| Fault::Bad(format!("no ids could be reserved for {}", table.name())))?;
    Ok(Block { last: reserved - BLOCK, reserved })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Store;
    use crate::null_renderer::NullRenderer;
    use crate::queue::WorkClass;

    /// Inserts a row into the audit; returns its id.
    async fn insert(store: &Store) -> i64 {
        let insert = "INSERT INTO audit VALUES (?1, 0, 'a', 'b', 'c', 'd', 'e')";
        store
            .write(WorkClass::Requests, move |tx| {
                let id = tx.new_id(Table::Audit)?;
                tx.run(insert, [id]).map(|_| id)
            })
            .await
            .unwrap()
    }

    async fn delete_all(store: &Store) {
        store.write(WorkClass::Requests, |tx| tx.run("DELETE FROM audit", []).map(drop)).await.unwrap();
    }

    #[tokio::test]
    async fn ids_are_consecutive_also_after_an_orderly_stop() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("frontdesk.db");
        for start in 0..3 {
            let store = NullRenderer::open(&path).await;
            for n in 1..=BLOCK + 44 {
                assert_eq!(insert(&store).await, start * (BLOCK + 44) + n);
            }
            store.close().await;
        }
    }

    #[tokio::test]
    async fn an_id_is_not_used_again_after_its_row_was_deleted() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("frontdesk.db");
        let store = NullRenderer::open(&path).await;
        assert_eq!([insert(&store).await, insert(&store).await], [1, 2]);
        delete_all(&store).await;
        assert_eq!(insert(&store).await, 3);
        delete_all(&store).await;
        store.close().await;
        let store = NullRenderer::open(&path).await;
        assert_eq!(insert(&store).await, 4);
        store.close().await;
    }

    #[tokio::test]
    async fn a_crash_skips_the_rest_of_the_block() {
        let (home, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (path, crashed) = (home.path().join("frontdesk.db"), copy.path().join("frontdesk.db"));
        let store = NullRenderer::open(&path).await;
        assert_eq!(insert(&store).await, 1);
        delete_all(&store).await;
        // What a crash would leave: the file and its log as they are now.
        for suffix in ["", "-wal"] {
            let name = |path: &Path| format!("{}{suffix}", path.display());
            std::fs::copy(name(&path), name(&crashed)).unwrap();
        }
        store.close().await;
        let store = NullRenderer::open(&crashed).await;
        assert_eq!(insert(&store).await, BLOCK + 1);
        store.close().await;
    }

    #[tokio::test]
    async fn two_processes_never_give_out_the_same_id() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("frontdesk.db");
        NullRenderer::open(&path).await.close().await;
        let conn = Connection::open(&path).unwrap();
        let both = [Ids::load(&conn).unwrap(), Ids::load(&conn).unwrap()];
        let sql = Sql(&conn);
        let mut given = std::collections::HashSet::new();
        for n in 0..3 * BLOCK {
            for (one, ids) in both.iter().enumerate() {
                let before = ids.reserved();
                sql.run("BEGIN", []).unwrap();
                let id = ids.next(&sql, Table::Audit).unwrap();
                // Each of them meets a rollback at the edges of its blocks and in the middle.
                if (n + one as i64) % 64 < 3 {
                    sql.run("ROLLBACK", []).unwrap();
                    ids.rolled_back(before);
                } else {
                    sql.run("COMMIT", []).unwrap();
                    assert!(given.insert(id), "{one} used {id} again");
                }
            }
        }
        let last = *given.iter().max().unwrap();
        both[0].give_back(&sql).unwrap();
        let next = Ids::load(&conn).unwrap().next(&sql, Table::Audit).unwrap();
        assert!(next > last, "the other one's block was given back");
    }

    #[tokio::test]
    async fn a_rollback_that_undoes_a_reservation_gives_no_id_twice() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("frontdesk.db");
        let store = NullRenderer::open(&path).await;
        let failed = store.write(WorkClass::Requests, |tx| {
            tx.new_id(Table::Audit)?;
            Err::<(), _>(Fault::Bad("no".into()))
        });
        failed.await.unwrap_err();
        assert_eq!(insert(&store).await, 2, "an id of a transaction that was rolled back");
        let inside = store.write(WorkClass::Requests, |tx| {
            let inside = tx.apart(|| {
                for _ in 0..BLOCK {
                    tx.new_id(Table::Audit)?;
                }
                Err::<(), _>(Fault::Bad("no".into()))
            });
            assert!(inside.is_err());
            Ok(())
        });
        inside.await.unwrap();
        assert_eq!(insert(&store).await, BLOCK + 3);
        let counter = "SELECT n FROM counter WHERE name = 'audit_ids'";
        let reserved = store.read(move |sql| sql.one(counter, [], |row| row.get::<_, i64>(0))).await.unwrap();
        assert!(reserved.unwrap() >= BLOCK + 3, "{reserved:?}");
        store.close().await;
    }
}
