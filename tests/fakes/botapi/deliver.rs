//! Updates posted to a webhook: in parallel, in order within a lane, again with growing pauses until they are taken.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;

use crate::bot::{Failure, Webhook};
use crate::journal::Way;
use crate::params::Params;
use crate::queue::Update;
use crate::serve::carry_out_for;
use crate::server::Shared;

/// The longest pause between two tries lies between this and twice this, in milliseconds.
const LONGEST_MS: u64 = 60_000;
const HOUR_MS: u64 = 3_600_000;

/// How a post ended.
enum End {
    Taken(Vec<u8>),
    Failed { reason: String, retry_after_ms: u64 },
}

/// A lane whose first update failed.
#[derive(Debug, Clone, Copy)]
struct Rest {
    until: i64,
    pause_ms: u64,
    over: bool,
}

/// Begins to post to the webhook that the bot has now, if it has one.
pub(crate) fn start(shared: &Arc<Shared>, bot: i64) {
    let known = shared.change(|world| {
        let bot = world.bots.get_mut(&bot)?;
        let (webhook, set) = (bot.webhook.clone()?, bot.webhook_set);
        // The same webhook set again is posted to already.
        (std::mem::replace(&mut bot.delivered_to, set) != set).then_some((webhook, set))
    });
    if let Some((webhook, set)) = known {
        let delivery = Delivery { shared: shared.clone(), bot, set, webhook, rests: HashMap::new() };
        shared.errand(delivery.run());
    }
}

struct Delivery {
    shared: Arc<Shared>,
    bot: i64,
    /// The webhook's number; another one has another delivery.
    set: u64,
    webhook: Webhook,
    rests: HashMap<i64, Rest>,
}

impl Delivery {
    async fn run(mut self) {
        let Some(bell) = self.shared.world().bots.get(&self.bot).map(|bot| bot.bell.clone()) else { return };
        let (mut posts, mut busy) = (JoinSet::new(), HashSet::new());
        loop {
            let rung = bell.notified();
            tokio::pin!(rung);
            rung.as_mut().enable();
            let Some(updates) = self.due(&busy, posts.len()) else { return };
            for update in updates {
                busy.insert(update.lane);
                posts.spawn(post(self.shared.clone(), self.webhook.clone(), update));
            }
            let next = self.rests.values().filter(|rest| !rest.over).map(|rest| rest.until).min();
            let clock = self.shared.clock.clone();
            tokio::select! {
                () = rung => {}
                Some(Ok((update, end))) = posts.join_next(), if !posts.is_empty() => {
                    busy.remove(&update.lane);
                    self.ended(&update, end);
                }
                () = clock.until(next.unwrap_or_default()), if next.is_some() => {}
            }
        }
    }

    /// What can be posted now; none when the webhook is another one.
    fn due(&mut self, busy: &HashSet<i64>, under_way: usize) -> Option<Vec<Update>> {
        let shared = self.shared.clone();
        shared.change(|world| {
            let now = world.now_ms();
            let bot = world.bots.get_mut(&self.bot).filter(|bot| bot.webhook_set == self.set)?;
            for rest in self.rests.values_mut() {
                rest.over |= rest.until <= now;
            }
            let resting = self.rests.iter().filter(|(_, rest)| !rest.over).map(|(lane, _)| *lane);
            let held: HashSet<i64> = busy.iter().copied().chain(resting).collect();
            let most = self.webhook.max_connections;
            let updates = bot.queue.heads(&held, most.saturating_sub(under_way), most, now);
            world.journal.expired(self.bot, &bot.queue.expired());
            for update in &updates {
                world.journal.delivered(self.bot, update.id, now, Way::Webhook);
            }
            Some(updates)
        })
    }

    fn ended(&mut self, update: &Update, end: End) {
        let (shared, bot) = (self.shared.clone(), self.bot);
        match end {
            End::Taken(body) => {
                self.rests.remove(&update.lane);
                shared.change(|world| {
                    let now = world.now_ms();
                    if let Some(bot) = world.bots.get_mut(&bot) {
                        bot.queue.forget(update.id);
                    }
                    world.journal.confirmed(bot, update.id, now);
                });
                if let Ok(Value::Object(mut fields)) = serde_json::from_slice::<Value>(&body)
                    && let Some(Value::String(method)) = fields.remove("method")
                {
                    carry_out_for(&shared, bot, &method, Params::of(fields));
                }
            }
            End::Failed { reason, retry_after_ms } => shared.change(|world| {
                let (now, date) = (world.now_ms(), world.now());
                let before = self.rests.get(&update.lane).copied();
                // At once for the first time, then after 2, 4, 8 seconds and so on.
                let longest = LONGEST_MS + world.dice.below(LONGEST_MS);
                let grown = before.map_or(1000, |rest| (rest.pause_ms * 2).min(longest));
                let pause_ms = match (retry_after_ms, before) {
                    (0, None) => 0,
                    (0, Some(_)) => grown,
                    (asked, _) => asked.min(HOUR_MS),
                };
                let until = now + i64::try_from(pause_ms).unwrap_or_default();
                self.rests.insert(update.lane, Rest { until, pause_ms: grown, over: false });
                if let Some(bot) = world.bots.get_mut(&bot) {
                    bot.failure = Some(Failure { date, message: reason });
                }
            }),
        }
    }
}

async fn post(shared: Arc<Shared>, webhook: Webhook, update: Update) -> (Update, End) {
    let request = shared.http.post(&webhook.url).header("content-type", "application/json");
    let request = match &webhook.secret {
        Some(secret) => request.header("X-Telegram-Bot-Api-Secret-Token", secret),
        None => request,
    };
    let end = match request.body(update.json.to_string()).send().await {
        Ok(response) if response.status().is_success() => {
            End::Taken(response.bytes().await.map(|bytes| bytes.to_vec()).unwrap_or_default())
        }
        Ok(response) => {
            let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
            let retry_after_ms =
                header.and_then(|value| value.parse::<u64>().ok()).unwrap_or_default() * 1000;
            let status = response.status();
            let words = status.canonical_reason().unwrap_or_default();
            let reason = format!("Wrong response from the webhook: {} {words}", status.as_u16());
            End::Failed { reason, retry_after_ms }
        }
        Err(error) => {
            let reason = match () {
                () if error.is_timeout() => "Read timeout expired",
                () if error.is_connect() => "Connection refused",
                () => "Webhook connection closed",
            };
            End::Failed { reason: reason.to_owned(), retry_after_ms: 0 }
        }
    };
    (update, end)
}
