//! Hours of the day in a time zone: when a heartbeat is active, when a chat wants quiet.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::segment::shown;
use crate::zone::{instant, offset};

const MINUTES_OF_DAY: i64 = 24 * 60;
/// Seconds of a day without a clock change.
const DAY: i64 = MINUTES_OF_DAY * 60;

/// A part of each day, by the local time of a zone. It may go over midnight.
///
/// A local time that a clock change skips begins or ends it at the first instant after the gap. A local time that comes
/// twice counts the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// Minutes of the day: the first one inside.
    from: i64,
    /// The first one outside; 1440 for the end of the day.
    to: i64,
    zone: Tz,
}

impl Hours {
    /// The hours between two local times such as `08:00` and `22:30`. `24:00` is the end of the day, and only an end.
    pub fn parse(from: &str, to: &str, zone: Tz) -> Result<Self, HoursError> {
        let begin = minute(from).filter(|minute| *minute < MINUTES_OF_DAY);
        let begin = begin.ok_or_else(|| HoursError::Begin { given: shown(from) })?;
        let end = minute(to).ok_or_else(|| HoursError::End { given: shown(to) })?;
        if begin == end {
            return Err(HoursError::Empty { given: shown(from) });
        }
        Ok(Self { from: begin, to: end, zone })
    }

    /// Whether they are the whole day.
    pub fn are_all_day(&self) -> bool {
        self.from == 0 && self.to == MINUTES_OF_DAY
    }

    /// Whether an instant is inside.
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.end_of(at.timestamp()).is_some()
    }

    /// The first instant inside that is not before `at`; `None` only at the end of the calendar.
    pub fn opens(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let seconds = at.timestamp();
        if self.contains(at) {
            return Some(at);
        }
        let begins = self.near(seconds).map(|(begins, _)| begins).filter(|begins| *begins > seconds);
        DateTime::from_timestamp(begins.min()?, 0)
    }

    /// The first instant outside that is not before `at`; `None` if the hours are the whole day.
    pub fn closes(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.are_all_day() {
            return None;
        }
        match self.end_of(at.timestamp()) {
            Some(end) => DateTime::from_timestamp(end, 0),
            None => Some(at),
        }
    }

    /// The end of the hours in which an instant lies; `None` outside of them. In seconds since 1970, as everything below.
    fn end_of(&self, at: i64) -> Option<i64> {
        self.near(at).filter(|(begins, ends)| (*begins..*ends).contains(&at)).map(|(_, ends)| ends).max()
    }

    /// Begin and end of the hours of the days around an instant. Two days before it, because they may go over midnight and
    /// a zone may have skipped a day, and as many after it.
    fn near(&self, at: i64) -> impl Iterator<Item = (i64, i64)> {
        let Self { from, to, zone } = *self;
        let midnight = (at + offset(zone, at)).div_euclid(DAY) * DAY;
        let over_midnight = if to > from { 0 } else { DAY };
        (-2..=3).map(move |day| {
            let start = midnight + day * DAY;
            (instant(zone, start + from * 60), instant(zone, start + over_midnight + to * 60))
        })
    }
}

/// Minutes of the day, from `HH:MM`. The hour may have one digit.
fn minute(text: &str) -> Option<i64> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |digits: &str, least: usize| {
        let is_number =
            (least..=2).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
        is_number.then(|| digits.parse::<i64>().ok()).flatten()
    };
    let (hour, minute) = (number(hour, 1)?, number(minute, 2)?);
    (minute < 60 && hour * 60 + minute <= MINUTES_OF_DAY).then_some(hour * 60 + minute)
}

/// Why hours are not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// The begin is no time of the day.
    #[error("{given:?} is not a time of the day: write it as HH:MM, 00:00 to 23:59")]
    Begin {
        /// What was given.
        given: String,
    },
    /// The end is no time of the day.
    #[error("{given:?} is not an end of hours: write it as HH:MM, 00:01 to 24:00")]
    End {
        /// What was given.
        given: String,
    },
    /// They end when they begin.
    #[error(
        "hours that begin and end at {given} are either none or all: give another end, or for the whole day 00:00 to 24:00"
    )]
    Empty {
        /// The time.
        given: String,
    },
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use chrono_tz::Europe::Berlin;
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn hours(from: &str, to: &str) -> Hours {
        Hours::parse(from, to, Berlin).unwrap()
    }

    #[test]
    fn the_begin_is_inside_and_the_end_is_not() {
        let day = hours("08:00", "22:30");
        for (time, inside) in [
            ("2026-11-28T06:59:59Z", false),
            ("2026-11-28T07:00:00Z", true),
            ("2026-11-28T21:29:59Z", true),
            ("2026-11-28T21:30:00Z", false),
        ] {
            assert_eq!(day.contains(at(time)), inside, "{time}");
        }
        assert_eq!(day.opens(at("2026-11-28T21:30:10.5Z")), Some(at("2026-11-29T07:00:00Z")));
        assert_eq!(day.closes(at("2026-11-28T07:00:10.5Z")), Some(at("2026-11-28T21:30:00Z")));
        assert_eq!(day.opens(at("2026-11-28T12:00:10Z")), Some(at("2026-11-28T12:00:10Z")));
    }

    #[test]
    fn hours_may_go_over_midnight() {
        let night = hours("22:00", "07:00");
        assert!(night.contains(at("2026-11-28T23:00:00Z")) && night.contains(at("2026-11-28T05:59:00Z")));
        assert!(!night.contains(at("2026-11-28T06:00:00Z")));
        assert_eq!(night.closes(at("2026-11-28T22:15:00Z")), Some(at("2026-11-29T06:00:00Z")));
    }

    #[test]
    fn the_day_ends_at_24_00_and_no_later() {
        let evening = hours("18:00", "24:00");
        assert!(
            evening.contains(at("2026-11-28T22:59:00Z")) && !evening.contains(at("2026-11-28T23:00:00Z"))
        );
        let always = hours("00:00", "24:00");
        assert!(always.contains(at("2026-11-28T22:59:00Z")) && always.contains(at("2026-11-28T23:00:00Z")));
        assert_eq!(always.closes(at("2026-11-28T12:00:00Z")), None);
        for end in ["24:30", "24:01", "25:00", "7:0", "007:00", "07", "07:60", "+7:00", "", "07:00:00"] {
            assert!(Hours::parse("08:00", end, Berlin).is_err(), "{end:?}");
        }
        for begin in ["24:00", "8:0", "08:60"] {
            assert!(Hours::parse(begin, "09:00", Berlin).is_err(), "{begin:?}");
        }
        assert!(Hours::parse("08:00", "08:00", Berlin).is_err());
    }

    #[test]
    fn a_clock_change_moves_the_ends() {
        let night = hours("02:30", "07:00");
        // 02:30 does not exist on this day: the hours open after the gap, at 03:00.
        assert_eq!(night.opens(at("2026-03-29T00:10:00Z")), Some(at("2026-03-29T01:00:00Z")));
        // On this day 02:30 comes twice, and 03:00 shows once.
        assert_eq!(night.opens(at("2026-10-25T00:10:00Z")), Some(at("2026-10-25T00:30:00Z")));
        assert_eq!(night.closes(at("2026-10-25T02:00:00Z")), Some(at("2026-10-25T06:00:00Z")));
    }

    proptest! {
        #[test]
        fn no_instant_before_the_answer_has_it(begin in 0i64..1440, length in 1i64..1440, second in 0i64..200 * 86400) {
            let end = (begin + length) % 1440;
            let hours = Hours { from: begin, to: if end == 0 { 1440 } else { end }, zone: Berlin };
            let now = at("2026-03-01T00:00:00Z") + TimeDelta::seconds(second);
            for (inside, first) in [(true, hours.opens(now)), (false, hours.closes(now))] {
                let Some(first) = first else {
                    prop_assert!(!inside && hours.are_all_day());
                    continue;
                };
                prop_assert_eq!(hours.contains(first), inside);
                let mut earlier = now;
                while earlier < first {
                    prop_assert_ne!(hours.contains(earlier), inside);
                    earlier += TimeDelta::seconds(30);
                }
            }
        }
    }
}
