//! T1: events become rows, with everything that follows from them, before the platform is told.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use frontdesk_core::act::PostKind;
use frontdesk_core::address::Principal;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Cursor, InputKind, Refusal, Source};
use frontdesk_core::notice::{Failure, Notice};
use rusqlite::params;

use crate::arrival::{Arrival, count_dropped, known};
use crate::epoch::{Joined, join, life};
use crate::fault::{Fault, Outcome};
use crate::message::{history, history_select};
use crate::part::Outgoing;
use crate::part_key::TextKey;
use crate::queue::Line;
use crate::quota::counted;
use crate::row::{Batch, Disposition, HistoryRow, Incoming, Item, Stored};
use crate::sql::ms;
use crate::tx::Tx;
use crate::{Result, Store, StoreError, ask, context_message, dead_letter, edit};

impl Store {
    /// Stores a batch of one source in one transaction (T1); the platform may be told when this returns. If an
    /// event cannot be stored as it is, the batch is tried again event by event, and that one is kept as dead. Returns
    /// what became of each item.
    pub async fn accept(&self, batch: Batch) -> Result<Vec<Stored>> {
        let batch = Arc::new(batch);
        let line = || Line::Source(batch.source.id.clone());
        let whole = Arc::clone(&batch);
        match self.write(line(), move |tx| accept(tx, &whole, take)).await {
            Err(StoreError::Invalid(cause)) => {
                tracing::warn!(cause, source = batch.source.id, "a batch is taken event by event");
                let single = Arc::clone(&batch);
                self.write(line(), move |tx| accept(tx, &single, take_or_mark_dead)).await
            }
            done => done,
        }
    }

    /// Where a source stood at its last commit.
    pub async fn cursor(&self, source: &str) -> Result<Option<Cursor>> {
        let source = source.to_owned();
        self.read(move |sql| {
            let cursor = "SELECT cursor FROM source WHERE id = ?1";
            Ok(sql.one(cursor, [&source], |row| row.get::<_, Option<String>>(0))?.flatten().map(Cursor))
        })
        .await
    }

    /// One message with its answer.
    pub async fn message(&self, id: MessageId) -> Result<Option<HistoryRow>> {
        self.read(move |sql| sql.one(concat!(history_select!(), "WHERE i.id = ?1"), [id.0], history)).await
    }
}

fn accept(tx: &Tx<'_>, batch: &Batch, take: Step) -> Outcome<Vec<Stored>> {
    let mut all = Vec::with_capacity(batch.items.len());
    let mut told = Told::default();
    for item in &batch.items {
        let silent = told.silenced(item);
        let stored = take(tx, batch, silent.as_ref().unwrap_or(item))?;
        told.note(item, &stored);
        all.push(stored);
    }
    for letter in &batch.dead_letters {
        match tx.apart(|| dead_letter::keep(tx, batch, letter)) {
            // One that cannot even be kept must not hold up what comes behind it.
            Err(fault) if !fault.takes_the_group() => {
                let (source, event) = (&batch.source.id, &letter.event_id);
                tracing::error!(source, event, cause = %fault.error(), "an event that could not be read is lost");
            }
            kept => kept?,
        }
    }
    if let Some(cursor) = &batch.cursor {
        reached(tx, &batch.source, cursor, batch.received.wall)?;
    }
    Ok(all)
}

/// Whether the gate's word that somebody may be told still holds: it was given before the batch was stored.
#[derive(Default)]
struct Told<'b> {
    people: HashSet<&'b Principal>,
    chats: HashMap<&'b str, usize>,
}

/// How many people of one chat are told of refusals in one batch.
const TOLD_PER_CHAT: usize = 3;

impl<'b> Told<'b> {
    /// The item, to be refused without a word if its sender or its chat was told already.
    fn silenced(&self, item: &Item) -> Option<Item> {
        let Item::Keep(message) = item else { return None };
        let enough = self.people.contains(&message.principal)
            || self.chats.get(message.address.chat()).is_some_and(|told| *told >= TOLD_PER_CHAT);
        (enough && message.tell)
            .then(|| Item::Keep(Box::new(Incoming { tell: false, ..(**message).clone() })))
    }

    fn note(&mut self, item: &'b Item, stored: &Stored) {
        if let (Item::Keep(message), Stored::Refused { told: Some(_), .. }) = (item, stored) {
            self.people.insert(&message.principal);
            *self.chats.entry(message.address.chat()).or_default() += 1;
        }
    }
}

/// How one item is stored.
type Step = fn(&Tx<'_>, &Batch, &Item) -> Outcome<Stored>;

fn take(tx: &Tx<'_>, batch: &Batch, item: &Item) -> Outcome<Stored> {
    match item {
        Item::Dropped(kind) => count_dropped(tx, &batch.source, kind).map(|()| Stored::Dropped),
        Item::Keep(message) => keep(tx, batch, message),
        Item::Ask(ask) => ask::taken(tx, batch, ask),
    }
}

fn reached(tx: &Tx<'_>, source: &Source, cursor: &Cursor, now: DateTime<Utc>) -> Outcome<()> {
    tx.run(
        "INSERT INTO source (id, channel, account, cursor, updated_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET channel = excluded.channel, account = excluded.account,
                                        cursor = excluded.cursor, updated_at = excluded.updated_at",
        params![source.id, source.account.channel(), source.account.name(), cursor.0, ms(now)],
    )?;
    Ok(())
}

/// One event.
fn keep(tx: &Tx<'_>, batch: &Batch, message: &Incoming) -> Outcome<Stored> {
    if let Some(known) = known(tx, batch, &message.event_id, Some(message.digest))? {
        return Ok(known);
    }
    if let Disposition::Context(most) = message.disposition {
        context_message::keep(tx, batch, message, most)?;
        return Ok(Stored::Noted);
    }
    let life = life(tx, &message.session)?;
    if let Disposition::Refused(reason) = message.disposition {
        return refuse(tx, batch, message, life.map(|life| life.epoch), reason, None);
    }
    if let Some(life) = &life
        && message.disposition == Disposition::Turn
    {
        if message.input_kind == InputKind::Edit && edit::noted(tx, batch, message, life)? {
            return Ok(Stored::Noted);
        }
        if life.waiting >= u64::from(message.per_session) {
            let head = oldest_waiting(tx, &message.session)?;
            let once = head.map(|head| TextKey::full(&message.session, head));
            return refuse(tx, batch, message, Some(life.epoch), Refusal::SessionFull, once);
        }
    }
    if let Some(quota) = message.quota
        && !counted(tx, message, quota)?
    {
        let once = Some(TextKey::daily(&message.principal, "quota", quota.day));
        return refuse(tx, batch, message, life.map(|life| life.epoch), Refusal::Quota, once);
    }
    let joined = join(tx, life, message, batch.received.wall)?;
    let arrival = Arrival { epoch: joined.epoch, reason: joined.reason.as_deref(), ..Arrival::of(message) };
    let id = arrival.insert(tx, batch)?;
    tx.queued(1);
    tell_reset(tx, batch, message, id, &joined)?;
    let Joined { epoch, ended, began, .. } = joined;
    Ok(Stored::Accepted { message: id, epoch, ended, began })
}

fn oldest_waiting(tx: &Tx<'_>, key: &SessionKey) -> Outcome<Option<i64>> {
    tx.one(
        "SELECT min(id) FROM inbound WHERE key = ?1 AND disposition = 'turn' AND state = 'waiting'",
        [key.as_str()],
        |row| row.get(0),
    )
    .map(Option::flatten)
}

/// Stores a refused message. It is no activity and begins no session. With a key of its own (`once`) a refusal
/// is told once: in a full session behind each head of the queue, of a quota each day.
fn refuse(
    tx: &Tx<'_>,
    batch: &Batch,
    message: &Incoming,
    epoch: Option<u64>,
    reason: Refusal,
    once: Option<TextKey>,
) -> Outcome<Stored> {
    let arrival = Arrival {
        epoch: epoch.unwrap_or(0),
        disposition: "refused",
        state: "refused",
        reason: Some(reason.name()),
        ..Arrival::of(message)
    };
    let id = arrival.insert(tx, batch)?;
    let mut told = None;
    if message.tell {
        let (about, notice) = ([id], Notice::Refused(reason));
        let key = once.unwrap_or_else(|| TextKey::notice(id, &notice));
        let is_new = outgoing(message, &about, batch.received.wall).notice_as(tx, &key, &notice)?;
        told = is_new.then(|| message.address.clone());
    }
    Ok(Stored::Refused { message: id, reason, told })
}

fn tell_reset(tx: &Tx<'_>, batch: &Batch, message: &Incoming, id: MessageId, joined: &Joined) -> Outcome<()> {
    let Some(previous) = joined.ended.filter(|_| joined.reasons.any() && message.policy.notify()) else {
        return Ok(());
    };
    let notice = Notice::Reset { reasons: joined.reasons, previous };
    let about = [id];
    let outgoing = Outgoing { reply_to: None, ..outgoing(message, &about, batch.received.wall) };
    outgoing.notice(tx, id, &notice).map(drop)
}

fn outgoing<'a>(message: &'a Incoming, about: &'a [MessageId], now: DateTime<Utc>) -> Outgoing<'a> {
    Outgoing {
        turn: None,
        about,
        session: Some(&message.session),
        address: &message.address,
        reply_to: message.platform_message.as_deref(),
        kind: PostKind::Notice,
        now,
    }
}

/// The same event by event: what cannot be stored as it is becomes a dead row, so that one event cannot keep
/// a whole source from going on.
fn take_or_mark_dead(tx: &Tx<'_>, batch: &Batch, item: &Item) -> Outcome<Stored> {
    match tx.apart(|| take(tx, batch, item)) {
        Err(fault) if !fault.takes_the_group() => mark_dead(tx, batch, item, fault),
        taken => taken,
    }
}

fn mark_dead(tx: &Tx<'_>, batch: &Batch, item: &Item, fault: Fault) -> Outcome<Stored> {
    let (arrival, told) = match item {
        Item::Dropped(_) => return Err(fault),
        Item::Ask(ask) => (Arrival::asked(ask), None),
        Item::Keep(message) => (Arrival::of(message), Some(message).filter(|message| message.tell)),
    };
    let session = arrival.session.as_str();
    tracing::error!(session, event = arrival.event_id, cause = %fault.error(), "an event cannot be stored");
    metrics::counter!("frontdesk_store_poisoned_events_total").increment(1);
    // The text first; if that is what cannot be stored, without it.
    let dead = Arrival { epoch: 0, state: "dead", reason: Some("poison"), ..arrival.clone().bare() };
    let id = match tx.apart(|| Arrival { body: arrival.body, ..dead.clone() }.insert(tx, batch)) {
        Err(fault) if !fault.takes_the_group() => tx.apart(|| dead.insert(tx, batch))?,
        kept => kept?,
    };
    let Some(message) = told else { return Ok(Stored::Dead { message: id }) };
    let about = [id];
    let told = tx.apart(|| {
        let notice = Notice::Failed(Failure::Internal);
        outgoing(message, &about, batch.received.wall).notice(tx, id, &notice)
    });
    match told {
        Err(fault) if fault.takes_the_group() => Err(fault),
        _ => Ok(Stored::Dead { message: id }),
    }
}
