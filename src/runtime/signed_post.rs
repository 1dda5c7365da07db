//! Requests to web servers that tell what has become of something: signed, and made again until they arrive.
//!
//! Every attempt sends the same bytes under the same `X-Frontdesk-Delivery`, so that a server recognises a repetition. The
//! signature covers the time of the attempt as well: a recorded request is of no use later.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::port::WebhookPost;
use frontdesk_core::retry::Backoff;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::random;

/// The pauses between attempts.
const BACKOFF: Backoff =
    Backoff { base: Duration::from_secs(30), factor: 2.0, jitter: 0.2, cap: Duration::from_secs(3600) };
/// Time after which a request is given up.
const GIVEN_UP: TimeDelta = TimeDelta::hours(24);

/// When a request is made again that has failed so often, and that there is something to tell since `since`. `None` if it is given
/// up.
pub fn next_attempt(tries: u32, since: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let pause = TimeDelta::from_std(BACKOFF.delay(tries, random::fraction())).unwrap_or(GIVEN_UP);
    let at = now + pause;
    (at - since <= GIVEN_UP).then_some(at)
}

/// A request with this body, signed with `key`. `delivery` is the same for every attempt.
pub fn signed_post(delivery: String, body: String, key: &[u8], now: DateTime<Utc>) -> WebhookPost {
    let timestamp = now.timestamp().to_string();
    let signature = signature(key, &timestamp, &body);
    WebhookPost {
        headers: vec![
            ("x-frontdesk-delivery", delivery),
            ("x-frontdesk-timestamp", timestamp),
            ("x-frontdesk-signature", format!("sha256={signature}")),
        ],
        body,
    }
}

/// HMAC-SHA256 of the timestamp, a dot and the body, in hexadecimal.
fn signature(key: &[u8], timestamp: &str, body: &str) -> String {
    // Keys of any length are good.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    for piece in [timestamp, ".", body] {
        mac.update(piece.as_bytes());
    }
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_openssl_computes() {
        // printf '1774699200.{"a":1}' | openssl dgst -sha256 -hmac "0123456789abcdef"
        let signature = signature(b"0123456789abcdef", "1774699200", "{\"a\":1}");
        assert_eq!(signature, "268c65c8458cdcdf2e6c37efc4ec5797ad313518ec324bf9d9acbb954679cac5");
    }

    #[test]
    fn a_server_that_is_away_is_asked_for_a_day() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let now = at("2026-03-28T12:00:00Z");
        let pause = (next_attempt(1, at("2026-03-28T11:59:00Z"), now).unwrap() - now).num_seconds();
        assert!((24..=36).contains(&pause), "{pause}");
        let late = next_attempt(30, at("2026-03-28T00:00:00Z"), now).unwrap();
        assert!(late - now <= TimeDelta::hours(1));
        assert_eq!(next_attempt(30, at("2026-03-27T12:30:00Z"), now), None);
    }
}
