//! The one gate: whatever reaches an agent has passed [`accept`].

mod admission;
mod ask;
mod prepare;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use admission::{Admission, Entry, Plan};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::command::{self, Command, Parsed};
use frontdesk_core::hook::{HookEvent, HookPoint};
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Cursor, Event, EventKind, Outcome, RawEvent, Refusal, Source};
use frontdesk_core::port::{Busy, Inbox};
use frontdesk_core::time::Now;
use frontdesk_store::StoreError;
use frontdesk_store::row::{
    Batch, DeadLetter, Disposition, EpochChange, Incoming, Item, Quota, Stored, digest,
};

use crate::config::QueueMode;
use crate::shared::Shared;

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
    shared: &Shared,
    source: &Source,
    mut batch: Vec<Event>,
    cursor: Option<Cursor>,
) -> Result<Vec<Outcome>, Busy> {
    has_room(shared, batch.len())?;
    prepare::all(shared, &mut batch).await?;
    let received = shared.time.now();
    let mut dead_letters = Vec::new();
    let mut items = Vec::with_capacity(batch.len());
    for event in batch {
        let (item, letter) = judge(shared, source, event, received);
        items.push(item);
        dead_letters.extend(letter);
    }
    let fates: Vec<Fate> = items.iter().map(Fate::of).collect();
    let unread = dead_letters.clone();
    let batch = Batch { source: source.clone(), received, items, dead_letters, cursor };
    let accepted = shared.store.accept(batch).await;
    shared.health.note(accepted.as_ref().err());
    let stored = accepted.map_err(|error| Busy::Storage(error.to_string()))?;
    note_told(shared, &stored, &fates);
    unread.iter().for_each(|letter| shared.inbound.unreadable.note(shared.time.clock(), source, letter));
    Ok(stored.into_iter().zip(fates).map(|(stored, fate)| conclude(shared, source, stored, fate)).collect())
}

/// Remembers who was told of a refusal.
fn note_told(shared: &Shared, stored: &[Stored], fates: &[Fate]) {
    for (stored, fate) in stored.iter().zip(fates) {
        if let (Stored::Refused { told: Some(address), .. }, Fate::Kept { principal, .. }) = (stored, fate) {
            shared.inbound.limits.note_told(principal, address, shared.time.mono());
        }
    }
}

/// Only the house's own limits withhold the acknowledgement. The last batch before the limit may go beyond it: a
/// batch is one unit, and one that is larger than the limit must get in some day.
fn has_room(shared: &Shared, arriving: usize) -> Result<(), Busy> {
    if shared.process.closing.is_cancelled() {
        return Err(Busy::Stopping);
    }
    let waiting = shared.store.waiting();
    if arriving > 0 && waiting >= shared.settings.config.queue.global {
        return Err(Busy::Full { waiting });
    }
    Ok(())
}

/// What one event is. A redelivery is recognised by the store, in the transaction that would store it.
fn judge(shared: &Shared, source: &Source, mut event: Event, now: Now) -> (Item, Option<DeadLetter>) {
    match take_raw(&mut event) {
        // Who sent it is not known: no rule can be asked.
        Some(raw) if matches!(event.kind, EventKind::Undecodable(_)) => {
            let item = Item::Dropped(format!("{UNDECODABLE}{}", raw.kind));
            (item, Some(DeadLetter { event_id: event.id, session: None, raw }))
        }
        raw => {
            let event_id = event.id.clone();
            let (item, session) = of_somebody(shared, source, event, now);
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
fn of_somebody(shared: &Shared, source: &Source, event: Event, now: Now) -> (Item, Option<SessionKey>) {
    if let Some(name) = nobodys(&event.kind) {
        return (Item::Dropped(format!("ignored:{name}")), None);
    }
    let chat = first_id(shared, &event);
    let admission = Admission { shared, source, event: &event, chat: &chat, now };
    let entry = admission.access();
    match entry {
        Entry::Open | Entry::Unserved => {}
        Entry::Ask => return (ask::item(&admission), None),
        Entry::Shut(reason) => return (Item::Dropped(format!("{DENIED}{reason}")), None),
    }
    match admission.session() {
        Ok(session) if matches!(entry, Entry::Unserved) => {
            let plan = limits(&admission, admission.called());
            let call = Incoming {
                quote: None,
                links: Vec::new(),
                album: None,
                attachments: Vec::new(),
                ..incoming(&admission, session, plan)
            };
            (Item::Keep(Box::new(call)), None)
        }
        Ok(session) => (admitted(&admission, session.clone()), Some(session)),
        Err(error) => {
            tracing::warn!(channel = source.account.channel(), %error, "an event without a usable chat id was passed over");
            (Item::Dropped("ignored:no_session".to_owned()), None)
        }
    }
}

/// What an event is whose sender may speak.
fn admitted(admission: &Admission<'_>, session: SessionKey) -> Item {
    let Some(plan) = admission.plan() else { return Item::Dropped("ignored:not_for_us".to_owned()) };
    if let Some(reason) = admission.silence(&plan) {
        return Item::Dropped(format!("ignored:{reason}"));
    }
    let plan = limits(admission, plan);
    let plan = Plan { tell: plan.tell && may_tell(admission), ..plan };
    Item::Keep(Box::new(incoming(admission, session, plan)))
}

/// The chat's first id. Only a chat that has one name for both, where to send and what it is, can have moved.
fn first_id<'a>(shared: &Shared, event: &'a Event) -> Cow<'a, str> {
    match event.conversation.chat() == event.address.chat() {
        true => shared.access.original(&event.address),
        false => Cow::Borrowed(event.conversation.chat()),
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
fn limits(admission: &Admission<'_>, plan: Plan) -> Plan {
    let Admission { shared, source, event, chat, .. } = admission;
    let stop = plan.disposition == Disposition::Command
        && matches!(command::of(event), Parsed::Command(Command::Stop));
    // What is only overheard costs nothing. The store will say that a redelivery is one; it costs its sender
    // nothing either.
    if stop
        || matches!(plan.disposition, Disposition::Context(_))
        || shared.inbound.recent.contains(&source.id, &event.id)
    {
        return plan;
    }
    let configured = shared.configured_id(&source.account, chat);
    let allowed = match admission.is_by_admin() {
        true => shared.inbound.limits.allows_admin(&event.principal),
        false => shared.inbound.limits.allows(&event.principal, &event.address, &configured),
    };
    match allowed {
        false => Plan {
            disposition: Disposition::Refused(Refusal::RateLimited),
            epoch: EpochChange::ByRule,
            ..plan
        },
        true => plan,
    }
}

/// Whether a refusal would be told. What a notice costs of a chat's pace is not there for somebody's answer, so a chat
/// that is busy hears none.
fn may_tell(admission: &Admission<'_>) -> bool {
    let Admission { shared, event, .. } = admission;
    let connection = shared.adapters.at(&event.address);
    shared.inbound.limits.may_tell(&event.principal, &event.address, shared.time.mono())
        && connection.is_none_or(|connection| connection.is_calm(&event.address))
}

fn incoming(admission: &Admission<'_>, session: SessionKey, plan: Plan) -> Incoming {
    let Admission { shared, event, now, .. } = admission;
    let policy = shared.reset_policy(&session);
    let daily = shared.settings.config.limits.daily;
    let event = (*event).clone();
    Incoming {
        quota: (daily > 0 && plan.counts)
            .then(|| Quota { limit: daily, day: shared.settings.quota_day(now.wall) }),
        policy,
        session,
        event_id: event.id,
        principal: event.principal,
        address: event.address,
        sender: event.sender,
        platform_message: event.platform_message,
        digest: digest(&event.text),
        text: plan.text.unwrap_or(event.text),
        input_kind: plan.input_kind,
        sender_kind: event.sender_kind,
        roles: event.roles,
        quote: event.quote,
        forward: event.forward,
        links: event.links,
        album: event.album,
        attachments: event.attachments,
        disposition: plan.disposition,
        epoch: plan.epoch,
        per_session: shared.settings.config.queue.per_session,
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
            Item::Dropped(kind) if kind.starts_with(DENIED) => Fate::Denied,
            Item::Dropped(kind) if kind.starts_with(UNDECODABLE) => Fate::DeadLetter,
            Item::Dropped(_) => Fate::Ignored,
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
fn conclude(shared: &Shared, source: &Source, stored: Stored, fate: Fate) -> Outcome {
    metrics::counter!("frontdesk_inbound_total", "outcome" => name(&stored)).increment(1);
    let (event, session, command, album) = match fate {
        Fate::Denied => return Outcome::Denied,
        Fate::Ignored => return Outcome::Ignored,
        Fate::DeadLetter => return Outcome::DeadLetter,
        Fate::Asked { event } => {
            shared.inbound.recent.note(&source.id, &event);
            return asked(stored);
        }
        Fate::Kept { event, session, command, album, .. } => (event, session, command, album),
    };
    shared.inbound.recent.note(&source.id, &event);
    match stored {
        Stored::Accepted { message, ended, began, .. } => {
            tracing::debug!(%message, %session, channel = source.account.channel(), "accepted");
            if ended.is_some() {
                shared.hooks.tell(HookEvent::at(HookPoint::SessionEnd, Some(&session)));
            }
            if began || ended.is_some() {
                shared.hooks.tell(HookEvent::at(HookPoint::SessionStart, Some(&session)));
            }
            go_on(shared, &session, message, command, album);
            Outcome::Accepted { message, session }
        }
        Stored::Duplicate { message, same: true, refused: Some(reason), .. } => {
            Outcome::Refused { message, reason }
        }
        Stored::Duplicate { message, session, same: true, refused: None } => {
            // Whoever brought it first may have gone away before anybody was woken.
            go_on(shared, &session, message, command, album);
            Outcome::Duplicate { message, session }
        }
        Stored::Duplicate { message, same: false, .. } => Outcome::Conflict { message },
        Stored::Refused { message, reason, .. } => Outcome::Refused { message, reason },
        Stored::Dead { message } => {
            tracing::error!(%message, channel = source.account.channel(), "an event could not be stored as it is; what could be kept of it is dead");
            Outcome::Ignored
        }
        Stored::Noted => Outcome::Noted,
        Stored::Asked { message, .. } => Outcome::Refused { message, reason: Refusal::Pairing },
        Stored::Dropped => Outcome::Ignored,
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

fn go_on(shared: &Shared, session: &SessionKey, message: MessageId, command: bool, album: bool) {
    if album && !command {
        shared.work.turns.wake_after(session, ALBUM);
    } else if !command {
        wake(shared, session);
    } else if shared.work.commands.send(message).is_err() {
        tracing::warn!(%message, "a command was accepted while stopping; it runs at the next start");
    }
}

/// A session has something for its agent.
pub(crate) fn wake(shared: &Shared, session: &SessionKey) {
    let quiet = match shared.settings.config.queue.mode {
        QueueMode::Followup => 0,
        QueueMode::Collect => shared.settings.config.queue.debounce_ms,
    };
    shared.work.turns.wake_after(session, Duration::from_millis(quiet));
}

fn name(stored: &Stored) -> &'static str {
    match stored {
        Stored::Accepted { .. } => "accepted",
        Stored::Duplicate { .. } => "duplicate",
        Stored::Refused { .. } => "refused",
        Stored::Dead { .. } => "dead",
        Stored::Noted => "noted",
        Stored::Asked { .. } => "asked",
        Stored::Dropped => "dropped",
    }
}

/// The gate as adapters see it.
pub(crate) struct GateInbox(pub(crate) Arc<Shared>);

#[async_trait]
impl Inbox for GateInbox {
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
        let chats = self.0.store.chats_since(&source.account, since, CHATS).await;
        chats.map_err(|error| Busy::Storage(error.to_string()))
    }

    fn heard(&self, source: &Source) {
        self.0.adapters.heard(&source.account);
    }
}
