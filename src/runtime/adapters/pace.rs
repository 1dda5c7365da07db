//! The rate of sends that a platform tolerates: for an account, and for each of its groups. The rate of a single chat
//! is kept by its lane in the outbox.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use frontdesk_core::address::Address;
use frontdesk_core::port::Mono;
use frontdesk_core::profile::Pacing;
use frontdesk_core::rate_limiter::RateLimiter;

/// Number of messages that may be sent to one group in a burst: an answer in a few parts.
const BURST: u32 = 5;
/// A notice or a command's reply is delayed for at most this time.
const LONGEST_DELAY: Duration = Duration::from_secs(300);
/// Number of groups from which idle ones are forgotten.
const GROUPS: usize = 1024;

pub(super) struct Pace {
    rates: ArcSwap<Rates>,
    /// What was sent to each group. Not a [`RateLimiter`], because at the time of asking it is not known yet whether
    /// there is anything to send.
    spent: Mutex<HashMap<Address, Spent>>,
    /// Chats for which the platform asked for a pause, and when it ends.
    held: Mutex<HashMap<Address, Mono>>,
    /// Addresses whose next notice is delayed, and since when.
    delayed: Mutex<HashMap<Address, Mono>>,
}

/// What the profile allows.
struct Rates {
    pacing: Pacing,
    account: Option<RateLimiter<()>>,
}

impl Rates {
    fn new(pacing: Pacing) -> Self {
        let account = pacing.per_account.map(|interval| RateLimiter::every(interval, 1));
        Self { pacing, account }
    }
}

/// What was sent to one group.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    /// When the group's rate allows everything that was sent so far.
    until: Mono,
    /// Sends under way: the topics of a group send concurrently.
    under_way: u32,
}

impl Spent {
    fn until(self, now: Mono, period: Duration) -> Mono {
        self.until.max(now) + period.saturating_mul(self.under_way)
    }
}

/// A send to a chat that is under way until this is dropped.
pub(crate) struct UnderWay<'p> {
    pace: &'p Pace,
    chat: Option<Address>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let Some(chat) = &self.chat else { return };
        if let Some(spent) = self.pace.spent().get_mut(chat) {
            spent.under_way = spent.under_way.saturating_sub(1);
        }
    }
}

impl Pace {
    pub(super) fn new(pacing: Pacing) -> Self {
        Self {
            rates: ArcSwap::from_pointee(Rates::new(pacing)),
            spent: Mutex::default(),
            held: Mutex::default(),
            delayed: Mutex::default(),
        }
    }

    /// Paces as this profile says from now on. What was sent and which pauses last stays known.
    pub(super) fn set(&self, pacing: Pacing) {
        if self.rates.load().pacing != pacing {
            self.rates.store(Arc::new(Rates::new(pacing)));
        }
    }

    fn per_group(&self) -> Option<Duration> {
        self.rates.load().pacing.per_group
    }

    /// Begins a send to this address, which counts for the account; or fails with the time when to try again.
    pub(super) fn begin(&self, to: &Address, now: Mono) -> Result<UnderWay<'_>, Mono> {
        if let Some(until) = self.held_until(to, now) {
            return Err(until);
        }
        let under_way = self.begin_in_group(to, now)?;
        let rates = self.rates.load();
        let Some(account) = &rates.account else { return Ok(under_way) };
        account.take(&(), now).map(|()| under_way).map_err(|wait| now + wait)
    }

    fn begin_in_group(&self, to: &Address, now: Mono) -> Result<UnderWay<'_>, Mono> {
        let Some(period) = self.per_group() else { return Ok(UnderWay { pace: self, chat: None }) };
        let chat = to.without_thread();
        let mut all = self.spent();
        forget_idle(&mut all, now);
        let spent = all.entry(chat.clone()).or_default();
        let until = Mono(spent.until(now, period).0.saturating_sub(period.saturating_mul(BURST - 1)));
        if until > now {
            return Err(until);
        }
        spent.under_way += 1;
        Ok(UnderWay { pace: self, chat: Some(chat) })
    }

    fn spent(&self) -> MutexGuard<'_, HashMap<Address, Spent>> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is sent to this chat for `pause`, including its topics.
    pub(super) fn hold(&self, to: &Address, pause: Duration, now: Mono) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= GROUPS {
            held.retain(|_, until| *until > now);
        }
        let known = held.entry(to.without_thread()).or_default();
        *known = (*known).max(now + pause);
    }

    /// When the pause of a chat ends, if it has one.
    pub(super) fn held_until(&self, to: &Address, now: Mono) -> Option<Mono> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_empty() {
            return None;
        }
        let chat = to.without_thread();
        let until = *held.get(&chat)?;
        if until <= now {
            held.remove(&chat);
            return None;
        }
        Some(until)
    }

    /// Whether the notices of an address have been delayed for [`LONGEST_DELAY`].
    pub(super) fn was_delayed_enough(&self, to: &Address, now: Mono) -> bool {
        let delayed = self.delayed.lock().unwrap_or_else(PoisonError::into_inner);
        delayed.get(to).is_some_and(|since| now.since(*since) >= LONGEST_DELAY)
    }

    /// Records that the next notice of an address is delayed, or that it is not delayed any more.
    pub(super) fn note_delay(&self, to: &Address, is_delayed: bool, now: Mono) {
        let mut delayed = self.delayed.lock().unwrap_or_else(PoisonError::into_inner);
        if is_delayed {
            delayed.entry(to.clone()).or_insert(now);
        } else {
            delayed.remove(to);
        }
    }

    /// Whether more than half of a group's burst is left.
    pub(super) fn is_calm(&self, to: &Address, now: Mono) -> bool {
        let Some(period) = self.per_group() else { return true };
        let spent = self.spent().get(&to.without_thread()).copied().unwrap_or_default();
        spent.until(now, period).since(now) <= period.saturating_mul(BURST / 2)
    }

    /// Counts a message that was sent to a group. Its topics count together.
    pub(super) fn sent_to_group(&self, to: &Address, now: Mono) {
        let Some(period) = self.per_group() else { return };
        let mut all = self.spent();
        forget_idle(&mut all, now);
        let spent = all.entry(to.without_thread()).or_default();
        spent.until = spent.until.max(now) + period;
    }
}

fn forget_idle(all: &mut HashMap<Address, Spent>, now: Mono) {
    if all.len() >= GROUPS {
        all.retain(|_, spent| spent.until > now || spent.under_way > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_message_each_three_seconds() -> Pace {
        let pacing = Pacing { per_group: Some(Duration::from_secs(3)), ..Pacing::default() };
        Pace {
            rates: ArcSwap::from_pointee(Rates { pacing, account: None }),
            spent: Mutex::default(),
            held: Mutex::default(),
            delayed: Mutex::default(),
        }
    }

    fn must_wait(pace: &Pace, to: &Address, now: Mono) -> Option<Mono> {
        pace.begin(to, now).err()
    }

    #[test]
    fn topics_of_a_group_share_its_rate() {
        let pace = a_message_each_three_seconds();
        let now = Mono(Duration::from_secs(100));
        let topic = |n: u32| format!("telegram:-1:topic:{n}").parse::<Address>().unwrap();
        let begun: Vec<_> = (0..40).filter_map(|n| pace.begin(&topic(n), now).ok()).collect();
        assert_eq!(begun.len(), BURST as usize);
        assert!(!pace.is_calm(&topic(0), now));
        drop(begun);
        assert!(pace.is_calm(&topic(0), now), "nothing was sent in the end");
    }

    #[test]
    fn a_burst_and_then_one_message_each_period() {
        let pace = a_message_each_three_seconds();
        let at = |seconds| Mono(Duration::from_secs(seconds));
        let (here, topic): (Address, Address) =
            ("telegram:-1".parse().unwrap(), "telegram:-1:topic:5".parse().unwrap());
        for _ in 0..BURST {
            assert_eq!(must_wait(&pace, &here, at(100)), None);
            pace.sent_to_group(&topic, at(100));
        }
        assert_eq!(must_wait(&pace, &here, at(100)), Some(at(103)));
        assert!(!pace.is_calm(&topic, at(108)) && pace.is_calm(&topic, at(109)));
        assert_eq!(must_wait(&pace, &topic, at(102)), Some(at(103)));
        let mut sent = 0;
        for second in 103..163 {
            if must_wait(&pace, &here, at(second)).is_none() {
                pace.sent_to_group(&here, at(second));
                sent += 1;
            }
        }
        assert_eq!(sent, 20, "twenty a minute");
        assert_eq!(must_wait(&pace, &"telegram:-2".parse().unwrap(), at(100)), None, "another group");
        let other: Address = "telegram:-3".parse().unwrap();
        pace.hold(&other, Duration::from_secs(20), at(100));
        pace.hold(&other, Duration::from_secs(1), at(101));
        assert_eq!(must_wait(&pace, &other, at(119)), Some(at(120)));
        assert_eq!(must_wait(&pace, &other, at(120)), None);
        assert!(Pacing::default().per_group.is_none());
    }
}
