//! Discord: sessions that are resumed or lost, and a gateway that repeats nothing by itself.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::DateTime;
use frontdesk_fakediscord::{BOT, Call as Request, Discord as Server, Fault, Id, Outcome, TOKEN};
use serde_json::{Value, json};

use super::{Act, Acted, Chat, Purpose, Question, Team, Trace};
use crate::channel::KillPoint;
use crate::clock;
use crate::database;
use crate::journal::{Action, Command, Event, Place};
use crate::observed::{Call, CallKind, Observed};
use crate::random::Random;
use crate::script::{fingerprint, tags};

const SOURCE: &str = "discord:1000000000000000001";
const GUILD: u64 = 9_000;
/// Everybody may write there.
const OPEN: u64 = 5_000;
/// Only two people may write there.
const CLOSED: u64 = 5_001;
/// A channel that the configuration does not list.
const UNLISTED: u64 = 5_002;
/// Added to the numbers of requests, so that those of two platforms are never the same.
const REQUESTS: usize = 1 << 40;
/// How long a command waits at most until what was missed is read.
const HELD_MS: i64 = 5_000;
/// The gateway reads a minute before the last message again; this is a little less.
const READ_AGAIN_MS: i64 = 55_000;
/// The users: the first three have private chats, and the third sends `/new`.
const USERS: [u64; 4] = [31, 32, 33, 34];

pub struct Discord {
    server: Server,
    chats: Vec<Chat>,
    http: reqwest::Client,
    /// Fingerprints of files by channel and message.
    files: Mutex<HashMap<(Id, Id), String>>,
    /// When a connection was ended, each time.
    ended: Mutex<Vec<i64>>,
}

impl Discord {
    pub async fn new(seed: u64) -> Result<Self> {
        let server = Server::start_with(([127, 0, 0, 1], 0).into(), seed).await?;
        let users = USERS.map(|id| server.user(id, &format!("User {id}")));
        let guild = server.guild(GUILD, "Garden", &users[0]);
        for user in USERS {
            server.act("member", json!({"guild": GUILD, "user": user}));
        }
        for (id, name) in [(OPEN, "open"), (CLOSED, "closed"), (UNLISTED, "unlisted")] {
            server.channel(guild, id, 0, name);
        }
        let channel = |did: &Value| did["channel_id"].as_str().map(str::to_owned).context("no channel");
        let thread = json!({"channel": Id(OPEN), "user": USERS[0], "name": "Plans"});
        let thread = channel(&server.act("thread", thread))?;
        let mut chats = Vec::new();
        for user in &USERS[..3] {
            let private = channel(&server.act("dm", json!({"user": user})))?;
            let purpose = if *user == USERS[2] { Purpose::Renewed } else { Purpose::Private };
            let place = place(&format!("dc{user}"), &private, &format!("dm:{user}"));
            chats.push(chat(place, purpose, &private, &[*user], &[*user]));
        }
        for (name, id, purpose) in [
            ("dcopen", OPEN, Purpose::Open),
            ("dcclosed", CLOSED, Purpose::Closed),
            ("dcunlisted", UNLISTED, Purpose::Unlisted),
        ] {
            let place = place(name, &id.to_string(), &format!("channel:{id}"));
            let allowed = if purpose == Purpose::Closed { &USERS[..2] } else { &USERS };
            chats.push(chat(place, purpose, &id.to_string(), &USERS, allowed));
        }
        let in_thread =
            place("dcthread", &format!("{OPEN}:topic:{thread}"), &format!("thread:{OPEN}:{thread}"));
        chats.push(chat(in_thread, Purpose::Open, &thread, &USERS, &USERS));
        let http = reqwest::Client::builder().no_proxy().user_agent("DiscordBot (crash, 1)");
        let http = http.timeout(Duration::from_secs(10)).build()?;
        Ok(Self { server, chats, http, files: Mutex::default(), ended: Mutex::default() })
    }

    /// When each session began.
    fn begun(&self) -> Vec<i64> {
        let begun = self.server.look("sessions", json!({}))["begun"].take();
        begun.as_array().into_iter().flatten().filter_map(Value::as_i64).collect()
    }

    /// When the session ended in which an event was delivered, if it was not the last one.
    fn lost_after(&self, created: i64) -> Option<i64> {
        self.begun().into_iter().find(|begun| *begun > created)
    }

    /// Whether a method was called within the last milliseconds.
    fn called(&self, methods: &[&str], within_ms: i64, since: i64) -> bool {
        let since = since.max(clock::now() - within_ms);
        let journal = self.server.journal();
        let mut recent = journal.calls().iter().rev().take_while(|call| call.at >= since);
        recent.any(|call| methods.contains(&call.method.as_str()))
    }

    fn address(&self, channel: Id) -> String {
        let channel = channel.to_string();
        let known = self.chats.iter().find(|chat| chat.channel == channel);
        known.map_or_else(|| format!("discord:{channel}"), |chat| chat.place.address.clone())
    }

    fn call(&self, call: &Request) -> Call {
        // What a person is told who pressed a button or gave a command is in no chat.
        let is_post = call.is_done() && call.is_post() && call.method != "create_interaction_response";
        let changes = ["update_message", "update_original_webhook_message"].contains(&call.method.as_str());
        let kind = match call.is_done() && changes && call.message.is_some() {
            _ if is_post => CallKind::Post,
            true => CallKind::Edit,
            false => CallKind::Other,
        };
        let refused = match &call.outcome {
            Outcome::Done => None,
            Outcome::Refused(_, why) => Some(why.clone()),
            Outcome::Unheard => Some("network fault".to_owned()),
        };
        Call {
            at: call.at,
            method: call.method.clone(),
            kind,
            address: self.address(call.chat),
            message: call.message.map(|message| message.to_string()),
            text: call.text().to_owned(),
            tags: tags(call.text()),
            refused,
            lost: call.lost,
            request: REQUESTS + call.number,
        }
    }

    /// The fingerprint of the file in a message of the bot.
    async fn file(&self, channel: Id, message: Id) -> Result<String> {
        let url = format!("{}/api/v10/channels/{channel}/messages/{message}", self.server.url());
        let asked = self.http.get(url).header("authorization", format!("Bot {TOKEN}"));
        let shown: Value = asked.send().await?.json().await?;
        let url = shown["attachments"][0]["url"].as_str().context("a message without a file")?;
        Ok(fingerprint(&self.http.get(url).send().await?.bytes().await?))
    }

    /// The stored position in the stream of events.
    fn position(database: &Path) -> Option<Value> {
        serde_json::from_str(&database::cursor(database, SOURCE).ok()??).ok()
    }
}

fn place(name: &str, address: &str, conversation: &str) -> Place {
    Place {
        name: name.to_owned(),
        source: SOURCE.to_owned(),
        address: format!("discord:{address}"),
        conversation: format!("discord:{conversation}"),
        plain: false,
        command: if name == "dc33" { Command::New } else { Command::None },
        muted_at_times: false,
    }
}

fn chat(place: Place, purpose: Purpose, channel: &str, users: &[u64], allowed: &[u64]) -> Chat {
    let [users, allowed] = [users, allowed].map(|users| users.iter().map(u64::to_string).collect());
    Chat { place: Arc::new(place), purpose, channel: channel.to_owned(), thread: None, users, allowed }
}

#[async_trait]
impl Team for Discord {
    fn name(&self) -> &'static str {
        "discord"
    }

    fn config(&self) -> String {
        let url = self.server.url();
        let [ann, bob, nina, _] = USERS;
        format!(
            "[channels.discord]\ntoken = \"{TOKEN}\"\napi_url = \"{url}/api\"\nallow = [{ann}, {bob}, {nina}]\n\
             dm_policy = \"allowlist\"\nedit_ms = 41\nper_chat_ms = 0\nper_account_ms = 0\nbusy_ms = 50\nposition_seconds = 1\n\
             missed_messages = 2000\n\
             [channels.discord.groups.\"{OPEN}\"]\n\
             [channels.discord.groups.\"{CLOSED}\"]\nallow = [{ann}, {bob}]\n\n"
        )
    }

    fn source(&self) -> &str {
        SOURCE
    }

    fn chats(&self) -> &[Chat] {
        &self.chats
    }

    fn principal(&self, user: &str) -> String {
        format!("discord:{user}")
    }

    fn act(&self, chat: &Chat, user: &str, act: &Act<'_>) -> Option<Acted> {
        let channel = &chat.channel;
        let acts = |action: &str, body: Value| self.server.try_to(action, body).ok();
        let did = match act {
            Act::Say { text, file } => {
                let files: Vec<Value> = file
                    .iter()
                    .map(|bytes| json!({"name": "a.bin", "base64": BASE64_STANDARD.encode(bytes), "content_type": "application/octet-stream"}))
                    .collect();
                let said = json!({"user": user, "channel": channel, "content": text, "files": files});
                acts("say", said)?
            }
            Act::Edit { message, text } => {
                acts("edit", json!({"channel": channel, "message": message, "content": text}))?
            }
            Act::Press { message, label } => {
                acts("press", json!({"channel": channel, "message": message, "user": user, "button": label}))?
            }
            Act::Command { name } => acts("slash", json!({"user": user, "channel": channel, "name": name}))?,
        };
        let text = |name: &str| did[name].as_str().unwrap_or_default().to_owned();
        let message = text("message_id");
        let event = match act {
            Act::Say { .. } => message.clone(),
            Act::Edit { .. } => {
                let shown = self.server.shows(channel.parse().ok()?);
                let shown = shown.into_iter().find(|shown| shown.id.to_string() == message)?;
                format!("{message}/{}", shown.edited_at?)
            }
            Act::Press { .. } | Act::Command { .. } => text("interaction"),
        };
        Some(Acted { event, message, number: did["number"].as_i64().unwrap_or_default() })
    }

    fn mention(&self) -> &'static str {
        "<@1000000000000000001>"
    }

    fn opens_threads(&self, _: &Chat) -> bool {
        false
    }

    fn opened(&self, _: &Chat, _: String, _: &str) -> Option<Chat> {
        None
    }

    fn question(&self, chat: &Chat) -> Option<Question> {
        let shown = self.server.shows(chat.channel.parse().ok()?);
        let asked = shown
            .into_iter()
            .rev()
            .take(10)
            .find(|shown| shown.author == BOT && !shown.buttons.is_empty())?;
        let labels = asked.buttons.into_iter().map(|(_, label)| label).collect();
        Some(Question { message: asked.id.to_string(), labels })
    }

    fn trace(&self, number: i64) -> Trace {
        let journal = self.server.journal();
        let found = journal.delivery_to(BOT, number);
        found.map_or_else(Trace::default, |found| Trace {
            delivered: found.delivered.iter().map(|(at, _)| *at).collect(),
            confirmed: found.confirmed,
        })
    }

    fn is_at(&self, point: KillPoint, since: i64) -> bool {
        match point {
            KillPoint::Streaming => self.called(&["update_message"], 8, since),
            KillPoint::Post => self.called(&["create_message"], 3, since),
            KillPoint::Command => self.called(&["create_interaction_response"], 6, since),
            _ => false,
        }
    }

    fn delivered_at(&self) -> Option<i64> {
        let journal = self.server.journal();
        let recent = journal.deliveries().iter().rev().take(20);
        recent.filter_map(|delivery| delivery.delivered.last().map(|(at, _)| *at)).max()
    }

    fn set_faults(&self, on: bool) {
        self.server.clear_faults();
        self.server.act("window", json!({"seconds": 180}));
        if !on {
            return;
        }
        for fault in [
            Fault::too_many(1).permille(5),
            Fault::status(502).permille(5),
            Fault::refuse(500, "0 500: Internal Server Error").permille(3),
            Fault::lost().permille(15),
            Fault::hangup().permille(8),
            Fault::slow(40).permille(100),
            Fault::late(30).permille(60),
        ] {
            self.server.fault(fault);
        }
    }

    fn has_all(&self, database: &Path, _: i64) -> bool {
        let Some(position) = Self::position(database) else { return false };
        let sessions = self.server.look("sessions", json!({}))["sessions"].take();
        let mut sessions = sessions.as_array().into_iter().flatten();
        let session = sessions.find(|session| session["id"] == position["session"]["id"]);
        position["gap"].is_null()
            && session.is_some_and(|session| {
                session["connected"] == true && session["seq"] == position["session"]["seq"]
            })
    }

    fn is_ready(&self, database: &Path) -> bool {
        Self::position(database).is_some_and(|position| position["session"].is_object())
    }

    fn knows_all(&self) -> bool {
        let answered = |chat: &Chat| {
            let channel = chat.channel.parse().unwrap_or_default();
            self.server.shows(channel).iter().any(|shown| shown.author == BOT)
        };
        self.chats.iter().filter(|chat| chat.is_private()).all(answered)
    }

    async fn disturbs(&self, random: &mut Random) {
        let (action, body) = match random.range(0, 9) {
            // A session that is cut off now is lost.
            0..=5 => {
                self.server.act("window", json!({"seconds": 0}));
                clock::sleep_ms(random.range(200, 1000)).await;
                ("window", json!({"seconds": 180}))
            }
            6 => ("disconnect", json!({})),
            7 => ("disconnect", json!({"code": 4000})),
            8 => ("reconnect", json!({})),
            _ => ("invalidate", json!({"resumable": random.permille(500)})),
        };
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).push(clock::now());
        self.server.act(action, body);
    }

    /// A press or a command is lost if its session is, unless a process had the time to store it. Of several edits of one
    /// message the history has the last one, and none of a message that is older than what is read again.
    fn may_lose(&self, event: &Event, trace: &Trace, observed: &Observed) -> bool {
        let Some(lost) = self.lost_after(event.created) else { return false };
        let had = trace.delivered.iter().rev().find(|at| **at < lost);
        let mut kills = observed.journal.kills.iter();
        let is_cut_off = had.is_none_or(|had| kills.any(|kill| (*had..=lost).contains(kill)));
        match event.action {
            Action::Button | Action::Command => is_cut_off,
            Action::Edit => {
                let message = Id(event.message.unsigned_abs());
                let is_older = event.created - message.ms() > READ_AGAIN_MS;
                is_cut_off && (is_older || observed.is_edited_after(event))
            }
            _ => false,
        }
    }

    fn is_from_history(&self, event: &Event, stored: i64, _: &Observed) -> bool {
        self.lost_after(event.created).is_some_and(|lost| stored >= lost)
    }

    /// What was missed is read before what is delivered. A command or a press that waits for that is stored at once if its
    /// connection ends meanwhile, because it may be had nowhere else. Discord's times have milliseconds: in a history, an edit and
    /// a message of the same millisecond have no order.
    fn comes_late(&self, event: &Event, _: &Trace, observed: &Observed) -> bool {
        let edited_at = |edit: &Event| {
            let at = edit.id.split_once('/')?.1;
            DateTime::parse_from_rfc3339(at).ok().map(|at| at.timestamp_millis())
        };
        let is_beside = |other: &Event| {
            let made_at = other.id.parse::<u64>().ok().map(|id| Id(id).ms());
            other.place.session() == event.place.session() && made_at.is_some() && made_at == edited_at(event)
        };
        if event.action == Action::Edit {
            return observed.journal.events.iter().any(is_beside);
        }
        let meanwhile = event.created..event.created + HELD_MS;
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let has_ended = ended.iter().any(|at| meanwhile.contains(at))
            || self.lost_after(event.created).is_some_and(|lost| meanwhile.contains(&lost));
        has_ended && matches!(event.action, Action::Button | Action::Command)
    }

    fn calls(&self) -> Vec<Arc<Call>> {
        self.server.journal().calls().iter().map(|call| Arc::new(self.call(call))).collect()
    }

    async fn observe(&self, observed: &mut Observed) -> Result<()> {
        let journal = self.server.journal();
        let posts = journal.calls().iter().filter(|call| call.is_post() && call.params.contains_key("files"));
        for (channel, message) in posts.filter_map(|call| Some((call.chat, call.message?))) {
            let known =
                self.files.lock().unwrap_or_else(PoisonError::into_inner).get(&(channel, message)).cloned();
            let file = match known {
                Some(known) => known,
                None => self.file(channel, message).await?,
            };
            self.files
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert((channel, message), file.clone());
            observed.files.insert((self.address(channel), message.to_string()), file);
        }
        observed.secrets.push(TOKEN.to_owned());
        observed.knows_keys.push("discord:".to_owned());
        Ok(())
    }
}
