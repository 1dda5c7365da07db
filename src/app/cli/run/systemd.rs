//! Tells systemd that the gateway is ready, that it stops, and regularly that it lives. Elsewhere nothing is told.

use std::convert::Infallible;
use std::future::pending;

use frontdesk::clock::SystemClock;
use frontdesk_core::port::Clock;
use sd_notify::NotifyState;

/// The gateway accepts messages.
pub fn ready() {
    tell(NotifyState::Ready);
}

/// The gateway stops.
pub fn stopping() {
    tell(NotifyState::Stopping);
}

/// Tells systemd that the gateway lives, twice within the time after which systemd would restart it (`WatchdogSec`). No
/// turn can hold this back, so silence means that the process hangs.
pub async fn alive(clock: &SystemClock) -> Infallible {
    let Some(within) = sd_notify::watchdog_enabled() else { return pending().await };
    loop {
        tell(NotifyState::Watchdog);
        clock.sleep_until(clock.mono() + within / 2).await;
    }
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd could not be told of the gateway's state");
    }
}
