//! Runs work one at a time per key, and concurrently for many keys.
//!
//! A wake-up and the end of a run take the same lock, so that a wake-up that arrives while a run ends is not lost. Lanes
//! hold no work themselves; the queue is the database.

mod schedule;

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_core::port::{Clock, Mono, Stop};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use schedule::Schedule;

/// When a lane runs again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextRun {
    /// When it is woken.
    Sleep,
    /// At once, after the lanes that are ready already.
    Again,
    /// At this time, or as soon as it is woken.
    At(Mono),
    /// At this time and not before, even if it is woken.
    NotBefore(Mono),
}

/// Whether people wait for a lane's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Class {
    /// They do.
    People,
    /// It can wait.
    Background,
}

/// Maximum number of lanes that run at once: in all, and in each group.
#[derive(Debug, Clone, Default)]
pub(crate) struct LaneLimits {
    pub(crate) total: usize,
    pub(crate) groups: HashMap<String, usize>,
}

/// The lanes of one kind of work.
pub(crate) struct Lanes<K> {
    clock: Arc<dyn Clock>,
    limits: Mutex<LaneLimits>,
    group: fn(&K) -> &str,
    schedule: Mutex<Schedule<K>>,
    changed: Notify,
    rested: Notify,
}

impl<K> Lanes<K>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
{
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        limits: LaneLimits,
        group: fn(&K) -> &str,
        class: fn(&K) -> Class,
    ) -> Self {
        let schedule = Mutex::new(Schedule::new(class));
        Self {
            clock,
            limits: Mutex::new(limits),
            group,
            schedule,
            changed: Notify::new(),
            rested: Notify::new(),
        }
    }

    /// Wakes the lane of `key`.
    pub(crate) fn wake(&self, key: &K) {
        self.schedule().wake(key, (self.group)(key));
        self.changed.notify_one();
    }

    /// Wakes the lane of `key` once there was no further call for `quiet`. A lane that runs or is ready is only marked.
    pub(crate) fn wake_after(&self, key: &K, quiet: Duration) {
        if quiet.is_zero() {
            return self.wake(key);
        }
        let at = self.clock.mono() + quiet;
        self.schedule().wake_at(key, at);
        self.changed.notify_one();
    }

    /// Starts no more lanes than these limits allow. Those that run are not stopped.
    pub(crate) fn set_limits(&self, limits: LaneLimits) {
        *self.limits() = limits;
        self.changed.notify_one();
    }

    fn limits(&self) -> MutexGuard<'_, LaneLimits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of running lanes of a group.
    pub(crate) fn running_in(&self, group: &str) -> usize {
        self.schedule().running_in(group)
    }

    /// Runs the lanes until `stop`, then waits for those that run.
    pub(crate) async fn run<W, F>(&self, stop: Stop, work: W)
    where
        W: Fn(K) -> F,
        F: Future<Output = NextRun> + Send + 'static,
    {
        let mut tasks: JoinSet<NextRun> = JoinSet::new();
        let mut keys: HashMap<tokio::task::Id, K> = HashMap::new();
        loop {
            let due = loop {
                let now = self.clock.mono();
                let (next, due) = {
                    let mut schedule = self.schedule();
                    schedule.promote(now, self.group);
                    let next =
                        if stop.is_cancelled() { None } else { schedule.start(&self.limits(), self.group) };
                    (next, schedule.next_due())
                };
                let Some(key) = next else { break due };
                let handle = tasks.spawn(work(key.clone()));
                keys.insert(handle.id(), key);
            };
            if stop.is_cancelled() && tasks.is_empty() {
                return;
            }
            tokio::select! {
                () = self.changed.notified() => {}
                Some(ended) = tasks.join_next_with_id(), if !tasks.is_empty() => self.ended(ended, &mut keys),
                () = sleep(&self.clock, due), if due.is_some() => {}
                () = stop.cancelled(), if !stop.is_cancelled() => {}
            }
        }
    }

    fn ended(
        &self,
        ended: Result<(tokio::task::Id, NextRun), tokio::task::JoinError>,
        keys: &mut HashMap<tokio::task::Id, K>,
    ) {
        let (id, next) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "a lane's work panicked; it is tried again in a moment");
                (error.id(), NextRun::At(self.clock.mono() + Duration::from_secs(1)))
            }
        };
        let Some(key) = keys.remove(&id) else { return };
        let mut schedule = self.schedule();
        schedule.end(&key, (self.group)(&key), next);
        if schedule.at_rest() {
            self.rested.notify_waiters();
        }
    }

    /// Waits until no lane runs or is ready to. Delayed lanes do not count.
    pub(crate) async fn at_rest(&self) {
        loop {
            let rested = self.rested.notified();
            if self.schedule().at_rest() {
                return;
            }
            rested.await;
        }
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule<K>> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn sleep(clock: &Arc<dyn Clock>, until: Option<Mono>) {
    if let Some(until) = until {
        clock.sleep_until(until).await;
    }
}
