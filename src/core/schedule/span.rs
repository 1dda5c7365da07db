//! Spans of time as they are written: `15m`, `1h30m`.

use chrono::TimeDelta;

/// Numbers, each followed by its unit, the larger units first; `None` if it is something else or too long to count.
pub(super) fn parse(text: &str) -> Option<TimeDelta> {
    let mut units = ["d", "h", "m", "s"].iter().zip([86_400_i64, 3_600, 60, 1]);
    let mut rest = text;
    let mut seconds = 0_i64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let (unit, after) = rest[digits..].split_at_checked(1)?;
        let (_, each) = units.find(|(name, _)| **name == unit)?;
        seconds = seconds.checked_add(number.checked_mul(each)?)?;
        rest = after;
    }
    (!text.is_empty()).then(|| TimeDelta::try_seconds(seconds)).flatten()
}
