//! Keeps one account connected.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::port::{Adapter, AdapterError, Stop};
use frontdesk_core::retry::Backoff;
use futures_util::FutureExt;

use super::connection::{Connection, Wiring};
use super::{InboxOf, OPERATOR_PAUSE};

/// Only a connection with traffic that has lasted so long ends a series of failures. One that is accepted and dropped does
/// not, even if it began well: Discord allows a thousand sessions a day.
const STABLE: Duration = Duration::from_secs(60);

impl Connection {
    /// Keeps the account connected until `stop`, except while an admin has disconnected it or the configuration does not
    /// have it. The old adapter has returned before a new one begins.
    pub(super) async fn supervise(&self, inbox: InboxOf, stop: Stop) {
        let (mut switch, mut wiring) = (self.switch(), self.wiring());
        while !stop.is_cancelled() {
            let by = switch.borrow_and_update().clone();
            let Wiring { adapter, configured } = wiring.borrow_and_update().clone();
            let until = (configured && by.is_none()).then(|| stop.child_token());
            let connected = async {
                match &until {
                    Some(until) => self.stay_connected(&adapter, &inbox, until).await,
                    None => stop.cancelled().await,
                }
            };
            tokio::pin!(connected);
            let replaced = tokio::select! {
                () = &mut connected => continue,
                // The sender belongs to [`Access`], which lives as long as the accounts, so the channel does not close.
                _ = switch.changed() => false,
                // The sender belongs to this connection.
                _ = wiring.changed() => true,
            };
            if let Some(until) = &until {
                until.cancel();
            }
            self.note_change(replaced);
            if until.is_some() {
                connected.await;
            }
            if replaced {
                self.unheard();
            }
        }
    }

    fn note_change(&self, replaced: bool) {
        let (channel, account) = (self.id().channel(), self.id());
        if replaced {
            let connects = self.is_configured();
            tracing::info!(channel, %account, connects, "a reload has changed an account");
        } else {
            let connects = self.switch().borrow().is_none();
            tracing::info!(channel, %account, connects, "an admin has connected or disconnected an account");
        }
    }

    /// Connects, and reconnects, until `stop`.
    async fn stay_connected(&self, adapter: &Arc<dyn Adapter>, inbox: &InboxOf, stop: &Stop) {
        let clock = &self.clock;
        let (channel, account) = (self.id().channel(), self.id());
        let backoff = Backoff::default();
        let mut failures = 0;
        while !stop.is_cancelled() {
            let begun = clock.mono();
            {
                let mut state = self.state();
                (state.connected, state.is_paused) = (Some((begun, clock.wall())), false);
            }
            let run = AssertUnwindSafe(adapter.run(inbox(adapter), stop.clone())).catch_unwind();
            let error = match run.await {
                Ok(Ok(())) if stop.is_cancelled() => return self.state().connected = None,
                Ok(Ok(())) => AdapterError::Lost("the adapter returned".into()),
                Ok(Err(error)) => error,
                Err(_) => AdapterError::Lost("the adapter panicked".into()),
            };
            let lasted = clock.mono().since(begun) >= STABLE;
            let traffic = {
                let mut state = self.state();
                state.connected = None;
                state.error = Some(error.to_string());
                state.refused = matches!(error, AdapterError::Credentials(_));
                state.heard.is_some_and(|(heard, _)| heard > begun)
            };
            failures = if traffic && lasted { 1 } else { failures + 1 };
            let pause = backoff.delay(failures, crate::random::fraction());
            let pause = match error {
                AdapterError::Lost(_) => pause,
                AdapterError::Later { after, .. } => pause.max(after),
                AdapterError::Credentials(_) | AdapterError::Setup(_) => OPERATOR_PAUSE,
            };
            let patience = adapter.profile().max_silence;
            self.state().is_paused = patience.is_some_and(|patience| pause > patience);
            tracing::warn!(channel, %account, %error, pause_ms = pause.as_millis(), "connection ended");
            tokio::select! {
                () = clock.sleep_until(clock.mono() + pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}
