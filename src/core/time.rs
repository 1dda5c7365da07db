//! Time that does not depend on somebody setting the calendar clock.
//!
//! The calendar clock may jump in either direction: a battery is empty, an operator mistypes a year, a time server
//! corrects both. Three rules keep that from doing harm:
//!
//! - A pause (a retry, a mute, a lockout, the lifetime of a code) is measured in [`Steady`] time, which nobody can set.
//!   A stored [`Pause`] includes its beginning, so that after a restart it lasts at most [`OVERTAKEN`] longer than intended.
//! - What is given up or deleted because of its age is judged by a [`CautiousCalendar`], which accepts a jump ahead
//!   only after a day.
//! - What concerns the day that people see (the reset rule, the daily quota, every displayed time) follows the calendar
//!   clock as it is.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// One moment, in calendar time and in steady time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The calendar clock: for what is displayed, counted per day or kept as history.
    pub wall: DateTime<Utc>,
    /// [`Steady`] time: for pauses.
    pub steady: DateTime<Utc>,
}

impl From<DateTime<Utc>> for Now {
    /// A moment at which both are equal.
    fn from(both: DateTime<Utc>) -> Self {
        Self { wall: both, steady: both }
    }
}

/// The calendar time at the start of the process, plus the time that has passed since.
#[derive(Debug, Clone, Copy)]
pub struct Steady {
    wall: DateTime<Utc>,
    elapsed: Duration,
}

impl Steady {
    /// Starts at `wall`, when [`Clock::elapsed`](crate::port::Clock::elapsed) returns `elapsed`.
    pub fn begun(wall: DateTime<Utc>, elapsed: Duration) -> Self {
        Self { wall, elapsed }
    }

    /// The steady time at which the clock returns `elapsed`.
    pub fn at(&self, elapsed: Duration) -> DateTime<Utc> {
        later(self.wall, elapsed.saturating_sub(self.elapsed))
    }
}

/// A pause, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// When it began.
    pub since: DateTime<Utc>,
    /// When it ends.
    pub until: DateTime<Utc>,
}

/// How far `now` may lie before the beginning of a pause that has begun already. Operations take the time and then wait for
/// the database, so one that begins a pause may overtake one that asks whether it is over.
pub const OVERTAKEN: Duration = Duration::from_secs(60);

impl Pause {
    /// Whether it is over. It is over long before its beginning as well: the clock was set back then, and waiting for its
    /// end would take longer than intended.
    pub fn is_over(self, now: DateTime<Utc>) -> bool {
        now >= self.until || later(now, OVERTAKEN) < self.since
    }
}

/// How far the calendar clock may be ahead of steady time and still be accepted at once.
const SLACK: Duration = Duration::from_secs(60);
/// How long it must stay ahead until it is accepted.
const BELIEVED: Duration = Duration::from_secs(24 * 3600);

/// A calendar that follows every step back at once, and a jump ahead only after a day. So nothing is deleted because of
/// a wrong date that somebody notices and corrects within a day.
#[derive(Debug, Clone, Copy)]
pub struct CautiousCalendar {
    steady: Steady,
    ahead_since: Option<Duration>,
}

impl CautiousCalendar {
    /// Starts at `wall`, when [`Clock::elapsed`](crate::port::Clock::elapsed) returns `elapsed`.
    pub fn begun(wall: DateTime<Utc>, elapsed: Duration) -> Self {
        Self { steady: Steady::begun(wall, elapsed), ahead_since: None }
    }

    /// The reliable date while the calendar clock shows `wall`.
    pub fn read(&mut self, wall: DateTime<Utc>, elapsed: Duration) -> DateTime<Utc> {
        let steady = self.steady.at(elapsed);
        let since = *self.ahead_since.get_or_insert(elapsed);
        if wall > later(steady, SLACK) && elapsed.saturating_sub(since) < BELIEVED {
            return steady;
        }
        *self = Self::begun(wall, elapsed);
        wall
    }
}

/// Adds a duration; the result is at most the last date that chrono knows.
fn later(time: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    chrono::Duration::from_std(by)
        .ok()
        .and_then(|by| time.checked_add_signed(by))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600;

    fn t(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn s(seconds: i64) -> Duration {
        Duration::from_secs(seconds.try_into().unwrap())
    }

    #[test]
    fn a_pause_does_not_last_longer_because_the_clock_was_set_back() {
        let pause = Pause { since: t(100), until: t(160) };
        for (now, over) in [(100, false), (159, false), (160, true), (DAY, true), (39, true), (-DAY, true)] {
            assert_eq!(pause.is_over(t(now)), over, "{now}");
        }
    }

    #[test]
    fn a_pause_is_not_over_for_somebody_who_looked_at_the_clock_shortly_before_it_began() {
        let pause = Pause { since: t(100), until: t(160) };
        for (now, over) in [(99, false), (40, false)] {
            assert_eq!(pause.is_over(t(now)), over, "{now}");
        }
    }

    #[test]
    fn a_jump_ahead_is_believed_after_a_day_and_a_step_back_at_once() {
        let mut calendar = CautiousCalendar::begun(t(0), s(0));
        assert_eq!(calendar.read(t(50), s(10)), t(50), "clocks are put right by seconds all the time");
        assert_eq!(calendar.read(t(100 * DAY), s(20)), t(60));
        assert_eq!(calendar.read(t(100), s(60)), t(100), "it was a mistake");
        assert_eq!(calendar.read(t(DAY * 9), s(70)), t(110));
        assert_eq!(calendar.read(t(DAY * 10 - 1), s(70 + DAY - 1)), t(110 + DAY - 1));
        assert_eq!(calendar.read(t(DAY * 10), s(70 + DAY)), t(DAY * 10), "it is none");
        assert_eq!(calendar.read(t(-DAY), s(80 + DAY)), t(-DAY));
        assert_eq!(calendar.read(t(5), s(90 + DAY)), t(10 - DAY), "back again is a jump ahead");
    }

    #[test]
    fn time_beyond_the_calendar_is_its_last_day() {
        let steady = Steady::begun(t(0), s(0));
        assert_eq!(steady.at(Duration::MAX), DateTime::<Utc>::MAX_UTC);
    }
}
