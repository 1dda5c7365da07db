//! One unit's view of the writer's transaction.

use std::cell::{Cell, RefCell};
use std::ops::Deref;

use rusqlite::Connection;

use crate::fault::{Fault, Outcome, caught};
use crate::ids::{Ids, Reserved, Table};
use crate::row::{EndedAsk, OutboxRow};
use crate::shared::Shared;
use crate::sql::Sql;

/// The writing connection inside a transaction, with what the operations need besides.
pub(crate) struct Tx<'a> {
    sql: Sql<'a>,
    /// The owner of claims, and the renderer.
    pub(crate) shared: &'a Shared,
    ids: &'a Ids,
    /// The ids that were reserved when the transaction began.
    reserved: Reserved,
    /// The change in the number of waiting rows. Kept here and not in [`Shared`], because it counts only once it is
    /// committed.
    waiting: Cell<i64>,
    /// New outbox rows in order: the listener gets them once they are committed.
    stored: RefCell<Vec<OutboxRow>>,
    /// Questions that have ended: the listener gets them once that is committed.
    ended_asks: RefCell<Vec<EndedAsk>>,
    /// Whether something changed who has access: the listener gets the new state once it is committed.
    access_changed: Cell<bool>,
}

impl<'a> Deref for Tx<'a> {
    type Target = Sql<'a>;
    fn deref(&self) -> &Sql<'a> {
        &self.sql
    }
}

impl<'a> Tx<'a> {
    pub(crate) fn new(conn: &'a Connection, shared: &'a Shared, ids: &'a Ids) -> Self {
        let (sql, reserved) = (Sql(conn), ids.reserved());
        Self {
            sql,
            shared,
            ids,
            reserved,
            waiting: Cell::default(),
            stored: RefCell::default(),
            ended_asks: RefCell::default(),
            access_changed: Cell::default(),
        }
    }

    /// An id for a new row, never used before.
    pub(crate) fn new_id(&self, table: Table) -> Outcome<i64> {
        self.ids.next(&self.sql, table)
    }

    /// Gives back the ids that were reserved and not used; to be called once, when nothing is inserted any more.
    pub(crate) fn give_back_ids(&self) -> Outcome<()> {
        self.ids.give_back(&self.sql)
    }

    /// Notes that rows began to wait.
    pub(crate) fn queued(&self, rows: usize) {
        self.waiting.update(|waiting| waiting + signed(rows));
    }

    /// Notes that rows wait no longer.
    pub(crate) fn taken(&self, rows: usize) {
        self.waiting.update(|waiting| waiting - signed(rows));
    }

    /// Notes an outbox row for the listener.
    pub(crate) fn stored(&self, row: OutboxRow) {
        self.stored.borrow_mut().push(row);
    }

    /// Notes the end of a question for the listener.
    pub(crate) fn ask_ended(&self, ended: EndedAsk) {
        self.ended_asks.borrow_mut().push(ended);
    }

    /// Notes that somebody's access was changed.
    pub(crate) fn note_access_change(&self) {
        self.access_changed.set(true);
    }

    /// Forgets what was noted: the transaction was rolled back.
    pub(crate) fn forget(&self) {
        self.waiting.set(0);
        self.stored.borrow_mut().clear();
        self.ended_asks.borrow_mut().clear();
        self.access_changed.set(false);
        self.ids.rolled_back(self.reserved);
    }

    /// The outbox rows that the listener gets after the commit.
    pub(crate) fn take_stored(&self) -> Vec<OutboxRow> {
        self.stored.take()
    }

    /// The questions that have ended, for the listener.
    pub(crate) fn take_ended_asks(&self) -> Vec<EndedAsk> {
        self.ended_asks.take()
    }

    /// Whether somebody's access was changed.
    pub(crate) fn has_access_change(&self) -> bool {
        self.access_changed.get()
    }

    /// The change in the number of waiting rows.
    pub(crate) fn moved(&self) -> i64 {
        self.waiting.get()
    }

    /// Runs `step` within a savepoint of its own: if it fails, its changes are rolled back. A panic is a failure.
    pub(crate) fn apart<T>(&self, step: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        // A savepoint outside of a transaction would begin, and commit, one of its own.
        self.whole("before a savepoint")?;
        let (before, stored) = (self.waiting.get(), self.stored.borrow().len());
        let ended_asks = self.ended_asks.borrow().len();
        let (access_changed, reserved) = (self.access_changed.get(), self.ids.reserved());
        self.run("SAVEPOINT apart", [])?;
        let outcome = caught(step);
        if let Err(fault) = &outcome {
            self.waiting.set(before);
            self.stored.borrow_mut().truncate(stored);
            self.ended_asks.borrow_mut().truncate(ended_asks);
            self.access_changed.set(access_changed);
            self.ids.rolled_back(reserved);
            if fault.takes_the_group() {
                return outcome;
            }
            self.whole(&fault.error().to_string())?;
            self.run("ROLLBACK TO apart", [])?;
        }
        self.whole("inside a savepoint")?;
        self.run("RELEASE apart", [])?;
        outcome
    }

    /// Fails if SQLite has left the transaction. Everything that ran in it before is rolled back then, and every later
    /// statement would be committed by itself.
    pub(crate) fn whole(&self, cause: &str) -> Outcome<()> {
        if self.0.is_autocommit() { Err(Fault::Lost(cause.into())) } else { Ok(()) }
    }
}

fn signed(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
