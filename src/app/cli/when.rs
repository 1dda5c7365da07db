//! Times for people: how long ago, and when exactly.

use chrono::{DateTime, SecondsFormat, Utc};
use frontdesk_core::count::counted;

/// `3 minutes ago (2026-11-21 09:40:00 UTC)`.
pub fn both(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!("{} ({})", relative(at, now), at.format("%F %T UTC"))
}

/// `just now`, `3 minutes ago`, `in 2 days`.
pub fn relative(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - at).num_seconds();
    let (n, unit) = match seconds.unsigned_abs() {
        0..5 => return "just now".to_owned(),
        s @ 5..60 => (s, "second"),
        s @ 60..3_600 => (s / 60, "minute"),
        s @ 3_600..86_400 => (s / 3_600, "hour"),
        s => (s / 86_400, "day"),
    };
    let span = counted(n, unit);
    if seconds < 0 { format!("in {span}") } else { format!("{span} ago") }
}

/// RFC 3339 in UTC with milliseconds and `Z`, as in every JSON of ours.
pub fn json(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;

    #[test]
    fn a_time_is_said_as_people_say_it() {
        let now: DateTime<Utc> = "2026-11-21T10:00:00Z".parse().unwrap();
        let ago = |seconds| relative(now - Duration::seconds(seconds), now);
        assert_eq!(ago(0), "just now");
        assert_eq!(ago(59), "59 seconds ago");
        assert_eq!(ago(60), "1 minute ago");
        assert_eq!(ago(7200), "2 hours ago");
        assert_eq!(ago(-172_800), "in 2 days");
        assert_eq!(both(now - Duration::hours(1), now), "1 hour ago (2026-11-21 09:00:00 UTC)");
        assert_eq!(json(now), "2026-11-21T10:00:00.000Z");
    }
}
