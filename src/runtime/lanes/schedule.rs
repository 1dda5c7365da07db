//! When each lane runs: pure, so that every order can be tested without tasks and time.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;

use frontdesk_core::port::Mono;

use super::{Class, LaneLimits, NextRun};

/// Which lanes run, are ready or wait for their time.
pub(super) struct Schedule<K> {
    lanes: HashMap<K, Lane>,
    /// Ready keys by group and class, so that a group at its limit does not block others.
    ready: HashMap<(String, Class), VecDeque<(u64, K)>>,
    later: BTreeMap<(Mono, u64), K>,
    running: usize,
    running_in: HashMap<String, usize>,
    /// How many of the running ones are in the background: in all, and in each group.
    background: usize,
    background_in: HashMap<String, usize>,
    class: fn(&K) -> Class,
    /// The last ticket number. Of one class the lane with the lowest ticket runs first, across groups.
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

impl<K> Schedule<K>
where
    K: Clone + Eq + Hash,
{
    pub(super) fn new(class: fn(&K) -> Class) -> Self {
        Self {
            class,
            background: 0,
            background_in: HashMap::new(),
            lanes: HashMap::new(),
            ready: HashMap::new(),
            later: BTreeMap::new(),
            running: 0,
            running_in: HashMap::new(),
            ticket: 0,
        }
    }

    /// When the next delayed lane becomes ready.
    pub(super) fn next_due(&self) -> Option<Mono> {
        self.later.keys().next().map(|(at, _)| *at)
    }

    /// Number of running lanes of a group.
    pub(super) fn running_in(&self, group: &str) -> usize {
        self.running_in.get(group).copied().unwrap_or(0)
    }

    pub(super) fn wake(&mut self, key: &K, group: &str) {
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

    pub(super) fn wake_at(&mut self, key: &K, at: Mono) {
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
        self.ready.entry((group.to_owned(), (self.class)(&key))).or_default().push_back(entry);
        self.lanes.insert(key, Lane::Ready);
    }

    /// Makes the lanes ready whose time has come.
    pub(super) fn promote(&mut self, now: Mono, group: fn(&K) -> &str) {
        while let Some(entry) = self.later.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let key = entry.remove();
            let name = group(&key).to_owned();
            self.enqueue(key, &name);
        }
    }

    /// Takes the lane that has been ready longest, among the groups below their limit. Those in the background come last, and
    /// get at most half of what a group may run, so that one place is left for people where there are two.
    pub(super) fn start(&mut self, limits: &LaneLimits, group: fn(&K) -> &str) -> Option<K> {
        if self.running >= limits.total {
            return None;
        }
        let full = |name: &str, class: Class| {
            let limit = limits.groups.get(name).copied().unwrap_or(usize::MAX);
            let behind = self.background_in.get(name).copied().unwrap_or(0);
            self.running_in(name) >= limit
                || class == Class::Background
                    && (behind >= share(limit) || self.background >= share(limits.total))
        };
        let (place, _) = self
            .ready
            .iter()
            .filter(|((name, class), queue)| !queue.is_empty() && !full(name, *class))
            .min_by_key(|((_, class), queue)| (*class, queue.front().map(|(ticket, _)| *ticket)))?;
        let place = place.clone();
        let queue = self.ready.get_mut(&place)?;
        let (_, key) = queue.pop_front()?;
        if queue.is_empty() {
            self.ready.remove(&place);
        }
        self.running += 1;
        *self.running_in.entry(group(&key).to_owned()).or_default() += 1;
        if place.1 == Class::Background {
            self.background += 1;
            *self.background_in.entry(place.0).or_default() += 1;
        }
        self.lanes.insert(key.clone(), Lane::Running { again: false });
        Some(key)
    }

    pub(super) fn at_rest(&self) -> bool {
        self.running == 0 && self.ready.is_empty()
    }

    pub(super) fn end(&mut self, key: &K, group: &str, next: NextRun) {
        self.running -= 1;
        one_less(&mut self.running_in, group);
        if (self.class)(key) == Class::Background {
            self.background -= 1;
            one_less(&mut self.background_in, group);
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

/// How many lanes in the background may run of so many.
fn share(limit: usize) -> usize {
    (limit / 2).max(1)
}

fn one_less(counts: &mut HashMap<String, usize>, group: &str) {
    if let Some(count) = counts.get_mut(group) {
        *count -= 1;
        if *count == 0 {
            counts.remove(group);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn group<'k>(key: &'k &'static str) -> &'k str {
        &key[..1]
    }

    /// Keys that end in `b` are in the background.
    fn schedule() -> Schedule<&'static str> {
        Schedule::new(|key| if key.ends_with('b') { Class::Background } else { Class::People })
    }

    fn limits(total: usize, groups: &[(&str, usize)]) -> LaneLimits {
        LaneLimits { total, groups: groups.iter().map(|(name, most)| ((*name).to_owned(), *most)).collect() }
    }

    fn wake(schedule: &mut Schedule<&'static str>, keys: &[&'static str]) {
        for key in keys {
            schedule.wake(key, group(key));
        }
    }

    #[test]
    fn a_wake_up_during_a_run_causes_another_run() {
        let mut lanes = schedule();
        let limits = limits(8, &[]);
        wake(&mut lanes, &["a1"]);
        assert_eq!(lanes.start(&limits, group), Some("a1"));
        wake(&mut lanes, &["a1"]);
        assert_eq!(lanes.start(&limits, group), None, "one at a time");
        lanes.end(&"a1", "a", NextRun::Sleep);
        assert_eq!(lanes.start(&limits, group), Some("a1"));
        lanes.end(&"a1", "a", NextRun::Sleep);
        assert_eq!(lanes.start(&limits, group), None);
        assert!(lanes.lanes.is_empty(), "an idle lane takes no memory");
    }

    #[test]
    fn the_lane_that_waits_longest_runs_first() {
        let mut lanes = schedule();
        let limits = limits(1, &[]);
        wake(&mut lanes, &["a1", "b1", "a2"]);
        let mut order = Vec::new();
        while let Some(key) = lanes.start(&limits, group) {
            order.push(key);
            lanes.end(&key, group(&key), NextRun::Sleep);
        }
        assert_eq!(order, ["a1", "b1", "a2"]);
    }

    #[test]
    fn a_group_at_its_limit_does_not_block_another() {
        let mut lanes = schedule();
        let limits = limits(8, &[("a", 1)]);
        wake(&mut lanes, &["a1", "a2", "b1"]);
        assert_eq!(lanes.start(&limits, group), Some("a1"));
        assert_eq!(lanes.start(&limits, group), Some("b1"));
        assert_eq!(lanes.start(&limits, group), None);
        lanes.end(&"a1", "a", NextRun::Sleep);
        assert_eq!(lanes.start(&limits, group), Some("a2"));
    }

    #[test]
    fn background_lanes_run_last_and_leave_a_place_for_people() {
        let mut lanes = schedule();
        let limits = limits(8, &[("a", 4)]);
        wake(&mut lanes, &["a1b", "a2b", "a3b", "a1"]);
        assert_eq!(lanes.start(&limits, group), Some("a1"), "people first");
        assert_eq!(lanes.start(&limits, group), Some("a1b"));
        assert_eq!(lanes.start(&limits, group), Some("a2b"));
        assert_eq!(lanes.start(&limits, group), None, "half of the group's places");
        wake(&mut lanes, &["a2"]);
        assert_eq!(lanes.start(&limits, group), Some("a2"));
        lanes.end(&"a1b", "a", NextRun::Sleep);
        assert_eq!(lanes.start(&limits, group), Some("a3b"));
        for key in ["a2b", "a3b"] {
            lanes.end(&key, "a", NextRun::Sleep);
        }
        assert_eq!((lanes.background, lanes.background_in.len(), lanes.running), (0, 0, 2));
    }

    #[test]
    fn a_delayed_lane_runs_when_its_time_comes_or_when_it_is_woken() {
        let mut lanes = schedule();
        let limits = limits(8, &[]);
        let at = |seconds| Mono(Duration::from_secs(seconds));
        lanes.wake_at(&"a1", at(10));
        lanes.wake_at(&"a2", at(10));
        lanes.promote(at(5), group);
        assert_eq!(lanes.start(&limits, group), None);
        wake(&mut lanes, &["a1"]);
        assert_eq!(lanes.start(&limits, group), Some("a1"));
        lanes.promote(at(10), group);
        assert_eq!(lanes.start(&limits, group), Some("a2"));
        assert!(lanes.later.is_empty());
    }

    #[test]
    fn a_wake_up_during_a_run_shortens_at_but_not_not_before() {
        let mut lanes = schedule();
        let limits = limits(8, &[]);
        let later = Mono(Duration::from_secs(300));
        for (next, runs) in [(NextRun::At(later), Some("a1")), (NextRun::NotBefore(later), None)] {
            wake(&mut lanes, &["a1"]);
            assert_eq!(lanes.start(&limits, group), Some("a1"));
            wake(&mut lanes, &["a1"]);
            lanes.end(&"a1", "a", next);
            wake(&mut lanes, &["a1"]);
            assert_eq!(lanes.start(&limits, group), runs, "{next:?}");
            if runs.is_some() {
                lanes.end(&"a1", "a", NextRun::Sleep);
            }
        }
        lanes.promote(later, group);
        assert_eq!(lanes.start(&limits, group), Some("a1"));
    }

    #[test]
    fn each_wake_up_restarts_the_quiet_period() {
        let mut lanes = schedule();
        let at = |seconds| Mono(Duration::from_secs(seconds));
        lanes.wake_at(&"a1", at(10));
        lanes.wake_at(&"a1", at(12));
        lanes.promote(at(11), group);
        assert_eq!(lanes.start(&limits(8, &[]), group), None);
        lanes.promote(at(12), group);
        assert_eq!(lanes.start(&limits(8, &[]), group), Some("a1"));
    }
}
