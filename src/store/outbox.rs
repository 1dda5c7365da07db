//! Messages that no turn produced, lists of outgoing parts, and what operators do with parts that did not arrive.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::delivery::PostKind;
use frontdesk_core::id::{ChatMessageId, OutId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::notice::Notice;
use rusqlite::params;
use serde_json::Value;

use crate::ask;
use crate::audit::audit;
use crate::change::replied_to;
use crate::delivery::done;
use crate::fault::Outcome;
use crate::part::{Outgoing, load, out, out_columns};
use crate::part_key::{PartKey, TextKey};
use crate::queue::WorkClass;
use crate::row::{
    Author, ChangeRefused, Claim, Fenced, OutboxRow, OutboxState, OutgoingMessage, Page, Withheld,
};
use crate::sql::{int, ms, parsed};
use crate::turn::OpenTurn;
use crate::tx::Tx;
use crate::{Result, Store, StoreReader};

/// Parts that one unit lets expire.
const CHUNK: usize = 100;

impl Store {
    /// Stores a message that no turn produced, to be sent. Returns its parts; a repetition with the same key returns those
    /// of the first request, as they are now.
    pub async fn send(&self, outgoing: OutgoingMessage) -> Result<Vec<OutboxRow>> {
        self.write(WorkClass::Outbox, move |tx| sent(tx, &outgoing, None, None)).await
    }

    /// The same for a message that is sent in quiet hours too.
    pub async fn send_urgent(&self, outgoing: OutgoingMessage) -> Result<Vec<OutboxRow>> {
        self.write(WorkClass::Outbox, move |tx| specially_sent(tx, &outgoing, true, None)).await
    }

    /// The same for a message in the platform's own form, which its one part stands for.
    pub async fn send_native(
        &self,
        outgoing: OutgoingMessage,
        native: Value,
        urgent: bool,
    ) -> Result<Vec<OutboxRow>> {
        self.write(WorkClass::Outbox, move |tx| specially_sent(tx, &outgoing, urgent, Some(&native))).await
    }

    /// The same for a message that an agent sends during its turn, in reply to another one if it names one. If the turn has
    /// ended or was cancelled meanwhile, nothing is stored.
    pub async fn send_in_turn(
        &self,
        claim: Claim<TurnId>,
        outgoing: OutgoingMessage,
        reply_to: Option<ChatMessageId>,
    ) -> Result<Fenced<std::result::Result<Vec<OutboxRow>, ChangeRefused>>> {
        self.write(WorkClass::Outbox, move |tx| {
            let Some(turn) = OpenTurn::held(tx, claim)? else { return Ok(Fenced::Stale) };
            let reply_to = match reply_to.map(|message| replied_to(tx, &turn, message)).transpose()? {
                Some(Err(refused)) => return Ok(Fenced::Done(Err(refused))),
                Some(Ok(message)) => Some(message),
                None => None,
            };
            sent(tx, &outgoing, Some(claim.id), reply_to.as_deref()).map(|rows| Fenced::Done(Ok(rows)))
        })
        .await
    }

    /// Stores a message that hooks keep from being sent. Returns its row, or what an earlier request with this key stored.
    pub async fn send_withheld(
        &self,
        outgoing: OutgoingMessage,
        withheld: Withheld,
    ) -> Result<Vec<OutboxRow>> {
        self.write(WorkClass::Outbox, move |tx| {
            let key = TextKey::request(&outgoing.key);
            let known = parts_of(tx, &key)?;
            if !known.is_empty() {
                return Ok(known);
            }
            let new = to_address(&outgoing.address, outgoing.session.as_ref(), PostKind::Send, outgoing.now);
            new.withheld(tx, key.part(0), &withheld)?;
            audit(tx, &outgoing.author, "send", outgoing.address.as_str(), "refused", outgoing.now)?;
            parts_of(tx, &key)
        })
        .await
    }

    /// Gives up what waits since before a time: a stale answer is worse than a notice that says so. Each address gets one
    /// such notice.
    pub async fn expire_parts(&self, created_before: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
        let stale = self
            .read(move |sql| {
                sql.all(
                    "SELECT id FROM outbox WHERE state IN ('queued', 'streaming', 'sending')
                       AND state = 'queued' AND kind <> 'result' AND max(created_at, coalesce(held_until, 0)) < ?1
                     ORDER BY id",
                    [ms(created_before)],
                    |row| row.get(0).map(OutId),
                )
            })
            .await?;
        let mut told = HashSet::new();
        for chunk in stale.chunks(CHUNK) {
            let (chunk, known) = (chunk.to_vec(), told.clone());
            let new = self.write(WorkClass::Sweep, move |tx| expire(tx, &chunk, created_before, &known, now));
            told.extend(new.await?);
        }
        Ok(())
    }

    /// An operator wants a dead or held part sent after all. It counts as stored now: else it would expire at once.
    /// Returns its address, or `None` if there is no such part.
    pub async fn part_retried(
        &self,
        id: OutId,
        author: &Author,
        now: DateTime<Utc>,
    ) -> Result<Option<Address>> {
        let retry = "UPDATE outbox SET state = 'queued', next_at = ?2, paused_at = NULL, created_at = ?2, done_at = NULL,
                                       failures = 0
                     WHERE id = ?1 AND state IN ('dead', 'unknown') RETURNING address";
        let author = author.clone();
        self.write(WorkClass::Outbox, move |tx| {
            let address = changed_by_operator(tx, id, retry, "outbox retry", &author, now)?;
            if address.is_some() {
                ask::retried(tx, id)?;
            }
            Ok(address)
        })
        .await
    }

    /// An operator gives a part up. Returns its address, or `None` if it has ended already or is being sent.
    pub async fn part_dropped(
        &self,
        id: OutId,
        author: &Author,
        now: DateTime<Utc>,
    ) -> Result<Option<Address>> {
        let drop = "UPDATE outbox SET state = 'dropped', done_at = ?2, owner = NULL
                    WHERE id = ?1 AND state IN ('queued', 'dead', 'unknown') RETURNING address";
        let author = author.clone();
        self.write(WorkClass::Outbox, move |tx| {
            changed_by_operator(tx, id, drop, "outbox drop", &author, now)
        })
        .await
    }
}

/// Stores a message, or finds what an earlier request with its key has stored.
fn sent(
    tx: &Tx<'_>,
    outgoing: &OutgoingMessage,
    turn: Option<TurnId>,
    reply_to: Option<&str>,
) -> Outcome<Vec<OutboxRow>> {
    let key = TextKey::request(&outgoing.key);
    let known = parts_of(tx, &key)?;
    if !known.is_empty() {
        return Ok(known);
    }
    let new = to_address(&outgoing.address, outgoing.session.as_ref(), PostKind::Send, outgoing.now);
    let new = Outgoing { turn, reply_to, ..new };
    new.parts(tx, &key, outgoing.parts.clone())?;
    new.files(tx, &key, &outgoing.media)?;
    audit(tx, &outgoing.author, "send", outgoing.address.as_str(), "done", outgoing.now)?;
    parts_of(tx, &key)
}

/// Stores a message that is sent in quiet hours too, or in the platform's own form.
fn specially_sent(
    tx: &Tx<'_>,
    outgoing: &OutgoingMessage,
    urgent: bool,
    native: Option<&Value>,
) -> Outcome<Vec<OutboxRow>> {
    let key = TextKey::request(&outgoing.key);
    // What an earlier request with its key has stored stays.
    let native = if parts_of(tx, &key)?.is_empty() { native } else { None };
    for row in sent(tx, outgoing, None, None)? {
        let write = "UPDATE outbox SET urgent = urgent OR ?2, native = coalesce(?3, native)
                     WHERE id = ?1 AND state = 'queued'";
        tx.run(write, params![row.post.out.0, urgent, native.map(Value::to_string)])?;
    }
    parts_of(tx, &key)
}

/// Changes one part and writes that to the audit.
fn changed_by_operator(
    tx: &Tx<'_>,
    id: OutId,
    change: &str,
    action: &str,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<Option<Address>> {
    let address: Option<Address> = tx.one(change, [id.0, ms(now)], |row| parsed(row, 0))?;
    if let Some(address) = &address {
        audit(tx, author, action, &format!("{id} {address}"), "done", now)?;
    }
    Ok(address)
}

impl StoreReader {
    /// The state of a part, or `None` if there is no such part.
    pub async fn part_state(&self, id: OutId) -> Result<Option<OutboxState>> {
        self.read(move |sql| sql.one("SELECT state FROM outbox WHERE id = ?1", [id.0], |row| parsed(row, 0)))
            .await
    }

    /// A part.
    pub async fn part(&self, id: OutId) -> Result<Option<OutboxRow>> {
        self.read(move |sql| load(sql, id)).await
    }

    /// A session's durable frames after a number, in order.
    pub async fn frames(&self, session: &SessionKey, after: u64, limit: u32) -> Result<Vec<OutboxRow>> {
        Ok(self.frames_page(session, after, limit, usize::MAX).await?.rows)
    }

    /// The same, with at most so many bytes of text, but at least one frame.
    pub async fn frames_page(
        &self,
        session: &SessionKey,
        after: u64,
        limit: u32,
        most: usize,
    ) -> Result<Page<OutboxRow>> {
        let session = session.clone();
        self.read(move |sql| {
            sql.within(
                concat!(
                    "SELECT ",
                    out_columns!(),
                    " FROM outbox o WHERE o.key = ?1 AND o.seq IS NOT NULL AND o.seq > ?2 ORDER BY o.seq LIMIT ?3"
                ),
                params![session.as_str(), int(after), limit],
                most,
                texts,
                out,
            )
        })
        .await
    }
}

/// The size of a row's texts in bytes.
pub(crate) fn texts(row: &OutboxRow) -> usize {
    row.post.part.body.len() + row.post.part.plain.len()
}

fn to_address<'a>(
    address: &'a Address,
    session: Option<&'a SessionKey>,
    kind: PostKind,
    now: DateTime<Utc>,
) -> Outgoing<'a> {
    Outgoing { turn: None, about: &[], session, address, reply_to: None, kind, audience: None, now }
}

/// The parts of a text and the files that follow it, as they are now; empty if the text was never stored.
fn parts_of(tx: &Tx<'_>, key: &TextKey) -> Outcome<Vec<OutboxRow>> {
    let mut rows = parts_in_order(tx, key)?;
    for n in 0.. {
        let Some(file) = by_key(tx, &key.file(n))? else { break };
        rows.push(file);
        rows.extend(parts_in_order(tx, &key.after_file(n))?);
    }
    Ok(rows)
}

fn parts_in_order(tx: &Tx<'_>, key: &TextKey) -> Outcome<Vec<OutboxRow>> {
    let mut rows = Vec::new();
    while let Some(row) = by_key(tx, &key.part(rows.len()))? {
        rows.push(row);
    }
    Ok(rows)
}

fn by_key(tx: &Tx<'_>, key: &PartKey) -> Outcome<Option<OutboxRow>> {
    let part = concat!("SELECT ", out_columns!(), " FROM outbox o WHERE o.part_key = ?1");
    tx.one(part, [key.as_str()], out)
}

/// Gives up parts that are still stale: some may have been sent since they were looked up. Returns the addresses that got
/// a notice; those that are `told` already get none.
fn expire(
    tx: &Tx<'_>,
    parts: &[OutId],
    created_before: DateTime<Utc>,
    told: &HashSet<Address>,
    now: DateTime<Utc>,
) -> Outcome<Vec<Address>> {
    let mut new = Vec::new();
    for id in parts {
        let part = match load(tx, *id) {
            Err(fault) if !fault.takes_the_group() => {
                tracing::error!(part = %id, cause = %fault.error(), "a part cannot be read; it is given up");
                done(tx, *id, OutboxState::Dead, "it cannot be read", now)?;
                continue;
            }
            part => part?,
        };
        let Some(part) =
            part.filter(|part| part.state == OutboxState::Queued && begins(part) < created_before)
        else {
            continue;
        };
        // A deletion or a reaction that did not happen is no gap.
        let state = if part.act.brings_text() { OutboxState::Dead } else { OutboxState::Dropped };
        done(tx, *id, state, "expired", now)?;
        if part.is_missed()
            && !told.contains(&part.address)
            && !new.contains(&part.address)
            && !is_told(tx, &part.address)?
        {
            let (session, about) = (part.post.about.session.as_ref(), &part.post.about.messages);
            let outgoing = to_address(&part.address, session, PostKind::Notice, now);
            Outgoing { about, ..outgoing }.notice(tx, id, &Notice::Stale)?;
            new.push(part.address);
        }
    }
    Ok(new)
}

/// When a part begins to age: once it may be sent.
fn begins(part: &OutboxRow) -> DateTime<Utc> {
    part.held_until.map_or(part.created, |held| held.max(part.created))
}

/// Whether a notice about stale parts waits for this address already: one is enough.
fn is_told(tx: &Tx<'_>, address: &Address) -> Outcome<bool> {
    let notice = "SELECT 1 FROM outbox WHERE address = ?1 AND state IN ('queued', 'streaming', 'sending') AND notice = ?2";
    let stale = Notice::Stale;
    Ok(tx.one(notice, [address.as_str(), stale.kind()], |_| Ok(()))?.is_some())
}
