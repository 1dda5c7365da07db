//! Watches the gateway from the inside: looks for faults at intervals, and tells people once of each.
//!
//! The faults are stored, so that a restart does not repeat an alarm. While the database cannot be written to, no alarm can
//! be sent: then the file of the last check is not written either, and `frontdesk doctor --probe` notices its age.

mod checks;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use frontdesk_core::alarm::{Alarm, alarms};
use frontdesk_core::port::Stop;
use frontdesk_store::StoreError;
use frontdesk_store::row::Author;

use crate::error::GatewayError;
use crate::heartbeat;
use crate::jobs;
use crate::sending::{self, NewMessage};
use crate::settings::Settings;
use crate::shared::Shared;

/// Checks until `stop`.
pub(crate) async fn run(shared: Arc<Shared>, stop: Stop) {
    loop {
        tokio::select! {
            () = shared.time.sleep(shared.settings().config.watchdog.check_every()) => {}
            () = stop.cancelled() => return,
        }
        let settings = shared.settings();
        if !settings.config.watchdog.enabled {
            continue;
        }
        if let Err(error) = check(&shared, &settings).await {
            tracing::warn!(%error, "a check of the watchdog ended early");
        }
    }
}

async fn check(shared: &Arc<Shared>, settings: &Settings) -> Result<(), StoreError> {
    if heartbeat::appeared(shared, settings).await? {
        jobs::sync(shared).await?;
    }
    let found = checks::faults(shared, settings).await?;
    let now = shared.time.wall();
    let ids = found.iter().map(|fault| fault.id.clone()).collect();
    let open = shared.store.note_faults(ids, now).await?;
    let file = settings.config.watchdog.file.as_deref();
    shared.last_check.done(file, &shared.process.boot, now, &found).await;
    let remind = settings.config.watchdog.remind_after();
    for alarm in alarms(&open, &found, now, remind) {
        tell(shared, settings, alarm, now).await?;
    }
    Ok(())
}

/// Sends an alarm to every chat that is to be told. One that cannot be reached keeps nobody else from being told.
async fn tell(
    shared: &Shared,
    settings: &Settings,
    alarm: Alarm,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let Alarm { id, text, key, over } = alarm;
    tracing::warn!(fault = id.kind.name(), subject = id.subject, over, "the watchdog tells its chats");
    for to in shared.operator_chats(settings) {
        let message = NewMessage {
            to: &to,
            session: shared.session_of_reader(settings, &to),
            text: &text,
            media: None,
            captions: false,
            key: format!("{key}/{to}"),
            author: Author { name: "watchdog".to_owned(), via: "gateway" },
            urgent: true,
            native: None,
            turn: None,
        };
        match sending::send(shared, message).await {
            Ok(_) => {}
            Err(GatewayError::Store(error)) => return Err(error),
            Err(error) => tracing::warn!(%to, %error, "a chat was not told of a fault"),
        }
    }
    shared.store.fault_told(id, over, now).await
}
