//! The pace of sends that a platform tolerates: of an account, and of each of its chats of several people. A single
//! chat's own pace is kept by its lane.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::port::{Clock, Mono};
use frontdesk_core::profile::Pacing;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::access::whole;
use crate::limits::Ticks;

/// So many messages may follow each other closely in one group: an answer in a few parts.
const BURST: u32 = 5;
/// So many groups are remembered before those that are at rest are forgotten.
const GROUPS: usize = 1024;

type Direct = RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Duration>>;

pub(super) struct Pace {
    account: Option<Direct>,
    per_group: Option<Duration>,
    /// When each group will have had enough time for all that was sent to it. Kept by hand, because governor can
    /// only count a send and not be asked about one, and whether there is anything to send is not known before.
    spent: Mutex<HashMap<Address, Mono>>,
    /// Chats that the platform wants to rest, and until when.
    held: Mutex<HashMap<Address, Mono>>,
}

impl Pace {
    pub(super) fn new(pacing: Pacing, clock: &Arc<dyn Clock>) -> Self {
        let account = pacing.per_account.and_then(Quota::with_period).map(|quota| {
            RateLimiter::direct_with_clock(quota.allow_burst(NonZeroU32::MIN), Ticks(clock.clone()))
        });
        Self { account, per_group: pacing.per_group, spent: Mutex::default(), held: Mutex::default() }
    }

    /// When something may be sent to this address, if not now. Counts one send of the account if it may.
    pub(super) fn must_wait(&self, to: &Address, now: Mono) -> Option<Mono> {
        if let Some(until) = self.held_until(to, now).max(self.group_is_full(to, now)) {
            return Some(until);
        }
        let until = self.account.as_ref()?.check().err()?;
        Some(now + until.wait_time_from(now.0))
    }

    /// The platform wants nothing for this chat for a while; its topics rest with it.
    pub(super) fn hold(&self, to: &Address, pause: Duration, now: Mono) {
        let Some(chat) = whole(to) else { return };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= GROUPS {
            held.retain(|_, until| *until > now);
        }
        let known = held.entry(chat).or_default();
        *known = (*known).max(now + pause);
    }

    /// Until when a chat rests, if it does.
    pub(super) fn held_until(&self, to: &Address, now: Mono) -> Option<Mono> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_empty() {
            return None;
        }
        let chat = whole(to)?;
        let until = *held.get(&chat)?;
        if until <= now {
            held.remove(&chat);
            return None;
        }
        Some(until)
    }

    fn group_is_full(&self, to: &Address, now: Mono) -> Option<Mono> {
        let ahead = self.per_group?.saturating_mul(BURST - 1);
        let chat = whole(to)?;
        let spent = *self.spent.lock().unwrap_or_else(PoisonError::into_inner).get(&chat)?;
        let until = Mono(spent.0.saturating_sub(ahead));
        (until > now).then_some(until)
    }

    /// Something was sent to a chat of several people; its topics count together.
    pub(super) fn sent_to_group(&self, to: &Address, now: Mono) {
        let (Some(period), Some(chat)) = (self.per_group, whole(to)) else { return };
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= GROUPS {
            spent.retain(|_, until| *until > now);
        }
        let until = spent.entry(chat).or_insert(now);
        *until = (*until).max(now) + period;
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::profile::Pacing;

    use super::*;

    #[test]
    fn a_few_at_once_and_then_one_after_another() {
        let pace = Pace {
            account: None,
            per_group: Some(Duration::from_secs(3)),
            spent: Mutex::default(),
            held: Mutex::default(),
        };
        let at = |seconds| Mono(Duration::from_secs(seconds));
        let (here, topic): (Address, Address) =
            ("telegram:-1".parse().unwrap(), "telegram:-1:topic:5".parse().unwrap());
        for _ in 0..BURST {
            assert_eq!(pace.must_wait(&here, at(100)), None);
            pace.sent_to_group(&topic, at(100));
        }
        assert_eq!(pace.must_wait(&here, at(100)), Some(at(103)));
        assert_eq!(pace.must_wait(&topic, at(102)), Some(at(103)));
        let mut sent = 0;
        for second in 103..163 {
            if pace.must_wait(&here, at(second)).is_none() {
                pace.sent_to_group(&here, at(second));
                sent += 1;
            }
        }
        assert_eq!(sent, 20, "twenty a minute");
        assert_eq!(pace.must_wait(&"telegram:-2".parse().unwrap(), at(100)), None, "another group");
        let other: Address = "telegram:-3".parse().unwrap();
        pace.hold(&other, Duration::from_secs(20), at(100));
        pace.hold(&other, Duration::from_secs(1), at(101));
        assert_eq!(pace.must_wait(&other, at(119)), Some(at(120)));
        assert_eq!(pace.must_wait(&other, at(120)), None);
        assert!(Pacing::default().per_group.is_none());
    }
}
