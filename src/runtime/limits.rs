//! Rate limits of one person, one chat and one account.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::port::{Clock, Mono};
use frontdesk_core::rate_limiter::RateLimiter;

use crate::config::{Limits as Config, Rate, Routing};

/// Messages a minute that an admin may always send.
const ADMIN_PER_MINUTE: u32 = 600;
/// `/stop` commands a minute that a person may send: more than anybody needs, and few enough replies for the chat.
const STOPS_PER_MINUTE: u32 = 10;
/// Commands a minute that a person may send in groups. Platforms let a bot send few messages to one group (Telegram: 20 a
/// minute), and the replies to one person's commands must not delay the answers to others.
const COMMANDS_PER_MINUTE: u32 = 10;

/// The rate limits of one configuration. The next one takes over what was counted for limits that stay the same.
pub(crate) struct Limits {
    user: Limit<Principal>,
    /// Applies in place of `user` to people who are answered in a role.
    role: BTreeMap<String, Limit<Principal>>,
    /// Applies to admins in place of the other limits.
    admin: Limit<Principal>,
    /// Applies to `/stop` in place of the other limits: it helps against too many messages, so they do not count here.
    stop: Limit<Principal>,
    /// Applies to commands in groups that the gateway itself answers, in addition to the other limits.
    command: Limit<Principal>,
    chat: Limit<Address>,
    account: Limit<AccountId>,
    /// Chats with a limit of their own.
    own: HashMap<Address, Limit<Address>>,
    clock: Arc<dyn Clock>,
}

/// One limit and what was counted for it.
#[derive(Clone)]
struct Limit<K: Hash + Eq + Clone> {
    rate: Rate,
    buckets: Arc<RateLimiter<K>>,
}

/// A person is told at most once in this time that a message was refused.
const QUIET: Duration = Duration::from_secs(60);
/// Maximum number of people of one chat who are told within that time. All topics of a chat count together.
const TOLD_PER_CHAT: usize = 3;

/// Who was told recently that a message was refused, and in which chats.
#[derive(Default)]
pub(crate) struct RefusalNotices(Mutex<Told>);

#[derive(Default)]
struct Told {
    people: HashMap<Principal, Mono>,
    chats: HashMap<Address, VecDeque<Mono>>,
}

impl RefusalNotices {
    /// Whether somebody may be told now that a message was refused: each person once a minute, and few people of one
    /// chat.
    pub(crate) fn may_tell(&self, who: &Principal, address: &Address, now: Mono) -> bool {
        self.told().may(who, &address.without_thread(), now)
    }

    /// Records that somebody was told.
    pub(crate) fn note_told(&self, who: &Principal, address: &Address, now: Mono) {
        self.told().note(who, &address.without_thread(), now);
    }

    pub(crate) fn sweep(&self, now: Mono) {
        self.told().sweep(now);
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
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
    /// The limits of a configuration. `before` are those of the configuration that it replaces.
    pub(crate) fn new(
        config: &Config,
        routing: &BTreeMap<AccountId, Routing>,
        before: Option<&Limits>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let chats = routing.iter().flat_map(|(account, routing)| {
            routing.chats.iter().filter_map(move |(id, chat)| {
                let address = Address::at(account, id, None).ok()?;
                let known = before.and_then(|before| before.own.get(&address));
                let limit = Limit::new(chat.limits?, known);
                Some((address, limit))
            })
        });
        let roles = config.role.iter().map(|(name, rate)| {
            let known = before.and_then(|before| before.role.get(name));
            (name.clone(), Limit::new(*rate, known))
        });
        Self {
            role: roles.collect(),
            user: Limit::new(config.user, before.map(|before| &before.user)),
            admin: Limit::new(for_admins(config.user), before.map(|before| &before.admin)),
            stop: Limit::new(for_stop(config.user), before.map(|before| &before.stop)),
            command: Limit::new(for_commands(config.user), before.map(|before| &before.command)),
            chat: Limit::new(config.chat, before.map(|before| &before.chat)),
            account: Limit::new(config.account, before.map(|before| &before.account)),
            own: chats.collect(),
            clock: clock.clone(),
        }
    }

    /// Counts one message of an admin; whether it is within the limit.
    pub(crate) fn allows_admin(&self, who: &Principal) -> bool {
        self.admin.allows(who, self.clock.mono())
    }

    /// Counts one `/stop`; whether it is within the limit.
    pub(crate) fn allows_stop(&self, who: &Principal) -> bool {
        self.stop.allows(who, self.clock.mono())
    }

    /// Counts one command in a group; whether it is within the limit.
    pub(crate) fn allows_command(&self, who: &Principal) -> bool {
        self.command.allows(who, self.clock.mono())
    }

    /// Whether people of some role have a limit of their own.
    pub(crate) fn has_roles(&self) -> bool {
        !self.role.is_empty()
    }

    /// Counts one message; whether it is within the limits. `role` is the one in which its sender is answered. `configured`
    /// is the id by which the configuration names the chat. All topics of a chat count together.
    pub(crate) fn allows(
        &self,
        (who, role): (&Principal, Option<&str>),
        address: &Address,
        configured: &str,
    ) -> bool {
        let chat = address.without_thread();
        let now = self.clock.mono();
        let of_person = role.and_then(|role| self.role.get(role)).unwrap_or(&self.user);
        of_person.allows(who, now)
            && self.of_chat(&chat, configured).allows(&chat, now)
            && self.account.allows(address.account(), now)
    }

    fn of_chat(&self, chat: &Address, configured: &str) -> &Limit<Address> {
        if self.own.is_empty() {
            return &self.chat;
        }
        let known = Address::at(chat.account(), configured, None).ok();
        known.and_then(|known| self.own.get(&known)).unwrap_or(&self.chat)
    }

    /// Forgets everyone whose bucket is full again.
    pub(crate) fn sweep(&self) {
        let now = self.clock.mono();
        for limit in self.role.values().chain([&self.user, &self.admin, &self.stop, &self.command]) {
            limit.buckets.sweep(now);
        }
        for limit in self.own.values().chain([&self.chat]) {
            limit.buckets.sweep(now);
        }
    }
}

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(rate: Rate, before: Option<&Limit<K>>) -> Self {
        match before {
            Some(before) if before.rate == rate => before.clone(),
            _ => Self { rate, buckets: Arc::new(RateLimiter::per_minute(rate.per_minute, rate.burst)) },
        }
    }

    fn allows(&self, key: &K, now: Mono) -> bool {
        self.buckets.take(key, now).is_ok()
    }
}

/// At least [`ADMIN_PER_MINUTE`], and no limit where nobody has one.
fn for_admins(user: Rate) -> Rate {
    match user.per_minute {
        0 => user,
        n => Rate { per_minute: n.max(ADMIN_PER_MINUTE), burst: user.burst.max(ADMIN_PER_MINUTE) },
    }
}

/// No limit where nobody has one.
fn for_stop(user: Rate) -> Rate {
    match user.per_minute {
        0 => user,
        _ => Rate { per_minute: STOPS_PER_MINUTE, burst: STOPS_PER_MINUTE },
    }
}

/// No limit where nobody has one.
fn for_commands(user: Rate) -> Rate {
    match user.per_minute {
        0 => user,
        _ => Rate { per_minute: COMMANDS_PER_MINUTE, burst: COMMANDS_PER_MINUTE },
    }
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
        let mut notices = Told::default();
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
