//! The one gate: whatever reaches an agent has passed [`accept`].

use std::sync::Arc;

use async_trait::async_trait;
use frontdesk_core::access::{Action, Context, Decision};
use frontdesk_core::command::{self, Command, Parsed};
use frontdesk_core::hook::{Moment, Point};
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Cursor, Event, EventKind, Outcome, Refusal, Source};
use frontdesk_core::port::{Busy, Inbox};
use frontdesk_core::route;
use frontdesk_store::StoreError;
use frontdesk_store::row::{Batch, Disposition, EpochChange, Incoming, Item, Stored, digest};

use crate::config::QueueMode;
use crate::house::House;
use crate::limits::Pace;

/// How the count of denied events begins.
const DENIED: &str = "denied:";

/// Takes a batch: one decision per event, one commit for all. Nothing may be acknowledged before it returns.
pub(crate) async fn accept(
    house: &House,
    source: &Source,
    batch: Vec<Event>,
    cursor: Option<Cursor>,
) -> Result<Vec<Outcome>, Busy> {
    has_room(house, batch.len())?;
    let items: Vec<Item> = batch.into_iter().map(|event| judge(house, source, event)).collect();
    let fates: Vec<Fate> = items.iter().map(Fate::of).collect();
    let received = house.clock.wall();
    let batch = Batch { source: source.clone(), received, items, cursor };
    let accepted = house.store.accept(batch).await;
    house.note_storage(accepted.as_ref().err());
    let stored = accepted.map_err(|error| Busy::Storage(error.to_string()))?.items;
    Ok(stored.into_iter().zip(fates).map(|(stored, fate)| conclude(house, source, stored, fate)).collect())
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
fn judge(house: &House, source: &Source, event: Event) -> Item {
    let EventKind::Message = event.kind else { return ignored(&event) };
    if let Err(reason) = access(house, &event) {
        return Item::PassedOver(format!("{DENIED}{reason}"));
    }
    let Some(plan) = plan(house, &event) else { return Item::PassedOver("ignored:not_for_us".to_owned()) };
    let plan = limits(house, source, &event, plan);
    let agent = house.agent_of(source.channel, event.place.chat());
    match route::session(agent, source, &event.place) {
        Ok(session) => Item::Keep(Box::new(incoming(house, session, event, plan))),
        Err(error) => {
            tracing::warn!(channel = source.channel, %error, "an event without a usable chat id was passed over");
            Item::PassedOver("ignored:no_session".to_owned())
        }
    }
}

fn ignored(event: &Event) -> Item {
    match &event.kind {
        EventKind::Message => Item::PassedOver("ignored:message".to_owned()),
        EventKind::Other(name) => Item::PassedOver(format!("ignored:{name}")),
    }
}

/// Whether its sender may speak here; the reason if not.
fn access(house: &House, event: &Event) -> Result<(), &'static str> {
    let context = match event.place.is_private() {
        true => Context::Dm,
        false => Context::Group(event.place.chat()),
    };
    match house.authorize(&event.principal, context, Action::Speak) {
        Decision::Allow => Ok(()),
        Decision::Pair => Err("unknown"),
        Decision::Deny(reason) => Err(reason.name()),
    }
}

/// What is to be stored of an event.
struct Plan {
    disposition: Disposition,
    epoch: EpochChange,
    /// What the agent is to read, where that is not the whole text.
    text: Option<String>,
    tell: bool,
}

impl Plan {
    fn of(disposition: Disposition) -> Self {
        Plan { disposition, epoch: EpochChange::ByRule, text: None, tell: true }
    }

    fn changing(self, epoch: EpochChange) -> Self {
        Plan { epoch, ..self }
    }

    fn saying(self, text: &str) -> Self {
        Plan { text: Some(text.to_owned()), ..self }
    }
}

/// A turn, a command, or nothing for us.
fn plan(house: &House, event: &Event) -> Option<Plan> {
    if event.text.trim().is_empty() && event.attachments.is_empty() {
        return None;
    }
    if event.text.len() > house.config.queue.max_text {
        let head = clip(&event.text, house.config.queue.max_text);
        return Some(Plan::of(Disposition::Refused(Refusal::TooLong)).saying(head));
    }
    let plan = match command::parse(&event.text, None) {
        Parsed::NotForUs => return None,
        Parsed::Text(_) if !event.addressed => return None,
        Parsed::Text(text) => Plan::of(Disposition::Turn).saying(text),
        Parsed::Command(Command::New { text: Some(text) }) => {
            Plan::of(Disposition::Turn).changing(EpochChange::New).saying(&text)
        }
        Parsed::Command(Command::New { text: None }) => {
            Plan::of(Disposition::Command).changing(EpochChange::New)
        }
        Parsed::Command(Command::Resume { epoch }) => {
            Plan::of(Disposition::Command).changing(EpochChange::Resume(epoch))
        }
        Parsed::Command(_) | Parsed::Unknown { .. } | Parsed::Malformed { .. } => {
            Plan::of(Disposition::Command)
        }
    };
    Some(plan)
}

/// The plan as the limits leave it. `/stop` gets through uncounted: it is what helps against too much.
fn limits(house: &House, source: &Source, event: &Event, plan: Plan) -> Plan {
    let stop = matches!(command::parse(&event.text, None), Parsed::Command(Command::Stop));
    // The store will say that a redelivery is one; it costs its sender nothing.
    if stop || house.recent.knows(&source.id, &event.id) {
        return plan;
    }
    match house.limits.check(&event.principal, &event.address) {
        Pace::TooFast { tell } => Plan {
            disposition: Disposition::Refused(Refusal::RateLimited),
            epoch: EpochChange::ByRule,
            tell,
            ..plan
        },
        Pace::Fine => plan,
    }
}

fn incoming(house: &House, session: SessionKey, event: Event, plan: Plan) -> Incoming {
    let policy = house.resets.policy(session.channel(), session.scope().name(), event.place.chat());
    Incoming {
        event_id: event.id,
        session,
        principal: event.principal,
        address: event.address,
        sender: event.sender,
        platform_message: event.platform_message,
        digest: digest(&event.text),
        text: plan.text.unwrap_or(event.text),
        attachments: event.attachments,
        disposition: plan.disposition,
        epoch: plan.epoch,
        policy,
        per_session: house.config.queue.per_session,
        tell: plan.tell,
    }
}

/// What is to follow the commit of an item.
enum Fate {
    Denied,
    Ignored,
    Kept { event: String, session: SessionKey, command: bool },
}

impl Fate {
    fn of(item: &Item) -> Fate {
        match item {
            Item::PassedOver(kind) if kind.starts_with(DENIED) => Fate::Denied,
            Item::PassedOver(_) => Fate::Ignored,
            Item::Keep(incoming) => Fate::Kept {
                event: incoming.event_id.clone(),
                session: incoming.session.clone(),
                command: incoming.disposition == Disposition::Command,
            },
        }
    }
}

/// Wakes whoever goes on with a stored row, and says what the adapter is to know.
fn conclude(house: &House, source: &Source, stored: Stored, fate: Fate) -> Outcome {
    metrics::counter!("frontdesk_inbound_total", "outcome" => name(&stored)).increment(1);
    let (event, session, command) = match fate {
        Fate::Denied => return Outcome::Denied,
        Fate::Ignored => return Outcome::Ignored,
        Fate::Kept { event, session, command } => (event, session, command),
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
            go_on(house, &session, message, command);
            Outcome::Accepted { message, session }
        }
        Stored::Duplicate { message, same: true, refused: Some(reason), .. } => {
            Outcome::Refused { message, reason }
        }
        Stored::Duplicate { message, session, same: true, refused: None } => {
            // Whoever brought it first may have gone away before anybody was woken.
            go_on(house, &session, message, command);
            Outcome::Duplicate { message, session }
        }
        Stored::Duplicate { message, same: false, .. } => Outcome::Conflict { message },
        Stored::Refused { message, reason } => Outcome::Refused { message, reason },
        Stored::Dead { message } => {
            tracing::error!(%message, channel = source.channel, "an event could not be stored as it is; what could be kept of it is dead");
            Outcome::Ignored
        }
        Stored::PassedOver => Outcome::Ignored,
    }
}

fn go_on(house: &House, session: &SessionKey, message: MessageId, command: bool) {
    if !command {
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
    house.turns.wake_after(session, std::time::Duration::from_millis(quiet));
}

fn name(stored: &Stored) -> &'static str {
    match stored {
        Stored::Accepted { .. } => "accepted",
        Stored::Duplicate { .. } => "duplicate",
        Stored::Refused { .. } => "refused",
        Stored::Dead { .. } => "dead",
        Stored::PassedOver => "passed_over",
    }
}

fn clip(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
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

    fn heard(&self, source: &Source) {
        self.0.adapters.heard(source.channel, &source.account);
    }
}
