//! Times in output: relative and absolute.

use chrono::{DateTime, SecondsFormat, Utc};

pub use frontdesk_core::span::relative;

/// `3 minutes ago (2026-11-21 09:40:00 UTC)`.
pub fn both(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!("{} ({})", relative(at, now), at.format("%F %T UTC"))
}

/// RFC 3339 in UTC with milliseconds and `Z`, as in all JSON of the gateway.
pub fn json(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;

    #[test]
    fn a_time_is_shown_relative_and_absolute() {
        let now: DateTime<Utc> = "2026-11-21T10:00:00Z".parse().unwrap();
        assert_eq!(both(now - Duration::hours(1), now), "1 hour ago (2026-11-21 09:00:00 UTC)");
        assert_eq!(json(now), "2026-11-21T10:00:00.000Z");
    }
}
