//! T1: events become rows, with everything that follows from them, before the platform is told.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use frontdesk_core::act::PostKind;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Cursor, Refusal, Source};
use frontdesk_core::notice::{Failure, Notice};
use rusqlite::params;

use crate::epoch::{Joined, join, life};
use crate::fault::{Fault, Outcome};
use crate::message::{history, history_select, stored};
use crate::part::Envelope;
use crate::queue::Line;
use crate::row::{Accepted, Batch, Disposition, HistoryRow, Incoming, Item, OutRow, Stored};
use crate::sql::{int, ms, parsed};
use crate::tx::Tx;
use crate::{Result, Store, StoreError};

impl Store {
    /// Stores a batch of one source in one transaction (T1); the platform may be told when this returns. If an
    /// event cannot be stored as it is, the batch is tried again event by event, and that one is kept as dead.
    pub async fn accept(&self, batch: Batch) -> Result<Accepted> {
        let batch = Arc::new(batch);
        let line = || Line::Source(batch.source.id.clone());
        let whole = Arc::clone(&batch);
        match self.write(line(), move |tx| accept(tx, &whole, keep)).await {
            Err(StoreError::Invalid(cause)) => {
                tracing::warn!(cause, source = batch.source.id, "a batch is taken event by event");
                let single = Arc::clone(&batch);
                self.write(line(), move |tx| accept(tx, &single, keep_or_bury)).await
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

type Keep = fn(&Tx<'_>, &Batch, &Incoming) -> Outcome<(Stored, Vec<OutRow>)>;

fn accept(tx: &Tx<'_>, batch: &Batch, keep: Keep) -> Outcome<Accepted> {
    let mut accepted = Accepted { items: Vec::with_capacity(batch.items.len()), said: Vec::new() };
    for item in &batch.items {
        match item {
            Item::PassedOver(kind) => {
                pass_over(tx, &batch.source, kind)?;
                accepted.items.push(Stored::PassedOver);
            }
            Item::Keep(message) => {
                let (item, said) = keep(tx, batch, message)?;
                accepted.items.push(item);
                accepted.said.extend(said);
            }
        }
    }
    if let Some(cursor) = &batch.cursor {
        reached(tx, &batch.source, cursor, batch.received)?;
    }
    Ok(accepted)
}

fn pass_over(tx: &Tx<'_>, source: &Source, kind: &str) -> Outcome<()> {
    tx.run(
        "INSERT INTO passed_over (source, kind, n) VALUES (?1, ?2, 1)
         ON CONFLICT (source, kind) DO UPDATE SET n = n + 1",
        params![source.id, kind],
    )?;
    Ok(())
}

fn reached(tx: &Tx<'_>, source: &Source, cursor: &Cursor, now: DateTime<Utc>) -> Outcome<()> {
    tx.run(
        "INSERT INTO source (id, channel, account, cursor, updated_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET channel = excluded.channel, account = excluded.account,
                                        cursor = excluded.cursor, updated_at = excluded.updated_at",
        params![source.id, source.channel, source.account, cursor.0, ms(now)],
    )?;
    Ok(())
}

/// One event.
fn keep(tx: &Tx<'_>, batch: &Batch, message: &Incoming) -> Outcome<(Stored, Vec<OutRow>)> {
    if let Some(known) = known(tx, batch, message)? {
        return Ok((known, Vec::new()));
    }
    let life = life(tx, &message.session)?;
    if let Disposition::Refused(reason) = message.disposition {
        return refuse(tx, batch, message, life.map(|life| life.epoch), reason, None);
    }
    if let Some(life) = &life
        && message.disposition == Disposition::Turn
        && life.waiting >= u64::from(message.per_session)
    {
        let head = oldest_waiting(tx, &message.session)?;
        return refuse(tx, batch, message, Some(life.epoch), Refusal::SessionFull, head);
    }
    let joined = join(tx, life, message, batch.received)?;
    let row =
        Row { epoch: joined.epoch, state: "waiting", reason: joined.reason.as_deref(), body: &message.text };
    let id = row.insert(tx, batch, message)?;
    tx.queued(1);
    let told = tell_reset(tx, batch, message, id, &joined)?;
    let Joined { epoch, ended, began, .. } = joined;
    Ok((Stored::Accepted { message: id, epoch, ended, began }, told))
}

/// The event's first delivery, if this is another one.
fn known(tx: &Tx<'_>, batch: &Batch, message: &Incoming) -> Outcome<Option<Stored>> {
    tx.one(
        "SELECT id, key, digest, CASE state WHEN 'refused' THEN reason END
         FROM inbound WHERE source = ?1 AND event_id = ?2",
        params![batch.source.id, message.event_id],
        |row| {
            let first: i64 = row.get(2)?;
            let refused: Option<String> = row.get(3)?;
            Ok(Stored::Duplicate {
                message: MessageId(row.get(0)?),
                session: parsed(row, 1)?,
                same: first == 0 || first == message.digest,
                refused: refused.as_deref().and_then(Refusal::named),
            })
        },
    )
}

fn oldest_waiting(tx: &Tx<'_>, key: &SessionKey) -> Outcome<Option<i64>> {
    tx.one(
        "SELECT min(id) FROM inbound WHERE key = ?1 AND disposition = 'turn' AND state = 'waiting'",
        [key.as_str()],
        |row| row.get(0),
    )
    .map(Option::flatten)
}

/// Stores a refused message. It is no activity and begins no session. In a full session only the first
/// refusal behind each head of the queue is told.
fn refuse(
    tx: &Tx<'_>,
    batch: &Batch,
    message: &Incoming,
    epoch: Option<u64>,
    reason: Refusal,
    head: Option<i64>,
) -> Outcome<(Stored, Vec<OutRow>)> {
    let row =
        Row { epoch: epoch.unwrap_or(0), state: "refused", reason: Some(reason.name()), body: &message.text };
    let refused = Incoming { disposition: Disposition::Refused(reason), ..message.clone() };
    let id = row.insert(tx, batch, &refused)?;
    let mut told = Vec::new();
    if message.tell {
        let notice = Notice::Refused(reason);
        let about = [id];
        let envelope = envelope(message, &about, batch.received);
        told = match head {
            Some(head) => envelope.text(tx, &format!("{}/full/{head}", message.session), &notice.text())?,
            None => envelope.notice(tx, &id.to_string(), &notice)?,
        };
    }
    Ok((Stored::Refused { message: id, reason }, told))
}

fn tell_reset(
    tx: &Tx<'_>,
    batch: &Batch,
    message: &Incoming,
    id: MessageId,
    joined: &Joined,
) -> Outcome<Vec<OutRow>> {
    let Some(previous) = joined.ended.filter(|_| joined.reasons.any() && message.policy.notify()) else {
        return Ok(Vec::new());
    };
    let notice = Notice::Reset { reasons: joined.reasons, previous };
    let about = [id];
    Envelope { reply_to: None, ..envelope(message, &about, batch.received) }.notice(
        tx,
        &id.to_string(),
        &notice,
    )
}

fn envelope<'a>(message: &'a Incoming, about: &'a [MessageId], now: DateTime<Utc>) -> Envelope<'a> {
    Envelope {
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
fn keep_or_bury(tx: &Tx<'_>, batch: &Batch, message: &Incoming) -> Outcome<(Stored, Vec<OutRow>)> {
    match tx.apart(|| keep(tx, batch, message)) {
        Err(fault) if !fault.takes_the_group() => bury(tx, batch, message, &fault),
        kept => kept,
    }
}

fn bury(tx: &Tx<'_>, batch: &Batch, message: &Incoming, fault: &Fault) -> Outcome<(Stored, Vec<OutRow>)> {
    let session = message.session.as_str();
    tracing::error!(session, event = message.event_id, cause = %fault.error(), "an event cannot be stored");
    metrics::counter!("frontdesk_store_poisoned_events_total").increment(1);
    // The text first; if that is what cannot be stored, without it.
    let as_dead = |body: &str| {
        tx.apart(|| {
            let refused = Disposition::Refused(Refusal::Hook);
            let bare = Incoming { attachments: Vec::new(), disposition: refused, ..message.clone() };
            Row { epoch: 0, state: "dead", reason: Some("poison"), body }.insert(tx, batch, &bare)
        })
    };
    let id = match as_dead(&message.text) {
        Err(fault) if !fault.takes_the_group() => as_dead("")?,
        kept => kept?,
    };
    if !message.tell {
        return Ok((Stored::Dead { message: id }, Vec::new()));
    }
    let about = [id];
    let told = tx.apart(|| {
        let notice = Notice::Failed(Failure::Internal);
        let envelope = envelope(message, &about, batch.received);
        envelope.notice(tx, &id.to_string(), &notice)
    });
    let told = match told {
        Err(fault) if !fault.takes_the_group() => Vec::new(),
        told => told?,
    };
    Ok((Stored::Dead { message: id }, told))
}

/// What a row has besides the event.
struct Row<'a> {
    epoch: u64,
    state: &'static str,
    reason: Option<&'a str>,
    body: &'a str,
}

impl Row<'_> {
    fn insert(&self, tx: &Tx<'_>, batch: &Batch, message: &Incoming) -> Outcome<MessageId> {
        let disposition = match message.disposition {
            Disposition::Turn => "turn",
            Disposition::Command => "command",
            Disposition::Refused(_) => "refused",
        };
        tx.run(
            "INSERT INTO inbound (source, event_id, key, epoch, principal, address, sender, platform_message,
                                  received_at, disposition, state, reason, digest, body, attachments)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            params![
                batch.source.id,
                message.event_id,
                message.session.as_str(),
                int(self.epoch),
                message.principal.as_str(),
                message.address.as_str(),
                message.sender,
                message.platform_message,
                ms(batch.received),
                disposition,
                self.state,
                self.reason,
                message.digest,
                self.body,
                stored(&message.attachments),
            ],
        )?;
        Ok(MessageId(tx.last_id()))
    }
}
