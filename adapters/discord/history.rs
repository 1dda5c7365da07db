//! Reads what was missed while there was no session: the history of every channel that has new messages.
//!
//! Discord lists the channels of guilds but no private chats: the gateway knows those in which people have written.
//! Reactions and commands of that time are lost. A channel whose history the bot may not read looks as if nobody had written
//! in it, so the bot's rights are computed first.

mod patience;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use frontdesk_core::message::{Event, EventKind, Source};
use frontdesk_core::port::AdapterError;
use frontdesk_kit::json::Fields;
use reqwest::Method;
use serde_json::value::RawValue;

use crate::CHANNEL;
use crate::context::Context;
use crate::error::Fault;
use crate::inbound::{self, Places};
use crate::progress::{first_id, made_at};
use crate::rest::Request;
use crate::rights::Rights;
use patience::Trouble;

/// Messages of the last minute before the mark are read again, because clocks of Discord's servers differ.
const OVERLAP: TimeDelta = TimeDelta::minutes(1);
/// Private chats in which nobody had written for this long before the gap are not read.
const QUIET: TimeDelta = TimeDelta::days(90);
/// The kinds of channels that have public threads: text, announcements, forums and media.
const WITH_THREADS: [u64; 4] = [0, 5, 15, 16];
/// How often a request without an answer is made again, after which pauses.
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The size of a page, the largest that there is.
const PAGE: usize = 100;
/// The pause after a refusal for speed that names none: it comes from the proxy in front of Discord.
const PAUSE: Duration = Duration::from_secs(60);

/// Reads the messages after the id `mark`, which the gateway did not deliver.
pub(crate) struct Missed {
    pub context: Context,
    pub source: Source,
    pub mark: u64,
    /// The lowest id that the gateway has delivered meanwhile. From there on it delivers everything, and in order.
    pub first: Arc<AtomicU64>,
    /// The chats and guilds whose refusals are in the log.
    pub refused: Mutex<HashSet<String>>,
}

/// A guild's member as an author: their roles and their name.
type Members = HashMap<String, Option<(Vec<String>, Option<String>)>>;

impl Missed {
    /// Reads it, and hands in every message that is older than what the gateway has delivered. Returns the others. An error
    /// means that it has to be read again.
    pub(crate) async fn read(&self) -> Result<Vec<Event>, AdapterError> {
        let mut left = Vec::new();
        if self.context.account.settings.missed_messages == 0 {
            return Ok(left);
        }
        let mark = first_id(made_at(self.mark) - OVERLAP);
        let mut places = Places::of(&self.context.bot.id);
        let mut known = HashSet::new();
        // Channels of a guild whose list is missing would look like private chats.
        let mut are_listed = true;
        for listed in self.guilds().await? {
            let Some(guild) = field::<String>(&listed, "id") else { continue };
            let before = known.len();
            let read = self.guild(&listed, &guild, mark, &mut places, &mut known).await;
            are_listed &= known.len() > before;
            left.extend(self.unless_alone(&guild, read).await?);
        }
        let since = made_at(mark) - QUIET;
        let chats = self.context.inbox.chats(&self.source, since).await;
        let chats = chats.map_err(|busy| AdapterError::Lost(busy.to_string()))?;
        let private = chats.iter().filter(|chat| chat.thread().is_none() && !known.contains(chat.chat()));
        for chat in private.filter(|chat| !chat.chat().starts_with('@')) {
            if !are_listed {
                let private = self.is_private(chat.chat()).await;
                if !self.unless_alone(chat.chat(), private).await? {
                    continue;
                }
            }
            let read = self.channel(chat.chat(), mark, &mut places, None).await;
            left.extend(self.unless_alone(chat.chat(), read).await?);
        }
        Ok(left)
    }

    /// Reads the channels of a guild. Returns what is left, as in [`Self::read`].
    async fn guild(
        &self,
        listed: &RawValue,
        guild: &str,
        mark: u64,
        places: &mut Places,
        known: &mut HashSet<String>,
    ) -> Result<Vec<Event>, Trouble> {
        let mut left = Vec::new();
        let mut members = Members::new();
        let own = self.member(guild, &self.context.bot.id).await?;
        let roles = own.map(|(roles, _)| roles).unwrap_or_default();
        let rights = Rights::of(listed, guild, roles, &self.context.bot.id);
        for (channel, last) in self.channels(guild, &rights, mark, places, known).await? {
            if last > mark {
                let read = self.channel(&channel, mark, places, Some((guild, &mut members))).await;
                left.extend(self.unless_alone(&channel, read).await?);
            }
        }
        Ok(left)
    }

    /// The channels and threads of a guild, each with its last message. Those whose histories the bot may not read are named
    /// in the log.
    async fn channels(
        &self,
        guild: &str,
        rights: &Rights,
        mark: u64,
        places: &mut Places,
        known: &mut HashSet<String>,
    ) -> Result<BTreeMap<String, u64>, Trouble> {
        let path = ["guilds", guild, "channels"];
        let channels = self.list("list_guild_channels", &path, None).await?;
        let path = ["guilds", guild, "threads", "active"];
        let mut threads = self.list("get_active_guild_threads", &path, Some("threads")).await?;
        let mut hidden = HashSet::new();
        for raw in &channels {
            let Some((fields, id)) = identified(raw) else { continue };
            if !rights.may_read_history(&fields) {
                hidden.insert(id);
            } else if fields.maybe("type").is_some_and(|kind: u64| WITH_THREADS.contains(&kind)) {
                let archived = self.archived(&id, mark).await;
                threads.extend(self.unless_alone(&id, archived).await?);
            }
        }
        let mut last = BTreeMap::new();
        for raw in channels.iter().chain(&threads) {
            let Some((fields, id)) = identified(raw) else { continue };
            places.add(&fields);
            known.insert(id.clone());
            let message = fields.maybe::<String>("last_message_id").and_then(|id| id.parse().ok());
            let Some(message) = message else { continue };
            let parent = fields.maybe::<String>("parent_id");
            if hidden.contains(&id) || parent.is_some_and(|parent| hidden.contains(&parent)) {
                if message > mark {
                    let account = &self.source.account;
                    tracing::warn!(channel = CHANNEL, %account, chat = id, "missed messages of a channel cannot be read: give the bot View Channel and Read Message History there");
                }
                continue;
            }
            last.insert(id, message);
        }
        Ok(last)
    }

    /// The threads of a channel that were archived since the mark, most of which have new messages. Discord names the last
    /// archived ones first.
    async fn archived(&self, channel: &str, mark: u64) -> Result<Vec<Box<RawValue>>, Trouble> {
        let path = ["channels", channel, "threads", "archived", "public"];
        let mut found = Vec::new();
        let mut before: Option<String> = None;
        loop {
            let mut request =
                Request::new("list_public_archived_threads", Method::GET, &path).with("limit", PAGE);
            if let Some(before) = &before {
                request = request.with("before", before);
            }
            let Some(answer) = self.patiently(&request).await? else { return Ok(found) };
            let page: Vec<Box<RawValue>> = within(&answer, "threads")?;
            let more = Fields::of(answer.get(), "").and_then(|fields| fields.maybe("has_more")) == Some(true);
            let last = page.last().and_then(|raw| archived_at(raw));
            let since = made_at(mark);
            let recent = |at: &str| DateTime::parse_from_rfc3339(at).is_ok_and(|at| at >= since);
            found.extend(page.into_iter().filter(|raw| archived_at(raw).is_some_and(|at| recent(&at))));
            match last.filter(|last| more && recent(last) && before.as_ref() != Some(last)) {
                Some(last) => before = Some(last),
                None => return Ok(found),
            }
        }
    }

    /// Reads a channel back to the mark, and hands in its messages in their order. Returns what is left, as in [`Self::read`].
    /// Pages are requested from the newest message backwards, because Discord does not say which end of a gap it gives for
    /// `after`.
    async fn channel(
        &self,
        channel: &str,
        mark: u64,
        places: &mut Places,
        mut guild: Option<(&str, &mut Members)>,
    ) -> Result<Vec<Event>, Trouble> {
        let most = self.context.account.settings.missed_messages;
        let mut messages: BTreeMap<u64, Box<RawValue>> = BTreeMap::new();
        loop {
            let before = messages.first_key_value().map_or(u64::MAX >> 1, |(oldest, _)| *oldest);
            let request = Request::new("list_messages", Method::GET, &["channels", channel, "messages"])
                .with("before", before)
                .with("limit", PAGE);
            // It is gone, or may not be read any more.
            let Some(answer) = self.patiently(&request).await? else { return Ok(Vec::new()) };
            let page = parse(&answer)?.into_iter();
            let page = page.filter_map(|raw| Some((field::<String>(&raw, "id")?.parse::<u64>().ok()?, raw)));
            let page: Vec<(u64, Box<RawValue>)> = page.collect();
            let ends = page.len() < PAGE || page.iter().any(|(id, _)| *id < mark);
            messages.extend(page.into_iter().filter(|(id, _)| *id >= mark));
            if ends || messages.len() > most {
                break;
            }
        }
        let surplus = messages.len().saturating_sub(most);
        // Those before the gap are read once more, and are no loss.
        if messages.keys().take(surplus).any(|id| *id > self.mark) {
            let account = &self.source.account;
            tracing::warn!(channel = CHANNEL, %account, chat = channel, most, "some missed messages of a channel were not read: raise missed_messages to read more after the next interruption");
        }
        let mut read = Vec::new();
        for (id, raw) in messages.into_iter().skip(surplus) {
            for event in self.events(&raw, places, guild.as_mut()).await? {
                let edited = event.sent_at.filter(|_| event.kind == EventKind::Edit);
                read.push((edited.map_or(id, first_id), event));
            }
        }
        // An edit belongs where its author made it, not beside its message.
        read.sort_by_key(|(at, _)| *at);
        let begins = self.first.load(Ordering::Relaxed);
        let left = read.split_off(read.partition_point(|(at, _)| *at < begins));
        let [events, left] =
            [read, left].map(|read| read.into_iter().map(|(_, event)| event).collect::<Vec<_>>());
        for piece in events.chunks(PAGE) {
            self.hand_in(piece.to_vec()).await;
        }
        Ok(left)
    }

    async fn events(
        &self,
        raw: &RawValue,
        places: &mut Places,
        mut guild: Option<&mut (&str, &mut Members)>,
    ) -> Result<Vec<Event>, Trouble> {
        if let Some((guild, _)) = &guild
            && !places.knows_roles(guild)
            && Fields::of(raw.get(), "").is_some_and(|message| inbound::mentions_roles(&message))
        {
            let roles = self.list("list_guild_roles", &["guilds", guild, "roles"], None).await?;
            let roles: Vec<Fields<'_>> = roles.iter().filter_map(|role| Fields::of(role.get(), "")).collect();
            places.add_roles(guild, &roles);
        }
        let read = inbound::missed(&self.context.bot, places, guild.is_some(), raw.get());
        let mut events = read.map_err(|error| AdapterError::Setup(error.to_string()))?;
        let Some((guild, members)) = &mut guild else { return Ok(events) };
        for event in &mut events {
            let author = event.from.id.id().to_owned();
            if !members.contains_key(&author) {
                members.insert(author.clone(), self.member(guild, &author).await?);
            }
            if let Some(Some((roles, nick))) = members.get(&author) {
                event.from.roles.clone_from(roles);
                event.from.name = nick.clone().or(event.from.name.take());
            }
        }
        Ok(events)
    }

    /// Hands in events, again and again until they are stored.
    async fn hand_in(&self, events: Vec<Event>) {
        loop {
            match self.context.inbox.push(&self.source, events.clone(), None).await {
                Ok(_) => return,
                Err(busy) => {
                    tracing::debug!(channel = CHANNEL, account = %self.source.account, %busy, "missed messages were not stored and will be handed in again");
                    self.context
                        .timer
                        .pause(Duration::from_millis(self.context.account.settings.busy_ms))
                        .await;
                }
            }
        }
    }
}

fn parse(answer: &RawValue) -> Result<Vec<Box<RawValue>>, Trouble> {
    serde_json::from_str(answer.get()).map_err(unreadable)
}

/// The list of this name in an answer.
fn within(answer: &RawValue, name: &str) -> Result<Vec<Box<RawValue>>, Trouble> {
    let listed =
        Fields::of(answer.get(), "").and_then(|fields| fields.maybe::<&str>(name).map(str::to_owned));
    serde_json::from_str(&listed.unwrap_or_else(|| "[]".to_owned())).map_err(unreadable)
}

/// A channel and its id.
fn identified(raw: &RawValue) -> Option<(Fields<'_>, String)> {
    let fields = Fields::of(raw.get(), "")?;
    let id = fields.maybe("id")?;
    Some((fields, id))
}

fn archived_at(thread: &RawValue) -> Option<String> {
    Fields::of(thread.get(), "")?.maybe::<Fields<'_>>("thread_metadata")?.maybe("archive_timestamp")
}

fn unreadable(error: serde_json::Error) -> Trouble {
    Trouble::Place(Fault::Unreadable(format!("{:?} error", error.classify())))
}

fn field<T: for<'a> frontdesk_kit::json::Read<'a>>(raw: &RawValue, name: &str) -> Option<T> {
    Fields::of(raw.get(), "")?.maybe(name)
}
