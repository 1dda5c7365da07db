//! Requests that Discord counts as invalid. Whoever makes too many of them is banned by their address, with everything else that
//! asks Discord from there.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_core::port::Mono;
use reqwest::header::HeaderMap;

use crate::CHANNEL;
use crate::error::{Fault, Scope};

/// The time in which they are counted (Discord's documentation, Rate Limits).
const WINDOW: Duration = Duration::from_secs(10 * 60);
/// Number of them from which nothing is sent. Discord allows 10,000, and other programs may use the same address.
const MOST: usize = 2000;

/// The invalid requests of the last ten minutes.
#[derive(Debug, Default)]
pub(crate) struct InvalidRequests {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When each of them was answered.
    at: VecDeque<Mono>,
    /// Whether the log says that there are too many.
    is_logged: bool,
}

impl InvalidRequests {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request may be sent now.
    pub(crate) fn check(&self, now: Mono) -> Result<(), Fault> {
        let mut state = self.state();
        while state.at.front().is_some_and(|first| now.since(*first) >= WINDOW) {
            state.at.pop_front();
        }
        if state.at.len() < MOST / 2 {
            state.is_logged = false;
        }
        let Some(first) = state.at.front().copied().filter(|_| state.at.len() >= MOST) else { return Ok(()) };
        let after = (first + WINDOW).since(now);
        if !state.is_logged {
            state.is_logged = true;
            let (refused, seconds) = (state.at.len(), after.as_secs());
            tracing::error!(
                channel = CHANNEL,
                refused,
                seconds,
                "Discord has refused so many requests in ten minutes that it would ban this address soon, so the bot sends nothing for a while: look at the warnings before this one, and at the bot's permissions"
            );
        }
        Err(Fault::TooMany { after, scope: Scope::Global })
    }

    /// Counts an answer, if Discord counts it.
    pub(crate) fn note(&self, status: u16, headers: &HeaderMap, now: Mono) {
        let is_shared = || headers.get("x-ratelimit-scope").is_some_and(|scope| scope == "shared");
        if matches!(status, 401 | 403) || status == 429 && !is_shared() {
            self.state().at.push_back(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_before_discord_bans_the_address_and_then_it_goes_on() {
        let invalid = InvalidRequests::default();
        let at = |seconds| Mono(Duration::from_secs(seconds));
        let (none, mut shared) = (HeaderMap::new(), HeaderMap::new());
        shared.insert("x-ratelimit-scope", "shared".parse().unwrap());
        for _ in 0..MOST {
            invalid.note(404, &none, at(10));
            invalid.note(429, &shared, at(10));
        }
        assert_eq!(invalid.check(at(10)), Ok(()), "Discord does not count these");
        for (n, status) in [401, 403, 429].into_iter().cycle().take(MOST).enumerate() {
            assert_eq!(invalid.check(at(100)), Ok(()), "{n}");
            invalid.note(status, &none, at(if n == 0 { 10 } else { 100 }));
        }
        let held = Fault::TooMany { after: Duration::from_secs(510), scope: Scope::Global };
        assert_eq!(invalid.check(at(100)), Err(held));
        assert_eq!(invalid.check(at(610)), Ok(()));
    }
}
