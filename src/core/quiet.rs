//! Quiet hours: a part of the day in which nobody is written to who has not asked.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::hours::{Hours, HoursError};
use crate::zone::parse_zone;

/// A part of the day in which messages that nobody has asked for wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct QuietHours {
    /// When they begin, `HH:MM`. Equal times mean that there are none.
    pub from: String,
    /// When they end, `HH:MM`; `24:00` is midnight. They may go over midnight.
    pub to: String,
    /// The IANA time zone of both, such as `Europe/Berlin`. Unset means the one that was chosen in the chat with `/timezone`,
    /// or else that of `sessions.reset`.
    pub timezone: Option<String>,
}

impl Default for QuietHours {
    fn default() -> Self {
        Self { from: "00:00".to_owned(), to: "00:00".to_owned(), timezone: None }
    }
}

/// Quiet hours that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct QuietError {
    /// The key that is wrong.
    pub key: &'static str,
    /// What is wrong and what to write instead.
    pub problem: String,
}

impl QuietHours {
    /// When the quiet hours end in which `now` lies; `None` outside of them, and of hours that are wrong. `zone` is that of
    /// hours that name none.
    pub fn end(&self, zone: Tz, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.hours(zone).ok().flatten().filter(|hours| hours.contains(now))?.closes(now)
    }

    /// Checks what the types do not.
    pub fn check(&self) -> Result<(), QuietError> {
        self.hours(Tz::UTC).map(drop)
    }

    /// The hours, in this zone if they name none; `None` if there are no quiet hours.
    fn hours(&self, zone: Tz) -> Result<Option<Hours>, QuietError> {
        let error = |key, problem: String| QuietError { key, problem };
        let zone = match &self.timezone {
            Some(name) => parse_zone(name).map_err(|unknown| error("timezone", unknown.to_string()))?,
            None => zone,
        };
        match Hours::parse(&self.from, &self.to, zone) {
            Ok(hours) if hours.are_all_day() => {
                Err(error("to", "then every hour would be quiet, and nothing would ever be sent".to_owned()))
            }
            Ok(hours) => Ok(Some(hours)),
            Err(HoursError::Empty { .. }) => Ok(None),
            Err(wrong @ HoursError::Begin { .. }) => Err(error("from", wrong.to_string())),
            Err(wrong @ HoursError::End { .. }) => Err(error("to", wrong.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(from: &str, to: &str, zone: &str) -> QuietHours {
        QuietHours { from: from.into(), to: to.into(), timezone: Some(zone.into()) }
    }

    fn rule(from: &str, to: &str, zone: &str) -> Result<Option<Hours>, QuietError> {
        quiet(from, to, zone).hours(Tz::UTC)
    }

    fn end(from: &str, to: &str, zone: &str, now: &str) -> String {
        let end = quiet(from, to, zone).end(Tz::UTC, now.parse().unwrap());
        end.map_or_else(|| "-".to_owned(), |end| end.format("%m-%dT%H:%MZ").to_string())
    }

    #[test]
    fn they_end_at_the_end_of_the_day_part_in_which_now_lies() {
        for (from, to, zone, now, expected) in [
            // Within a day; the end is no part of them.
            ("13:00", "15:00", "UTC", "2026-05-01T12:59:59Z", "-"),
            ("13:00", "15:00", "UTC", "2026-05-01T13:00:00Z", "05-01T15:00Z"),
            ("13:00", "15:00", "UTC", "2026-05-01T14:59:59Z", "05-01T15:00Z"),
            ("13:00", "15:00", "UTC", "2026-05-01T15:00:00Z", "-"),
            // Over midnight.
            ("22:00", "07:00", "Europe/Berlin", "2026-05-01T19:59:00Z", "-"),
            ("22:00", "07:00", "Europe/Berlin", "2026-05-01T20:00:00Z", "05-02T05:00Z"),
            ("22:00", "07:00", "Europe/Berlin", "2026-05-02T04:59:00Z", "05-02T05:00Z"),
            ("22:00", "07:00", "Europe/Berlin", "2026-05-02T05:00:00Z", "-"),
            // Until midnight.
            ("22:00", "24:00", "UTC", "2026-05-01T23:59:59Z", "05-02T00:00Z"),
            ("22:00", "24:00", "UTC", "2026-05-02T00:00:00Z", "-"),
            ("22:00", "00:00", "UTC", "2026-05-01T23:59:59Z", "05-02T00:00Z"),
            // The clock goes forward at 01:00Z: the night is an hour shorter.
            ("22:00", "07:00", "Europe/Berlin", "2026-03-28T21:00:00Z", "03-29T05:00Z"),
            ("22:00", "07:00", "Europe/Berlin", "2026-03-29T05:00:00Z", "-"),
            // 02:30 does not exist: they end at 03:00, which is 01:00Z.
            ("22:00", "02:30", "Europe/Berlin", "2026-03-29T00:59:00Z", "03-29T01:00Z"),
            ("22:00", "02:30", "Europe/Berlin", "2026-03-29T01:00:00Z", "-"),
            ("02:30", "06:00", "Europe/Berlin", "2026-03-29T00:59:00Z", "-"),
            ("02:30", "06:00", "Europe/Berlin", "2026-03-29T01:00:00Z", "03-29T04:00Z"),
            // The clock goes back at 01:00Z: the night is an hour longer, and 02:30 ends them once.
            ("22:00", "07:00", "Europe/Berlin", "2026-10-24T20:00:00Z", "10-25T06:00Z"),
            ("22:00", "07:00", "Europe/Berlin", "2026-10-25T05:59:00Z", "10-25T06:00Z"),
            ("22:00", "02:30", "Europe/Berlin", "2026-10-25T00:29:00Z", "10-25T00:30Z"),
            ("22:00", "02:30", "Europe/Berlin", "2026-10-25T01:15:00Z", "-"),
            ("02:30", "06:00", "Europe/Berlin", "2026-10-25T01:15:00Z", "10-25T05:00Z"),
            // Samoa has skipped the 30th of December.
            ("22:00", "07:00", "Pacific/Apia", "2011-12-30T09:00:00Z", "12-30T10:00Z"),
            ("22:00", "07:00", "Pacific/Apia", "2011-12-30T10:00:00Z", "12-30T17:00Z"),
        ] {
            assert_eq!(end(from, to, zone, now), expected, "{from} to {to} in {zone} at {now}");
        }
    }

    #[test]
    fn only_times_of_a_day_are_accepted() {
        for (from, to) in [("22:00", "24:00"), ("0:00", "7:30"), ("23:59", "00:00")] {
            assert!(rule(from, to, "UTC").is_ok(), "{from} to {to}");
        }
        for (from, to, key) in [
            ("22:00", "24:30", "to"),
            ("22:00", "24:01", "to"),
            ("22:00", "7", "to"),
            ("22:00", "7:5", "to"),
            ("22:60", "07:00", "from"),
            ("24:00", "07:00", "from"),
            ("-1:00", "07:00", "from"),
            ("00:00", "24:00", "to"),
        ] {
            assert_eq!(rule(from, to, "UTC").unwrap_err().key, key, "{from} to {to}");
        }
        assert_eq!(rule("22:00", "07:00", "Berlin").unwrap_err().key, "timezone");
        assert_eq!(rule("07:00", "07:00", "UTC").unwrap(), None);
    }

    #[test]
    fn a_minute_is_quiet_exactly_until_the_end_that_is_named() {
        let zones = [
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "Africa/Casablanca",
            "Asia/Kathmandu",
        ];
        for zone in zones {
            let quiet = quiet("22:15", "06:45", zone);
            let mut now: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
            let (mut nights, mut before) = (0, None);
            while now < "2027-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() {
                let end = quiet.end(Tz::UTC, now);
                if let (Some(before), Some(end)) = (before, end) {
                    assert_eq!(before, end, "{zone} {now}");
                }
                if let (Some(before), None) = (before, end) {
                    assert_eq!(before, now, "{zone}");
                    nights += 1;
                }
                before = end;
                now += chrono::TimeDelta::minutes(15);
            }
            assert!((365..=366).contains(&nights), "{zone}: {nights}");
        }
    }
}
