//! Slack: events that come again until they are acknowledged, commands and presses that do not, and a thread for each
//! question in a channel.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use frontdesk_fakeslack::{APP, APP_TOKEN, BOT, Call as Request, Fault, Outcome, SlackApi, TEAM, TOKEN};
use serde_json::{Value, json};

use super::{Act, Acted, Chat, Purpose, Question, Team, Trace};
use crate::channel::KillPoint;
use crate::clock;
use crate::database;
use crate::journal::{Action, Command, Event, Place};
use crate::observed::{Call, CallKind, Observed};
use crate::random::Random;
use crate::script::{fingerprint, tags};

/// Everybody may write there.
const OPEN: &str = "C0OPEN";
/// Only two people may write there.
const CLOSED: &str = "C0CLOSED";
/// A channel that the configuration does not list.
const UNLISTED: &str = "C0UNLISTED";
/// The users: the first three have private chats, and the third sends `/new`.
const USERS: [&str; 4] = ["U0000ANN", "U0000BOB", "U0000NIN", "U0000CAR"];
/// Added to the numbers of requests, so that those of two platforms are never the same.
const REQUESTS: usize = 1 << 41;
/// After such a time an event that was not acknowledged waits for its next attempt, which is a minute away.
const WAITS_MS: i64 = 3_500;
/// What somebody is told who presses a button in vain.
const REMARKS: [&str; 3] =
    ["has answered this question already.", "This question has expired.", "This question was withdrawn."];
/// How long the history is read after a connection, at most.
const READS_MS: i64 = 3_000;
/// How long two sockets are open after Slack has announced the end of the first one, at most.
const TWO_SOCKETS_MS: i64 = 15_000;
/// What is written within this time over two sockets has no order.
const MOMENT_MS: i64 = 300;
/// An event whose first attempt came later had no socket at first.
const AT_ONCE_MS: i64 = 500;

pub struct Slack {
    server: SlackApi,
    source: String,
    chats: Vec<Chat>,
    http: reqwest::Client,
    /// When somebody gave the last command or pressed the last button.
    commanded: AtomicI64,
    /// When the connection was last exchanged, each time.
    exchanged: Mutex<Vec<i64>>,
    /// Fingerprints of files by their ids.
    files: Mutex<HashMap<String, String>>,
}

impl Slack {
    pub async fn new(seed: u64) -> Result<Self> {
        let server = SlackApi::start_with(([127, 0, 0, 1], 0).into(), seed).await?;
        let people = USERS.map(|id| server.person(id, id));
        let source = format!("slack:{TEAM}/{APP}");
        let mut chats = Vec::new();
        let place = |name: &str, address: &str, conversation: &str| Place {
            name: name.to_owned(),
            source: source.clone(),
            address: format!("slack:{address}"),
            conversation: format!("slack:{conversation}"),
            plain: false,
            command: if name == "slnin" { Command::New } else { Command::None },
            muted_at_times: false,
        };
        for user in &USERS[..3] {
            let opened = server.act("home", json!({"user": user, "tab": "messages"}));
            let channel = opened["channel"].as_str().context("no private chat")?.to_owned();
            let purpose = if *user == USERS[2] { Purpose::Renewed } else { Purpose::Private };
            let name = format!("sl{}", user[5..].to_lowercase());
            chats.push(chat(
                place(&name, &channel, &format!("dm:{user}")),
                purpose,
                &channel,
                &[user],
                &[user],
            ));
        }
        for (name, id, purpose) in [
            ("slopen", OPEN, Purpose::Open),
            ("slclosed", CLOSED, Purpose::Closed),
            ("slunlisted", UNLISTED, Purpose::Unlisted),
        ] {
            server.channel(id, name, &people.each_ref());
            let allowed = if purpose == Purpose::Closed { &USERS[..2] } else { &USERS };
            chats.push(chat(place(name, id, &format!("channel:{id}")), purpose, id, &USERS, allowed));
        }
        // A thread on a message that was not for the bot.
        let root = people[0].says(OPEN, "a plan").ts;
        let in_thread = place("slthread", &format!("{OPEN}:topic:{root}"), &format!("thread:{OPEN}:{root}"));
        let thread = chat(in_thread, Purpose::Open, OPEN, &USERS, &USERS);
        chats.push(Chat { thread: Some(root), ..thread });
        // The gateway does not run yet, and nobody tells it of what was before.
        server.act("forget", json!({}));
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
        Ok(Self {
            server,
            source,
            chats,
            http,
            commanded: AtomicI64::default(),
            exchanged: Mutex::default(),
            files: Mutex::default(),
        })
    }

    /// Whether something else was written in the same chat at about the same time, while two sockets were open.
    fn has_company(&self, event: &Event, observed: &Observed) -> bool {
        let exchanged = self.exchanged.lock().unwrap_or_else(PoisonError::into_inner);
        let open = event.created - TWO_SOCKETS_MS..=event.created;
        exchanged.iter().any(|at| open.contains(at))
            && observed.journal.events.iter().any(|other| {
                (other.created - event.created).abs() < MOMENT_MS
                    && other.id != event.id
                    && other.place.session() == event.place.session()
            })
    }

    /// Whether a method was called within the last milliseconds.
    fn called(&self, method: &str, within_ms: i64, since: i64) -> bool {
        let since = since.max(clock::now() - within_ms);
        let journal = self.server.journal();
        let mut recent = journal.calls().iter().rev().take_while(|call| call.at >= since);
        recent.any(|call| call.method == method)
    }

    /// A request as the oracle reads it. `threads` has the threads of the messages before.
    fn call(&self, call: &Request, threads: &mut HashMap<(String, String), Option<String>>) -> Call {
        // A message with files is known by the first of them.
        let is_upload = call.method == "files.completeUploadExternal";
        let named = || call.params.get("ts").and_then(Value::as_str).map(str::to_owned);
        let message = if is_upload { first_file(call) } else { call.message.clone().or_else(named) };
        let is_post = call.is_done() && call.is_post();
        let id = message.clone().map(|message| (call.chat.clone(), message));
        let thread = match id {
            Some(id) if is_post => threads.entry(id).insert_entry(call.thread.clone()).get().clone(),
            Some(id) => threads.get(&id).cloned().unwrap_or_else(|| call.thread.clone()),
            None => call.thread.clone(),
        };
        let kind = match call.is_done() && call.method == "chat.update" {
            _ if is_post && !is_remark(call) => CallKind::Post,
            true => CallKind::Edit,
            false => CallKind::Other,
        };
        let refused = match &call.outcome {
            Outcome::Done => None,
            Outcome::Refused(_, why) => Some(why.clone()),
            Outcome::Unheard => Some("network fault".to_owned()),
        };
        let comment = call.params.get("initial_comment").and_then(Value::as_str);
        let text = comment.unwrap_or_else(|| call.text());
        let thread = thread.map(|thread| format!(":topic:{thread}")).unwrap_or_default();
        Call {
            at: call.at,
            method: call.method.clone(),
            kind,
            address: format!("slack:{}{thread}", call.chat),
            message,
            tags: tags(text),
            text: text.to_owned(),
            refused,
            lost: call.lost,
            request: REQUESTS + call.number,
        }
    }

    /// The fingerprint of a file that the bot has sent.
    async fn file(&self, id: &str) -> Result<String> {
        let url = format!("{}files.info", self.server.api_url());
        let asked = self.http.post(url).bearer_auth(TOKEN).form(&[("file", id)]);
        let answer: Value = asked.send().await?.json().await?;
        let url = answer["file"]["url_private"].as_str().context("a file without an address")?;
        Ok(fingerprint(&self.http.get(url).bearer_auth(TOKEN).send().await?.bytes().await?))
    }
}

/// Whether a request only tells the person who has pressed a button what came of it. That is not stored.
fn is_remark(call: &Request) -> bool {
    let text = call.text();
    call.method == "response_url"
        && (text.starts_with("Your answer: ") || REMARKS.iter().any(|remark| text.ends_with(remark)))
}

/// The first file of a request that shows files.
fn first_file(call: &Request) -> Option<String> {
    let files = match call.params.get("files")? {
        Value::String(text) => serde_json::from_str(text).ok()?,
        files => files.clone(),
    };
    files[0]["id"].as_str().map(str::to_owned)
}

fn chat(place: Place, purpose: Purpose, channel: &str, users: &[&str], allowed: &[&str]) -> Chat {
    let [users, allowed] = [users, allowed].map(|users| users.iter().map(|&user| user.to_owned()).collect());
    Chat { place: Arc::new(place), purpose, channel: channel.to_owned(), thread: None, users, allowed }
}

#[async_trait]
impl Team for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    fn config(&self) -> String {
        let url = self.server.api_url();
        let [ann, bob, nina, _] = USERS;
        format!(
            "[channels.slack]\ntoken = \"{TOKEN}\"\napp_token = \"{APP_TOKEN}\"\napi_url = \"{url}\"\n\
             allow = [\"{ann}\", \"{bob}\", \"{nina}\"]\ndm_policy = \"allowlist\"\nedit_ms = 42\nper_chat_ms = 0\n\
             missed_messages = 2000\n\
             [channels.slack.groups.{OPEN}]\n\
             [channels.slack.groups.{CLOSED}]\nallow = [\"{ann}\", \"{bob}\"]\n\n"
        )
    }

    fn source(&self) -> &str {
        &self.source
    }

    fn chats(&self) -> &[Chat] {
        &self.chats
    }

    fn principal(&self, user: &str) -> String {
        format!("slack:{user}")
    }

    fn act(&self, chat: &Chat, user: &str, act: &Act<'_>) -> Option<Acted> {
        let channel = &chat.channel;
        let is_fleeting = matches!(act, Act::Press { .. } | Act::Command { .. });
        let (action, body) = match act {
            Act::Say { text, file } => {
                let file =
                    file.map(|bytes| json!({"name": "a.bin", "base64": BASE64_STANDARD.encode(bytes)}));
                let files: Vec<Value> = file.into_iter().collect();
                (
                    "say",
                    json!({"channel": channel, "user": user, "text": text, "thread": chat.thread, "files": files}),
                )
            }
            Act::Edit { message, text } => ("edit", json!({"channel": channel, "ts": message, "text": text})),
            Act::Press { message, label } => {
                ("press", json!({"channel": channel, "ts": message, "user": user, "button": label}))
            }
            // Slack has no commands in threads.
            Act::Command { .. } if chat.thread.is_some() => return None,
            Act::Command { name } => {
                ("slash", json!({"channel": channel, "user": user, "command": "/frontdesk", "text": name}))
            }
        };
        // Without a socket they fail at once, for the person who gave them.
        if is_fleeting && self.server.sockets() == 0 {
            return None;
        }
        let did = self.server.try_to(action, body).ok()?;
        let text = |name: &str| did[name].as_str().unwrap_or_default().to_owned();
        let message = text("ts");
        let event = match act {
            Act::Say { .. } => format!("{channel}:{message}"),
            Act::Edit { .. } => {
                let shown = self.server.shows(channel).into_iter().find(|shown| shown.ts == message)?;
                format!("{channel}:{message}:{}", shown.message["edited"]["ts"].as_str()?)
            }
            Act::Press { .. } | Act::Command { .. } => {
                self.commanded.store(clock::now(), Ordering::Relaxed);
                text("trigger_id")
            }
        };
        Some(Acted { event, message, number: did["number"].as_i64().unwrap_or_default() })
    }

    fn mention(&self) -> &'static str {
        "<@U0000FRONT>"
    }

    fn opens_threads(&self, chat: &Chat) -> bool {
        matches!(chat.purpose, Purpose::Open | Purpose::Closed) && chat.thread.is_none()
    }

    fn opened(&self, chat: &Chat, name: String, message: &str) -> Option<Chat> {
        if !self.opens_threads(chat) {
            return None;
        }
        let place = Place {
            name,
            address: format!("{}:topic:{message}", chat.place.address),
            conversation: format!("slack:thread:{}:{message}", chat.channel),
            ..(*chat.place).clone()
        };
        Some(Chat { place: Arc::new(place), thread: Some(message.to_owned()), ..chat.clone() })
    }

    fn question(&self, chat: &Chat) -> Option<Question> {
        let shown = self.server.shows(&chat.channel);
        let asked =
            shown.into_iter().rev().take(10).find(|shown| shown.user == BOT && !shown.buttons.is_empty())?;
        Some(Question { message: asked.ts, labels: asked.buttons })
    }

    fn trace(&self, number: i64) -> Trace {
        let journal = self.server.journal();
        let found = journal.delivery_to(BOT.to_owned(), number);
        found.map_or_else(Trace::default, |found| Trace {
            delivered: found.delivered.iter().map(|(at, _)| *at).collect(),
            confirmed: found.confirmed,
        })
    }

    fn is_at(&self, point: KillPoint, since: i64) -> bool {
        match point {
            KillPoint::Streaming => self.called("chat.update", 8, since),
            KillPoint::Post => self.called("chat.postMessage", 3, since),
            KillPoint::Command => self.commanded.load(Ordering::Relaxed) >= since.max(clock::now() - 6),
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
        if !on {
            return;
        }
        for fault in [
            Fault::too_many(1).permille(5),
            Fault::status(502).permille(5),
            Fault::lost().permille(15),
            Fault::hangup().permille(8),
            Fault::slow(40).permille(100),
            Fault::late(30).permille(60),
        ] {
            self.server.fault(fault);
        }
    }

    /// What waits for its next attempt, a minute or more away, gets it now. The position is stored when the histories are read.
    fn has_all(&self, database: &Path, since: i64) -> bool {
        let journal = self.server.journal();
        let waits = journal.deliveries().iter().filter(|one| one.confirmed.is_none() && !one.expired);
        let before = clock::now() - WAITS_MS;
        for one in
            waits.clone().filter(|one| one.delivered.last().map_or(one.arrived, |(at, _)| *at) < before)
        {
            self.server.act("again", json!({"number": one.update_id}));
        }
        let position = database::cursor(database, &self.source).ok().flatten();
        let read_at = position.and_then(|position| position.split_whitespace().next()?.parse::<i64>().ok());
        waits.count() == 0 && read_at.is_some_and(|read_at| read_at >= since / 1000)
    }

    fn is_ready(&self, database: &Path) -> bool {
        self.server.sockets() > 0
            && database::cursor(database, &self.source).is_ok_and(|cursor| cursor.is_some())
    }

    fn knows_all(&self) -> bool {
        let answered = |chat: &Chat| self.server.shows(&chat.channel).iter().any(|shown| shown.user == BOT);
        self.chats.iter().filter(|chat| chat.is_private()).all(answered)
    }

    /// A connection is exchanged, or something comes again that was acknowledged.
    async fn disturbs(&self, random: &mut Random) {
        match random.range(0, 9) {
            reason @ 0..=3 => {
                let reason = if reason < 2 { "warning" } else { "refresh_requested" };
                self.exchanged.lock().unwrap_or_else(PoisonError::into_inner).push(clock::now());
                self.server.act("disconnect", json!({"app": APP, "reason": reason}));
            }
            _ => {
                let journal = self.server.journal();
                let recent = journal.deliveries().iter().rev().take(200);
                let known: Vec<i64> =
                    recent.filter(|one| one.confirmed.is_some()).map(|one| one.update_id).collect();
                if !known.is_empty() {
                    self.server.act("again", json!({"number": known[random.index(known.len())]}));
                }
            }
        }
    }

    /// A press or a command does not come again. An edit without a socket at any of its attempts is read in the history, unless
    /// a later one of the same message has taken its place.
    fn may_lose(&self, event: &Event, trace: &Trace, observed: &Observed) -> bool {
        match event.action {
            Action::Button | Action::Command => trace.confirmed.is_none(),
            Action::Edit => trace.delivered.is_empty() && observed.is_edited_after(event),
            _ => false,
        }
    }

    /// The history is read after each connection, for a while.
    fn is_from_history(&self, event: &Event, stored: i64, observed: &Observed) -> bool {
        let since = event.created - READS_MS..=stored;
        let exchanged = self.exchanged.lock().unwrap_or_else(PoisonError::into_inner);
        observed.journal.starts.iter().chain(&*exchanged).any(|at| since.contains(at))
    }

    /// What is not acknowledged at once comes again after later events. A press or a command is not in the history, with which
    /// later messages come. While two sockets are open, what is written within a moment may come over either.
    fn comes_late(&self, event: &Event, trace: &Trace, observed: &Observed) -> bool {
        let soon = event.created + AT_ONCE_MS;
        match trace.delivered.as_slice() {
            [at] if *at < soon => {
                matches!(event.action, Action::Button | Action::Command)
                    && self.is_from_history(event, soon, observed)
                    || self.has_company(event, observed)
            }
            _ => true,
        }
    }

    fn calls(&self) -> Vec<Arc<Call>> {
        let mut threads = HashMap::new();
        self.server.journal().calls().iter().map(|call| Arc::new(self.call(call, &mut threads))).collect()
    }

    async fn observe(&self, observed: &mut Observed) -> Result<()> {
        let mut threads = HashMap::new();
        for call in self.server.journal().calls() {
            let shown = self.call(call, &mut threads);
            if shown.kind != CallKind::Post || call.method != "files.completeUploadExternal" {
                continue;
            }
            let Some((address, id)) = shown.id() else { continue };
            let known = self.files.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
            let file = match known {
                Some(known) => known,
                None => self.file(&id).await?,
            };
            self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), file.clone());
            observed.files.insert((address, id), file);
        }
        observed.secrets.extend([TOKEN, APP_TOKEN].map(str::to_owned));
        Ok(())
    }
}
