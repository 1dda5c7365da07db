//! Rate limits, as Discord tells them with each response. A request that would be over one is not sent.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_core::port::Mono;

use crate::error::{Fault, Scope};

/// Number of routes from which those that are free again are forgotten.
const ROUTES: usize = 1024;

/// A route: an operation, and the channel, guild or webhook (with its token) that it is about. Each has a limit of its own.
pub(crate) type Route = (&'static str, String);

/// The limits that are used up.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When a route may be used again.
    routes: HashMap<Route, Mono>,
    /// When the bot may send anything again, apart from answers to interactions.
    global: Mono,
    /// When anything may be sent again from this address.
    banned: Mono,
}

impl Limits {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request can be sent now. Answers to interactions (`webhook`) are outside of the global limit.
    pub(crate) fn check(&self, route: &Route, webhook: bool, now: Mono) -> Result<(), Fault> {
        let state = self.state();
        let global = if webhook { Mono::default() } else { state.global };
        let global = global.max(state.banned);
        let until = state.routes.get(route).copied().unwrap_or_default();
        let (until, scope) = if global > until { (global, Scope::Global) } else { (until, Scope::Route) };
        match until.since(now) {
            Duration::ZERO => Ok(()),
            after => Err(Fault::TooMany { after, scope }),
        }
    }

    /// Discord takes nothing from this address for this long.
    pub(crate) fn ban(&self, after: Duration, now: Mono) {
        let mut state = self.state();
        state.banned = state.banned.max(now + after);
    }

    /// A route is used up for this long.
    pub(crate) fn pause(&self, route: Route, scope: Scope, after: Duration, now: Mono) {
        let mut state = self.state();
        match scope {
            Scope::Global => state.global = state.global.max(now + after),
            Scope::Route => {
                if state.routes.len() >= ROUTES {
                    state.routes.retain(|_, until| *until > now);
                }
                // A forgotten limit costs one refused request.
                let first =
                    || state.routes.iter().min_by_key(|(_, until)| **until).map(|(route, _)| route.clone());
                if let Some(first) = first().filter(|_| state.routes.len() >= ROUTES) {
                    state.routes.remove(&first);
                }
                state.routes.insert(route, now + after);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_holds_for_its_route_until_it_is_over() {
        let limits = Limits::default();
        let route = |channel: &str| ("create_message", channel.to_owned());
        let at = |seconds| Mono(Duration::from_secs(seconds));
        limits.pause(route("5"), Scope::Route, Duration::from_secs(3), at(10));
        let held = Fault::TooMany { after: Duration::from_secs(2), scope: Scope::Route };
        assert_eq!(limits.check(&route("5"), false, at(11)), Err(held));
        assert_eq!(limits.check(&route("6"), false, at(11)), Ok(()));
        assert_eq!(limits.check(&route("5"), false, at(13)), Ok(()));
        limits.pause(route("5"), Scope::Global, Duration::from_secs(1), at(20));
        let all = Fault::TooMany { after: Duration::from_secs(1), scope: Scope::Global };
        assert_eq!(limits.check(&route("6"), false, at(20)), Err(all));
        assert_eq!(limits.check(&route("6"), true, at(20)), Ok(()), "an answer to an interaction");
    }
}
