//! Waits and measures time by the gateway's clock.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::port::{Clock, Mono};
use frontdesk_core::retry::Backoff;

/// The clock of a connection.
#[derive(Clone)]
pub struct Timer(Arc<dyn Clock>);

/// A moment on both clocks: the monotonic clock stands still while the machine sleeps, and the calendar clock may be
/// set.
#[derive(Debug, Clone, Copy)]
pub struct TimePoint {
    mono: Mono,
    wall: DateTime<Utc>,
}

impl Timer {
    /// Measures by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(clock)
    }

    /// Waits for `pause`.
    pub async fn pause(&self, pause: Duration) {
        self.0.sleep_until(self.0.mono() + pause).await;
    }

    /// Waits until `deadline`.
    pub async fn until(&self, deadline: Mono) {
        self.0.sleep_until(deadline).await;
    }

    /// The monotonic time.
    pub fn mono(&self) -> Mono {
        self.0.mono()
    }

    /// The calendar time.
    pub fn wall(&self) -> DateTime<Utc> {
        self.0.wall()
    }

    /// Waits longer after every failure in a row: at least `first`, at most `longest`.
    pub async fn back_off(&self, failures: u32, first: Duration, longest: Duration) {
        let backoff = Backoff { base: first.mul_f64(1.25), cap: longest.max(first), ..Backoff::default() };
        self.pause(backoff.delay(failures, random()).max(first)).await;
    }

    /// This moment.
    pub fn now(&self) -> TimePoint {
        TimePoint { mono: self.0.mono(), wall: self.0.wall() }
    }

    /// Whether `span` has passed since `moment`, by either clock.
    pub fn is_past(&self, moment: TimePoint, span: Duration) -> bool {
        let now = self.now();
        let wall = (now.wall - moment.wall).to_std().unwrap_or_default();
        now.mono.since(moment.mono) >= span || wall >= span
    }
}

/// A random number from 0 up to 1, without 1.
pub fn random() -> f64 {
    getrandom::u32().map_or(0.5, |bits| f64::from(bits) / (f64::from(u32::MAX) + 1.0))
}
