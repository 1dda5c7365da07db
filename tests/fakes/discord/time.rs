//! Times as Discord writes them.

use chrono::{DateTime, SecondsFormat};

/// ISO 8601 with microseconds, as in `2026-11-01T10:00:00.000000+00:00`.
pub fn written(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Micros, false)
}
