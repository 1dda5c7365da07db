//! Reads what was missed while no socket was open, with `conversations.history`, and with `conversations.replies` for
//! threads, which the history does not contain.
//!
//! Reactions, buttons and commands of that time are lost, and so are edits of messages that are more than a day older, and
//! replies in such threads in which nobody had written to the bot before.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::message::{Event, EventKind};
use frontdesk_core::port::{AdapterError, Inbox, Mono};
use frontdesk_kit::timer::Timer;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::CHANNEL;
use crate::api::Api;
use crate::config::Settings;
use crate::error::{Fault, Refusal};
use crate::inbound::{self, App, Kind};
use crate::workspace::Workspace;

/// Messages of this time before the mark are read again, because clocks differ.
const OVERLAP: TimeDelta = TimeDelta::minutes(2);
/// After a gap that is shorter than this, only chats with a message of the last day are read. The mark is stored once a minute
/// while there is a connection.
const SHORT: TimeDelta = TimeDelta::minutes(3);
const A_DAY: TimeDelta = TimeDelta::days(1);
/// Chats and threads in which nobody had written to the bot for this long before the gap are not read.
const QUIET: TimeDelta = TimeDelta::days(90);
const QUIET_THREAD: TimeDelta = TimeDelta::days(14);
/// Maximum number of threads that are read.
const THREADS: usize = 200;
/// The size of a page. Slack recommends no more than 200.
const PAGE: usize = 200;
/// If Slack asks for a longer pause than this, the connection ends.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often an unknown refusal is asked again, after which pauses.
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The pause before messages that could not be stored are handed in again.
const BUSY: Duration = Duration::from_millis(500);
/// How long a message that has just arrived waits until older ones of its channel are read. Slack sends it again after 3 s.
const IN_TIME: Duration = Duration::from_secs(2);

/// What was missed since the time `mark`.
pub(crate) struct Missed<'a> {
    pub api: &'a Api,
    pub settings: &'a Settings,
    pub workspace: &'a Workspace,
    pub app: &'a App,
    pub inbox: &'a dyn Inbox,
    pub mark: DateTime<Utc>,
    /// Whether nothing was read yet since the gateway has started.
    pub is_start: bool,
    /// The channels that are still to be read.
    pub left: Mutex<Channels>,
    /// Says that a channel is read.
    pub one_read: Notify,
}

/// The channels to read, in their order, each with its kind and its threads.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    order: Vec<String>,
    threads: HashMap<String, Vec<String>>,
    kinds: HashMap<String, Kind>,
    /// Those that were read.
    done: HashSet<String>,
    /// Whether no channel is missing in the list: until then any may have to be read.
    is_complete: bool,
    /// Those that could not be read in time for a message that had just arrived, so that their order is lost already.
    late: HashSet<String>,
    /// Those whose refusals are in the log.
    refused: HashSet<String>,
}

impl Channels {
    fn add(&mut self, channel: &str) {
        if !self.done.contains(channel) && !self.order.iter().any(|known| known == channel) {
            self.order.push(channel.to_owned());
        }
    }

    /// Whether messages of this channel may still be missing that are older than one that has just arrived.
    fn is_due(&self, channel: &str) -> bool {
        let waits = !self.is_complete || self.order.iter().any(|known| known == channel);
        waits && !self.late.contains(channel) && !self.done.contains(channel)
    }

    fn kind(&self, channel: &str) -> Kind {
        self.kinds.get(channel).copied().unwrap_or_else(|| Kind::of(None, channel))
    }
}

/// Why a channel was not read to its end.
enum Cut {
    /// It may be asked again after this pause, for which there may be no time.
    NotNow(Duration),
    Ended(AdapterError),
}

impl Missed<'_> {
    /// Lists the chats in which somebody has written, the latest first.
    pub(crate) async fn prepare(&self) -> Result<(), AdapterError> {
        let since = if self.is_short() { self.timer().wall() - A_DAY } else { self.mark - QUIET };
        let chats = self.chats(since).await?;
        let alive: HashSet<Address> = self.chats(self.mark - QUIET_THREAD).await?.into_iter().collect();
        let (mut channels, mut threads) = (Channels::default(), 0);
        self.workspace.unjudged().iter().for_each(|chat| channels.add(chat));
        for chat in chats.iter().filter(|chat| !chat.chat().starts_with('@')) {
            channels.add(chat.chat());
            if let Some(thread) = chat.thread().filter(|_| threads < THREADS && alive.contains(chat)) {
                threads += 1;
                channels.threads.entry(chat.chat().to_owned()).or_default().push(thread.to_owned());
            }
        }
        *self.left() = channels;
        Ok(())
    }

    /// Reads everything. An error means that it has to be read again.
    pub(crate) async fn read(&self) -> Result<(), AdapterError> {
        if !self.is_short() {
            self.own_channels().await?;
        }
        self.left().is_complete = true;
        loop {
            let next = self.left().order.first().cloned();
            let Some(channel) = next else { return Ok(()) };
            match self.channel(&channel, true).await {
                Ok(()) | Err(Cut::NotNow(_)) => self.finished(&channel),
                Err(Cut::Ended(error)) => return Err(error),
            }
        }
    }

    /// Reads one channel before a message that has just arrived in it is stored, so that older ones come first. If that is
    /// not possible while Slack waits for the acknowledgement, the channel is read later: then the order is lost, and no message
    /// is.
    pub(crate) async fn first(&self, channel: &str) {
        if !self.left().is_due(channel) {
            return;
        }
        let deadline = self.timer().mono() + IN_TIME;
        let is_read = tokio::select! {
            is_read = self.in_time(channel, deadline) => is_read,
            () = self.is_finished(channel) => return,
            () = self.timer().until(deadline) => false,
        };
        match is_read {
            true => self.finished(channel),
            false => drop(self.left().late.insert(channel.to_owned())),
        }
    }

    /// Reads a channel, with short pauses; returns whether that was possible.
    async fn in_time(&self, channel: &str, deadline: Mono) -> bool {
        loop {
            let pause = match self.channel(channel, false).await {
                Ok(()) => return true,
                Err(Cut::NotNow(pause)) => pause.max(BUSY),
                Err(Cut::Ended(_)) => BUSY,
            };
            if self.timer().mono() + pause >= deadline {
                // It may be read in its turn until then.
                self.timer().until(deadline).await;
                return false;
            }
            self.timer().pause(pause).await;
        }
    }

    /// Waits until the channel is read in its turn.
    async fn is_finished(&self, channel: &str) {
        loop {
            let next = self.one_read.notified();
            if !self.left().is_due(channel) {
                return;
            }
            next.await;
        }
    }

    fn finished(&self, channel: &str) {
        let mut left = self.left();
        left.order.retain(|known| known != channel);
        left.done.insert(channel.to_owned());
        drop(left);
        self.one_read.notify_waiters();
    }

    fn timer(&self) -> &Timer {
        self.workspace.timer()
    }

    fn left(&self) -> MutexGuard<'_, Channels> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the gap is so short that only chats of the last day are read.
    fn is_short(&self) -> bool {
        !self.is_start && self.timer().wall() - self.mark < SHORT
    }

    async fn chats(&self, since: DateTime<Utc>) -> Result<Vec<Address>, AdapterError> {
        let chats = self.inbox.chats(&self.app.source(), since).await;
        chats.map_err(|busy| AdapterError::Lost(busy.to_string()))
    }

    /// Adds the channels that the bot is in. Of older private chats only those are read in which somebody has written.
    async fn own_channels(&self) -> Result<(), AdapterError> {
        let mut page = String::new();
        loop {
            let ask = json!({
                "types": "public_channel,private_channel,mpim,im", "exclude_archived": true, "limit": PAGE,
                "cursor": page,
            });
            let answer = match self.ask("users.conversations", ask, true).await {
                Ok(Some(answer)) => answer,
                Ok(None) | Err(Cut::NotNow(_)) => return Ok(()),
                Err(Cut::Ended(error)) => return Err(error),
            };
            self.list(&answer);
            match next_page(&answer) {
                Some(next) => page = next,
                None => return Ok(()),
            }
        }
    }

    /// Adds a page of the bot's channels.
    fn list(&self, page: &Value) {
        let mut channels = self.left();
        for channel in page["channels"].as_array().into_iter().flatten() {
            let Some(id) = channel["id"].as_str() else { continue };
            let kind = match () {
                () if channel["is_im"] == true => Kind::Private,
                () if channel["is_mpim"] == true => Kind::Several,
                () => Kind::Channel,
            };
            channels.kinds.insert(id.to_owned(), kind);
            if kind == Kind::Several {
                self.workspace.places().note_several(id);
            }
            let created = channel["created"].as_i64().and_then(|at| DateTime::from_timestamp(at, 0));
            if kind != Kind::Private || created.is_some_and(|created| created > self.mark - OVERLAP) {
                channels.add(id);
            }
        }
    }

    /// Reads a channel and its threads from the mark on.
    async fn channel(&self, channel: &str, patient: bool) -> Result<(), Cut> {
        let (kind, known) = {
            let left = self.left();
            (left.kind(channel), left.threads.get(channel).cloned().unwrap_or_default())
        };
        let (oldest, edited) = (stamp(self.mark - OVERLAP), stamp(self.mark - A_DAY));
        let ask = json!({"channel": channel, "oldest": edited, "limit": PAGE});
        let messages = self.pages("conversations.history", ask, &oldest, patient).await?;
        let mut threads: Vec<String> = known;
        for message in messages.values() {
            let is_answered = message["latest_reply"].as_str().is_some_and(|reply| *reply > *oldest);
            if let Some(thread) = message["thread_ts"].as_str().filter(|_| is_answered) {
                threads.push(thread.to_owned());
            }
        }
        self.hand_in(channel, kind, messages.values(), patient).await?;
        let mut seen = HashSet::new();
        for thread in threads.iter().filter(|thread| seen.insert(thread.as_str())) {
            let ask = json!({"channel": channel, "ts": thread, "oldest": edited, "limit": PAGE});
            let replies = self.pages("conversations.replies", ask, &oldest, patient).await?;
            self.hand_in(channel, kind, replies.values(), patient).await?;
        }
        Ok(())
    }

    /// Messages by their times that were written, edited or answered since `oldest`: the newest `missed_messages` of them. Slack
    /// sends an edit at most three times, and shows it in the history where its message stands, which may be older.
    async fn pages(
        &self,
        method: &'static str,
        mut ask: Value,
        oldest: &str,
        patient: bool,
    ) -> Result<BTreeMap<String, Value>, Cut> {
        let most = self.settings.missed_messages;
        let newest_first = method == "conversations.history";
        // The first message of a thread always comes with its replies, and is one of the channel.
        let root = ask["ts"].clone();
        let is_new = |at: &Value| at.as_str().is_some_and(|at| at > oldest);
        let (mut messages, mut is_cut) = (BTreeMap::new(), false);
        while let Some(answer) = self.ask(method, ask.clone(), patient).await? {
            let mut is_passed = false;
            for message in answer["messages"].as_array().into_iter().flatten() {
                is_passed |= newest_first && !is_new(&message["ts"]);
                let changed = [&message["ts"], &message["edited"]["ts"], &message["latest_reply"]];
                let is_wanted = changed.into_iter().any(is_new) && message["ts"] != root;
                if let Some(ts) = message["ts"].as_str().filter(|_| is_wanted) {
                    messages.insert(ts.to_owned(), message.clone());
                }
            }
            // Replies come oldest first.
            let next = next_page(&answer).filter(|_| !is_passed && (messages.len() <= most || !newest_first));
            while messages.len() > most {
                is_cut = true;
                messages.pop_first();
            }
            match next {
                Some(next) => ask["cursor"] = next.into(),
                None => break,
            }
        }
        if is_cut {
            let (account, chat) = (&self.app.account, ask["channel"].as_str());
            tracing::warn!(
                channel = CHANNEL, %account, chat, most,
                "some missed messages of a channel were not read: raise missed_messages to read more after the next interruption"
            );
        }
        Ok(messages)
    }

    /// Hands in messages and their last edits by their times. Which of both is new is found out where they are stored.
    async fn hand_in<'m>(
        &self,
        channel: &str,
        kind: Kind,
        messages: impl Iterator<Item = &'m Value>,
        patient: bool,
    ) -> Result<(), Cut> {
        let is_new = |event: &Event| event.sent_at.is_none_or(|at| at > self.mark - OVERLAP);
        let mut events: Vec<Event> = Vec::new();
        for message in messages {
            let app = self.workspace.app(self.app);
            let read = inbound::missed(&app, channel, kind, message);
            let read = read.map_err(|error| Cut::Ended(AdapterError::Setup(error.to_string())))?;
            let Some(missed) = read else { continue };
            let message = self.judge(missed.message, patient).await?;
            // Nothing of somebody who is shut out is handed in.
            let is_taken = message.kind == EventKind::Message;
            if let Some(mut edit) = missed.edit.filter(|edit| is_taken && is_new(edit)) {
                edit.from.roles.clone_from(&message.from.roles);
                events.push(edit);
            }
            if is_new(&message) {
                events.push(message);
            }
        }
        events.sort_by_key(|event| event.sent_at);
        for piece in events.chunks(PAGE) {
            self.push(piece.to_vec(), patient).await?;
        }
        Ok(())
    }

    /// The event with what Slack says about its sender.
    async fn judge(&self, event: Event, patient: bool) -> Result<Event, Cut> {
        loop {
            let fault = match self.workspace.judge(self.api, self.app, event.clone()).await {
                Ok(event) => return Ok(event),
                Err(fault) => fault,
            };
            match Workspace::undescribed(fault) {
                AdapterError::Later { after, .. } if !patient => return Err(Cut::NotNow(after)),
                AdapterError::Later { after, .. } if after <= LONGEST_PAUSE => {
                    self.timer().pause(after).await
                }
                error => return Err(Cut::Ended(error)),
            }
        }
    }

    async fn push(&self, events: Vec<Event>, patient: bool) -> Result<(), Cut> {
        loop {
            match self.inbox.push(&self.app.source(), events.clone(), None).await {
                Ok(_) => return Ok(()),
                Err(_) if !patient => return Err(Cut::NotNow(BUSY)),
                Err(busy) => {
                    tracing::debug!(channel = CHANNEL, account = %self.app.account, %busy, "missed messages were not stored and will be handed in again");
                    self.timer().pause(BUSY).await;
                }
            }
        }
    }

    /// Asks, and waits where Slack says so if there is time for it. `None` if it refuses, which the log says once for each
    /// channel. A refusal that is not known, or no answer, may pass, so that it is asked a few times more.
    async fn ask(&self, method: &'static str, ask: Value, patient: bool) -> Result<Option<Value>, Cut> {
        let mut attempts = 0;
        loop {
            let fault = match self.api.call(method, ask.clone()).await {
                Ok(answer) => return Ok(Some(answer)),
                Err(fault) => fault,
            };
            if let Fault::Refused(refusal) = &fault
                && fault.is_final()
            {
                if refusal.is_known() || attempts == ATTEMPTS {
                    self.note(method, &ask, refusal);
                    return Ok(None);
                }
                if !patient {
                    return Err(Cut::NotNow(FIRST_PAUSE));
                }
                self.again(&mut attempts).await;
                continue;
            }
            match fault.for_connection() {
                AdapterError::Later { after, .. } if !patient => return Err(Cut::NotNow(after)),
                AdapterError::Later { after, .. } if after <= LONGEST_PAUSE => {
                    self.timer().pause(after).await;
                }
                // The socket is open all the same.
                AdapterError::Lost(_) if patient && attempts < ATTEMPTS => self.again(&mut attempts).await,
                error => return Err(Cut::Ended(error)),
            }
        }
    }

    /// The pause before the next attempt.
    async fn again(&self, attempts: &mut u32) {
        *attempts += 1;
        self.timer().back_off(*attempts, FIRST_PAUSE, LONGEST_PAUSE).await;
    }

    /// Logs once which messages are not read, and why. What is gone has none.
    fn note(&self, method: &'static str, ask: &Value, refusal: &Refusal) {
        let chat = ask["channel"].as_str().unwrap_or("all");
        if !refusal.is_gone() && self.left().refused.insert(chat.to_owned()) {
            let (account, cause) = (&self.app.account, &refusal.error);
            tracing::warn!(channel = CHANNEL, %account, chat, method, cause, "missed messages cannot be read, because Slack refuses them");
        }
    }
}

/// A time as Slack writes it.
fn stamp(at: DateTime<Utc>) -> String {
    format!("{}.000000", at.timestamp())
}

fn next_page(answer: &Value) -> Option<String> {
    let next = answer["response_metadata"]["next_cursor"].as_str();
    next.filter(|next| !next.is_empty()).map(str::to_owned)
}
