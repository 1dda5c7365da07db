//! Updates posted to a webhook: in parallel, in order within a lane, and again with growing pauses until the bot takes
//! them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use frontdesk_fakes::{Params, Shared, Way};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::bot::Webhook;
use crate::queue::Update;
use crate::requests::carry_out_for;
use crate::world::World;

/// The longest pause between two tries lies between this and twice this, in milliseconds.
const LONGEST_MS: u64 = 60_000;
const HOUR_MS: u64 = 3_600_000;

/// How a post ended.
enum End {
    Taken(Vec<u8>),
    Failed { reason: String, retry_after_ms: u64 },
}

/// A lane whose first update failed pauses.
#[derive(Debug, Clone, Copy)]
struct Pause {
    until: i64,
    /// The length of the next pause.
    next_ms: u64,
    over: bool,
}

/// Begins to post to the webhook that the bot has now, if it has one.
pub fn start(shared: &Arc<Shared<World>>, bot: i64) {
    let known = shared.change(|world| {
        let bot = world.bots.get_mut(&bot)?;
        let (webhook, number) = (bot.webhook.clone()?, bot.webhook_number);
        // The same webhook set again is posted to already.
        (std::mem::replace(&mut bot.delivered_to, number) != number).then_some((webhook, number))
    });
    let Some((webhook, number)) = known else { return };
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build();
    let http = http.unwrap_or_default();
    let delivery = Delivery { shared: shared.clone(), bot, number, webhook, http, pauses: HashMap::new() };
    shared.background(delivery.run());
}

struct Delivery {
    shared: Arc<Shared<World>>,
    bot: i64,
    /// The webhook's number; another webhook has another delivery.
    number: u64,
    webhook: Webhook,
    http: reqwest::Client,
    pauses: HashMap<i64, Pause>,
}

impl Delivery {
    async fn run(mut self) {
        let Some(changed) = self.shared.state().bots.get(&self.bot).map(|bot| bot.changed.clone()) else {
            return;
        };
        let (mut posts, mut busy) = (JoinSet::new(), HashSet::new());
        loop {
            let notified = changed.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            let Some(updates) = self.due(&busy, posts.len()) else { return };
            for update in updates {
                busy.insert(update.lane);
                posts.spawn(post(self.http.clone(), self.webhook.clone(), update));
            }
            let next = self.pauses.values().filter(|pause| !pause.over).map(|pause| pause.until).min();
            let clock = self.shared.clock.clone();
            tokio::select! {
                () = notified => {}
                Some(Ok((update, end))) = posts.join_next(), if !posts.is_empty() => {
                    busy.remove(&update.lane);
                    self.ended(&update, end);
                }
                () = clock.until(next.unwrap_or_default()), if next.is_some() => {}
            }
        }
    }

    /// The updates that can be posted now; none if the bot has another webhook.
    fn due(&mut self, busy: &HashSet<i64>, under_way: usize) -> Option<Vec<Update>> {
        let shared = self.shared.clone();
        shared.change(|world| {
            let now = world.now_ms();
            let bot = world.bots.get_mut(&self.bot).filter(|bot| bot.webhook_number == self.number)?;
            for pause in self.pauses.values_mut() {
                pause.over |= pause.until <= now;
            }
            let pausing = self.pauses.iter().filter(|(_, pause)| !pause.over).map(|(lane, _)| *lane);
            let held: HashSet<i64> = busy.iter().copied().chain(pausing).collect();
            let most = self.webhook.max_connections;
            let updates = bot.queue.heads(&held, most.saturating_sub(under_way), most, now);
            world.common.journal.expired(&self.bot, &bot.queue.expired());
            for update in &updates {
                world.common.journal.delivered(self.bot, update.id, now, Way::Webhook);
            }
            Some(updates)
        })
    }

    fn ended(&mut self, update: &Update, end: End) {
        let (shared, bot) = (self.shared.clone(), self.bot);
        match end {
            End::Taken(body) => {
                self.pauses.remove(&update.lane);
                shared.change(|world| {
                    let now = world.now_ms();
                    if let Some(bot) = world.bots.get_mut(&bot) {
                        bot.queue.confirm(&[update.id]);
                    }
                    world.common.journal.confirmed(&bot, &[update.id], now);
                });
                if let Ok(Value::Object(mut fields)) = serde_json::from_slice::<Value>(&body)
                    && let Some(Value::String(method)) = fields.remove("method")
                {
                    carry_out_for(&shared, bot, &method, &Params::of(fields));
                }
            }
            End::Failed { reason, retry_after_ms } => shared.change(|world| {
                let (now, date) = (world.now_ms(), world.now());
                // Again at once for the first time, then after 2, 4, 8 seconds and so on.
                let longest = LONGEST_MS + world.common.random.below(LONGEST_MS);
                let before = self.pauses.get(&update.lane).map(|pause| (pause.next_ms * 2).min(longest));
                let pause_ms = match retry_after_ms {
                    0 => before.unwrap_or_default(),
                    asked => asked.min(HOUR_MS),
                };
                let until = now + i64::try_from(pause_ms).unwrap_or_default();
                self.pauses
                    .insert(update.lane, Pause { until, next_ms: before.unwrap_or(1000), over: false });
                if let Some(bot) = world.bots.get_mut(&bot) {
                    bot.failure = Some((date, reason));
                }
            }),
        }
    }
}

async fn post(http: reqwest::Client, webhook: Webhook, update: Update) -> (Update, End) {
    let mut request = http.post(&webhook.url).header("content-type", "application/json");
    if let Some(secret) = &webhook.secret {
        request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
    }
    let end = match request.body(update.json.to_string()).send().await {
        Ok(response) if response.status().is_success() => {
            End::Taken(response.bytes().await.map(|bytes| bytes.to_vec()).unwrap_or_default())
        }
        Ok(response) => {
            let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
            let retry_after = header.and_then(|value| value.parse::<u64>().ok()).unwrap_or_default();
            let reason = format!("Wrong response from the webhook: {}", response.status());
            End::Failed { reason, retry_after_ms: retry_after * 1000 }
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
