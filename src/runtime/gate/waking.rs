//! Wakes what carries a stored event out.

use std::time::Duration;

use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_store::row::{Admitted, Disposition};

use super::ALBUM;
use crate::shared::Shared;

/// Wakes the lane or the command runner of a stored message.
pub(super) fn wake_for(
    shared: &Shared,
    message: &Admitted,
    session: &SessionKey,
    (id, mode): (MessageId, QueueMode),
) {
    if matches!(message.disposition, Disposition::Command | Disposition::NotServed) {
        if shared.work.commands.send(id).is_err() {
            tracing::warn!(message_id = %id, "a command was accepted while stopping; it runs at the next start");
        }
    } else if message.event.album.is_some() {
        shared.work.turns.wake_after(session, ALBUM);
    } else {
        wake(shared, session, mode);
    }
}

/// Wakes a session that has a message for its agent.
pub(crate) fn wake(shared: &Shared, session: &SessionKey, mode: QueueMode) {
    let quiet = match mode {
        QueueMode::Collect => shared.settings().config.queue.debounce_ms,
        QueueMode::Followup | QueueMode::Steer | QueueMode::Interrupt => 0,
    };
    shared.work.turns.wake_after(session, Duration::from_millis(quiet));
}
