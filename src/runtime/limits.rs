//! How much one person, one chat and one account may send.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::address::{Address, Principal};
use frontdesk_core::port::Clock;
use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

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

/// The three limits, and who has been told that they reached one.
pub(crate) struct Limits {
    user: Option<Keyed<Principal>>,
    /// For admins, instead of the others.
    admin: Option<Keyed<Principal>>,
    chat: Option<Keyed<Address>>,
    account: Option<Keyed<(String, String)>>,
    /// Chats with a limit of their own; `None` where they have none.
    own: HashMap<Address, Option<Keyed<Address>>>,
    /// One notice a minute per chat, then silence.
    told: Keyed<Address>,
}

/// What the limits say to one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Fine,
    TooFast {
        /// Whether the person is to be told.
        tell: bool,
    },
}

impl Limits {
    pub(crate) fn new(
        config: &Config,
        routing: &BTreeMap<(String, String), Routing>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let chats = routing.iter().flat_map(|((channel, account), routing)| {
            routing.chats.iter().filter_map(move |(id, chat)| {
                let address = Address::new(channel, Some(account), id, None).ok()?;
                Some((address, keyed(chat.limits?, clock)))
            })
        });
        let told = Quota::per_minute(NonZeroU32::MIN);
        Self {
            user: keyed(config.user, clock),
            admin: keyed(for_admins(config.user), clock),
            chat: keyed(config.chat, clock),
            account: keyed(config.account, clock),
            own: chats.collect(),
            told: RateLimiter::new(told, DashMapStateStore::default(), Ticks(clock.clone())),
        }
    }

    /// Counts one message of an admin.
    pub(crate) fn check_admin(&self, who: &Principal, chat: &Address) -> Pace {
        self.pace(allows(&self.admin, who), chat)
    }

    /// Counts one message. `first` is the chat's first id, by which the configuration knows it.
    pub(crate) fn check(&self, who: &Principal, chat: &Address, first: &str) -> Pace {
        let account = (chat.channel().to_owned(), chat.account().to_owned());
        let fine = allows(&self.user, who)
            && allows(self.of_chat(chat, first), chat)
            && allows(&self.account, &account);
        self.pace(fine, chat)
    }

    fn pace(&self, fine: bool, chat: &Address) -> Pace {
        if fine { Pace::Fine } else { Pace::TooFast { tell: self.told.check_key(chat).is_ok() } }
    }

    fn of_chat(&self, chat: &Address, first: &str) -> &Option<Keyed<Address>> {
        if self.own.is_empty() {
            return &self.chat;
        }
        let known = Address::new(chat.channel(), Some(chat.account()), first, None).ok();
        known.and_then(|known| self.own.get(&known)).unwrap_or(&self.chat)
    }

    /// Forgets everyone whose bucket is full again, so that memory follows the living.
    pub(crate) fn sweep(&self) {
        for limiter in [&self.user, &self.admin].into_iter().flatten() {
            limiter.retain_recent();
        }
        for limiter in self.own.values().chain([&self.chat]).flatten() {
            limiter.retain_recent();
        }
        self.told.retain_recent();
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
