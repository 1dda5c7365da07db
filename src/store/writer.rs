//! The only connection that writes, and the group commit: many units, one fsync.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::fault::{Fault, Outcome};
use crate::file::Identity;
use crate::house::House;
use crate::queue::{Entry, Gathered, Queue, Work};
use crate::stopwatch::Stopwatch;
use crate::tx::Tx;
use crate::wal::Wal;

/// How long a foreign program may hold the lock before a group is given up.
pub(crate) const BUSY: Duration = Duration::from_millis(250);

/// The writer, before and while it runs.
pub(crate) struct Writer {
    pub(crate) conn: Connection,
    pub(crate) house: Arc<House>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) identity: Identity,
    pub(crate) wal: Wal,
}

/// A verb's closure with its way back.
pub(crate) struct Job<T, F> {
    todo: Option<F>,
    done: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job<T, F>
where
    T: Send + 'static,
    F: FnOnce(&Tx<'_>) -> Outcome<T> + Send + 'static,
{
    pub(crate) fn with_reply(todo: F) -> (Box<dyn Work>, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Box::new(Self { todo: Some(todo), done: None, reply }), answer)
    }
}

impl<T, F> Work for Job<T, F>
where
    T: Send,
    F: FnOnce(&Tx<'_>) -> Outcome<T> + Send,
{
    fn run(&mut self, tx: &Tx<'_>) -> Outcome<()> {
        let todo = self.todo.take().ok_or_else(|| Fault::Bad("a unit ran twice".into()))?;
        self.done = Some(todo(tx)?);
        Ok(())
    }

    fn end(self: Box<Self>, verdict: Result<(), StoreError>) {
        let Self { done, reply, .. } = *self;
        let answer = verdict.and_then(|()| done.ok_or(StoreError::Closed));
        if reply.send(answer).is_err() {
            tracing::trace!("nobody waits for a unit any more");
        }
    }
}

impl Writer {
    /// Serves the queue until it is closed and empty.
    pub(crate) fn serve(mut self) {
        let house = Arc::clone(&self.house);
        let served = catch_unwind(AssertUnwindSafe(|| {
            let mut group = Vec::new();
            loop {
                match self.queue.gather(&mut group, self.wal.patience()) {
                    Gathered::Group => self.commit(&mut group),
                    Gathered::Idle => self.checkpoint(true),
                    Gathered::Closed => break,
                }
            }
            if let Err((_, error)) = self.conn.close() {
                tracing::warn!(%error, "the database did not close cleanly; the next start recovers it");
            }
        }));
        if served.is_err() {
            house.broke("the writer panicked");
        }
    }

    /// Runs a group and tells everyone how it went.
    fn commit(&mut self, group: &mut Vec<Entry>) {
        metrics::histogram!("frontdesk_store_group_size").record(group.len() as f64);
        metrics::gauge!("frontdesk_store_queue_depth").set(self.queue.depth() as f64);
        for entry in group.iter() {
            metrics::histogram!("frontdesk_store_wait_seconds").record(entry.since.elapsed());
        }
        let watch = Stopwatch::start();
        match self.transaction(group) {
            Ok(verdicts) => {
                metrics::histogram!("frontdesk_store_commit_seconds").record(watch.elapsed());
                group.drain(..).zip(verdicts).for_each(|(entry, verdict)| entry.work.end(verdict));
            }
            Err(error) => {
                metrics::counter!("frontdesk_store_failed_groups_total").increment(1);
                let error = self.house.noted(error);
                tracing::warn!(%error, units = group.len(), "a group was not committed");
                group.drain(..).for_each(|entry| entry.work.end(Err(error.clone())));
            }
        }
        self.checkpoint(false);
    }

    /// One transaction. An error is everyone's; a verdict is one unit's own.
    fn transaction(&mut self, group: &mut [Entry]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        if let Some(error) = self.house.broken() {
            return Err(error);
        }
        self.identity.check().map_err(StoreError::Fatal)?;
        let tx = Tx::new(&self.conn, &self.house);
        tx.run("BEGIN IMMEDIATE", []).map_err(|fault| fault.error())?;
        let verdicts = match group {
            [entry] => alone(&tx, entry),
            group => units(&tx, group),
        };
        let verdicts = verdicts.and_then(|verdicts| {
            // A unit that was alone and failed has taken its transaction with it already.
            if !self.conn.is_autocommit() {
                tx.run("COMMIT", [])?;
            }
            Ok(verdicts)
        });
        match verdicts {
            Ok(verdicts) => {
                self.house.moved(tx.moved());
                self.show(&tx);
                Ok(verdicts)
            }
            Err(fault) => {
                if !self.conn.is_autocommit()
                    && let Err(error) = tx.run("ROLLBACK", [])
                {
                    return Err(StoreError::Fatal(format!("a rollback failed: {:?}", error.error())));
                }
                Err(match fault.error() {
                    // The unit's own mistake cannot end a group; if it did, SQLite has left the transaction.
                    StoreError::Invalid(cause) => StoreError::Unavailable(cause),
                    error => error,
                })
            }
        }
    }

    /// Shows what is on disk now, in the order of commit and before any caller hears of it.
    fn show(&self, tx: &Tx<'_>) {
        let rows = tx.take_said();
        let shown = || self.house.speech.committed(&rows);
        if !rows.is_empty()
            && let Err(panic) = catch_unwind(AssertUnwindSafe(shown))
        {
            tracing::error!(cause = said(&*panic), "what was committed could not be shown");
        }
    }

    fn checkpoint(&mut self, idle: bool) {
        if self.house.broken().is_some() {
            return;
        }
        if let Err(fault) = self.wal.tend(&self.conn, idle) {
            // The commits stand: they are in the log. Only a broken disk ends the house.
            let error = self.house.noted(fault.error());
            tracing::warn!(%error, "the log could not be written back");
        }
    }
}

/// A unit without company needs no savepoint: the transaction is one.
fn alone(tx: &Tx<'_>, entry: &mut Entry) -> Outcome<Vec<Result<(), StoreError>>> {
    match guarded(tx, entry.work.as_mut()) {
        Ok(()) => Ok(vec![Ok(())]),
        Err(fault) if fault.takes_the_group() || tx.0.is_autocommit() => Err(fault),
        Err(fault) => {
            tx.run("ROLLBACK", [])?;
            tx.forget();
            Ok(vec![Err(fault.error())])
        }
    }
}

/// Every unit in its own savepoint.
fn units(tx: &Tx<'_>, group: &mut [Entry]) -> Outcome<Vec<Result<(), StoreError>>> {
    let mut verdicts = Vec::with_capacity(group.len());
    for entry in group {
        match tx.apart(|| guarded(tx, entry.work.as_mut())) {
            Ok(()) => verdicts.push(Ok(())),
            Err(fault) if fault.takes_the_group() || tx.0.is_autocommit() => return Err(fault),
            Err(fault) => verdicts.push(Err(fault.error())),
        }
    }
    Ok(verdicts)
}

/// A unit that panics has failed, and nothing more.
fn guarded(tx: &Tx<'_>, work: &mut dyn Work) -> Outcome<()> {
    catch_unwind(AssertUnwindSafe(|| work.run(tx))).unwrap_or_else(|panic| Err(Fault::Bad(said(&*panic))))
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("without a word"))
}
