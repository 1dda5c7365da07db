//! Limits how many unknown senders get a pairing code and how often admins are told of them, so that a crowd fills
//! neither the database nor an admin's phone.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::account::AccountId;
use frontdesk_core::port::Clock;
use frontdesk_core::rate_limiter::RateLimiter;

/// Maximum number of open requests per account; a further one closes the oldest.
pub(crate) const MOST_OPEN: u32 = 100;
/// Unknown senders that one account answers in a burst; after that one each [`EVERY`].
const BURST: u32 = MOST_OPEN;
const EVERY: Duration = Duration::from_secs(10);
/// An account's admins are told of one unknown sender in this time; `/gateway status` counts the others.
const NOTICE_EVERY: Duration = Duration::from_secs(600);

pub(crate) struct PairingLimits {
    codes: RateLimiter<AccountId>,
    notices: RateLimiter<AccountId>,
    clock: Arc<dyn Clock>,
}

impl PairingLimits {
    pub(super) fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            codes: RateLimiter::every(EVERY, BURST),
            notices: RateLimiter::every(NOTICE_EVERY, 1),
            clock: clock.clone(),
        }
    }

    /// Whether one more unknown sender gets an answer there.
    pub(crate) fn may_ask(&self, account: &AccountId) -> bool {
        self.codes.take(account, self.clock.mono()).is_ok()
    }

    /// Whether the admins there may be told of one more unknown sender.
    pub(crate) fn may_tell(&self, account: &AccountId) -> bool {
        self.notices.take(account, self.clock.mono()).is_ok()
    }
}
