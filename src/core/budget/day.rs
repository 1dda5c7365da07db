//! The day to which a budget belongs.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::zone;

const DAY: i64 = 86_400;

/// A calendar day in a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Its date, as days since 1970.
    pub number: i64,
    /// When the next one begins.
    pub ends: DateTime<Utc>,
    /// The time zone.
    pub zone: Tz,
}

impl Day {
    /// The day at `now`. Where clocks go back over midnight, a date that has begun twice is one day.
    pub fn at(zone: Tz, now: DateTime<Utc>) -> Day {
        let seconds = now.timestamp();
        let number = (seconds + zone::offset(zone, seconds)).div_euclid(DAY);
        let ends = DateTime::from_timestamp(zone::instant(zone, (number + 1) * DAY), 0);
        Day { number, ends: ends.unwrap_or(DateTime::<Utc>::MAX_UTC), zone }
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::{Africa, Asia, Europe};

    use super::*;

    #[test]
    fn a_day_ends_at_midnight_in_its_zone() {
        let day = |zone, now: &str| {
            let day = Day::at(zone, now.parse().unwrap());
            (
                DateTime::from_timestamp(day.number * DAY, 0).unwrap().date_naive().to_string(),
                day.ends.to_rfc3339(),
            )
        };
        let of = |date: &str, ends: &str| (date.to_owned(), format!("{ends}+00:00"));
        assert_eq!(day(Europe::Berlin, "2026-01-01T22:59:59Z"), of("2026-01-01", "2026-01-01T23:00:00"));
        assert_eq!(day(Europe::Berlin, "2026-01-01T23:00:00Z"), of("2026-01-02", "2026-01-02T23:00:00"));
        // The day of the change-over has 23 hours.
        assert_eq!(day(Europe::Berlin, "2026-03-28T23:30:00Z"), of("2026-03-29", "2026-03-29T22:00:00"));
        // Midnight does not exist on the last Friday of April in Cairo.
        assert_eq!(day(Africa::Cairo, "2026-04-23T20:00:00Z"), of("2026-04-23", "2026-04-23T22:00:00"));
        assert_eq!(day(Asia::Kolkata, "2026-01-01T18:30:00Z"), of("2026-01-02", "2026-01-02T18:30:00"));
    }
}
