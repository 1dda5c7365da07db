//! Cron expressions over changes of the clock.
//!
//! croner reads the expression and finds matches among local times, which it gets as times of UTC, where no clock
//! changes. What follows from a change is decided here, as Vixie cron does:
//!
//! - **Fixed times** (minute and hour are numbers or lists of numbers) mean so many runs a day. Where the local time is
//!   skipped, the run is at the first instant after the gap; where it comes twice, at the first of the two. A date that the
//!   zone skipped as a whole has no runs.
//! - **Others** (`*`, ranges, steps) mean a rhythm. They run at each instant whose local time matches: twice where the time
//!   comes twice, and not where it is skipped.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds, Year};

use super::ScheduleError;
use crate::segment::shown;
use crate::zone;

/// So far may the search for the next match go: leap days are at most eight years apart, and each falls on a given
/// weekday within 40.
const FARTHEST: i64 = 41 * 366 * 86_400;
/// The step in which changes of the clock are looked for. No two changes have been closer than 95 hours.
const STEP: i64 = 86_400;

/// A cron expression in a time zone.
#[derive(Debug, Clone)]
pub struct Cron {
    pattern: croner::Cron,
    zone: Tz,
    fixed: bool,
}

impl Cron {
    pub(super) fn parse(text: &str, zone: Tz) -> Result<Self, ScheduleError> {
        let wrong = |why: String| ScheduleError::Cron { given: shown(text), why };
        let fields = named(text).ok_or_else(|| wrong("there is no such name".to_owned()))?;
        let split: Vec<&str> = fields.split_whitespace().collect();
        let (minute, hour, day, weekday) = match split[..] {
            [minute, hour, day, _, weekday] | [_, minute, hour, day, _, weekday] => {
                (minute, hour, day, weekday)
            }
            _ => return Err(wrong(format!("it has {} fields", split.len()))),
        };
        // As in Vixie cron, a step such as `*/2` restricts the weekdays rather than adding to them.
        let both = [day, weekday].iter().any(|field| field.starts_with('*'));
        let pattern = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Disallowed)
            .dom_and_dow(both)
            .build()
            .parse(fields)
            .map_err(|error| wrong(error.to_string()))?;
        let numbers = |field: &str| field.chars().all(|c| c.is_ascii_digit() || c == ',');
        let cron = Cron { pattern, zone, fixed: numbers(minute) && numbers(hour) };
        // Any start will do: what exists at all returns within 40 years.
        match cron.local_match(0, true) {
            Some(_) => Ok(cron),
            None => Err(ScheduleError::Never { given: shown(text) }),
        }
    }

    /// The zone whose times these are.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The first run after `after`.
    pub(super) fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let after = after.timestamp();
        let next = if self.fixed { self.next_fixed(after) } else { self.next_in_rhythm(after) };
        DateTime::from_timestamp(next?, 0)
    }

    fn next_fixed(&self, after: i64) -> Option<i64> {
        let mut local = after + zone::offset(self.zone, after);
        loop {
            local = self.local_match(local, false)?;
            let at = zone::instant(self.zone, local);
            if at > after && !self.is_of_a_skipped_date(local, at) {
                return Some(at);
            }
        }
    }

    /// Whether the local time does not exist, and with it no other time of its date.
    fn is_of_a_skipped_date(&self, local: i64, at: i64) -> bool {
        let offset = zone::offset(self.zone, at);
        at + offset != local && offset - zone::offset(self.zone, at - 1) >= 86_400
    }

    fn next_in_rhythm(&self, after: i64) -> Option<i64> {
        // A stretch of time without a change of the clock is searched at a time.
        let (mut from, mut inclusive) = (after, false);
        loop {
            let offset = zone::offset(self.zone, from);
            let at = self.local_match(from + offset, inclusive)? - offset;
            match self.change(from, at) {
                Some(change) => (from, inclusive) = (change, true),
                None => return Some(at),
            }
        }
    }

    /// The first instant after `from`, and not after `until`, that has another offset than `from`.
    fn change(&self, from: i64, until: i64) -> Option<i64> {
        let offset = zone::offset(self.zone, from);
        let mut same = from;
        while same < until {
            let mut other = until.min(same + STEP);
            if zone::offset(self.zone, other) == offset {
                same = other;
                continue;
            }
            while other - same > 1 {
                let middle = same + (other - same) / 2;
                if zone::offset(self.zone, middle) == offset { same = middle } else { other = middle }
            }
            return Some(other);
        }
        None
    }

    /// The first local time after `local` that matches, or at it if `inclusive`.
    fn local_match(&self, local: i64, inclusive: bool) -> Option<i64> {
        let start = DateTime::<Utc>::from_timestamp(local, 0)?;
        let found = self.pattern.find_next_occurrence(&start, inclusive).ok()?.timestamp();
        (found - local <= FARTHEST).then_some(found)
    }
}

/// The fields of a named schedule, or those given; `None` if the name is unknown.
fn named(text: &str) -> Option<&str> {
    match text.to_ascii_lowercase().as_str() {
        "@yearly" | "@annually" => Some("0 0 1 1 *"),
        "@monthly" => Some("0 0 1 * *"),
        "@weekly" => Some("0 0 * * 0"),
        "@daily" | "@midnight" => Some("0 0 * * *"),
        "@hourly" => Some("0 * * * *"),
        name if name.starts_with('@') => None,
        _ => Some(text),
    }
}
