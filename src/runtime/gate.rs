//! The one gate: whatever reaches an agent has passed [`accept`].

mod ask;
mod prepare;
mod scene;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::command::{self, Command, Parsed};
use frontdesk_core::hook::{Moment, Point};
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Cursor, Event, EventKind, Outcome, RawEvent, Refusal, Source};
use frontdesk_core::port::{Busy, Inbox};
use frontdesk_core::time::Now;
use frontdesk_store::StoreError;
use frontdesk_store::row::{
    Accepted, Batch, DeadLetter, Disposition, EpochChange, Incoming, Item, OutRow, Quota, Stored, digest,
};
use scene::{Entry, Plan, Scene};

use crate::config::QueueMode;
use crate::house::House;
use crate::limits::Pace;

/// So many chats an adapter is told of that has missed something.
const CHATS: usize = 1000;
/// How the count of denied events begins.
const DENIED: &str = "denied:";
/// How the count of events begins that could not be read.
const UNDECODABLE: &str = "undecodable:";
/// How long the pieces of an album may be apart: they come as single events.
pub(crate) const ALBUM: Duration = Duration::from_millis(1200);

/// Takes a batch: one decision per event, one commit for all. Nothing may be acknowledged before it returns.
pub(crate) async fn accept(
    house: &House,
    source: &Source,
    mut batch: Vec<Event>,
    cursor: Option<Cursor>,
) -> Result<Vec<Outcome>, Busy> {
    has_room(house, batch.len())?;
    prepare::all(house, &mut batch).await?;
    let received = house.now();
    let mut dead_letters = Vec::new();
    let mut items = Vec::with_capacity(batch.len());
    for event in batch {
        let (item, letter) = judge(house, source, event, received);
        items.push(item);
        dead_letters.extend(letter);
    }
    let fates: Vec<Fate> = items.iter().map(Fate::of).collect();
    let unread = dead_letters.clone();
    let batch = Batch { source: source.clone(), received, items, dead_letters, cursor };
    let accepted = house.store.accept(batch).await;
    house.note_storage(accepted.as_ref().err());
    let Accepted { items: stored, said } = accepted.map_err(|error| Busy::Storage(error.to_string()))?;
    note_told(house, &stored, &fates, &said);
    unread.iter().for_each(|letter| house.unread.note(&house.clock, source, letter));
    Ok(stored.into_iter().zip(fates).map(|(stored, fate)| conclude(house, source, stored, fate)).collect())
}

/// Remembers who was told of a refusal.
fn note_told(house: &House, stored: &[Stored], fates: &[Fate], said: &[OutRow]) {
    if said.is_empty() {
        return;
    }
    for (stored, fate) in stored.iter().zip(fates) {
        let (Stored::Refused { message, .. }, Fate::Kept { principal, .. }) = (stored, fate) else {
            continue;
        };
        if let Some(notice) = said.iter().find(|row| row.post.about.messages.contains(message)) {
            house.limits.note_told(principal, &notice.address, house.clock.mono());
        }
    }
}

/// Only the house's own limits withhold the acknowledgement. The last batch before the limit may go beyond it: a
/// batch is one unit, and one that is larger than the limit must get in some day.
fn has_room(house: &House, arriving: usize) -> Result<(), Busy> {
    if house.closing.is_cancelled() {
        return Err(Busy::Stopping);
    }
    let waiting = house.store.waiting();
    if arriving > 0 && waiting >= house.config.queue.global {
        return Err(Busy::Full { waiting });
    }
    Ok(())
}

/// What one event is. A redelivery is recognised by the store, in the transaction that would store it.
fn judge(house: &House, source: &Source, mut event: Event, now: Now) -> (Item, Option<DeadLetter>) {
    match take_raw(&mut event) {
        // Who sent it is not known: no rule can be asked.
        Some(raw) if matches!(event.kind, EventKind::Undecodable(_)) => {
            let item = Item::PassedOver(format!("{UNDECODABLE}{}", raw.kind));
            (item, Some(DeadLetter { event_id: event.id, session: None, raw }))
        }
        raw => {
            let event_id = event.id.clone();
            let (item, session) = of_somebody(house, source, event, now);
            // Of those who may not speak nothing is kept, readable or not.
            let kept = raw.filter(|_| session.is_some());
            (item, kept.map(|raw| DeadLetter { event_id, session, raw }))
        }
    }
}

/// The bytes of an event that could not be read in full.
fn take_raw(event: &mut Event) -> Option<RawEvent> {
    match &mut event.kind {
        EventKind::Unreadable { raw, .. } => raw.take(),
        EventKind::Undecodable(raw) => {
            let (kind, reason) = (raw.kind.clone(), raw.reason.clone());
            Some(RawEvent { kind, reason, body: std::mem::take(&mut raw.body) })
        }
        _ => None,
    }
}

/// What an event is whose sender is known, and the conversation that it belongs to if its sender may speak there.
fn of_somebody(house: &House, source: &Source, event: Event, now: Now) -> (Item, Option<SessionKey>) {
    if let Some(name) = nobodys(&event.kind) {
        return (Item::PassedOver(format!("ignored:{name}")), None);
    }
    let chat = first_id(house, &event);
    let scene = Scene { house, source, event: &event, chat: &chat, now };
    let entry = scene.access();
    match entry {
        Entry::Open | Entry::Unserved => {}
        Entry::Ask => return (ask::item(&scene), None),
        Entry::Shut(reason) => return (Item::PassedOver(format!("{DENIED}{reason}")), None),
    }
    match scene.session() {
        Ok(session) if matches!(entry, Entry::Unserved) => {
            let plan = limits(&scene, scene.called());
            let call = Incoming {
                quote: None,
                links: Vec::new(),
                album: None,
                attachments: Vec::new(),
                ..incoming(&scene, session, plan)
            };
            (Item::Keep(Box::new(call)), None)
        }
        Ok(session) => (admitted(&scene, session.clone()), Some(session)),
        Err(error) => {
            tracing::warn!(channel = source.channel, %error, "an event without a usable chat id was passed over");
            (Item::PassedOver("ignored:no_session".to_owned()), None)
        }
    }
}

/// What an event is whose sender may speak.
fn admitted(scene: &Scene<'_>, session: SessionKey) -> Item {
    let Some(plan) = scene.plan() else { return Item::PassedOver("ignored:not_for_us".to_owned()) };
    if let Some(reason) = scene.silence(&plan) {
        return Item::PassedOver(format!("ignored:{reason}"));
    }
    let plan = limits(scene, plan);
    let plan = Plan { tell: plan.tell && may_tell(scene), ..plan };
    Item::Keep(Box::new(incoming(scene, session, plan)))
}

/// The chat's first id. Only a chat that has one name for both, where to send and what it is, can have moved.
fn first_id<'a>(house: &House, event: &'a Event) -> Cow<'a, str> {
    match event.place.chat() == event.address.chat() {
        true => house.access.original(&event.address),
        false => Cow::Borrowed(event.place.chat()),
    }
}

/// What no agent and no rule has any use for, by its name.
fn nobodys(kind: &EventKind) -> Option<&str> {
    match kind {
        EventKind::Other(name) => Some(name),
        EventKind::Moved { .. } => Some("moved"),
        EventKind::Message
        | EventKind::Edit
        | EventKind::Reaction { .. }
        | EventKind::Button { .. }
        | EventKind::Unreadable { .. }
        | EventKind::Undecodable(_) => None,
    }
}

/// The plan as the limits leave it. `/stop` gets through uncounted: it is what helps against too much.
fn limits(scene: &Scene<'_>, plan: Plan) -> Plan {
    let Scene { house, source, event, chat, .. } = scene;
    let stop = plan.disposition == Disposition::Command
        && matches!(command::of(event), Parsed::Command(Command::Stop));
    // What is only overheard costs nothing. The store will say that a redelivery is one; it costs its sender
    // nothing either.
    if stop || matches!(plan.disposition, Disposition::Aside(_)) || house.recent.knows(&source.id, &event.id)
    {
        return plan;
    }
    let written = house.written(source.channel, &source.account, chat);
    let pace = match scene.is_by_admin() {
        true => house.limits.check_admin(&event.principal),
        false => house.limits.check(&event.principal, &event.address, &written),
    };
    match pace {
        Pace::TooFast => Plan {
            disposition: Disposition::Refused(Refusal::RateLimited),
            epoch: EpochChange::ByRule,
            ..plan
        },
        Pace::Fine => plan,
    }
}

/// Whether a refusal would be told. What a notice costs of a chat's pace is not there for somebody's answer, so a chat
/// that is busy hears none.
fn may_tell(scene: &Scene<'_>) -> bool {
    let Scene { house, event, .. } = scene;
    let connection = house.adapters.at(&event.address);
    house.limits.may_tell(&event.principal, &event.address, house.clock.mono())
        && connection.is_none_or(|connection| connection.is_calm(&house.clock, &event.address))
}

fn incoming(scene: &Scene<'_>, session: SessionKey, plan: Plan) -> Incoming {
    let Scene { house, event, now, .. } = scene;
    let policy = house.policy(&session);
    let daily = house.config.limits.daily;
    let event = (*event).clone();
    Incoming {
        quota: (daily > 0 && plan.counts).then(|| Quota { limit: daily, day: house.day(now.wall) }),
        policy,
        session,
        event_id: event.id,
        principal: event.principal,
        address: event.address,
        sender: event.sender,
        platform_message: event.platform_message,
        digest: digest(&event.text),
        text: plan.text.unwrap_or(event.text),
        manner: plan.manner,
        speaker: event.speaker,
        roles: event.roles,
        quote: event.quote,
        forward: event.forward,
        links: event.links,
        album: event.album,
        attachments: event.attachments,
        disposition: plan.disposition,
        epoch: plan.epoch,
        per_session: house.config.queue.per_session,
        tell: plan.tell,
    }
}

/// What is to follow the commit of an item.
enum Fate {
    Denied,
    Ignored,
    DeadLetter,
    Asked { event: String },
    Kept { event: String, principal: Principal, session: SessionKey, command: bool, album: bool },
}

impl Fate {
    fn of(item: &Item) -> Fate {
        match item {
            Item::PassedOver(kind) if kind.starts_with(DENIED) => Fate::Denied,
            Item::PassedOver(kind) if kind.starts_with(UNDECODABLE) => Fate::DeadLetter,
            Item::PassedOver(_) => Fate::Ignored,
            Item::Ask(ask) => Fate::Asked { event: ask.event_id.clone() },
            Item::Keep(incoming) => Fate::Kept {
                event: incoming.event_id.clone(),
                principal: incoming.principal.clone(),
                session: incoming.session.clone(),
                command: incoming.disposition == Disposition::Command,
                album: incoming.album.is_some(),
            },
        }
    }
}

/// Wakes whoever goes on with a stored row, and says what the adapter is to know.
fn conclude(house: &House, source: &Source, stored: Stored, fate: Fate) -> Outcome {
    metrics::counter!("frontdesk_inbound_total", "outcome" => name(&stored)).increment(1);
    let (event, session, command, album) = match fate {
        Fate::Denied => return Outcome::Denied,
        Fate::Ignored => return Outcome::Ignored,
        Fate::DeadLetter => return Outcome::DeadLetter,
        Fate::Asked { event } => {
            house.recent.note(&source.id, &event);
            return asked(stored);
        }
        Fate::Kept { event, session, command, album, .. } => (event, session, command, album),
    };
    house.recent.note(&source.id, &event);
    match stored {
        Stored::Accepted { message, ended, began, .. } => {
            tracing::debug!(%message, %session, channel = source.channel, "accepted");
            if ended.is_some() {
                house.hooks.tell(Moment::at(Point::SessionEnd, Some(&session)));
            }
            if began || ended.is_some() {
                house.hooks.tell(Moment::at(Point::SessionStart, Some(&session)));
            }
            go_on(house, &session, message, command, album);
            Outcome::Accepted { message, session }
        }
        Stored::Duplicate { message, same: true, refused: Some(reason), .. } => {
            Outcome::Refused { message, reason }
        }
        Stored::Duplicate { message, session, same: true, refused: None } => {
            // Whoever brought it first may have gone away before anybody was woken.
            go_on(house, &session, message, command, album);
            Outcome::Duplicate { message, session }
        }
        Stored::Duplicate { message, same: false, .. } => Outcome::Conflict { message },
        Stored::Refused { message, reason } => Outcome::Refused { message, reason },
        Stored::Dead { message } => {
            tracing::error!(%message, channel = source.channel, "an event could not be stored as it is; what could be kept of it is dead");
            Outcome::Ignored
        }
        Stored::Noted => Outcome::Noted,
        Stored::Asked { message, .. } => Outcome::Refused { message, reason: Refusal::Pairing },
        Stored::PassedOver => Outcome::Ignored,
    }
}

/// A stranger's request: the first one got a code, the others nothing.
fn asked(stored: Stored) -> Outcome {
    match stored {
        Stored::Asked { message, .. } | Stored::Duplicate { message, .. } => {
            Outcome::Refused { message, reason: Refusal::Pairing }
        }
        _ => Outcome::Denied,
    }
}

fn go_on(house: &House, session: &SessionKey, message: MessageId, command: bool, album: bool) {
    if album && !command {
        house.turns.wake_after(session, ALBUM);
    } else if !command {
        wake(house, session);
    } else if house.commands.send(message).is_err() {
        tracing::warn!(%message, "a command was accepted while stopping; it runs at the next start");
    }
}

/// A session has something for its agent.
pub(crate) fn wake(house: &House, session: &SessionKey) {
    let quiet = match house.config.queue.mode {
        QueueMode::Followup => 0,
        QueueMode::Collect => house.config.queue.debounce_ms,
    };
    house.turns.wake_after(session, Duration::from_millis(quiet));
}

fn name(stored: &Stored) -> &'static str {
    match stored {
        Stored::Accepted { .. } => "accepted",
        Stored::Duplicate { .. } => "duplicate",
        Stored::Refused { .. } => "refused",
        Stored::Dead { .. } => "dead",
        Stored::Noted => "noted",
        Stored::Asked { .. } => "asked",
        Stored::PassedOver => "passed_over",
    }
}

/// The gate as adapters see it.
pub(crate) struct Entrance(pub(crate) Arc<House>);

#[async_trait]
impl Inbox for Entrance {
    async fn push(
        &self,
        source: &Source,
        batch: Vec<Event>,
        cursor: Option<Cursor>,
    ) -> Result<Vec<Outcome>, Busy> {
        accept(&self.0, source, batch, cursor).await
    }

    async fn cursor(&self, source: &Source) -> Result<Option<Cursor>, Busy> {
        let cursor = self.0.store.cursor(&source.id).await;
        cursor.map_err(|error: StoreError| Busy::Storage(error.to_string()))
    }

    async fn chats(&self, source: &Source, since: DateTime<Utc>) -> Result<Vec<Address>, Busy> {
        let chats = self.0.store.chats_since(source.channel, &source.account, since, CHATS).await;
        chats.map_err(|error| Busy::Storage(error.to_string()))
    }

    fn heard(&self, source: &Source) {
        self.0.adapters.heard(source.channel, &source.account);
    }
}
