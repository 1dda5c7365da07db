//! The machine's clock. No other code reads it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_core::port::{Clock, Mono};

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time begins now.
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port's real side")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn wall(&self) -> DateTime<Utc> {
        wall()
    }

    fn mono(&self) -> Mono {
        Mono(self.start.elapsed())
    }

    #[cfg(target_os = "linux")]
    fn elapsed(&self) -> Duration {
        let since_boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::try_from(since_boot).unwrap_or_else(|_| self.start.elapsed())
    }

    /// Other systems have no portable clock of this kind; pauses get longer by the time that the machine was suspended.
    #[cfg(not(target_os = "linux"))]
    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the Clock port's real side")]
    async fn sleep_until(&self, deadline: Mono) {
        // Tokio's timer counts milliseconds, so it may wake less than a millisecond before the deadline.
        while let Some(left) = deadline.0.checked_sub(self.start.elapsed()).filter(|left| !left.is_zero()) {
            tokio::time::sleep(left.min(LONGEST)).await;
        }
    }
}

/// The longest single sleep; Tokio's timer accepts about two years.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// The current time, for commands without a gateway and its clock.
#[expect(clippy::disallowed_methods, reason = "this is the Clock port's real side")]
pub fn wall() -> DateTime<Utc> {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => DateTime::from(UNIX_EPOCH + since),
        Err(before) => DateTime::from(UNIX_EPOCH - before.duration()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_its_deadline_has_come_and_not_before() {
        let clock = SystemClock::new();
        let deadline = clock.mono() + Duration::from_millis(5);
        clock.sleep_until(deadline).await;
        assert!(clock.mono() >= deadline);
        clock.sleep_until(Mono::default()).await;
    }
}
