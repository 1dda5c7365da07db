//! Rate limits of one person, one chat and one account.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::port::{Clock, Mono};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::config::{Limits as Config, Rate, Routing};
use crate::time::GovernorClock;

type Keyed<K> = RateLimiter<K, DashMapStateStore<K>, GovernorClock, NoOpMiddleware<Duration>>;

/// Messages a minute that an admin may always send.
const ADMIN_PER_MINUTE: u32 = 600;

/// The rate limits, and who was told recently that a message was refused.
pub(crate) struct Limits {
    user: Option<Keyed<Principal>>,
    /// Applies to admins in place of the other limits.
    admin: Option<Keyed<Principal>>,
    chat: Option<Keyed<Address>>,
    account: Option<Keyed<AccountId>>,
    /// Chats with a limit of their own; `None` means that the chat has no limit.
    own: HashMap<Address, Option<Keyed<Address>>>,
    notices: Mutex<RefusalNotices>,
}

/// A person is told at most once in this time that a message was refused.
const QUIET: Duration = Duration::from_secs(60);
/// Maximum number of people of one chat who are told within that time. All topics of a chat count together.
const TOLD_PER_CHAT: usize = 3;

/// Who was told recently that a message was refused, and in which chats.
#[derive(Default)]
struct RefusalNotices {
    people: HashMap<Principal, Mono>,
    chats: HashMap<Address, VecDeque<Mono>>,
}

impl RefusalNotices {
    fn may(&self, who: &Principal, chat: &Address, now: Mono) -> bool {
        let recent = |at: &Mono| now.since(*at) < QUIET;
        let here = self.chats.get(chat).map_or(0, |times| times.iter().filter(|at| recent(at)).count());
        !self.people.get(who).is_some_and(recent) && here < TOLD_PER_CHAT
    }

    fn note(&mut self, who: &Principal, chat: &Address, now: Mono) {
        self.people.insert(who.clone(), now);
        let here = self.chats.entry(chat.clone()).or_default();
        here.push_back(now);
        if here.len() > TOLD_PER_CHAT {
            here.pop_front();
        }
    }

    fn sweep(&mut self, now: Mono) {
        self.people.retain(|_, at| now.since(*at) < QUIET);
        self.chats.retain(|_, times| times.back().is_some_and(|at| now.since(*at) < QUIET));
    }
}

impl Limits {
    pub(crate) fn new(
        config: &Config,
        routing: &BTreeMap<AccountId, Routing>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let chats = routing.iter().flat_map(|(account, routing)| {
            routing.chats.iter().filter_map(move |(id, chat)| {
                let address = Address::at(account, id, None).ok()?;
                Some((address, keyed(chat.limits?, clock)))
            })
        });
        Self {
            user: keyed(config.user, clock),
            admin: keyed(for_admins(config.user), clock),
            chat: keyed(config.chat, clock),
            account: keyed(config.account, clock),
            own: chats.collect(),
            notices: Mutex::default(),
        }
    }

    /// Counts one message of an admin; whether it is within the limit.
    pub(crate) fn allows_admin(&self, who: &Principal) -> bool {
        allows(&self.admin, who)
    }

    /// Counts one message; whether it is within the limits. `configured` is the id by which the configuration names the
    /// chat. All topics of a chat count together.
    pub(crate) fn allows(&self, who: &Principal, address: &Address, configured: &str) -> bool {
        let chat = address.without_thread();
        allows(&self.user, who)
            && allows(self.of_chat(&chat, configured), &chat)
            && allows(&self.account, address.account())
    }

    /// Whether somebody may be told now that a message was refused: each person once a minute, and few people of one
    /// chat.
    pub(crate) fn may_tell(&self, who: &Principal, address: &Address, now: Mono) -> bool {
        self.notices().may(who, &address.without_thread(), now)
    }

    /// Records that somebody was told.
    pub(crate) fn note_told(&self, who: &Principal, address: &Address, now: Mono) {
        self.notices().note(who, &address.without_thread(), now);
    }

    fn notices(&self) -> MutexGuard<'_, RefusalNotices> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of_chat(&self, chat: &Address, configured: &str) -> &Option<Keyed<Address>> {
        if self.own.is_empty() {
            return &self.chat;
        }
        let known = Address::at(chat.account(), configured, None).ok();
        known.and_then(|known| self.own.get(&known)).unwrap_or(&self.chat)
    }

    /// Forgets everyone whose bucket is full again.
    pub(crate) fn sweep(&self, now: Mono) {
        for limiter in [&self.user, &self.admin].into_iter().flatten() {
            limiter.retain_recent();
        }
        for limiter in self.own.values().chain([&self.chat]).flatten() {
            limiter.retain_recent();
        }
        self.notices().sweep(now);
    }
}

/// At least [`ADMIN_PER_MINUTE`], and no limit where nobody has one.
fn for_admins(user: Rate) -> Rate {
    match user.per_minute {
        0 => user,
        n => Rate { per_minute: n.max(ADMIN_PER_MINUTE), burst: user.burst.max(ADMIN_PER_MINUTE) },
    }
}

fn keyed<K: Hash + Eq + Clone>(rate: Rate, clock: &Arc<dyn Clock>) -> Option<Keyed<K>> {
    let quota = quota(rate)?;
    Some(RateLimiter::new(quota, DashMapStateStore::default(), GovernorClock(clock.clone())))
}

fn quota(rate: Rate) -> Option<Quota> {
    let per_minute = NonZeroU32::new(rate.per_minute)?;
    let quota = Quota::per_minute(per_minute);
    Some(NonZeroU32::new(rate.burst).map_or(quota, |burst| quota.allow_burst(burst)))
}

fn allows<K: Hash + Eq + Clone>(limiter: &Option<Keyed<K>>, key: &K) -> bool {
    limiter.as_ref().is_none_or(|limiter| limiter.check_key(key).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono(Duration::from_secs(seconds))
    }

    #[test]
    fn a_person_is_told_once_a_minute_and_a_chat_gets_few_notices() {
        let who = |name: &str| Principal::new("telegram", None, name).unwrap();
        let (here, there): (Address, Address) =
            ("telegram:-1".parse().unwrap(), "telegram:-2".parse().unwrap());
        let mut notices = RefusalNotices::default();
        assert!(notices.may(&who("a"), &here, at(0)));
        notices.note(&who("a"), &here, at(0));
        assert!(!notices.may(&who("a"), &there, at(59)), "in every chat");
        for name in ["b", "c"] {
            assert!(notices.may(&who(name), &here, at(1)));
            notices.note(&who(name), &here, at(1));
        }
        assert!(!notices.may(&who("d"), &here, at(2)) && notices.may(&who("d"), &there, at(2)));
        assert!(notices.may(&who("a"), &here, at(60)));
        notices.sweep(at(61));
        assert!(notices.people.is_empty() && notices.chats.is_empty());
    }
}
