//! Periodic work: expires old answers, purges old rows and files, and updates gauges.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use frontdesk_core::port::Stop;
use frontdesk_store::row::Retention;

use crate::shared::Shared;
use crate::{health, media};

/// How often gauges are updated and old answers are expired.
const SHORT: Duration = Duration::from_secs(15);
/// Old rows are purged once in this many rounds.
const LONG: u32 = 240;

/// Runs until `stop`.
pub(crate) async fn run(shared: Arc<Shared>, stop: Stop) {
    let mut round: u32 = 0;
    loop {
        // A read that fails says nothing about writes, so this is not for `/health`.
        if let Err(error) = sweep(&shared, round.is_multiple_of(LONG)).await {
            tracing::warn!(%error, "a sweep ended early");
        }
        // An idle gateway writes nothing, and would stay degraded until the next message.
        if shared.health.fault().is_some() {
            shared.health.note(shared.store.probe().await.as_ref().err());
        }
        round = round.wrapping_add(1);
        tokio::select! {
            () = shared.time.sleep(SHORT) => {}
            () = stop.cancelled() => break,
        }
    }
    if let Err(error) = shared.minutes.store(&shared.store, shared.time.wall(), true).await {
        tracing::warn!(%error, "what was measured in the last minute is not stored");
    }
}

async fn sweep(shared: &Shared, long: bool) -> Result<(), frontdesk_store::StoreError> {
    // Read in every round, so that a jump of the clock is noticed when it happens.
    let (date, believed) = shared.time.date_for_purges();
    expire(shared).await?;
    shared.settings().limits.sweep();
    shared.inbound.notices.sweep(shared.time.mono());
    shared.inbound.albums.sweep(shared.time.mono());
    shared.work.running.sweep(shared.time.mono());
    shared.access.bot_loops.sweep(shared.time.mono());
    let token_uses = shared.access.take_token_uses();
    if !token_uses.is_empty() {
        shared.store.tokens_used(token_uses).await?;
    }
    observe(shared).await?;
    watch_log(shared).await;
    if long {
        let storage = &shared.settings().config.storage;
        let keep = Retention {
            outbox_days: storage.outbox_days,
            refused_days: storage.refused_days,
            dead_letter_days: storage.dead_letter_days,
            history_days: storage.history_days,
            audit_days: storage.audit_days,
        };
        media::sweep::delete_uploads(shared.media_files(), date).await?;
        media::sweep::run(shared.media_files(), date).await?;
        if believed {
            shared.store.date_believed(date).await?;
        }
        shared.store.purge_browsers(date).await?;
        shared.store.purge_callbacks(date).await?;
        let gone = shared.store.purge(keep, date).await?;
        if gone > 0 {
            tracing::info!(rows = gone, "old rows were purged");
        }
    }
    Ok(())
}

/// Replaces answers that have waited too long with a notice.
pub(crate) async fn expire(shared: &Shared) -> Result<(), frontdesk_store::StoreError> {
    let now = shared.time.wall();
    let hours = i64::try_from(shared.settings().config.delivery.ttl_hours).unwrap_or(i64::MAX);
    // A limit beyond the calendar is no limit.
    let Some(limit) = chrono::Duration::try_hours(hours)
        .and_then(|ttl| shared.time.date_for_ages().checked_sub_signed(ttl))
    else {
        return Ok(());
    };
    shared.store.expire_parts(limit, now).await.map(drop)
}

/// Logs once that the write-ahead log is too large and which programs keep it open, and once that it is small again.
async fn watch_log(shared: &Shared) {
    let excess = health::log_excess(&shared.store, shared.settings().config.storage.wal_warn_mb);
    if shared.health.log_is_large.swap(excess.is_some(), Ordering::Relaxed) == excess.is_some() {
        return;
    }
    let Some(excess) = excess else {
        tracing::info!("the database's write-ahead log is small again");
        return;
    };
    let store = shared.store.clone();
    let readers = tokio::task::spawn_blocking(move || store.log_readers()).await.unwrap_or_default();
    let readers = if readers.is_empty() { "not known".to_owned() } else { readers.join(", ") };
    tracing::warn!(readers, "{excess}");
}

/// Updates the gauges of `/metrics`.
async fn observe(shared: &Shared) -> Result<(), frontdesk_store::StoreError> {
    let totals = shared.store.totals().await?;
    let now = shared.time.wall();
    let age = |since: Option<chrono::DateTime<chrono::Utc>>| {
        since.map_or(0.0, |since| (now - since).num_milliseconds().max(0) as f64 / 1000.0)
    };
    shared.minutes.observe(now, &totals, &shared.store);
    shared.minutes.store(&shared.store, now, false).await?;
    metrics::gauge!("frontdesk_sessions").set(totals.sessions as f64);
    metrics::gauge!("frontdesk_queue_messages").set(totals.waiting as f64);
    metrics::gauge!("frontdesk_oldest_unanswered_seconds").set(age(totals.oldest_waiting));
    metrics::gauge!("frontdesk_turns_running").set(totals.running as f64);
    metrics::gauge!("frontdesk_outbox_parts").set(totals.outbox as f64);
    metrics::gauge!("frontdesk_outbox_dead_parts").set(totals.dead_parts as f64);
    metrics::gauge!("frontdesk_dead_letters").set(totals.dead_letters as f64);
    metrics::gauge!("frontdesk_oldest_part_seconds").set(age(totals.oldest_part));
    for account in shared.adapters.list() {
        let labels =
            [("channel", account.id.channel().to_owned()), ("account", account.id.name().to_owned())];
        metrics::gauge!("frontdesk_account_ready", &labels).set(if account.ready { 1.0 } else { 0.0 });
    }
    Ok(())
}
