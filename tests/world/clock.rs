//! A clock that stands still until the test moves it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_core::port::{Clock, Mono};
use tokio::sync::oneshot;

/// See [`Clock`].
pub struct ManualClock(Mutex<Hands>);

struct Hands {
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
        Self(Mutex::new(Hands {
            wall,
            mono: Mono::default(),
            slept: Duration::ZERO,
            sleepers: BTreeMap::new(),
            ticket: 0,
        }))
    }

    /// Time passes.
    pub fn pass(&self, time: Duration) {
        let mut hands = self.hands();
        hands.wall += time;
        hands.mono = hands.mono + time;
        hands.ring();
    }

    /// Time passes until the calendar shows `wall`, as RFC 3339.
    pub fn to(&self, wall: &str) {
        let passed = parse(wall) - self.hands().wall;
        self.pass(passed.to_std().expect("time passes forward; `jump` goes back"));
    }

    /// The machine sleeps: time passes, and nothing that waits for `mono` is nearer.
    pub fn sleep(&self, time: Duration) {
        let mut hands = self.hands();
        hands.wall += time;
        hands.slept += time;
    }

    /// Somebody sets the calendar; no time passes.
    pub fn jump(&self, seconds: i64) {
        self.hands().wall += chrono::Duration::seconds(seconds);
    }

    /// Whether somebody sleeps until exactly `time` from now.
    pub fn has_sleeper(&self, time: Duration) -> bool {
        let hands = self.hands();
        let at = hands.mono + time;
        hands.sleepers.iter().any(|((deadline, _), sleeper)| *deadline == at && !sleeper.is_closed())
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap()
    }
}

impl Hands {
    fn ring(&mut self) {
        let later = self.sleepers.split_off(&(self.mono, u64::MAX));
        for (_, sleeper) in std::mem::replace(&mut self.sleepers, later) {
            // A sleeper that was dropped has lost interest.
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
        self.hands().wall
    }

    fn mono(&self) -> Mono {
        self.hands().mono
    }

    fn elapsed(&self) -> Duration {
        let hands = self.hands();
        hands.mono.0 + hands.slept
    }

    async fn sleep_until(&self, deadline: Mono) {
        let bell = {
            let mut hands = self.hands();
            if hands.mono >= deadline {
                None
            } else {
                let (sender, bell) = oneshot::channel();
                hands.ticket += 1;
                let place = (deadline, hands.ticket);
                hands.sleepers.retain(|_, sleeper| !sleeper.is_closed());
                hands.sleepers.insert(place, sender);
                Some(bell)
            }
        };
        if let Some(bell) = bell {
            bell.await.unwrap();
        }
    }
}
