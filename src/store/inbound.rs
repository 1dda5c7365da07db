//! T1: events become rows, together with everything that follows from them, before the platform gets its
//! acknowledgement.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use frontdesk_core::address::Principal;
use frontdesk_core::delivery::PostKind;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Cursor, EventKind, Refusal, Source};
use frontdesk_core::notice::{Failure, Notice};
use frontdesk_core::queue_mode::QueueMode;
use rusqlite::params;

use crate::epoch::{EpochOutcome, SessionState, join, session_state};
use crate::fault::{Fault, Outcome};
use crate::insert::{Kept, NewRow, count_dropped, insert, known};
use crate::part::Outgoing;
use crate::part_key::TextKey;
use crate::pieces::{self, Earlier};
use crate::queue::WorkClass;
use crate::quota::counted;
use crate::row::{
    Admitted, Answering, Batch, Decided, Disposition, EpochChange, MessageState, Reason, Stopped, Stored,
};
use crate::sql::ms;
use crate::stop::supersede;
use crate::tx::Tx;
use crate::{
    Result, Store, StoreError, StoreReader, ask, context_message, dead_letter, edit, pairing_request, spend,
};

impl Store {
    /// Stores a batch of one source in one transaction (T1); the adapter may acknowledge when this returns. If an
    /// event cannot be stored as it is, the batch is tried again event by event, and that one is stored as dead.
    /// Returns one outcome per event; what is to be sent reaches the commit listener alone.
    pub async fn accept(&self, batch: impl Into<Arc<Batch>>) -> Result<Vec<Stored>> {
        let batch = batch.into();
        let class = || WorkClass::Source(batch.source.id.clone());
        let whole = Arc::clone(&batch);
        match self.write(class(), move |tx| accept(tx, &whole, take)).await {
            Err(StoreError::Invalid(cause)) => {
                tracing::warn!(cause, source = batch.source.id, "a batch is taken event by event");
                let single = Arc::clone(&batch);
                self.write(class(), move |tx| accept(tx, &single, take_or_mark_dead)).await
            }
            done => done,
        }
    }
}

impl StoreReader {
    /// How far a source was read at its last commit.
    pub async fn cursor(&self, source: &str) -> Result<Option<Cursor>> {
        let source = source.to_owned();
        self.read(move |sql| {
            let cursor = "SELECT cursor FROM source WHERE id = ?1";
            Ok(sql.one(cursor, [&source], |row| row.get::<_, Option<String>>(0))?.flatten().map(Cursor))
        })
        .await
    }
}

fn accept(tx: &Tx<'_>, batch: &Batch, take: Step) -> Outcome<Vec<Stored>> {
    let mut stored = Vec::with_capacity(batch.events.len());
    let mut notices = RefusalNotices::default();
    for decided in &batch.events {
        let outcome = take(tx, batch, decided, notices.may_be_sent(decided))?;
        notices.count(decided, &outcome);
        stored.push(outcome);
    }
    for decided in &batch.events {
        let Some((raw, session)) = decided.dead_letter() else { continue };
        let event = &decided.event().id;
        match tx.apart(|| dead_letter::keep(tx, batch, event, session, raw)) {
            // A dead letter that cannot be stored must not hold up the events after it.
            Err(fault) if !fault.takes_the_group() => {
                let source = &batch.source.id;
                tracing::error!(source, event, cause = %fault.error(), "an event that could not be read is lost");
            }
            kept => kept?,
        }
    }
    if let Some(cursor) = &batch.cursor {
        reached(tx, &batch.source, cursor, batch.received.wall)?;
    }
    Ok(stored)
}

/// The senders and chats that got a notice about a refusal in this batch. The gate cannot limit these notices: it decided
/// about every event of the batch before the first one was stored.
#[derive(Default)]
struct RefusalNotices<'b> {
    people: HashSet<&'b Principal>,
    chats: HashMap<&'b str, usize>,
}

/// Maximum number of such notices to one chat in one batch.
const PER_CHAT: usize = 3;

impl<'b> RefusalNotices<'b> {
    /// Whether a refusal of this event may get a notice: one notice per sender, and [`PER_CHAT`] per chat.
    fn may_be_sent(&self, decided: &Decided) -> bool {
        let Decided::Admitted(Admitted { event, tell, .. }) = decided else { return false };
        let enough = self.people.contains(&event.from.id)
            || self.chats.get(event.address.chat()).is_some_and(|sent| *sent >= PER_CHAT);
        *tell && !enough
    }

    fn count(&mut self, decided: &'b Decided, stored: &Stored) {
        if let Stored::Refused { told: true, .. } = stored {
            let event = decided.event();
            self.people.insert(&event.from.id);
            *self.chats.entry(event.address.chat()).or_default() += 1;
        }
    }
}

/// How one event is stored. `tell` says whether its sender gets a notice if it is refused.
type Step = fn(&Tx<'_>, &Batch, &Decided, bool) -> Outcome<Stored>;

fn take(tx: &Tx<'_>, batch: &Batch, decided: &Decided, tell: bool) -> Outcome<Stored> {
    match decided {
        Decided::Dropped { reason, .. } => {
            count_dropped(tx, &batch.source, reason)?;
            Ok(Stored::Dropped)
        }
        Decided::Deletion(event) => {
            edit::deleted_by_id(tx, batch, event)?;
            Ok(Stored::Noted)
        }
        Decided::Admitted(message) => match &message.disposition {
            Disposition::Pairing(request) => pairing_request::taken(tx, batch, message, request),
            Disposition::Answer(answering) => ask::pressed(tx, batch, message, answering),
            _ => keep(tx, batch, message, tell),
        },
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

/// Stores one admitted event.
fn keep(tx: &Tx<'_>, batch: &Batch, message: &Admitted, tell: bool) -> Outcome<Stored> {
    if let Some(known) = known(tx, batch, &message.event.id, Some(message.digest()))? {
        return Ok(known);
    }
    if message.event.kind == EventKind::Deleted {
        edit::deleted(tx, batch, message)?;
        return Ok(Stored::Noted);
    }
    if let Disposition::Context(most) = message.disposition {
        context_message::keep(tx, batch, message, most)?;
        return Ok(Stored::Noted);
    }
    let session = session_state(tx, &message.session)?;
    let epoch = session.as_ref().map(|session| session.epoch);
    if let Disposition::Refused(reason) = message.disposition {
        return refuse(tx, batch, message, epoch, reason, Notify::each(tell));
    }
    if edit::noted(tx, batch, message, session.as_ref())? {
        return Ok(Stored::Noted);
    }
    if let Some(answering) = &message.answers {
        return keep_reply(tx, batch, message, session, (answering, tell));
    }
    match pieces::earlier(tx, message)? {
        Earlier::Refused(reason) => refuse(tx, batch, message, epoch, reason, Notify::each(false)),
        Earlier::Waiting => store_waiting(tx, batch, message, session),
        Earlier::None => within_limits(tx, batch, message, session, tell),
    }
}

/// Stores a message that makes a choice which an agent has offered. A message that is refused leaves the choices open.
fn keep_reply(
    tx: &Tx<'_>,
    batch: &Batch,
    message: &Admitted,
    session: Option<SessionState>,
    (answering, tell): (&Answering, bool),
) -> Outcome<Stored> {
    let reply = match ask::answer_to_choices(tx, answering, batch.received)? {
        Ok(reply) => Some(reply),
        // Whoever writes something has said it, whether the question is still open or not.
        Err(_) if message.event.kind == EventKind::Message => None,
        Err(error) => return Ok(Stored::NotAnswered { ask: answering.ask, error }),
    };
    let stored = within_limits(tx, batch, message, session, tell)?;
    if let (Some(reply), Stored::Accepted { .. }) = (reply, &stored) {
        reply.counts(tx, batch.received)?;
    }
    Ok(stored)
}

/// Stores a message for which its sender or its session may have reached a limit.
fn within_limits(
    tx: &Tx<'_>,
    batch: &Batch,
    message: &Admitted,
    session: Option<SessionState>,
    tell: bool,
) -> Outcome<Stored> {
    let epoch = session.as_ref().map(|session| session.epoch);
    if let Some(session) = &session
        && session.waiting >= u64::from(message.per_session)
    {
        let head = oldest_waiting(tx, &message.session)?;
        let once = head.map(|head| TextKey::full(&message.session, head));
        let notify = Notify { once, ..Notify::each(tell) };
        return refuse(tx, batch, message, epoch, Refusal::SessionFull, notify);
    }
    for budget in &message.budgets {
        if let Some(budget) = spend::used_up(tx, budget)? {
            let notice = Notice::UsedUp { budget, at: batch.received.wall };
            let notify = Notify { notice: Some(notice), ..Notify::each(tell) };
            return refuse(tx, batch, message, epoch, Refusal::Budget, notify);
        }
    }
    if let Some(quota) = message.quota
        && !counted(tx, &message.event.from.id, quota)?
    {
        let once = Some(TextKey::daily(&message.event.from.id, "quota", quota.day));
        let notify = Notify { once, ..Notify::each(tell) };
        return refuse(tx, batch, message, epoch, Refusal::Quota, notify);
    }
    store_waiting(tx, batch, message, session)
}

fn store_waiting(
    tx: &Tx<'_>,
    batch: &Batch,
    message: &Admitted,
    session: Option<SessionState>,
) -> Outcome<Stored> {
    let mode = session.as_ref().and_then(|session| session.queue_mode).unwrap_or(message.queue_mode);
    let outcome = join(tx, session, message, batch.received.wall)?;
    // The reset rule takes back no question: somebody may need days for an answer.
    if outcome.ended.is_some() && message.epoch != EpochChange::ByRule {
        ask::withdraw_from(tx, &message.session, batch.received.wall)?;
    }
    let id = insert(tx, batch, message, NewRow::waiting(message, outcome.epoch, outcome.reason))?;
    tx.queued(1);
    tell_reset(tx, batch, message, id, &outcome)?;
    let interrupts = message.disposition == Disposition::Turn
        && mode == QueueMode::Interrupt
        && !pieces::are_being_answered(tx, message)?;
    let superseded = match interrupts {
        true => supersede(tx, &message.session, id, batch.received.wall)?,
        false => Stopped::default(),
    };
    // The agent may take in a steered message meanwhile.
    if message.disposition == Disposition::Turn && mode != QueueMode::Steer {
        tell_of_question(tx, batch, message, id)?;
    }
    let EpochOutcome { epoch, ended, began, .. } = outcome;
    Ok(Stored::Accepted { message: id, epoch, ended, began, mode, superseded })
}

fn oldest_waiting(tx: &Tx<'_>, key: &SessionKey) -> Outcome<Option<i64>> {
    tx.one(
        "SELECT min(id) FROM inbound WHERE key = ?1 AND disposition = 'turn' AND state = 'waiting'",
        [key.as_str()],
        |row| row.get(0),
    )
    .map(Option::flatten)
}

/// Whether a refusal gets a notice.
struct Notify {
    tell: bool,
    /// A key that such notices share: only the first of them is sent. In a full session it names the head of the queue,
    /// of a quota the day.
    once: Option<TextKey>,
    /// What it says, if that is more than the reason.
    notice: Option<Notice>,
}

impl Notify {
    fn each(tell: bool) -> Self {
        Self { tell, once: None, notice: None }
    }
}

/// Stores a refused message. It does not count as activity and creates no session.
fn refuse(
    tx: &Tx<'_>,
    batch: &Batch,
    message: &Admitted,
    epoch: Option<u64>,
    reason: Refusal,
    notify: Notify,
) -> Outcome<Stored> {
    let epoch = epoch.unwrap_or(0);
    let new_row = NewRow::ended(MessageState::Refused, Reason::Refused(reason), epoch, Kept::All);
    let id = insert(tx, batch, message, new_row)?;
    let told = notify.tell && {
        let first = match reason {
            Refusal::SessionFull => ask::first_of(tx, &message.session)?,
            _ => None,
        };
        let (about, refused) = ([id], Notice::Refused(reason));
        let full = first.map(|first| Notice::Full(first.for_reader(&message.event.from.id)));
        let notice = notify.notice.or(full).unwrap_or(refused);
        let key = notify.once.unwrap_or_else(|| TextKey::notice(id, &notice));
        // That a session is full is said once, and concerns everybody who writes in it.
        let audience = Some(&message.event.from.id).filter(|_| reason != Refusal::SessionFull);
        let outgoing = Outgoing { audience, ..outgoing(message, &about, batch.received.wall) };
        outgoing.notice_as(tx, &key, &notice)?
    };
    Ok(Stored::Refused { message: id, reason, told })
}

/// A message that waits behind a question: the first one of each question is told so.
fn tell_of_question(tx: &Tx<'_>, batch: &Batch, message: &Admitted, id: MessageId) -> Outcome<()> {
    let Some(first) = ask::first_of(tx, &message.session)? else { return Ok(()) };
    let (about, key) = ([id], TextKey::behind(first.id));
    let notice = Notice::Behind(first.for_reader(&message.event.from.id));
    let outgoing = outgoing(message, &about, batch.received.wall);
    ask::notice_with_drop(tx, &outgoing, &key, &notice, (id, &message.event.from.id), batch.received)
}

fn tell_reset(
    tx: &Tx<'_>,
    batch: &Batch,
    message: &Admitted,
    id: MessageId,
    outcome: &EpochOutcome,
) -> Outcome<()> {
    let Some(previous) = outcome.ended.filter(|_| outcome.reasons.any() && message.policy.notify()) else {
        return Ok(());
    };
    let notice = Notice::Reset { reasons: outcome.reasons, previous };
    let about = [id];
    let outgoing = Outgoing { reply_to: None, ..outgoing(message, &about, batch.received.wall) };
    outgoing.notice(tx, id, &notice).map(drop)
}

fn outgoing<'a>(message: &'a Admitted, about: &'a [MessageId], now: DateTime<Utc>) -> Outgoing<'a> {
    Outgoing {
        turn: None,
        about,
        session: Some(&message.session),
        address: &message.event.address,
        reply_to: message.event.platform_message.as_deref(),
        kind: PostKind::Notice,
        audience: None,
        now,
    }
}

/// Stores one event by itself: if it cannot be stored as it is, it becomes a dead row, so that one event cannot block its
/// source.
fn take_or_mark_dead(tx: &Tx<'_>, batch: &Batch, decided: &Decided, tell: bool) -> Outcome<Stored> {
    match (tx.apart(|| take(tx, batch, decided, tell)), decided) {
        (Err(fault), Decided::Admitted(message)) if !fault.takes_the_group() => {
            mark_dead(tx, batch, message, tell, &fault)
        }
        (taken, _) => taken,
    }
}

fn mark_dead(tx: &Tx<'_>, batch: &Batch, message: &Admitted, tell: bool, fault: &Fault) -> Outcome<Stored> {
    let (session, event) = (message.session.as_str(), &message.event.id);
    tracing::error!(session, event, cause = %fault.error(), "an event cannot be stored");
    metrics::counter!("frontdesk_store_poisoned_events_total").increment(1);
    let pairing = matches!(message.disposition, Disposition::Pairing(_));
    let dead = |kept| {
        let new_row = NewRow::ended(MessageState::Dead, Reason::Unstorable, 0, kept);
        tx.apart(|| insert(tx, batch, message, new_row))
    };
    // With its text first; without it, if the text is what cannot be stored.
    let id = match dead(if pairing { Kept::Nothing } else { Kept::Text }) {
        Err(fault) if !fault.takes_the_group() => dead(Kept::Nothing)?,
        kept => kept?,
    };
    if !tell || pairing {
        return Ok(Stored::Dead { message: id });
    }
    let about = [id];
    let told = tx.apart(|| {
        let notice = Notice::Failed(Failure::Internal);
        outgoing(message, &about, batch.received.wall).notice(tx, id, &notice)
    });
    match told {
        Err(fault) if fault.takes_the_group() => Err(fault),
        // It is dead, with a notice or without.
        _ => Ok(Stored::Dead { message: id }),
    }
}
