//! The days of a time zone: where one ends and the next begins.

use chrono_tz::Tz;

use crate::zone;

/// The daily boundaries of a time zone, in seconds since 1970, UTC.
pub(super) struct Day {
    pub(super) zone: Tz,
    /// Seconds from local midnight to the boundary, on a day without a clock change.
    pub(super) hour: i64,
}

pub(super) const DAY: i64 = 86_400;

impl Day {
    /// The last boundary at or before `now`.
    pub(super) fn previous(&self, now: i64) -> i64 {
        let offset = self.offset(now);
        let today = (now + offset).div_euclid(DAY);
        if self.steady(now, offset) {
            let boundary = today * DAY + self.hour - offset;
            return if boundary <= now { boundary } else { boundary - DAY };
        }
        // Tomorrow's boundary may have passed already, if the clocks went back over midnight (St John's, 2010).
        // Yesterday's may lie ahead, if that date was skipped (Apia, 2011).
        let mut date = today + 1;
        while self.boundary(date) > now {
            date -= 1;
        }
        self.boundary(date)
    }

    /// The first boundary after `now`.
    pub(super) fn next(&self, now: i64) -> i64 {
        let mut date = (now + self.offset(now)).div_euclid(DAY) - 1;
        while self.boundary(date) <= now {
            date += 1;
        }
        self.boundary(date)
    }

    /// Whether no clock changed near `now`. This is nearly always so and saves most look-ups. A change and its reversal
    /// between two samples would be missed; the shortest such period ever lasted 95 hours (Freetown, 1939).
    fn steady(&self, now: i64, offset: i64) -> bool {
        self.offset(now - 3 * DAY) == offset && self.offset(now + 2 * DAY) == offset
    }

    /// The boundary of a local date, given in days since 1970.
    ///
    /// At most one clock change lies near it. Of a local time that exists twice, the boundary is the first, with the
    /// offset before the change. A local time that does not exist is read with that offset as well, which moves it
    /// forward by the gap. So the boundary of a skipped date is that of the next date.
    fn boundary(&self, date: i64) -> i64 {
        let local = date * DAY + self.hour;
        let before = self.offset(local - zone::FARTHEST);
        let after = self.offset(local + zone::FARTHEST);
        let exists_after = || self.offset(local - after) == after;
        if before == after || self.offset(local - before) == before || !exists_after() {
            local - before
        } else {
            local - after
        }
    }

    fn offset(&self, at: i64) -> i64 {
        zone::offset(self.zone, at)
    }
}
