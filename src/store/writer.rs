//! The writer: the only connection that writes, with group commit (many units, one fsync).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::access_state;
use crate::error::StoreError;
use crate::fault::{Fault, Outcome, caught, panic_message};
use crate::file::Identity;
use crate::ids::Ids;
use crate::lease;
use crate::mark;
use crate::queue::{Entry, NextGroup, Queue};
use crate::row::{AccessState, CommitListener, EndedAsk, OutboxRow};
use crate::shared::Shared;
use crate::stopwatch::Stopwatch;
use crate::tx::Tx;
use crate::wal::Wal;

/// How often a group runs at most, when each run meets a conflict with another writer.
const RUNS: u32 = 5;

/// The writer and what it works with.
pub(crate) struct Writer {
    pub(crate) conn: Connection,
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) identity: Identity,
    pub(crate) wal: Wal,
    pub(crate) ids: Ids,
}

/// The result of one unit, as its caller gets it.
type UnitResult = Result<(), StoreError>;

impl Writer {
    /// Serves the queue until it is closed and empty. However it ends, no caller is left waiting.
    pub(crate) fn serve(mut self) {
        let (shared, queue) = (Arc::clone(&self.shared), Arc::clone(&self.queue));
        let served = catch_unwind(AssertUnwindSafe(|| {
            let mut group = Vec::new();
            loop {
                match self.queue.gather(&mut group, self.wal.idle()) {
                    NextGroup::Group => self.commit(&mut group),
                    NextGroup::Idle => self.checkpoint(true),
                    NextGroup::Closed => break,
                }
            }
            self.leave();
            // After a fault nothing is written back and nothing is synced a second time: after a failed fsync the
            // kernel may count pages as written that are not on the disk. The next start reads the log as it is.
            if shared.broken().is_none()
                && let Err(error) = self.conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
            {
                tracing::warn!(%error, "the log is not written back; the next start does it");
            }
            if let Err((_, error)) = self.conn.close() {
                tracing::warn!(%error, "the database did not close cleanly; the next start recovers it");
            }
        }));
        if let Err(panic) = served {
            shared.broke(&format!("the writer {}", panic_message(&*panic)));
        }
        queue.abandon();
    }

    /// Begins the lease of this boot; to be called once, before anything else is written.
    pub(crate) fn enter(&mut self, now: DateTime<Utc>) -> Outcome<()> {
        self.alone(|tx| lease::begin(tx, &tx.shared.boot, now))
    }

    /// Ends the lease of this boot, and gives back the ids that were reserved and not used. Without this the next start
    /// ends the lease, and the ids are skipped.
    fn leave(&mut self) {
        if self.shared.broken().is_some() {
            return;
        }
        let left = self.alone(|tx| {
            tx.give_back_ids()?;
            lease::end(tx, &tx.shared.boot)
        });
        if let Err(fault) = left {
            tracing::warn!(cause = %fault.error(), "the end of this process is not stored; reserved ids are skipped");
        }
    }

    /// Runs a step of the start or of the end in a transaction of its own.
    fn alone(&mut self, step: impl FnOnce(&Tx<'_>) -> Outcome<()>) -> Outcome<()> {
        self.identity.check().map_err(Fault::Broken)?;
        let tx = Tx::new(&self.conn, &self.shared, &self.ids);
        tx.run("BEGIN IMMEDIATE", [])?;
        step(&tx)?;
        let marks = self.wal.needs_mark();
        if marks {
            mark::renew(&tx)?;
        }
        tx.run("COMMIT", [])?;
        if marks {
            self.wal.marked();
        }
        Ok(())
    }

    /// Runs a group and reports the result to each caller.
    fn commit(&mut self, group: &mut Vec<Entry>) {
        metrics::histogram!("frontdesk_store_group_size").record(group.len() as f64);
        metrics::gauge!("frontdesk_store_queue_depth").set(self.queue.depth() as f64);
        for entry in group.iter() {
            metrics::histogram!("frontdesk_store_wait_seconds").record(entry.since.elapsed());
        }
        let watch = Stopwatch::start();
        match self.transaction(group) {
            Ok(results) => {
                let took = watch.elapsed();
                metrics::histogram!("frontdesk_store_commit_seconds").record(took);
                self.shared.committed(took);
                group.drain(..).zip(results).for_each(|(entry, result)| entry.work.end(result));
            }
            Err(error) => {
                metrics::counter!("frontdesk_store_failed_groups_total").increment(1);
                let error = self.shared.noted(error);
                tracing::warn!(%error, units = group.len(), "a group was not committed");
                group.drain(..).for_each(|entry| entry.work.end(Err(error.clone())));
            }
        }
        self.checkpoint(false);
    }

    /// Runs a group in one transaction, and again from its beginning after a conflict with another writer. An error is
    /// the result of every unit.
    fn transaction(&mut self, group: &mut [Entry]) -> Result<Vec<UnitResult>, StoreError> {
        if let Some(error) = self.shared.broken() {
            return Err(error);
        }
        let mut result = self.run(group);
        for _ in 1..RUNS {
            let Err(Fault::Conflict(_)) = &result else { break };
            metrics::counter!("frontdesk_store_repeated_groups_total").increment(1);
            result = self.run(group);
        }
        result.map_err(|fault| match fault.error() {
            // A unit's own mistake does not end a group; if it did, SQLite has left the transaction.
            StoreError::Invalid(cause) => StoreError::Unavailable(cause),
            error => error,
        })
    }

    /// Runs a group in one transaction, once.
    fn run(&mut self, group: &mut [Entry]) -> Outcome<Vec<UnitResult>> {
        self.identity.check().map_err(Fault::Broken)?;
        let tx = Tx::new(&self.conn, &self.shared, &self.ids);
        let changes = self.conn.total_changes();
        tx.run("BEGIN IMMEDIATE", [])?;
        let mut access = None;
        let results = together(&tx, group).and_then(|results| {
            // When a group of one unit fails, its transaction is rolled back already. Where any unit succeeded, the
            // transaction must still be open: else its changes are lost.
            if results.iter().any(Result::is_ok) {
                tx.whole("before its commit")?;
            }
            if !self.conn.is_autocommit() {
                let marks = self.wal.needs_mark() && self.conn.total_changes() != changes;
                if marks {
                    mark::renew(&tx)?;
                }
                access = tx.has_access_change().then(|| access_state::read(&tx)).transpose()?;
                tx.run("COMMIT", [])?;
                if marks {
                    self.wal.marked();
                }
            }
            Ok(results)
        });
        match results {
            Ok(results) => {
                self.shared.moved(tx.moved());
                self.announce(access, tx.take_stored(), tx.take_ended_asks());
                Ok(results)
            }
            Err(fault) => {
                tx.forget();
                if !self.conn.is_autocommit()
                    && let Err(error) = tx.run("ROLLBACK", [])
                {
                    return Err(Fault::Broken(format!("a rollback failed: {:?}", error.error())));
                }
                Err(fault)
            }
        }
    }

    /// Tells the listener of a commit, in the order of commit and before any caller gets its result: first who has
    /// access now, then the new outbox rows, then the questions that have ended.
    fn announce(&self, access: Option<AccessState>, rows: Vec<OutboxRow>, ended: Vec<EndedAsk>) {
        if let Some(state) = access {
            self.tell(|listener| listener.access_changed(state));
        }
        if !rows.is_empty() {
            self.tell(|listener| listener.committed(rows));
        }
        if !ended.is_empty() {
            self.tell(|listener| listener.asks_ended(ended));
        }
    }

    fn tell(&self, of: impl FnOnce(&dyn CommitListener)) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| of(&*self.shared.listener))) {
            tracing::error!(cause = panic_message(&*panic), "the listener did not take what was committed");
        }
    }

    fn checkpoint(&mut self, idle: bool) {
        if self.shared.broken().is_some() {
            return;
        }
        if let Err(fault) = self.wal.tend(&self.conn, &self.shared, idle) {
            // The commits stand: they are in the log. Only a broken disk ends the process.
            let error = self.shared.noted(fault.error());
            tracing::warn!(%error, "the log could not be written back");
        }
    }
}

/// Every unit without a savepoint, which would copy each page that a unit changes. If one fails, nothing of the group is
/// kept, and the units run again one by one.
fn together(tx: &Tx<'_>, group: &mut [Entry]) -> Outcome<Vec<UnitResult>> {
    let units = group.len();
    for entry in group.iter_mut() {
        match caught(|| entry.work.run(tx)) {
            // Where SQLite has left the transaction, the next unit would commit by itself.
            Ok(()) => tx.whole("inside a unit")?,
            Err(fault) if fault.takes_the_group() => return Err(fault),
            Err(fault) => {
                tx.whole(&fault.error().to_string())?;
                tx.run("ROLLBACK", [])?;
                tx.forget();
                if units == 1 {
                    return Ok(vec![Err(fault.error())]);
                }
                metrics::counter!("frontdesk_store_split_groups_total").increment(1);
                tx.run("BEGIN IMMEDIATE", [])?;
                return one_by_one(tx, group);
            }
        }
    }
    Ok(vec![Ok(()); units])
}

/// Every unit in a savepoint of its own: one that fails leaves the others as they are.
fn one_by_one(tx: &Tx<'_>, group: &mut [Entry]) -> Outcome<Vec<UnitResult>> {
    let mut results = Vec::with_capacity(group.len());
    for entry in group {
        match tx.apart(|| entry.work.run(tx)) {
            Ok(()) => results.push(Ok(())),
            Err(fault) if fault.takes_the_group() => return Err(fault),
            Err(fault) => results.push(Err(fault.error())),
        }
    }
    Ok(results)
}

#[cfg(test)]
mod tests;
