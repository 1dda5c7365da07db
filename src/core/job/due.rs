//! Which runs of a job are due: a pure decision about the times between two looks at the clock.
//!
//! The clock may have stood still between two looks (the gateway was down, the machine slept), or somebody has set it. The
//! decision compares instants, so it need not know which of these happened:
//!
//! - Every scheduled time that the clock has passed since the last look is decided once: it becomes a run, or it is counted
//!   as missed.
//! - After the clock was set back, the times that it passes once more are decided once more. Those that have a run already
//!   do not run again, because a run is named by its time; the others do, so that a clock that was ahead by mistake hides none.

#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};

use super::MissedRule;
use crate::schedule::Schedule;

/// How late the latest run may begin and still count as on time: longer than a restart takes, and so short that nobody minds
/// it in a reminder.
pub const PUNCTUAL: TimeDelta = TimeDelta::minutes(5);
/// A clock that is behind by at most this much does not count as set back.
const MOMENT: TimeDelta = TimeDelta::seconds(5);
/// Maximum number of runs that one decision makes.
pub const CATCH_UP: usize = 100;
/// How many times are counted one by one: a few milliseconds of work.
const COUNTED: usize = 1000;

/// The scheduled times of a job, and what becomes of those that pass unseen.
#[derive(Debug, Clone, Copy)]
pub struct Timetable<'j> {
    /// When it runs.
    pub schedule: &'j Schedule,
    /// Where its intervals begin: when the job was made, or its schedule was changed.
    pub anchor: DateTime<Utc>,
    /// What happens to runs that could not begin in time.
    pub missed: MissedRule,
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The scheduled times of the runs to make, the oldest first; at most [`CATCH_UP`].
    pub runs: Vec<DateTime<Utc>>,
    /// The times that have passed and become no run.
    pub missed: Option<Missed>,
    /// The time up to which everything is decided: `since` of the next decision.
    pub until: DateTime<Utc>,
    /// When the next run is due; `None` if there is none.
    pub next: Option<DateTime<Utc>>,
}

/// Scheduled times that have passed without a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// The first of them.
    pub first: DateTime<Utc>,
    /// The last of them.
    pub last: DateTime<Utc>,
    /// How many.
    pub count: usize,
    /// Whether there are more than that: too many to count.
    pub or_more: bool,
}

impl Timetable<'_> {
    /// Decides about the times after `since` and up to `now`. `since` is the [`Due::until`] of the last decision; for a job
    /// that is new, has another schedule or was paused, the time of that change.
    pub fn due(&self, since: DateTime<Utc>, now: DateTime<Utc>) -> Due {
        let next = self.next(now);
        let nothing = |until| Due { runs: Vec::new(), missed: None, until, next };
        // A caller that read the clock a moment later was stored first, for example the one that made the job.
        if now < since && since - now <= MOMENT {
            return Due { next: self.next(since), ..nothing(since) };
        }
        // The clock was set back. What it passes from here on is decided as if for the first time.
        if now < since {
            return nothing(now);
        }
        let Some(passed) = self.passed(since, now) else { return nothing(since) };
        let most = match self.missed {
            MissedRule::RunOnce => 1,
            MissedRule::Skip => usize::from(now - passed.latest() <= PUNCTUAL),
            MissedRule::All => CATCH_UP,
        };
        let (late, runs) = passed.newest.split_at(passed.newest.len().saturating_sub(most));
        let missed = late.last().map(|last| Missed {
            first: passed.first,
            last: *last,
            count: passed.count - runs.len(),
            or_more: passed.or_more,
        });
        Due { runs: runs.to_vec(), missed, until: passed.latest(), next }
    }

    /// The first scheduled time after `after`.
    fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.schedule.next(after, self.anchor_before(after))
    }

    /// The anchor, or if the clock was set back behind it, an earlier one with the same intervals. Without that, a job
    /// would wait until the clock shows the time of its making once more.
    fn anchor_before(&self, time: DateTime<Utc>) -> DateTime<Utc> {
        let Schedule::Every(span) = self.schedule else { return self.anchor };
        if time >= self.anchor {
            return self.anchor;
        }
        let span = span.num_milliseconds().max(1);
        let intervals = (self.anchor - time).num_milliseconds() / span + 1;
        intervals
            .checked_mul(span)
            .and_then(TimeDelta::try_milliseconds)
            .and_then(|back| self.anchor.checked_sub_signed(back))
            .unwrap_or(self.anchor)
    }

    /// The scheduled times after `since` and up to `until`; `None` if there are none.
    fn passed(&self, since: DateTime<Utc>, until: DateTime<Utc>) -> Option<Passed> {
        let mut times = std::iter::successors(self.next(since), |last| self.next(*last))
            .take_while(|time| *time <= until);
        let counted: Vec<_> = times.by_ref().take(COUNTED).collect();
        let first = *counted.first()?;
        let (count, or_more) = (counted.len(), times.next().is_some());
        // Those that are not counted are not walked through either: a job of every second may have passed millions.
        let newest = if or_more { self.newest(since, until, CATCH_UP + 1) } else { counted };
        Some(Passed { first, newest, count, or_more })
    }

    /// The last `most` scheduled times after `since` and up to `until`, the oldest first.
    fn newest(&self, since: DateTime<Utc>, until: DateTime<Utc>, most: usize) -> Vec<DateTime<Utc>> {
        let before = |time: &DateTime<Utc>| self.latest(since, *time - TimeDelta::milliseconds(1));
        let mut newest: Vec<_> =
            std::iter::successors(self.latest(since, until), before).take(most).collect();
        newest.reverse();
        newest
    }

    /// The last scheduled time after `since` and up to `until`. The time that follows an instant grows with the instant,
    /// so the last instant that is followed by one of these can be found by halving.
    fn latest(&self, since: DateTime<Utc>, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let followed = |instant| self.next(instant).filter(|time| *time <= until);
        let mut latest = followed(since)?;
        let (mut low, mut high) = (since, until);
        while high - low > TimeDelta::milliseconds(1) {
            let middle = low + (high - low) / 2;
            match followed(middle) {
                Some(time) => (low, latest) = (middle, time),
                None => high = middle,
            }
        }
        Some(latest)
    }
}

/// Scheduled times that have passed since the last decision, at least one.
struct Passed {
    first: DateTime<Utc>,
    /// All of them, or if they are too many the newest.
    newest: Vec<DateTime<Utc>>,
    count: usize,
    or_more: bool,
}

impl Passed {
    fn latest(&self) -> DateTime<Utc> {
        self.newest.last().copied().unwrap_or(self.first)
    }
}
