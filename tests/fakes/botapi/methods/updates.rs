//! `getUpdates`, the long poll.

use std::sync::Arc;
use std::time::Duration;

use crate::answer::{Answer, Done, Refusal};
use crate::clock::real_pause;
use crate::fault::Kind;
use crate::journal::Way;
use crate::params::Params;
use crate::queue::Update;
use crate::server::Shared;
use crate::world::World;

/// The longest that the server waits, in seconds.
const LONGEST: i64 = 50;
/// Conflicts are told at once only every so often; the next one is held back for as long.
const CONFLICT_MS: i64 = 3000;
/// An offset that comes again within this is taken for a bot in a hurry.
const HURRY_MS: i64 = 3000;
const IN_A_RUSH_MS: i64 = 500;

pub(crate) const TERMINATED: &str =
    "terminated by other getUpdates request; make sure that only one bot instance is running";
pub(crate) const WEBHOOK_ACTIVE: &str =
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";

struct Poll {
    bot: i64,
    offset: i64,
    limit: usize,
    timeout: Duration,
    faults: Vec<Kind>,
}

/// Answers when there are updates, when the time is up or when somebody else asks.
pub(crate) async fn get(shared: &Arc<Shared>, bot: i64, params: &Params, faults: Vec<Kind>) -> Answer {
    let mut poll = match shared.change(|world| begin(world, bot, params, faults)) {
        Ok(poll) => poll,
        Err(refusal) if refusal.code == 409 => return conflict(shared, bot, refusal).await,
        Err(refusal) => return Err(refusal),
    };
    let updates = shared.change(|world| take(world, &mut poll));
    if !updates.is_empty() || poll.timeout.is_zero() {
        return Ok(written(&updates));
    }
    let (turn, bell) = shared.change(|world| {
        let known = world.bots.get_mut(&bot).map(|bot| {
            bot.poll += 1;
            // Whoever was waiting sees that the turn is over.
            bot.bell.notify_waiters();
            (bot.poll, bot.bell.clone())
        });
        known.unwrap_or_default()
    });
    let until = real_pause(poll.timeout);
    tokio::pin!(until);
    loop {
        let rung = bell.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        let looked = shared.change(|world| {
            let known = world.bots.get(&bot);
            if known.is_none_or(|bot| bot.poll != turn) {
                let set = known.is_some_and(|bot| bot.webhook.is_some());
                return Err(Refusal::conflict(if set {
                    "terminated by setWebhook request"
                } else {
                    TERMINATED
                }));
            }
            Ok(take(world, &mut poll))
        });
        match looked {
            Err(refusal) => return conflict(shared, bot, refusal).await,
            Ok(updates) if !updates.is_empty() => return Ok(written(&updates)),
            Ok(_) => {}
        }
        tokio::select! {
            () = rung => {}
            () = &mut until => return Ok(written(&[])),
        }
    }
}

fn begin(world: &mut World, bot: i64, params: &Params, faults: Vec<Kind>) -> Result<Poll, Refusal> {
    world.journal.asked();
    let (now, paced) = (world.now_ms(), world.paced);
    let known = world.bots.get_mut(&bot).ok_or_else(|| Refusal::new(401, "Unauthorized"))?;
    if known.webhook.is_some() {
        return Err(Refusal::conflict(WEBHOOK_ACTIVE));
    }
    known.allow(params.json("allowed_updates")?);
    let offset = params.int("offset").unwrap_or_default();
    let mut limit = params.int("limit").unwrap_or(100).clamp(1, 100);
    let mut timeout = params.int("timeout").unwrap_or_default().clamp(0, LONGEST);
    let (last_offset, last_at) = std::mem::replace(&mut known.last_poll, (offset, now));
    if paced && offset == last_offset {
        if timeout < 3 && now < last_at + HURRY_MS {
            timeout = 3;
        }
        if now < last_at + IN_A_RUSH_MS {
            limit = 1;
        }
    }
    let limit = usize::try_from(limit).unwrap_or(1);
    let timeout = Duration::from_secs(timeout.unsigned_abs());
    Ok(Poll { bot, offset, limit, timeout, faults })
}

/// What there is now. An offset confirms once; while it waits the poll confirms nothing more.
fn take(world: &mut World, poll: &mut Poll) -> Vec<Update> {
    let now = world.now_ms();
    let Some(bot) = world.bots.get_mut(&poll.bot) else { return Vec::new() };
    let (mut updates, confirmed) = bot.queue.take(poll.offset, poll.limit, now);
    world.journal.expired(poll.bot, &bot.queue.expired());
    for id in confirmed {
        world.journal.confirmed(poll.bot, id, now);
    }
    for fault in &poll.faults {
        match fault {
            Kind::Twice => {
                updates = updates.iter().flat_map(|update| [update.clone(), update.clone()]).collect()
            }
            Kind::Shuffled => updates.reverse(),
            _ => {}
        }
    }
    for update in &updates {
        world.journal.delivered(poll.bot, update.id, now, Way::Poll);
    }
    updates
}

fn written(updates: &[Update]) -> Done {
    let texts: Vec<&str> = updates.iter().map(|update| &*update.json).collect();
    Done { json: format!("[{}]", texts.join(",")), message: None, remark: None }
}

/// The server holds back all but the first of several conflicts.
async fn conflict(shared: &Arc<Shared>, bot: i64, refusal: Refusal) -> Answer {
    let at_once = shared.change(|world| {
        let now = world.now_ms();
        let Some(bot) = world.bots.get_mut(&bot) else { return true };
        let at_once = now >= bot.conflict_at;
        if at_once {
            bot.conflict_at = now + CONFLICT_MS;
        }
        at_once
    });
    if !at_once {
        real_pause(Duration::from_millis(CONFLICT_MS.unsigned_abs())).await;
    }
    Err(refusal)
}
