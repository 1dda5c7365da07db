//! When nothing may be sent: the platform wants a pause, refuses our token, or cannot be reached.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::act::{Bucket, SendError};
use frontdesk_core::address::Address;
use frontdesk_core::port::{Clock, Mono};

use super::pace::UnderWay;
use super::{Connection, OPERATOR_PAUSE};

/// How long nothing is sent when there is no connection; more each time.
const OFFLINE_PAUSE: Duration = Duration::from_secs(1);
/// But never longer than this.
const LONGEST_OFFLINE_PAUSE: Duration = Duration::from_secs(30);

impl Connection {
    /// Begins to send to this address, or says when that may be tried.
    pub(crate) fn begin(&self, clock: &Arc<dyn Clock>, to: &Address) -> Result<UnderWay<'_>, Mono> {
        let now = clock.mono();
        {
            let mut state = self.state();
            if state.hold > now {
                return Err(state.hold);
            }
            if state.offline > 0 {
                if state.probe > now {
                    return Err(state.probe);
                }
                // One goes and looks whether the platform is back; the others wait for what it finds.
                state.probe = now + OFFLINE_PAUSE;
            }
        }
        self.pace.begin(to, now)
    }

    /// How long nothing that may be left out is to be sent to this address: the platform wants nothing now, or cannot
    /// be reached. To be asked with the chat's lock held, for what is said while one waits for it must count.
    pub(crate) fn held_for(&self, clock: &Arc<dyn Clock>, to: &Address) -> Option<Duration> {
        let now = clock.mono();
        let account = {
            let state = self.state();
            state.hold.max(if state.offline > 0 { state.probe } else { Mono::default() })
        };
        let until = self.pace.held_until(to, now).max(Some(account).filter(|until| *until > now))?;
        Some(until.since(now))
    }

    /// What a send is answered with while the platform wants nothing.
    pub(super) fn held(&self, to: &Address, now: Mono) -> Option<SendError> {
        let account = Some(self.state().hold).filter(|until| *until > now);
        let (until, scope) = match (account, self.pace.held_until(to, now)) {
            (Some(until), _) => (until, Bucket::Account),
            (None, until) => (until?, Bucket::Chat),
        };
        let detail = "the platform asked for a pause".to_owned();
        Some(SendError::Later { after: Some(until.since(now)), scope, detail })
    }

    /// Something was sent to a chat of several people.
    pub(crate) fn sent_to_group(&self, clock: &Arc<dyn Clock>, to: &Address) {
        self.pace.sent_to_group(to, clock.mono());
    }

    /// Nothing is sent for `pause`.
    pub(super) fn hold(&self, clock: &Arc<dyn Clock>, pause: Duration) {
        let until = clock.mono() + pause;
        let mut state = self.state();
        state.hold = state.hold.max(until);
    }

    /// There is no connection: longer and longer pauses, and one line in the log.
    pub(super) fn offline(&self, clock: &Arc<dyn Clock>) {
        let mut state = self.state();
        state.offline += 1;
        let pause = OFFLINE_PAUSE.saturating_mul(state.offline).min(LONGEST_OFFLINE_PAUSE);
        state.probe = state.probe.max(clock.mono() + pause);
        if state.offline == 1 {
            let (channel, account) = (self.adapter.profile().channel, self.adapter.account());
            tracing::warn!(channel, %account, "nothing can be sent; parts wait for the connection");
        }
    }

    /// The platform refuses our token.
    pub(super) fn shut_out(&self, clock: &Arc<dyn Clock>, detail: &str) {
        self.hold(clock, OPERATOR_PAUSE);
        self.state().shut_out = Some(format!("credentials refused: {detail}"));
    }

    /// The platform has said something, be it no.
    pub(super) fn online(&self) {
        let mut state = self.state();
        if state.offline > 0 {
            state.offline = 0;
            state.probe = Mono::default();
            let (channel, account) = (self.adapter.profile().channel, self.adapter.account());
            tracing::info!(channel, %account, "parts are sent again");
        }
    }
}
