//! What is looked after from time to time: answers that are too old, rows that may go, numbers to watch.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use frontdesk_core::port::Stop;
use frontdesk_store::row::Keep;

use crate::house::House;

/// How often the numbers are read and stale answers are looked for.
const SHORT: Duration = Duration::from_secs(15);
/// How many short rounds make a long one, in which old rows are purged.
const LONG: u32 = 240;

/// Runs until `stop`.
pub(crate) async fn run(house: Arc<House>, stop: Stop) {
    let mut round: u32 = 0;
    loop {
        // A read that fails says nothing about writes, so this is not for `/health`.
        if let Err(error) = sweep(&house, round.is_multiple_of(LONG)).await {
            tracing::warn!(%error, "a round of looking after things was cut short");
        }
        // An idle house writes nothing by itself, and would stay degraded until somebody writes to it.
        if house.storage.fault().is_some() {
            house.note_storage(house.store.probe().await.as_ref().err());
        }
        round = round.wrapping_add(1);
        tokio::select! {
            () = house.clock.sleep_until(house.clock.mono() + SHORT) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn sweep(house: &House, long: bool) -> Result<(), frontdesk_store::StoreError> {
    // Also when nothing is purged: a jump of the clock is noticed when it happens.
    let (date, believed) = house.date_for_purges();
    expire(house).await?;
    house.limits.sweep(house.clock.mono());
    house.cancels.sweep(house.clock.mono());
    house.access.loops.sweep(house.clock.mono());
    observe(house).await?;
    watch_log(house).await;
    if long {
        let storage = &house.config.storage;
        let keep = Keep {
            outbox_days: storage.outbox_days,
            refused_days: storage.refused_days,
            dead_letter_days: storage.dead_letter_days,
            history_days: storage.history_days,
            audit_days: storage.audit_days,
        };
        crate::media::sweep::run(house, date).await?;
        if believed {
            house.store.date_believed(date).await?;
        }
        let gone = house.store.purge(keep, date).await?;
        if gone > 0 {
            tracing::info!(rows = gone, "old rows were purged");
        }
    }
    Ok(())
}

/// Replaces answers that waited too long by a notice.
pub(crate) async fn expire(house: &House) -> Result<(), frontdesk_store::StoreError> {
    let now = house.clock.wall();
    let hours = i64::try_from(house.config.delivery.ttl_hours).unwrap_or(i64::MAX);
    // A limit beyond the calendar is none.
    let Some(limit) =
        chrono::Duration::try_hours(hours).and_then(|ttl| house.date_for_ages().checked_sub_signed(ttl))
    else {
        return Ok(());
    };
    house.store.expire_parts(limit, now).await.map(drop)
}

/// Says once that the write-ahead log is too large and who keeps it so, and once that it is over.
async fn watch_log(house: &House) {
    let excess = house.log_excess();
    if house.storage.is_large.swap(excess.is_some(), Ordering::Relaxed) == excess.is_some() {
        return;
    }
    let Some(excess) = excess else {
        tracing::info!("the database's write-ahead log is small again");
        return;
    };
    let store = house.store.clone();
    let readers = tokio::task::spawn_blocking(move || store.log_readers()).await.unwrap_or_default();
    let readers = if readers.is_empty() { "not known".to_owned() } else { readers.join(", ") };
    tracing::warn!(readers, "{excess}");
}

/// The gauges that `/metrics` shows.
async fn observe(house: &House) -> Result<(), frontdesk_store::StoreError> {
    let totals = house.store.totals().await?;
    let now = house.clock.wall();
    let age = |since: Option<chrono::DateTime<chrono::Utc>>| {
        since.map_or(0.0, |since| (now - since).num_milliseconds().max(0) as f64 / 1000.0)
    };
    metrics::gauge!("frontdesk_sessions").set(totals.sessions as f64);
    metrics::gauge!("frontdesk_queue_messages").set(totals.waiting as f64);
    metrics::gauge!("frontdesk_oldest_unanswered_seconds").set(age(totals.oldest_waiting));
    metrics::gauge!("frontdesk_turns_running").set(totals.running as f64);
    metrics::gauge!("frontdesk_outbox_parts").set(totals.outbox as f64);
    metrics::gauge!("frontdesk_outbox_dead_parts").set(totals.dead_parts as f64);
    metrics::gauge!("frontdesk_dead_letters").set(totals.dead_letters as f64);
    metrics::gauge!("frontdesk_oldest_part_seconds").set(age(totals.oldest_part));
    for account in house.adapters.list() {
        let labels = [("channel", account.channel), ("account", account.account)];
        metrics::gauge!("frontdesk_account_ready", &labels).set(if account.ready { 1.0 } else { 0.0 });
    }
    Ok(())
}
