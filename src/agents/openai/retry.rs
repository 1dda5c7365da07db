//! How long to wait before a request is sent again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::retry::Backoff;

use crate::responder::Patience;

/// The longest wait. A provider that asks for more is not asked again in this turn: a person waits for the answer.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest wait if there is a fallback that can answer instead.
const LONGEST_WITH_FALLBACK: Duration = Duration::from_secs(5);

/// The waits where the provider names none: half a second, doubled each time.
const BACKOFF: Backoff =
    Backoff { base: Duration::from_millis(500), factor: 2.0, jitter: 0.25, cap: Duration::from_secs(8) };

/// The longest wait that a provider may ask for.
pub(super) fn longest(patience: Patience) -> Duration {
    match patience {
        Patience::Alone => LONGEST,
        Patience::Replaceable | Patience::Probe => LONGEST_WITH_FALLBACK,
    }
}

/// Reads how long a provider asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as an HTTP date.
/// `header` takes names in lower case.
pub(crate) fn after<'h>(header: impl Fn(&str) -> Option<&'h str>, now: DateTime<Utc>) -> Option<Duration> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
    if let Some(ms) = header("retry-after-ms").and_then(number) {
        return Some(Duration::try_from_secs_f64(ms / 1000.0).unwrap_or(Duration::MAX));
    }
    let text = header("retry-after")?;
    if let Some(seconds) = number(text) {
        return Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    }
    let date = DateTime::<Utc>::from(httpdate::parse_http_date(text.trim()).ok()?);
    Some((date - now).to_std().unwrap_or_default())
}

/// The wait before the next request after `failures` failures; `None` if the provider asks for more than `longest`.
/// `random` is uniform in `0.0..1.0`: many sessions that failed together must not come back together.
pub(super) fn wait(
    failures: u32,
    asked: Option<Duration>,
    longest: Duration,
    random: f64,
) -> Option<Duration> {
    match asked {
        // Never earlier than asked for.
        Some(asked) => {
            (asked <= longest).then(|| asked + asked.mul_f64(0.25 * random).min(Duration::from_secs(5)))
        }
        None => Some(BACKOFF.delay(failures, random)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &'static str, value: &'static str) -> Option<Duration> {
        let now = "2026-11-29T03:00:00Z".parse().unwrap();
        after(|header| (header == name).then_some(value), now)
    }

    #[test]
    fn a_wait_is_read_in_every_form() {
        for (name, value, seconds) in [
            ("retry-after", "3", Some(3.0)),
            ("retry-after", " 1.5 ", Some(1.5)),
            ("retry-after", "Sun, 29 Nov 2026 03:00:20 GMT", Some(20.0)),
            ("retry-after", "Sun, 29 Nov 2026 02:00:00 GMT", Some(0.0)),
            ("retry-after-ms", "250", Some(0.25)),
            ("retry-after", "-5", None),
            ("retry-after", "NaN", None),
            ("retry-after", "soon", None),
        ] {
            assert_eq!(asked(name, value), seconds.map(Duration::from_secs_f64), "{value}");
        }
        assert_eq!(asked("retry-after", "1e300"), Some(Duration::MAX));
    }

    #[test]
    fn a_wait_is_never_shorter_than_asked_and_never_beyond_the_bound() {
        for random in [0.0, 0.5, 0.999] {
            let wait = wait(1, Some(Duration::from_secs(4)), LONGEST, random).unwrap();
            assert!((4.0..=5.0).contains(&wait.as_secs_f64()), "{wait:?}");
        }
        assert_eq!(wait(1, Some(Duration::from_secs(3600)), LONGEST, 0.5), None);
        assert_eq!(wait(1, None, LONGEST, 0.5), Some(Duration::from_millis(500)));
        assert!(wait(30, None, LONGEST, 1.0).unwrap() <= Duration::from_secs(8));
    }
}
