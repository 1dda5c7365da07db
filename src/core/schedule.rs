//! When a job runs: by a cron expression, at intervals, or once.
//!
//! ```text
//! cron   = [ "CRON_TZ=" zone " " ] ( fields | "@" name )   five fields, or six with seconds first
//! every  = number unit { number unit }                     units d, h, m, s: "15m", "1h30m"
//! at     = RFC 3339, or a local time without an offset: "2026-03-29T02:30"
//! ```
//!
//! A pure rule over instants. Each call gives the next one, so nothing has to be stored but the last run.

mod cron;
mod span;
#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

pub use cron::Cron;

use crate::segment::shown;
use crate::zone::{self, ZoneError, parse_zone};

/// Maximum length of an expression, in bytes.
const LONGEST: usize = 200;

/// When a job runs.
#[derive(Debug, Clone)]
pub enum Schedule {
    /// At the times of a calendar.
    Cron(Box<Cron>),
    /// At equal intervals from an anchor on, by elapsed time.
    Every(TimeDelta),
    /// Once.
    At(DateTime<Utc>),
}

impl Schedule {
    /// A cron expression, whose times are those of `zone` unless it names another one with `CRON_TZ=`.
    pub fn cron(text: &str, zone: Tz) -> Result<Self, ScheduleError> {
        let text = bounded(text)?;
        let (zone, fields) = match text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ=")) {
            Some(rest) => {
                let (name, fields) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                (parse_zone(name)?, fields)
            }
            None => (zone, text),
        };
        Cron::parse(fields.trim(), zone).map(|cron| Schedule::Cron(Box::new(cron)))
    }

    /// An interval of one second to 366 days.
    pub fn every(text: &str) -> Result<Self, ScheduleError> {
        let text = bounded(text)?;
        span::parse(text)
            .filter(|span| (TimeDelta::seconds(1)..=TimeDelta::days(366)).contains(span))
            .map(Schedule::Every)
            .ok_or_else(|| ScheduleError::Every { given: shown(text) })
    }

    /// One instant, or a local time of `zone`. A local time that exists twice is the first of the two; one that does not
    /// exist is the first instant after the gap.
    pub fn at(text: &str, zone: Tz) -> Result<Self, ScheduleError> {
        let text = bounded(text)?;
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Schedule::At(time.with_timezone(&Utc)));
        }
        ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .and_then(|local| DateTime::from_timestamp(zone::instant(zone, local.and_utc().timestamp()), 0))
            .map(Schedule::At)
            .ok_or_else(|| ScheduleError::At { given: shown(text) })
    }

    /// The first run after `after`; `None` if there is none. Intervals are counted from `anchor`, which is no run.
    pub fn next(&self, after: DateTime<Utc>, anchor: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Schedule::Cron(cron) => cron.next(after),
            Schedule::Every(span) => {
                let span = span.num_milliseconds();
                let passed = (after - anchor).num_milliseconds().div_euclid(span);
                let runs = passed.max(0).checked_add(1)?;
                anchor.checked_add_signed(TimeDelta::try_milliseconds(runs.checked_mul(span)?)?)
            }
            Schedule::At(at) => (*at > after).then_some(*at),
        }
    }
}

fn bounded(text: &str) -> Result<&str, ScheduleError> {
    let text = text.trim();
    if text.len() > LONGEST { Err(ScheduleError::Long { length: text.len() }) } else { Ok(text) }
}

/// Why a schedule is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Too many bytes.
    #[error("a schedule of {length} bytes is too long: use at most {LONGEST}")]
    Long {
        /// How many.
        length: usize,
    },
    /// Not a cron expression.
    #[error(
        "the cron expression {given:?} is not valid ({why}): use five fields, minute hour day month weekday, such as \"0 9 * * 1-5\", or six with seconds first"
    )]
    Cron {
        /// What was given.
        given: String,
        /// What is wrong with it.
        why: String,
    },
    /// A day that no calendar has.
    #[error("the cron expression {given:?} never comes due: no month named in it has such a day")]
    Never {
        /// What was given.
        given: String,
    },
    /// Not an interval.
    #[error("the interval {given:?} is not valid: write 15m, 1h30m or 2d, from one second to 366 days")]
    Every {
        /// What was given.
        given: String,
    },
    /// Not a time.
    #[error("the time {given:?} is not valid: write 2026-11-21T09:30, or 2026-11-21T09:30:00Z for UTC")]
    At {
        /// What was given.
        given: String,
    },
    /// Not the name of a zone.
    #[error(transparent)]
    Zone(#[from] ZoneError),
}
