//! A clock that stands still until the test moves it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_core::port::{Clock, Mono};
use tokio::sync::oneshot;

/// A [`Clock`] whose time only the test changes.
pub struct ManualClock(Mutex<ClockState>);

struct ClockState {
    wall: DateTime<Utc>,
    mono: Mono,
    slept: Duration,
    sleepers: BTreeMap<(Mono, u64), oneshot::Sender<()>>,
    ticket: u64,
}

impl ManualClock {
    /// A clock that shows `wall`, as RFC 3339.
    pub fn at(wall: &str) -> Self {
        let wall = parse(wall);
        Self(Mutex::new(ClockState {
            wall,
            mono: Mono::default(),
            slept: Duration::ZERO,
            sleepers: BTreeMap::new(),
            ticket: 0,
        }))
    }

    /// Moves time forward and wakes the tasks whose deadline has come.
    pub fn pass(&self, time: Duration) {
        let mut state = self.state();
        state.wall += time;
        state.mono = state.mono + time;
        state.wake();
    }

    /// Moves time forward to `wall`, as RFC 3339.
    pub fn to(&self, wall: &str) {
        let passed = parse(wall) - self.state().wall;
        self.pass(passed.to_std().expect("this moves time forward only; use `jump` to go back"));
    }

    /// Suspends the machine: the calendar moves on, the monotonic clock does not.
    pub fn sleep(&self, time: Duration) {
        let mut state = self.state();
        state.wall += time;
        state.slept += time;
    }

    /// Sets the calendar by so many seconds; no time passes.
    pub fn jump(&self, seconds: i64) {
        self.state().wall += chrono::Duration::seconds(seconds);
    }

    /// Whether a task sleeps until exactly `time` from now.
    pub fn has_sleeper(&self, time: Duration) -> bool {
        let state = self.state();
        let at = state.mono + time;
        state.sleepers.iter().any(|((deadline, _), sleeper)| *deadline == at && !sleeper.is_closed())
    }

    fn state(&self) -> MutexGuard<'_, ClockState> {
        self.0.lock().unwrap()
    }
}

impl ClockState {
    fn wake(&mut self) {
        let later = self.sleepers.split_off(&(self.mono, u64::MAX));
        for (_, sleeper) in std::mem::replace(&mut self.sleepers, later) {
            // The receiver is gone if the sleeping task was dropped.
            sleeper.send(()).ok();
        }
    }
}

fn parse(wall: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(wall).expect("an RFC 3339 time").to_utc()
}

#[async_trait]
impl Clock for ManualClock {
    fn wall(&self) -> DateTime<Utc> {
        self.state().wall
    }

    fn mono(&self) -> Mono {
        self.state().mono
    }

    fn elapsed(&self) -> Duration {
        let state = self.state();
        state.mono.0 + state.slept
    }

    async fn sleep_until(&self, deadline: Mono) {
        let woken = {
            let mut state = self.state();
            if state.mono >= deadline {
                None
            } else {
                let (sender, woken) = oneshot::channel();
                state.ticket += 1;
                let key = (deadline, state.ticket);
                state.sleepers.retain(|_, sleeper| !sleeper.is_closed());
                state.sleepers.insert(key, sender);
                Some(woken)
            }
        };
        if let Some(woken) = woken {
            woken.await.unwrap();
        }
    }
}
