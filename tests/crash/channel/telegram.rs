//! Telegram: users of two bots on the fake Bot API, which runs in this process and makes network faults.

mod chats;
mod pairing;
mod queue;
mod tasks;
mod users;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;
use frontdesk_botapi::{BOT, Bot, BotApi, Fault, Group, Outcome, Sent, TOKEN, Target, Way};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use self::chats::*;
use super::background::Chats;
use super::{Channel, KillPoint};
use crate::agent::Kind;
use crate::clock;
use crate::harness::Harness;
use crate::journal::{Action, Event, Expected, Place, event_key};
use crate::observed::{Call, CallKind, Observed};
use crate::random::Random;
use crate::script::{Script, fingerprint, tags};

pub struct Telegram(Arc<Platform>);

/// The fake Bot API with its users and chats.
struct Platform {
    harness: Arc<Harness>,
    api: BotApi,
    http: reqwest::Client,
    bots: [Bot; 2],
    groups: Vec<Group>,
    /// The topics of the forum.
    topics: Vec<i64>,
    /// Updates may be delivered in the wrong order now.
    reorders: AtomicBool,
}

impl Telegram {
    pub async fn new(harness: Arc<Harness>, seed: u64) -> Result<Self> {
        let api = BotApi::start_with(([127, 0, 0, 1], 0).into(), seed).await?;
        let member = |id| api.user(id, &format!("User {id}"));
        let members = [ANNA, BERT, CARL, NORA, STAN, ADMINS[0], ADMINS[1], MALLORY].map(member);
        for id in GUESTS.into_iter().chain([WENDY, PIA, OLGA, QUINN, TARA, JULES, EVA, TILDA]) {
            member(id);
        }
        let groups = vec![
            api.supergroup(OPEN_GROUP, "Open"),
            api.supergroup(CLOSED_GROUP, "Closed"),
            api.forum(FORUM, "Forum"),
            api.supergroup(UNLISTED_GROUP, "Unlisted"),
        ];
        for member in &members {
            for group in &groups {
                member.joins(group).await;
            }
        }
        let mut topics = Vec::new();
        for name in ["Plans", "News"] {
            topics.extend(groups[2].topic(&members[0], name).await.thread);
        }
        // The second bot is made last, so that it is in no group.
        let bots = [api.default_bot(), api.bot(WORK_TOKEN, WORK_BOT, "frontdesk_work_bot")];
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
        let reorders = AtomicBool::default();
        Ok(Self(Arc::new(Platform { harness, api, http, bots, groups, topics, reorders })))
    }

    /// A private chat that nobody but the operators uses.
    pub fn operator_chat() -> Place {
        (*Chat::private(OLGA).place).clone()
    }

    /// The private chats that get the results of what programs hand over.
    pub fn work_chats() -> Chats {
        let [tasks, jobs, events] = [TARA, JULES, EVA].map(|user| Chat::private(user).place);
        Chats { tasks, jobs, events }
    }
}

impl Platform {
    fn bot(&self, id: i64) -> &Bot {
        &self.bots[usize::from(id != BOT)]
    }

    /// The chat as the fake takes it.
    fn target(&self, chat: &Chat) -> Target {
        match self.groups.iter().find(|group| group.id == chat.id) {
            Some(group) => {
                let mut group = group.clone();
                group.thread = chat.thread;
                (&group).into()
            }
            None => chat.id.into(),
        }
    }

    /// Records what a user did. Nothing follows from what no bot was told of.
    fn record(
        &self,
        chat: &Chat,
        user: i64,
        sent: Sent,
        action: Action,
        content: EventContent,
        expected: Expected,
    ) {
        if sent.update_id == 0 {
            return;
        }
        let (id, author) = (sent.update_id.to_string(), principal(chat.bot, user));
        self.harness.journal().sent(Event {
            action,
            message: sent.message_id,
            script: content.script,
            files: content.files,
            expected,
            order: sent.update_id,
            reordered: self.reorders.load(Ordering::Relaxed),
            delivered: Vec::new(),
            ..Event::message(&chat.place, id, author, content.text)
        });
    }

    /// Whether a method was called within the last milliseconds.
    fn called(&self, methods: &[&str], within_ms: i64, since: i64) -> bool {
        let since = since.max(clock::now() - within_ms);
        let journal = self.api.journal();
        let mut recent = journal.calls().iter().rev().take_while(|call| call.at >= since);
        recent.any(|call| methods.contains(&call.method.as_str()))
    }

    /// Whether the last admin's command was delivered and is acknowledged just now or not yet.
    fn command_is_open(&self, since: i64) -> bool {
        let last = {
            let journal = self.harness.journal();
            let mut recent = journal.events.iter().rev().take(100);
            let last = recent.find(|event| event.text.starts_with("/gateway"));
            last.map(|event| event.order)
        };
        let journal = self.api.journal();
        let delivery = last.and_then(|update| journal.delivery_to(BOT, update));
        delivery.is_some_and(|delivery| {
            let delivered = delivery.delivered.last().is_some_and(|(at, _)| *at >= since);
            delivered && delivery.confirmed.is_none_or(|at| at + 4 >= clock::now())
        })
    }

    /// The gateway's requests. An edit does not say its thread, so that of its message is looked up.
    fn calls(&self) -> Vec<Arc<Call>> {
        let mut threads: HashMap<(i64, i64, i64), Option<i64>> = HashMap::new();
        let mut calls = Vec::new();
        for call in self.api.journal().calls() {
            let thread = match call.params.get("message_id").and_then(Value::as_i64) {
                Some(message) => threads.get(&(call.bot, call.chat, message)).copied().flatten(),
                None => call.thread,
            };
            // A message with a button is posted by the test.
            let is_post = call.is_done() && call.is_post() && !call.params.contains_key("reply_markup");
            let texts = texts(call);
            let kind = match call.method.starts_with("editMessage") && call.is_done() {
                _ if is_post => CallKind::Post,
                true => CallKind::Edit,
                false => CallKind::Other,
            };
            let refused = match &call.outcome {
                Outcome::Done => None,
                Outcome::Refused(_, why) => Some(why.clone()),
                Outcome::Unheard => Some("network fault".to_owned()),
            };
            // The messages of an album have numbers that follow each other.
            for (n, text) in (0..).zip(texts) {
                let message = call.message.map(|first| first + n);
                if let Some(message) = message.filter(|_| call.is_post()) {
                    threads.insert((call.bot, call.chat, message), thread);
                }
                calls.push(Arc::new(Call {
                    at: call.at,
                    method: call.method.clone(),
                    kind,
                    address: address(call.bot, call.chat, thread),
                    message: message.map(|message| message.to_string()),
                    tags: tags(&text),
                    text,
                    refused: refused.clone(),
                    lost: call.lost,
                    request: call.number,
                }));
            }
        }
        calls
    }

    /// Fetches the files that the first bot has posted.
    async fn fetch_files(&self, observed: &mut Observed) -> Result<()> {
        let posts: HashMap<(i64, i64), Option<i64>> = self
            .api
            .journal()
            .calls()
            .iter()
            .filter(|call| call.bot == BOT && FILES.contains(&call.method.as_str()) && call.is_post())
            .filter_map(|call| Some((call, call.message?)))
            .flat_map(|(call, first)| {
                (first..).zip(texts(call)).map(|(message, _)| ((call.chat, message), call.thread))
            })
            .collect();
        let mut chats: Vec<i64> = posts.keys().map(|(chat, _)| *chat).collect();
        chats.sort_unstable();
        chats.dedup();
        for chat in chats {
            for shown in self.api.shows(chat) {
                let (Some(file), Some(thread)) =
                    (shown.message["document"]["file_id"].as_str(), posts.get(&(chat, shown.message_id)))
                else {
                    continue;
                };
                let url = self.api.url();
                let asked =
                    self.http.post(format!("{url}/bot{TOKEN}/getFile")).json(&json!({"file_id": file}));
                let answer: Value = asked.send().await?.json().await?;
                let path = answer["result"]["file_path"].as_str().context("a file without a path")?;
                let asked = self.http.get(format!("{url}/file/bot{TOKEN}/{path}"));
                let bytes = asked.send().await?.bytes().await?;
                let id = (address(BOT, chat, *thread), shown.message_id.to_string());
                observed.files.insert(id, fingerprint(&bytes));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Channel for Telegram {
    fn name(&self) -> &'static str {
        "telegram"
    }

    fn config(&self) -> String {
        chats::config(&self.0.api.url())
    }

    async fn start(&self, clients: &mut JoinSet<()>, random: &Random) {
        users::start(&self.0, clients, random).await;
        // A model tells the oracle neither of its turn nor of what it was steered with.
        if self.0.harness.kind == Kind::Program {
            clients.spawn(queue::user(self.0.clone(), random.fork(115)));
            clients.spawn(tasks::users(self.0.clone(), random.fork(116)));
        }
        clients.spawn(pairing::unknown_users(self.0.clone(), random.fork(105)));
    }

    fn set_faults(&self, on: bool, reorder: bool) {
        self.0.reorders.store(on && reorder, Ordering::Relaxed);
        self.0.api.clear_faults();
        if !on {
            return;
        }
        let faults = [
            Fault::too_many(1).permille(8),
            Fault::status(502).permille(5),
            Fault::refuse(500, "Internal Server Error").permille(3),
            Fault::lost().permille(15),
            Fault::hangup().permille(8),
            Fault::slow(40).permille(120),
            Fault::late(30).permille(60),
            Fault::slow(60).on("getFile").permille(300),
            Fault::lost().on("getUpdates").permille(15),
            Fault::hangup().on("getUpdates").permille(5),
            Fault::status(502).on("getUpdates").permille(5),
            Fault::twice().permille(40),
        ];
        for fault in faults.into_iter().chain(reorder.then(|| Fault::shuffled().permille(80))) {
            self.0.api.fault(fault);
        }
    }

    fn kill_points(&self) -> &'static [KillPoint] {
        &[
            KillPoint::Accept,
            KillPoint::Streaming,
            KillPoint::Post,
            KillPoint::File,
            KillPoint::Command,
            KillPoint::Press,
        ]
    }

    fn is_at(&self, point: KillPoint, since: i64) -> bool {
        match point {
            KillPoint::Accept => {
                let polled = |delivered: &[(i64, Way)]| delivered.last().is_some_and(|(at, _)| *at >= since);
                let journal = self.0.api.journal();
                let mut recent = journal.deliveries().iter().rev().take(100);
                recent.any(|delivery| delivery.confirmed.is_none() && polled(&delivery.delivered))
            }
            KillPoint::Streaming => self.0.called(&["editMessageText"], 8, since),
            KillPoint::Post => self.0.called(&["sendMessage"], 3, since) || self.0.called(&FILES, 3, since),
            KillPoint::File => self.0.called(&["getFile"], 4, since),
            KillPoint::Command => self.0.command_is_open(since),
            KillPoint::Press => self.0.called(&["answerCallbackQuery"], 6, since),
            KillPoint::Work | KillPoint::Webhook => false,
        }
    }

    fn unaccepted(&self) -> usize {
        self.0.api.journal().unconfirmed()
    }

    /// The fake knows what its chats show.
    async fn catch_up(&self, _: &Path) -> Result<()> {
        Ok(())
    }

    async fn observe(&self, observed: &mut Observed) -> Result<()> {
        for delivery in self.0.api.journal().deliveries() {
            let key = event_key(&source(delivery.bot), &delivery.update_id.to_string());
            if let Some(event) = observed.journal.event_mut(&key) {
                event.delivered = delivery.delivered.iter().map(|(at, _)| *at).collect();
                event.accepted = delivery.confirmed;
            }
        }
        observed.calls.extend(self.0.calls());
        self.0.fetch_files(observed).await?;
        // The fake shows the private chats of the first bot only.
        observed.unread_files.insert(address(WORK_BOT, WENDY, None));
        observed.admins.extend(ADMINS.map(|admin| principal(BOT, admin)));
        let secret = |token: &str| token.split_once(':').map(|(_, secret)| secret.to_owned());
        observed.secrets.extend([TOKEN, WORK_TOKEN].into_iter().filter_map(secret));
        Ok(())
    }
}

/// The methods with which a bot sends files.
const FILES: [&str; 2] = ["sendDocument", "sendMediaGroup"];

/// The texts of the messages that a request makes: the captions of an album, or its text.
fn texts(call: &frontdesk_botapi::Call) -> Vec<String> {
    if call.method != "sendMediaGroup" {
        return vec![call.text().to_owned()];
    }
    let media = call.params.get("media").and_then(Value::as_str).unwrap_or_default();
    let items: Vec<Value> = serde_json::from_str(media).unwrap_or_default();
    items.iter().map(|item| item["caption"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The text of an event, the script in the text, and the fingerprints of its files.
#[derive(Debug, Clone, Default)]
struct EventContent {
    text: String,
    script: Option<Script>,
    files: Vec<String>,
}

impl EventContent {
    fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    fn script(script: Script) -> Self {
        Self { text: script.text(), script: Some(script), files: Vec::new() }
    }
}
