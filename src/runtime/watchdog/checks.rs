//! The checks of the watchdog.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::alarm::{Fault, FaultId, FaultKind};
use frontdesk_core::count::counted;
use frontdesk_core::span::length;
use frontdesk_store::StoreError;
use frontdesk_store::row::{Backlog, LateParts, StuckTurn};

use crate::adapters::Account;
use crate::heartbeat;
use crate::settings::Settings;
use crate::shared::Shared;

/// How much longer than its limit a turn may take until it counts as stuck: its end stops programs and stores files.
const TURN_GRACE: TimeDelta = TimeDelta::minutes(5);
/// How many parts must fail within an hour: a single one may be the fault of its chat.
const FAILED_PARTS: u64 = 3;
const MB: u64 = 1 << 20;

/// What is wrong now. A fault that people know of lasts until what it is about is well, also over a restart, at which
/// accounts begin anew.
pub(super) async fn faults(shared: &Shared, settings: &Settings) -> Result<Vec<Fault>, StoreError> {
    let known = shared.store.faults().await?;
    let (config, now) = (&settings.config, shared.time.wall());
    let limit = TimeDelta::from_std(config.turns.hard_limit()).unwrap_or(TimeDelta::MAX / 2) + TURN_GRACE;
    let backlog = shared.store.backlog(now, config.watchdog.delivered_within(), limit).await?;
    let mut found = deaf(shared, settings, &known, now);
    found.extend(late(shared, &backlog, &known, now));
    found.extend(failed(&backlog));
    found.extend(waiting(settings, &backlog, now));
    found.extend(backlog.stuck.iter().map(|turn| stuck(turn, now)));
    found.extend(disk(shared.last_check.folder(), config.watchdog.disk_mb));
    let is_missed = known.iter().any(|fault| fault.kind == FaultKind::Heartbeat);
    found.extend(heartbeat::missed(shared, settings, is_missed, now).await?);
    found.extend(commit(shared, config.watchdog.commit_ms).await?);
    Ok(found)
}

/// Accounts without contact to their platform. One that an admin has stopped is no fault.
fn deaf(shared: &Shared, settings: &Settings, known: &[FaultId], now: DateTime<Utc>) -> Vec<Fault> {
    let after = settings.config.watchdog.deaf_after();
    let is_long =
        |account: &Account| now - account.since >= after || is_known(known, FaultKind::Channel, &account.id);
    let is_deaf = |account: &Account| !account.ready && account.stopped.is_none() && is_long(account);
    let fault = |account: Account| {
        let since = length(now - account.since);
        let step = match account.refused {
            true => "Its token is refused: put the right one into the configuration.",
            false => "`frontdesk status` shows its last error.",
        };
        let text = format!("`{}` has not heard from its platform for {since}. {step}", account.id);
        Fault::of(FaultKind::Channel, account.id.to_string(), text)
    };
    shared.adapters.list().into_iter().filter(is_deaf).map(fault).collect()
}

/// Accounts over which messages are not delivered in time. One without contact to its platform has a fault of its own.
fn late(shared: &Shared, backlog: &Backlog, known: &[FaultId], now: DateTime<Utc>) -> Vec<Fault> {
    let accounts = shared.adapters.list();
    let is_told = |late: &&LateParts| {
        let of_it = accounts.iter().find(|account| account.id == late.account);
        of_it.is_some_and(|account| account.ready && account.stopped.is_none())
            || is_known(known, FaultKind::Delivery, &late.account)
    };
    let fault = |late: &LateParts| {
        let LateParts { account, oldest, parts } = late;
        let (messages, since) = (counted(*parts, "message"), length(now - *oldest));
        let text = format!(
            "{messages} not delivered over `{account}`; the oldest has waited for {since}. See `frontdesk outbox`."
        );
        Fault::of(FaultKind::Delivery, account.to_string(), text)
    };
    backlog.late_parts.iter().filter(is_told).map(fault).collect()
}

fn is_known(known: &[FaultId], kind: FaultKind, account: &AccountId) -> bool {
    known.contains(&FaultId { kind, subject: account.to_string() })
}

fn failed(backlog: &Backlog) -> Option<Fault> {
    let parts = backlog.failed_parts;
    (parts >= FAILED_PARTS).then(|| {
        let text = format!(
            "{parts} messages could not be delivered within the last hour. See `frontdesk outbox --state dead`."
        );
        Fault::new(FaultKind::Delivery, text)
    })
}

fn waiting(settings: &Settings, backlog: &Backlog, now: DateTime<Utc>) -> Option<Fault> {
    let since = now - backlog.oldest_message?;
    (since >= settings.config.watchdog.waiting_after()).then(|| {
        let text = format!(
            "A message has waited for its answer for {}. `frontdesk status` shows how many wait and which agents work.",
            length(since)
        );
        Fault::new(FaultKind::Queue, text)
    })
}

fn stuck(stuck: &StuckTurn, now: DateTime<Utc>) -> Fault {
    let StuckTurn { turn, session, since } = stuck;
    let text = format!(
        "The answer {turn} in `{session}` has been running for {}, longer than it may. To stop it: `/stop` in that chat.",
        length(now - *since)
    );
    Fault::of(FaultKind::Turn, session.to_string(), text)
}

/// Whether the disk of a folder is almost full. If its space cannot be read, nothing is known to be wrong.
fn disk(folder: &Path, least_mb: u64) -> Option<Fault> {
    let space = rustix::fs::statvfs(folder).ok()?;
    let free = space.f_bavail.saturating_mul(space.f_frsize) / MB;
    (free < least_mb).then(|| {
        let text = format!(
            "The disk of the home folder has {free} MB left. When it is full, no message can be accepted: make space."
        );
        Fault::new(FaultKind::Disk, text)
    })
}

/// Whether a commit takes too long.
async fn commit(shared: &Shared, most_ms: u64) -> Result<Option<Fault>, StoreError> {
    let begun = shared.time.mono();
    shared.store.probe().await?;
    let took = shared.time.mono().since(begun).as_millis();
    let is_slow = most_ms > 0 && took > u128::from(most_ms);
    Ok(is_slow.then(|| {
        let text = format!(
            "A commit to the database took {took} ms. Answers are slow while the disk is slow: see which other program uses it."
        );
        Fault::new(FaultKind::Storage, text)
    }))
}
