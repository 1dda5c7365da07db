//! The queue of the writer: one queue for each class of work, served in turn; sweeps run behind all others.

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
    /// Runs inside the transaction; again each time the group is rolled back and run again.
    fn run(&mut self, tx: &Tx<'_>) -> Outcome<()>;
    /// Tells the caller, after the commit or the failure.
    fn end(self: Box<Self>, verdict: Result<(), StoreError>);
}

/// The class of a unit. Units of one class run in order; the classes are served in turn.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum WorkClass {
    /// Events of this source: an account that floods delays only itself.
    Source(String),
    /// Beginnings and ends of turns.
    Turns,
    /// Claims and results of outgoing parts.
    Outbox,
    /// Answers to commands.
    Commands,
    /// Requests of operators, the API and programs.
    Requests,
    /// Purging and similar work: behind all others.
    Sweep,
}

/// A unit that waits.
pub(crate) struct Entry {
    pub(crate) work: Box<dyn Work>,
    pub(crate) since: Stopwatch,
    _permit: OwnedSemaphorePermit,
}

/// What the writer does next.
pub(crate) enum NextGroup {
    /// Run these units.
    Group,
    /// No unit came within the idle time.
    Idle,
    /// The queue is closed and empty.
    Closed,
}

/// The queue between all callers and the writer.
pub(crate) struct Queue {
    queues: Mutex<Queues>,
    ready: Condvar,
    permits: Arc<Semaphore>,
}

#[derive(Default)]
struct Queues {
    waiting: HashMap<WorkClass, VecDeque<Entry>>,
    /// The classes that have units waiting, the next to be served first.
    order: VecDeque<WorkClass>,
    sweeps: VecDeque<Entry>,
    depth: usize,
    closed: bool,
    asleep: bool,
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self {
            queues: Mutex::new(Queues::default()),
            ready: Condvar::new(),
            permits: Arc::new(Semaphore::new(CAPACITY)),
        }
    }

    /// Puts a unit into the queue of its class; waits while there are too many units.
    pub(crate) async fn put(&self, class: WorkClass, work: Box<dyn Work>) -> Result<(), StoreError> {
        let since = Stopwatch::start();
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let mut queues = self.queues();
        if queues.closed {
            return Err(StoreError::Closed);
        }
        queues.push(class, Entry { work, since, _permit: permit });
        if queues.asleep {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// Takes the next group, one unit of each class in turn. Sleeps while there is none, at most `idle`.
    pub(crate) fn gather(&self, group: &mut Vec<Entry>, idle: Option<Duration>) -> NextGroup {
        let mut queues = self.queues();
        loop {
            queues.take(group);
            if !group.is_empty() {
                return NextGroup::Group;
            }
            if queues.closed {
                return NextGroup::Closed;
            }
            queues.asleep = true;
            let mut timed_out = false;
            queues = match idle {
                None => self.ready.wait(queues).unwrap_or_else(PoisonError::into_inner),
                Some(idle) => {
                    let (queues, wait) =
                        self.ready.wait_timeout(queues, idle).unwrap_or_else(PoisonError::into_inner);
                    timed_out = wait.timed_out();
                    queues
                }
            };
            queues.asleep = false;
            if timed_out && queues.depth == 0 {
                return NextGroup::Idle;
            }
        }
    }

    /// Takes no more units. Those that wait are still served.
    pub(crate) fn close(&self) {
        self.queues().closed = true;
        self.permits.close();
        self.ready.notify_one();
    }

    /// Takes no more units and drops those that wait: their callers get [`StoreError::Closed`].
    pub(crate) fn abandon(&self) {
        self.close();
        let left = {
            let mut queues = self.queues();
            queues.depth = 0;
            queues.order.clear();
            (std::mem::take(&mut queues.waiting), std::mem::take(&mut queues.sweeps))
        };
        // Outside of the lock: dropping a unit wakes its caller.
        drop(left);
    }

    /// How many units wait.
    pub(crate) fn depth(&self) -> usize {
        self.queues().depth
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queues {
    fn push(&mut self, class: WorkClass, entry: Entry) {
        self.depth += 1;
        if class == WorkClass::Sweep {
            self.sweeps.push_back(entry);
            return;
        }
        let waiting = self.waiting.entry(class.clone()).or_default();
        if waiting.is_empty() {
            self.order.push_back(class);
        }
        waiting.push_back(entry);
    }

    fn take(&mut self, group: &mut Vec<Entry>) {
        while group.len() < GROUP
            && let Some(class) = self.order.pop_front()
        {
            let Some(waiting) = self.waiting.get_mut(&class) else { continue };
            group.extend(waiting.pop_front());
            if waiting.is_empty() {
                // An empty queue is dropped: there is one for every source ever seen.
                self.waiting.remove(&class);
            } else {
                self.order.push_back(class);
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

    async fn order(units: &[(WorkClass, &'static str)]) -> Vec<&'static str> {
        let (queue, seen) = (Queue::new(), Arc::new(Mutex::new(vec![])));
        for (class, name) in units {
            queue.put(class.clone(), Box::new(Named(name, Arc::clone(&seen)))).await.unwrap();
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
        let loud = || WorkClass::Source("loud".into());
        let units = [
            (loud(), "a1"),
            (loud(), "a2"),
            (loud(), "a3"),
            (WorkClass::Source("calm".into()), "b1"),
            (WorkClass::Turns, "t"),
        ];
        assert_eq!(order(&units).await, ["a1", "b1", "t", "a2", "a3"]);
    }

    #[tokio::test]
    async fn a_sweep_waits_behind_every_message() {
        let units = [
            (WorkClass::Sweep, "s1"),
            (WorkClass::Sweep, "s2"),
            (WorkClass::Turns, "t1"),
            (WorkClass::Requests, "r1"),
        ];
        assert_eq!(order(&units).await, ["t1", "r1", "s1", "s2"]);
    }

    #[tokio::test]
    async fn a_closed_queue_takes_nothing() {
        let queue = Queue::new();
        queue.close();
        let refused = queue.put(WorkClass::Requests, Box::new(Named("late", Arc::default()))).await;
        assert!(matches!(refused, Err(StoreError::Closed)));
    }
}
