//! Limits how many unknown senders get a pairing code and how often admins are told of them, so that a crowd fills
//! neither the database nor an admin's phone.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::account::AccountId;
use frontdesk_core::port::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::time::GovernorClock;

/// Maximum number of open requests per account; a further one closes the oldest.
pub(crate) const MOST_OPEN: u32 = 100;
/// Unknown senders that one account answers in a burst; after that one each [`EVERY`].
const BURST: NonZeroU32 = NonZeroU32::new(MOST_OPEN).unwrap();
const EVERY: Duration = Duration::from_secs(10);
/// An account's admins are told of one unknown sender in this time; `/gateway status` counts the others.
const NOTICE_EVERY: Duration = Duration::from_secs(600);

type Keyed = RateLimiter<AccountId, DashMapStateStore<AccountId>, GovernorClock, NoOpMiddleware<Duration>>;

pub(crate) struct PairingLimits {
    codes: Option<Keyed>,
    notices: Option<Keyed>,
}

impl PairingLimits {
    pub(super) fn new(clock: &Arc<dyn Clock>) -> Self {
        let keyed = |every, burst| {
            let quota = Quota::with_period(every)?.allow_burst(burst);
            Some(RateLimiter::new(quota, DashMapStateStore::default(), GovernorClock(clock.clone())))
        };
        Self { codes: keyed(EVERY, BURST), notices: keyed(NOTICE_EVERY, NonZeroU32::MIN) }
    }

    /// Whether one more unknown sender gets an answer there.
    pub(crate) fn may_ask(&self, account: &AccountId) -> bool {
        self.codes.as_ref().is_none_or(|limiter| limiter.check_key(account).is_ok())
    }

    /// Whether the admins there may be told of one more unknown sender.
    pub(crate) fn may_tell(&self, account: &AccountId) -> bool {
        self.notices.as_ref().is_none_or(|limiter| limiter.check_key(account).is_ok())
    }
}
