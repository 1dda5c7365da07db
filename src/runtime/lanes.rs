//! Runs work one at a time per key, and concurrently for many keys.
//!
//! A wake-up and the end of a run take the same lock, so that a wake-up that arrives while a run ends is not lost. Lanes
//! hold no work themselves; the queue is the database.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_core::port::{Clock, Mono, Stop};
use tokio::sync::Notify;
use tokio::task::JoinSet;

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

/// Maximum number of lanes that run at once: in all, and in each group.
#[derive(Debug, Clone, Default)]
pub(crate) struct LaneLimits {
    pub(crate) total: usize,
    pub(crate) groups: HashMap<String, usize>,
}

/// The lanes of one kind of work.
pub(crate) struct Lanes<K> {
    clock: Arc<dyn Clock>,
    caps: LaneLimits,
    group: fn(&K) -> &str,
    state: Mutex<State<K>>,
    changed: Notify,
    rested: Notify,
}

struct State<K> {
    lanes: HashMap<K, Lane>,
    /// Ready keys by group, so that a group at its limit does not block others.
    ready: HashMap<String, VecDeque<(u64, K)>>,
    later: BTreeMap<(Mono, u64), K>,
    running: usize,
    running_in: HashMap<String, usize>,
    /// The last ticket number. The lane with the lowest ticket runs first, across groups.
    ticket: u64,
}

enum Lane {
    Ready,
    Running {
        again: bool,
    },
    /// A `firm` one cannot be woken early.
    Later {
        at: Mono,
        ticket: u64,
        firm: bool,
    },
}

impl<K> Lanes<K>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
{
    pub(crate) fn new(clock: Arc<dyn Clock>, caps: LaneLimits, group: fn(&K) -> &str) -> Self {
        let state = State {
            lanes: HashMap::new(),
            ready: HashMap::new(),
            later: BTreeMap::new(),
            running: 0,
            running_in: HashMap::new(),
            ticket: 0,
        };
        Self { clock, caps, group, state: Mutex::new(state), changed: Notify::new(), rested: Notify::new() }
    }

    /// Wakes the lane of `key`.
    pub(crate) fn wake(&self, key: &K) {
        self.state().wake(key, (self.group)(key));
        self.changed.notify_one();
    }

    /// Wakes the lane of `key` once there was no further call for `quiet`. A lane that runs or is ready is only marked.
    pub(crate) fn wake_after(&self, key: &K, quiet: Duration) {
        if quiet.is_zero() {
            return self.wake(key);
        }
        let at = self.clock.mono() + quiet;
        self.state().wake_at(key, at);
        self.changed.notify_one();
    }

    /// Number of running lanes of a group.
    pub(crate) fn running_in(&self, group: &str) -> usize {
        self.state().running_in.get(group).copied().unwrap_or(0)
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
                    let mut state = self.state();
                    state.promote(now, self.group);
                    let next = if stop.is_cancelled() { None } else { state.start(&self.caps, self.group) };
                    (next, state.later.keys().next().map(|(at, _)| *at))
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
        let mut state = self.state();
        state.end(&key, (self.group)(&key), next);
        if state.at_rest() {
            self.rested.notify_waiters();
        }
    }

    /// Waits until no lane runs or is ready to. Delayed lanes do not count.
    pub(crate) async fn at_rest(&self) {
        loop {
            let rested = self.rested.notified();
            if self.state().at_rest() {
                return;
            }
            rested.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn sleep(clock: &Arc<dyn Clock>, until: Option<Mono>) {
    if let Some(until) = until {
        clock.sleep_until(until).await;
    }
}

impl<K> State<K>
where
    K: Clone + Eq + Hash,
{
    fn wake(&mut self, key: &K, group: &str) {
        match self.lanes.get_mut(key) {
            None => self.enqueue(key.clone(), group),
            Some(Lane::Ready) => {}
            Some(Lane::Running { again }) => *again = true,
            Some(Lane::Later { firm: true, .. }) => {}
            Some(Lane::Later { at, ticket, firm: false }) => {
                let place = (*at, *ticket);
                self.later.remove(&place);
                self.enqueue(key.clone(), group);
            }
        }
    }

    fn wake_at(&mut self, key: &K, at: Mono) {
        match self.lanes.get_mut(key) {
            Some(Lane::Ready) => {}
            Some(Lane::Running { again }) => *again = true,
            Some(Lane::Later { firm: true, .. }) => {}
            Some(Lane::Later { at: old, ticket, firm: false }) => {
                let place = (*old, *ticket);
                self.later.remove(&place);
                self.delay(key.clone(), at, false);
            }
            None => self.delay(key.clone(), at, false),
        }
    }

    fn delay(&mut self, key: K, at: Mono, firm: bool) {
        self.ticket += 1;
        self.later.insert((at, self.ticket), key.clone());
        self.lanes.insert(key, Lane::Later { at, ticket: self.ticket, firm });
    }

    fn enqueue(&mut self, key: K, group: &str) {
        self.ticket += 1;
        let entry = (self.ticket, key.clone());
        match self.ready.get_mut(group) {
            Some(queue) => queue.push_back(entry),
            None => {
                self.ready.insert(group.to_owned(), VecDeque::from([entry]));
            }
        }
        self.lanes.insert(key, Lane::Ready);
    }

    /// Makes the lanes ready whose time has come.
    fn promote(&mut self, now: Mono, group: fn(&K) -> &str) {
        while let Some(entry) = self.later.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let key = entry.remove();
            let name = group(&key).to_owned();
            self.enqueue(key, &name);
        }
    }

    /// Takes the lane that has been ready longest, among the groups below their limit.
    fn start(&mut self, caps: &LaneLimits, group: fn(&K) -> &str) -> Option<K> {
        if self.running >= caps.total {
            return None;
        }
        let full = |name: &String| {
            let cap = caps.groups.get(name).copied().unwrap_or(usize::MAX);
            self.running_in.get(name).copied().unwrap_or(0) >= cap
        };
        let name = self
            .ready
            .iter()
            .filter(|(name, queue)| !queue.is_empty() && !full(name))
            .min_by_key(|(_, queue)| queue.front().map(|(ticket, _)| *ticket))
            .map(|(name, _)| name.clone())?;
        let queue = self.ready.get_mut(&name)?;
        let (_, key) = queue.pop_front()?;
        if queue.is_empty() {
            self.ready.remove(&name);
        }
        self.running += 1;
        *self.running_in.entry(group(&key).to_owned()).or_default() += 1;
        self.lanes.insert(key.clone(), Lane::Running { again: false });
        Some(key)
    }

    fn at_rest(&self) -> bool {
        self.running == 0 && self.ready.is_empty()
    }

    fn end(&mut self, key: &K, group: &str, next: NextRun) {
        self.running -= 1;
        if let Some(count) = self.running_in.get_mut(group) {
            *count -= 1;
            if *count == 0 {
                self.running_in.remove(group);
            }
        }
        let again = matches!(self.lanes.remove(key), Some(Lane::Running { again: true }));
        match next {
            NextRun::NotBefore(at) => self.delay(key.clone(), at, true),
            NextRun::Again => self.enqueue(key.clone(), group),
            NextRun::At(_) if again => self.enqueue(key.clone(), group),
            NextRun::At(at) => self.delay(key.clone(), at, false),
            NextRun::Sleep if again => self.enqueue(key.clone(), group),
            NextRun::Sleep => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State<&'static str> {
        State {
            lanes: HashMap::new(),
            ready: HashMap::new(),
            later: BTreeMap::new(),
            running: 0,
            running_in: HashMap::new(),
            ticket: 0,
        }
    }

    fn group<'k>(key: &'k &'static str) -> &'k str {
        &key[..1]
    }

    fn caps(total: usize, groups: &[(&str, usize)]) -> LaneLimits {
        LaneLimits { total, groups: groups.iter().map(|(name, cap)| ((*name).to_owned(), *cap)).collect() }
    }

    fn wake(state: &mut State<&'static str>, keys: &[&'static str]) {
        for key in keys {
            state.wake(key, group(key));
        }
    }

    #[test]
    fn a_wake_up_during_a_run_causes_another_run() {
        let mut lanes = state();
        let caps = caps(8, &[]);
        wake(&mut lanes, &["a1"]);
        assert_eq!(lanes.start(&caps, group), Some("a1"));
        wake(&mut lanes, &["a1"]);
        assert_eq!(lanes.start(&caps, group), None, "one at a time");
        lanes.end(&"a1", "a", NextRun::Sleep);
        assert_eq!(lanes.start(&caps, group), Some("a1"));
        lanes.end(&"a1", "a", NextRun::Sleep);
        assert_eq!(lanes.start(&caps, group), None);
        assert!(lanes.lanes.is_empty(), "an idle lane takes no memory");
    }

    #[test]
    fn the_lane_that_waits_longest_runs_first() {
        let mut lanes = state();
        let caps = caps(1, &[]);
        wake(&mut lanes, &["a1", "b1", "a2"]);
        let mut order = Vec::new();
        while let Some(key) = lanes.start(&caps, group) {
            order.push(key);
            lanes.end(&key, group(&key), NextRun::Sleep);
        }
        assert_eq!(order, ["a1", "b1", "a2"]);
    }

    #[test]
    fn a_group_at_its_limit_does_not_block_another() {
        let mut lanes = state();
        let caps = caps(8, &[("a", 1)]);
        wake(&mut lanes, &["a1", "a2", "b1"]);
        assert_eq!(lanes.start(&caps, group), Some("a1"));
        assert_eq!(lanes.start(&caps, group), Some("b1"));
        assert_eq!(lanes.start(&caps, group), None);
        lanes.end(&"a1", "a", NextRun::Sleep);
        assert_eq!(lanes.start(&caps, group), Some("a2"));
    }

    #[test]
    fn a_delayed_lane_runs_when_its_time_comes_or_when_it_is_woken() {
        let mut lanes = state();
        let caps = caps(8, &[]);
        let at = |seconds| Mono(Duration::from_secs(seconds));
        lanes.wake_at(&"a1", at(10));
        lanes.wake_at(&"a2", at(10));
        lanes.promote(at(5), group);
        assert_eq!(lanes.start(&caps, group), None);
        wake(&mut lanes, &["a1"]);
        assert_eq!(lanes.start(&caps, group), Some("a1"));
        lanes.promote(at(10), group);
        assert_eq!(lanes.start(&caps, group), Some("a2"));
        assert!(lanes.later.is_empty());
    }

    #[test]
    fn a_wake_up_during_a_run_shortens_at_but_not_not_before() {
        let mut lanes = state();
        let caps = caps(8, &[]);
        let later = Mono(Duration::from_secs(300));
        for (next, runs) in [(NextRun::At(later), Some("a1")), (NextRun::NotBefore(later), None)] {
            wake(&mut lanes, &["a1"]);
            assert_eq!(lanes.start(&caps, group), Some("a1"));
            wake(&mut lanes, &["a1"]);
            lanes.end(&"a1", "a", next);
            wake(&mut lanes, &["a1"]);
            assert_eq!(lanes.start(&caps, group), runs, "{next:?}");
            if runs.is_some() {
                lanes.end(&"a1", "a", NextRun::Sleep);
            }
        }
        lanes.promote(later, group);
        assert_eq!(lanes.start(&caps, group), Some("a1"));
    }

    #[test]
    fn each_wake_up_restarts_the_quiet_period() {
        let mut lanes = state();
        let at = |seconds| Mono(Duration::from_secs(seconds));
        lanes.wake_at(&"a1", at(10));
        lanes.wake_at(&"a1", at(12));
        lanes.promote(at(11), group);
        assert_eq!(lanes.start(&caps(8, &[]), group), None);
        lanes.promote(at(12), group);
        assert_eq!(lanes.start(&caps(8, &[]), group), Some("a1"));
    }
}
