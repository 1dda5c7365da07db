//! When nothing may be sent: the platform wants a pause, refuses the token, or cannot be reached.

use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::cause::Cause;
use frontdesk_core::delivery::{Bucket, SendError};
use frontdesk_core::port::Mono;

use super::pace::UnderWay;
use super::{Connection, OPERATOR_PAUSE};

/// Pause after a send that found no connection; it grows by as much with each further one.
const OFFLINE_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_OFFLINE_PAUSE: Duration = Duration::from_secs(30);

impl Connection {
    /// Begins a send to this address, or fails with the time when to try again.
    pub(crate) fn begin(&self, to: &Address) -> Result<UnderWay<'_>, Mono> {
        let now = self.clock.mono();
        {
            let mut state = self.state();
            if state.paused_until > now {
                return Err(state.paused_until);
            }
            if state.offline > 0 {
                if state.retry_at > now {
                    return Err(state.retry_at);
                }
                // One send tries whether the platform is back; the others wait for its result.
                state.retry_at = now + OFFLINE_PAUSE;
            }
        }
        self.pace.begin(to, now)
    }

    /// How long no signal is given to this address, because the platform wants a pause or cannot be
    /// reached. Must be called with the chat's lock held: a pause may begin while waiting for the lock.
    pub(crate) fn paused_for(&self, to: &Address) -> Option<Duration> {
        let now = self.clock.mono();
        let account = {
            let state = self.state();
            state.paused_until.max(if state.offline > 0 { state.retry_at } else { Mono::default() })
        };
        let until = self.pace.held_until(to, now).max(Some(account).filter(|until| *until > now))?;
        Some(until.since(now))
    }

    /// Fails during a pause that the platform asked for.
    pub(super) fn check_pause(&self, to: &Address) -> Result<(), SendError> {
        let now = self.clock.mono();
        let account = Some(self.state().paused_until).filter(|until| *until > now);
        let (until, scope) = match (account, self.pace.held_until(to, now)) {
            (Some(until), _) => (until, Bucket::Account),
            (None, Some(until)) => (until, Bucket::Chat),
            (None, None) => return Ok(()),
        };
        let detail = "the platform asked for a pause".into();
        Err(SendError::Later { after: Some(until.since(now)), scope, detail })
    }

    /// Whether the notices of an address have been delayed for as long as they may be.
    pub(crate) fn was_delayed_enough(&self, to: &Address) -> bool {
        self.pace.was_delayed_enough(to, self.clock.mono())
    }

    /// Records that a notice is delayed, or that it is not delayed any more.
    pub(crate) fn note_delay(&self, to: &Address, delayed: bool) {
        self.pace.note_delay(to, delayed, self.clock.mono());
    }

    /// Counts a message that was sent to a group.
    pub(crate) fn sent_to_group(&self, to: &Address) {
        self.pace.sent_to_group(to, self.clock.mono());
    }

    /// Nothing is sent by this account for `pause`.
    pub(super) fn pause_account(&self, pause: Duration) {
        let until = self.clock.mono() + pause;
        let mut state = self.state();
        state.paused_until = state.paused_until.max(until);
    }

    /// Records that a send found no connection. The first of a series is logged.
    pub(super) fn note_offline(&self, cause: &Cause) {
        let mut state = self.state();
        state.offline += 1;
        let pause = OFFLINE_PAUSE.saturating_mul(state.offline).min(LONGEST_OFFLINE_PAUSE);
        state.retry_at = state.retry_at.max(self.clock.mono() + pause);
        if state.offline == 1 {
            let (channel, account) = (self.id().channel(), self.id());
            let cause = cause.for_log();
            tracing::warn!(channel, %account, cause, "nothing can be sent; parts wait for the connection");
        }
    }

    /// Records that the platform refuses the token. The first of a series is logged.
    pub(super) fn note_refused(&self, cause: &Cause) {
        self.pause_account(OPERATOR_PAUSE);
        let refused = Some(format!("credentials refused: {cause}"));
        if std::mem::replace(&mut self.state().send_refused, refused).is_none() {
            let (channel, account, cause) = (self.id().channel(), self.id(), cause.for_log());
            tracing::warn!(channel, %account, cause, "the platform refuses the token; parts wait until that changes");
        }
    }

    /// Records that the platform has answered, even if with a refusal.
    pub(super) fn note_online(&self) {
        let mut state = self.state();
        if state.offline > 0 {
            state.offline = 0;
            state.retry_at = Mono::default();
            let (channel, account) = (self.id().channel(), self.id());
            tracing::info!(channel, %account, "parts are sent again");
        }
    }
}
