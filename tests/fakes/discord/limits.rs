//! Rate limits: buckets by route and channel, the global limit, and the ban after too many invalid requests.

use std::collections::{HashMap, VecDeque};

use axum::http::HeaderValue;
use frontdesk_fakes::{Response, response};
use serde::Deserialize;

use crate::answer::{Scope, too_many};
use crate::id::Id;

/// The time in which invalid requests are counted.
const INVALID_MS: i64 = 10 * 60 * 1000;

/// The limits. All of them are off until a test turns them on.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Numbers {
    /// Requests in a window of a bucket, and the length of the window.
    bucket: u32,
    window_ms: i64,
    /// Requests in a second.
    global: usize,
    /// Invalid requests in ten minutes.
    invalid: usize,
}

/// The numbers that others have seen at the real one.
impl Default for Numbers {
    fn default() -> Self {
        Self { bucket: 5, window_ms: 5000, global: 50, invalid: 10_000 }
    }
}

/// A limit that strikes on request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forced {
    /// The operation; every one if there is none.
    operation: Option<String>,
    channel: Option<Id>,
    scope: Scope,
    retry_after_ms: u64,
    times: u32,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    ends_ms: i64,
    left: u32,
}

#[derive(Debug, Default)]
pub struct Limits {
    numbers: Option<Numbers>,
    forced: Vec<Forced>,
    windows: HashMap<(&'static str, Id), Window>,
    recent: VecDeque<i64>,
    invalid: VecDeque<i64>,
}

impl Limits {
    pub fn set(&mut self, numbers: Option<Numbers>) {
        *self = Self { numbers, ..Self::default() };
    }

    pub fn force(&mut self, forced: Forced) {
        self.forced.push(forced);
    }

    pub fn are_real(&self) -> bool {
        self.numbers.is_some()
    }

    /// Refuses a request that comes too fast. Answers to interactions are outside of the global limit.
    pub fn refuses(
        &mut self,
        operation: &'static str,
        top: Id,
        is_webhook: bool,
        now_ms: i64,
    ) -> Option<Response> {
        if let Some(at) = self.forced.iter().position(|forced| {
            forced.operation.as_deref().is_none_or(|wanted| wanted == operation)
                && forced.channel.is_none_or(|channel| channel == top)
        }) {
            let forced = &mut self.forced[at];
            forced.times = forced.times.saturating_sub(1);
            let (scope, after_ms, used_up) = (forced.scope, forced.retry_after_ms, forced.times == 0);
            if used_up {
                self.forced.remove(at);
            }
            return Some(too_many(scope, after_ms));
        }
        let numbers = self.numbers.clone()?;
        self.invalid.retain(|at| now_ms - at < INVALID_MS);
        if self.invalid.len() >= numbers.invalid {
            // The proxy in front bans the address.
            return Some(response(429, "text/plain; charset=UTF-8", "error code: 1015"));
        }
        self.recent.retain(|at| now_ms - at < 1000);
        if !is_webhook && self.recent.len() >= numbers.global {
            let first = self.recent.front().copied().unwrap_or(now_ms);
            return Some(too_many(Scope::Global, u64::try_from(first + 1000 - now_ms).unwrap_or_default()));
        }
        self.recent.push_back(now_ms);
        let fresh = Window { ends_ms: now_ms + numbers.window_ms, left: numbers.bucket };
        let window = self.windows.entry((operation, top)).or_insert(fresh);
        if window.ends_ms <= now_ms {
            *window = fresh;
        }
        if window.left == 0 {
            return Some(too_many(Scope::User, u64::try_from(window.ends_ms - now_ms).unwrap_or_default()));
        }
        window.left -= 1;
        None
    }

    /// Counts a response, and adds the headers that tell of its bucket.
    pub fn answered(&mut self, operation: &'static str, top: Id, response: &mut Response, now_ms: i64) {
        let Some(numbers) = &self.numbers else { return };
        let status = response.status().as_u16();
        let shared = response.headers().get("x-ratelimit-scope").is_some_and(|scope| scope == "shared");
        if matches!(status, 401 | 403) || status == 429 && !shared {
            self.invalid.push_back(now_ms);
        }
        let Some(window) = self.windows.get(&(operation, top)) else { return };
        let seconds = |ms: i64| format!("{}.{:03}", ms.max(0) / 1000, ms.max(0) % 1000);
        let texts = [
            ("x-ratelimit-limit", numbers.bucket.to_string()),
            ("x-ratelimit-remaining", window.left.to_string()),
            ("x-ratelimit-reset", seconds(window.ends_ms)),
            ("x-ratelimit-reset-after", seconds(window.ends_ms - now_ms)),
            ("x-ratelimit-bucket", operation.to_owned()),
        ];
        for (name, text) in texts {
            if let Ok(value) = HeaderValue::from_str(&text) {
                response.headers_mut().insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_belongs_to_a_route_and_a_channel() {
        let mut limits = Limits::default();
        let ask = |limits: &mut Limits, channel, now| {
            limits.refuses("create_message", Id(channel), false, now).is_none()
        };
        assert!((0..9).all(|_| ask(&mut limits, 1, 0)), "limits are off");
        limits.set(Some(Numbers::default()));
        assert_eq!((0..6).filter(|_| ask(&mut limits, 1, 0)).count(), 5);
        assert!(ask(&mut limits, 2, 0), "another channel");
        assert!(ask(&mut limits, 1, 5000), "another window");
    }
}
