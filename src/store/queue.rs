//! The writer's queue: one queue per source and kind of work, served in turn, and sweeps behind them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::StoreError;
use crate::fault::Outcome;
use crate::stopwatch::Stopwatch;
use crate::tx::Tx;

/// Capacity of the queue in units; further callers wait until others are done.
const CAPACITY: usize = 8192;

/// The largest group. Larger ones raise the throughput by little and the p99 by much.
pub(crate) const GROUP: usize = 64;

/// After this time a sweep runs although messages wait: a queue that is never empty must not stop the purge.
const LONGEST_SWEEP_WAIT: Duration = Duration::from_secs(1);

/// One unit of work: it succeeds or fails as a whole.
pub(crate) trait Work: Send {
    /// Runs inside the transaction; a second time if the group is rolled back and run again.
    fn run(&mut self, tx: &Tx<'_>) -> Outcome<()>;
    /// Tells the caller, after the commit or the failure.
    fn end(self: Box<Self>, verdict: Result<(), StoreError>);
}

/// In whose line a unit waits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Line {
    /// A platform account: one that floods delays only itself.
    Source(String),
    /// Turns begin and end.
    Turns,
    /// Parts are sent.
    Outbox,
    /// Commands are answered.
    Commands,
    /// Requests of operators, the API and programs.
    Shared,
    /// Purging and similar work: behind all others.
    Sweep,
}

/// A unit that waits.
pub(crate) struct Entry {
    pub(crate) work: Box<dyn Work>,
    pub(crate) since: Stopwatch,
    _permit: OwnedSemaphorePermit,
}

/// What the writer is to do next.
pub(crate) enum NextGroup {
    /// Run these units.
    Group,
    /// Nothing came for a while.
    Idle,
    /// The queue is closed and empty.
    Closed,
}

/// The queue between all callers and the writer.
pub(crate) struct Queue {
    lines: Mutex<Lines>,
    ready: Condvar,
    permits: Arc<Semaphore>,
}

#[derive(Default)]
struct Lines {
    waiting: HashMap<Line, VecDeque<Entry>>,
    /// The lines with something in them, the next to be served first.
    order: VecDeque<Line>,
    sweeps: VecDeque<Entry>,
    depth: usize,
    closed: bool,
    asleep: bool,
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self {
            lines: Mutex::new(Lines::default()),
            ready: Condvar::new(),
            permits: Arc::new(Semaphore::new(CAPACITY)),
        }
    }

    /// Puts a unit in its line; waits while the queue is full.
    pub(crate) async fn put(&self, line: Line, work: Box<dyn Work>) -> Result<(), StoreError> {
        let since = Stopwatch::start();
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let mut lines = self.lines();
        if lines.closed {
            return Err(StoreError::Closed);
        }
        lines.push(line, Entry { work, since, _permit: permit });
        if lines.asleep {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// Takes the next group, one unit per line in turn. Sleeps while there is none, at most `idle`.
    pub(crate) fn gather(&self, group: &mut Vec<Entry>, idle: Option<Duration>) -> NextGroup {
        let mut lines = self.lines();
        loop {
            lines.take(group);
            if !group.is_empty() {
                return NextGroup::Group;
            }
            if lines.closed {
                return NextGroup::Closed;
            }
            lines.asleep = true;
            let mut timed_out = false;
            lines = match idle {
                None => self.ready.wait(lines).unwrap_or_else(PoisonError::into_inner),
                Some(idle) => {
                    let (lines, wait) =
                        self.ready.wait_timeout(lines, idle).unwrap_or_else(PoisonError::into_inner);
                    timed_out = wait.timed_out();
                    lines
                }
            };
            lines.asleep = false;
            if timed_out && lines.depth == 0 {
                return NextGroup::Idle;
            }
        }
    }

    /// Takes no more units. Those that wait are still served.
    pub(crate) fn close(&self) {
        self.lines().closed = true;
        self.permits.close();
        self.ready.notify_one();
    }

    /// Takes no more units and drops those that wait: their callers get [`StoreError::Closed`].
    pub(crate) fn abandon(&self) {
        self.close();
        let left = {
            let mut lines = self.lines();
            lines.depth = 0;
            lines.order.clear();
            (std::mem::take(&mut lines.waiting), std::mem::take(&mut lines.sweeps))
        };
        // Outside of the lock: dropping a unit wakes its caller.
        drop(left);
    }

    /// How many units wait.
    pub(crate) fn depth(&self) -> usize {
        self.lines().depth
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn push(&mut self, line: Line, entry: Entry) {
        self.depth += 1;
        if line == Line::Sweep {
            self.sweeps.push_back(entry);
            return;
        }
        let waiting = self.waiting.entry(line.clone()).or_default();
        if waiting.is_empty() {
            self.order.push_back(line);
        }
        waiting.push_back(entry);
    }

    fn take(&mut self, group: &mut Vec<Entry>) {
        while group.len() < GROUP
            && let Some(line) = self.order.pop_front()
        {
            let Some(waiting) = self.waiting.get_mut(&line) else { continue };
            group.extend(waiting.pop_front());
            if waiting.is_empty() {
                // Lines are as many as sources; an empty one is dropped, so that none stays for ever.
                self.waiting.remove(&line);
            } else {
                self.order.push_back(line);
            }
        }
        let overdue = |sweep: &mut Entry| sweep.since.elapsed() > LONGEST_SWEEP_WAIT;
        let due = if group.is_empty() { self.sweeps.pop_front() } else { self.sweeps.pop_front_if(overdue) };
        group.extend(due);
        self.depth -= group.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Named(&'static str, Arc<Mutex<Vec<&'static str>>>);

    impl Work for Named {
        fn run(&mut self, _: &Tx<'_>) -> Outcome<()> {
            Ok(())
        }
        fn end(self: Box<Self>, _: Result<(), StoreError>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    async fn order(units: &[(Line, &'static str)]) -> Vec<&'static str> {
        let (queue, seen) = (Queue::new(), Arc::new(Mutex::new(vec![])));
        for (line, name) in units {
            queue.put(line.clone(), Box::new(Named(name, Arc::clone(&seen)))).await.unwrap();
        }
        queue.close();
        let mut group = vec![];
        while let NextGroup::Group = queue.gather(&mut group, None) {
            group.drain(..).for_each(|entry| entry.work.end(Ok(())));
        }
        assert_eq!(queue.depth(), 0);
        Arc::into_inner(seen).unwrap().into_inner().unwrap()
    }

    #[tokio::test]
    async fn a_source_that_floods_delays_only_itself() {
        let loud = || Line::Source("loud".into());
        let units = [
            (loud(), "a1"),
            (loud(), "a2"),
            (loud(), "a3"),
            (Line::Source("calm".into()), "b1"),
            (Line::Turns, "t"),
        ];
        assert_eq!(order(&units).await, ["a1", "b1", "t", "a2", "a3"]);
    }

    #[tokio::test]
    async fn a_sweep_waits_behind_every_message() {
        let units = [(Line::Sweep, "s1"), (Line::Sweep, "s2"), (Line::Turns, "t1"), (Line::Shared, "h1")];
        assert_eq!(order(&units).await, ["t1", "h1", "s1", "s2"]);
    }

    #[tokio::test]
    async fn a_closed_queue_takes_nothing() {
        let queue = Queue::new();
        queue.close();
        let refused = queue.put(Line::Shared, Box::new(Named("late", Arc::default()))).await;
        assert!(matches!(refused, Err(StoreError::Closed)));
    }
}
