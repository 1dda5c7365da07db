//! Spans of time in words, for chats and terminals.

use chrono::{DateTime, TimeDelta, Utc};

use crate::count::counted;

/// The length of a span, rounded down to its largest unit: `40 seconds`, `1 minute`, `2 days`.
pub fn length(span: TimeDelta) -> String {
    let (n, unit) = match span.num_seconds().unsigned_abs() {
        s @ 0..60 => (s, "second"),
        s @ 60..3_600 => (s / 60, "minute"),
        s @ 3_600..86_400 => (s / 3_600, "hour"),
        s => (s / 86_400, "day"),
    };
    counted(n, unit)
}

/// A time as seen from `now`: `just now`, `3 minutes ago`, `in 2 days`.
pub fn relative(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let since = now - at;
    match since.num_seconds() {
        -4..5 => "just now".to_owned(),
        5.. => format!("{} ago", length(since)),
        _ => format!("in {}", length(since)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_relative_to_now() {
        let now: DateTime<Utc> = "2026-11-21T10:00:00Z".parse().unwrap();
        let ago = |seconds| relative(now - TimeDelta::seconds(seconds), now);
        assert_eq!(ago(0), "just now");
        assert_eq!(ago(59), "59 seconds ago");
        assert_eq!(ago(60), "1 minute ago");
        assert_eq!(ago(7200), "2 hours ago");
        assert_eq!(ago(-172_800), "in 2 days");
    }
}
