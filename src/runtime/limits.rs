//! How much one person, one chat and one account may send.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::port::{Clock, Mono};
use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::access::whole;
use crate::config::{Limits as Config, Rate, Routing};

/// The house's clock in governor's terms.
#[derive(Clone)]
pub(crate) struct Ticks(pub(crate) Arc<dyn Clock>);

impl GovernorClock for Ticks {
    type Instant = Duration;
    fn now(&self) -> Duration {
        self.0.mono().0
    }
}

type Keyed<K> = RateLimiter<K, DashMapStateStore<K>, Ticks, NoOpMiddleware<Duration>>;

/// How many messages a minute an admin may always send: whoever runs the service is not held up as a stranger is.
const ADMIN: u32 = 600;

/// The three limits, and who was told that something was refused.
pub(crate) struct Limits {
    user: Option<Keyed<Principal>>,
    /// For admins, instead of the others.
    admin: Option<Keyed<Principal>>,
    chat: Option<Keyed<Address>>,
    account: Option<Keyed<AccountId>>,
    /// Chats with a limit of their own; `None` where they have none.
    own: HashMap<Address, Option<Keyed<Address>>>,
    told: Mutex<Told>,
}

/// What the limits say to one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Fine,
    TooFast,
}

/// How long nobody is told twice that something of theirs was refused.
const QUIET: Duration = Duration::from_secs(60);
/// How many people of one chat are told within that time; all topics of a chat count together.
const TOLD_PER_CHAT: usize = 3;

/// Who was told lately that something was refused, and in which chats.
#[derive(Default)]
struct Told {
    people: HashMap<Principal, Mono>,
    chats: HashMap<Address, VecDeque<Mono>>,
}

impl Told {
    fn may(&self, who: &Principal, chat: &Address, now: Mono) -> bool {
        let recent = |at: &Mono| now.since(*at) < QUIET;
        let here = self.chats.get(chat).map_or(0, |told| told.iter().filter(|at| recent(at)).count());
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
        self.chats.retain(|_, told| told.back().is_some_and(|at| now.since(*at) < QUIET));
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
            told: Mutex::default(),
        }
    }

    /// Counts one message of an admin.
    pub(crate) fn check_admin(&self, who: &Principal) -> Pace {
        if allows(&self.admin, who) { Pace::Fine } else { Pace::TooFast }
    }

    /// Counts one message. `first` is the chat's first id, by which the configuration knows it. All topics of a chat
    /// count together.
    pub(crate) fn check(&self, who: &Principal, address: &Address, first: &str) -> Pace {
        let chat = whole(address).unwrap_or_else(|| address.clone());
        let fine = allows(&self.user, who)
            && allows(self.of_chat(&chat, first), &chat)
            && allows(&self.account, address.account());
        if fine { Pace::Fine } else { Pace::TooFast }
    }

    /// Whether somebody may be told now that something of theirs is refused: once a minute per person, and for few
    /// people of one chat.
    pub(crate) fn may_tell(&self, who: &Principal, address: &Address, now: Mono) -> bool {
        whole(address).is_some_and(|chat| self.told().may(who, &chat, now))
    }

    /// Somebody was told.
    pub(crate) fn note_told(&self, who: &Principal, address: &Address, now: Mono) {
        if let Some(chat) = whole(address) {
            self.told().note(who, &chat, now);
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of_chat(&self, chat: &Address, first: &str) -> &Option<Keyed<Address>> {
        if self.own.is_empty() {
            return &self.chat;
        }
        let known = Address::at(chat.account(), first, None).ok();
        known.and_then(|known| self.own.get(&known)).unwrap_or(&self.chat)
    }

    /// Forgets everyone whose bucket is full again, so that memory follows the living.
    pub(crate) fn sweep(&self, now: Mono) {
        for limiter in [&self.user, &self.admin].into_iter().flatten() {
            limiter.retain_recent();
        }
        for limiter in self.own.values().chain([&self.chat]).flatten() {
            limiter.retain_recent();
        }
        self.told().sweep(now);
    }
}

/// At least [`ADMIN`], and no limit where nobody has one.
fn for_admins(user: Rate) -> Rate {
    match user.per_minute {
        0 => user,
        n => Rate { per_minute: n.max(ADMIN), burst: user.burst.max(ADMIN) },
    }
}

fn keyed<K: Hash + Eq + Clone>(rate: Rate, clock: &Arc<dyn Clock>) -> Option<Keyed<K>> {
    let quota = quota(rate)?;
    Some(RateLimiter::new(quota, DashMapStateStore::default(), Ticks(clock.clone())))
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
    fn a_person_is_told_once_a_minute_and_a_chat_hears_few_notices() {
        let who = |name: &str| Principal::new("telegram", None, name).unwrap();
        let (here, there): (Address, Address) =
            ("telegram:-1".parse().unwrap(), "telegram:-2".parse().unwrap());
        let mut told = Told::default();
        assert!(told.may(&who("a"), &here, at(0)));
        told.note(&who("a"), &here, at(0));
        assert!(!told.may(&who("a"), &there, at(59)), "wherever it is");
        for name in ["b", "c"] {
            assert!(told.may(&who(name), &here, at(1)));
            told.note(&who(name), &here, at(1));
        }
        assert!(!told.may(&who("d"), &here, at(2)) && told.may(&who("d"), &there, at(2)));
        assert!(told.may(&who("a"), &here, at(60)));
        told.sweep(at(61));
        assert!(told.people.is_empty() && told.chats.is_empty());
    }
}
