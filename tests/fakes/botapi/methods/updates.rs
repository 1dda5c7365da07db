//! `getUpdates`, the long poll.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_fakes::{FaultKind, Params, Shared, Way, pause};

use crate::answer::{Answer, Done, Refusal};
use crate::queue::Update;
use crate::world::World;

/// The longest that the server waits, in seconds.
const LONGEST: i64 = 50;
/// Only one conflict in this time is answered at once; every other is held back for as long.
const CONFLICT_MS: i64 = 3000;
/// An offset that comes again within this time is taken for a bot that polls too fast.
const TOO_FAST_MS: i64 = 3000;
/// If it comes again within this time, the bot gets one update alone.
const FAR_TOO_FAST_MS: i64 = 500;

const TERMINATED: &str =
    "terminated by other getUpdates request; make sure that only one bot instance is running";
const WEBHOOK_ACTIVE: &str =
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";

struct Poll {
    bot: i64,
    offset: i64,
    limit: usize,
    timeout: Duration,
    faults: Vec<FaultKind>,
}

/// Answers when there are updates, when the time is up, or when somebody else polls.
pub async fn get(shared: &Arc<Shared<World>>, bot: i64, params: &Params, faults: Vec<FaultKind>) -> Answer {
    match wait(shared, bot, params, faults).await {
        Err(refusal) if refusal.code == 409 => {
            if !shared.change(|world| conflicts_at_once(world, bot)) {
                pause(Duration::from_millis(CONFLICT_MS.unsigned_abs())).await;
            }
            Err(refusal)
        }
        answer => answer,
    }
}

async fn wait(shared: &Arc<Shared<World>>, bot: i64, params: &Params, faults: Vec<FaultKind>) -> Answer {
    let mut poll = shared.change(|world| begin(world, bot, params, faults))?;
    let updates = shared.change(|world| take(world, &mut poll));
    if !updates.is_empty() || poll.timeout.is_zero() {
        return Ok(written(&updates));
    }
    let (number, changed) = shared.change(|world| {
        let known = world.bots.get_mut(&bot).ok_or_else(Refusal::unauthorized)?;
        known.poll += 1;
        // The poll that was waiting sees that it is over.
        known.changed.notify_waiters();
        Ok::<_, Refusal>((known.poll, known.changed.clone()))
    })?;
    let until = pause(poll.timeout);
    tokio::pin!(until);
    loop {
        let notified = changed.notified();
        tokio::pin!(notified);
        notified.as_mut().enable();
        let updates = shared.change(|world| match world.bots.get(&bot) {
            Some(known) if known.poll == number => Ok(take(world, &mut poll)),
            Some(known) if known.webhook.is_some() => {
                Err(Refusal::conflict("terminated by setWebhook request"))
            }
            _ => Err(Refusal::conflict(TERMINATED)),
        })?;
        if !updates.is_empty() {
            return Ok(written(&updates));
        }
        tokio::select! {
            () = notified => {}
            () = &mut until => return Ok(written(&[])),
        }
    }
}

fn begin(world: &mut World, bot: i64, params: &Params, faults: Vec<FaultKind>) -> Result<Poll, Refusal> {
    world.common.journal.polled();
    let (now, paced) = (world.now_ms(), world.paced);
    let known = world.bots.get_mut(&bot).ok_or_else(Refusal::unauthorized)?;
    if known.webhook.is_some() {
        return Err(Refusal::conflict(WEBHOOK_ACTIVE));
    }
    known.allow(params.json("allowed_updates")?);
    let offset = params.int("offset").unwrap_or_default();
    let mut limit = params.int("limit").unwrap_or(100).clamp(1, 100);
    let mut timeout = params.int("timeout").unwrap_or_default().clamp(0, LONGEST);
    let (last_offset, last_at) = std::mem::replace(&mut known.last_poll, (offset, now));
    if paced && offset == last_offset {
        if timeout < 3 && now < last_at + TOO_FAST_MS {
            timeout = 3;
        }
        if now < last_at + FAR_TOO_FAST_MS {
            limit = 1;
        }
    }
    let limit = usize::try_from(limit).unwrap_or(1);
    Ok(Poll { bot, offset, limit, timeout: Duration::from_secs(timeout.unsigned_abs()), faults })
}

/// The updates that there are now.
fn take(world: &mut World, poll: &mut Poll) -> Vec<Update> {
    let now = world.now_ms();
    let Some(bot) = world.bots.get_mut(&poll.bot) else { return Vec::new() };
    let (mut updates, confirmed) = bot.queue.take(poll.offset, poll.limit, now);
    let journal = &mut world.common.journal;
    journal.expired(&poll.bot, &bot.queue.expired());
    journal.confirmed(&poll.bot, &confirmed, now);
    if poll.faults.contains(&FaultKind::Twice) {
        updates = updates.into_iter().flat_map(|update| [update.clone(), update]).collect();
    }
    if poll.faults.contains(&FaultKind::Shuffled) {
        updates.reverse();
    }
    for update in &updates {
        journal.delivered(poll.bot, update.id, now, Way::Poll);
    }
    updates
}

fn written(updates: &[Update]) -> Done {
    let texts: Vec<&str> = updates.iter().map(|update| &*update.json).collect();
    Done { json: format!("[{}]", texts.join(",")), message: None, description: None }
}

fn conflicts_at_once(world: &mut World, bot: i64) -> bool {
    let now = world.now_ms();
    let Some(bot) = world.bots.get_mut(&bot) else { return true };
    let at_once = now >= bot.conflict_at;
    if at_once {
        bot.conflict_at = now + CONFLICT_MS;
    }
    at_once
}
