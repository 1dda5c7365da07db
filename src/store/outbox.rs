//! What else goes out, and what an operator does with what did not arrive.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use frontdesk_core::act::PostKind;
use frontdesk_core::address::Address;
use frontdesk_core::id::OutId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::notice::Notice;
use rusqlite::params;

use crate::audit::audit;
use crate::delivery::done;
use crate::fault::Outcome;
use crate::part::{Envelope, load, out, out_columns};
use crate::queue::Line;
use crate::row::{Author, OutboxRow, OutgoingMessage, Page};
use crate::sql::{int, ms, parsed};
use crate::tx::Tx;
use crate::{Result, Store};

/// Parts that one unit lets expire.
const CHUNK: usize = 100;

impl Store {
    /// Puts something on its way that no turn produced. A repetition with the same key returns what the first
    /// one made, as it stands now.
    pub async fn send(&self, outgoing: OutgoingMessage) -> Result<Vec<OutboxRow>> {
        self.write(Line::Outbox, move |tx| {
            let base = format!("send/{}", outgoing.key);
            let known = made_before(tx, &base)?;
            if !known.is_empty() {
                return Ok(known);
            }
            let session = outgoing.session.as_ref();
            let envelope = envelope(&outgoing.address, session, PostKind::Send, outgoing.now);
            let mut said = envelope.parts(tx, &base, &outgoing.parts)?;
            said.extend(envelope.files(tx, &base, &outgoing.media)?);
            audit(tx, &outgoing.author, "send", outgoing.address.as_str(), "done", outgoing.now)?;
            Ok(said)
        })
        .await
    }

    /// Puts a notice on its way to an address. A repetition with the same key says nothing.
    pub async fn say(
        &self,
        address: &Address,
        session: Option<&SessionKey>,
        key: String,
        notice: Notice,
        now: DateTime<Utc>,
    ) -> Result<Vec<OutboxRow>> {
        let (address, session) = (address.clone(), session.cloned());
        self.write(Line::Outbox, move |tx| {
            envelope(&address, session.as_ref(), PostKind::Notice, now).text(tx, &key, &notice.text())
        })
        .await
    }

    /// Gives up what waits since before a time: a stale answer is worse than a line that says so. Each address
    /// gets one such line per call. Returns the lines.
    pub async fn expire_parts(
        &self,
        created_before: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Vec<OutboxRow>> {
        let stale = self
            .read(move |sql| {
                sql.all(
                    "SELECT id FROM outbox WHERE state IN ('queued', 'streaming', 'sending')
                       AND state = 'queued' AND created_at < ?1 ORDER BY id",
                    [ms(created_before)],
                    |row| row.get(0).map(OutId),
                )
            })
            .await?;
        let (mut said, mut told) = (Vec::new(), HashSet::new());
        for chunk in stale.chunks(CHUNK) {
            let (chunk, known) = (chunk.to_vec(), std::mem::take(&mut told));
            let (lines, known) = self
                .write(Line::Sweep, move |tx| expire(tx, &chunk, created_before, known.clone(), now))
                .await?;
            said.extend(lines);
            told = known;
        }
        Ok(said)
    }

    /// An operator wants a dead or held part sent after all. It counts as put on its way now: else it would
    /// expire at once. Returns its address, or `None` if there is no such part.
    pub async fn part_retried(
        &self,
        id: OutId,
        author: &Author,
        now: DateTime<Utc>,
    ) -> Result<Option<Address>> {
        let author = author.clone();
        self.write(Line::Outbox, move |tx| {
            let address = tx.one(
                "UPDATE outbox SET state = 'queued', next_at = ?2, paused_at = NULL, created_at = ?2, done_at = NULL
                 WHERE id = ?1 AND state IN ('dead', 'unknown') RETURNING address",
                [id.0, ms(now)],
                |row| parsed(row, 0),
            )?;
            noted(tx, &author, "outbox retry", id, address, now)
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
        let author = author.clone();
        self.write(Line::Outbox, move |tx| {
            let address = tx.one(
                "UPDATE outbox SET state = 'dropped', done_at = ?2, owner = NULL
                 WHERE id = ?1 AND state IN ('queued', 'dead', 'unknown') RETURNING address",
                [id.0, ms(now)],
                |row| parsed(row, 0),
            )?;
            noted(tx, &author, "outbox drop", id, address, now)
        })
        .await
    }

    /// Parts, the newest first, of one state or of all.
    pub async fn parts(
        &self,
        state: Option<&str>,
        before: Option<OutId>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>> {
        Ok(self.parts_page(state, before, limit, usize::MAX).await?.rows)
    }

    /// The same, with at most so many bytes of text, but at least one part.
    pub async fn parts_page(
        &self,
        state: Option<&str>,
        before: Option<OutId>,
        limit: u32,
        most: usize,
    ) -> Result<Page<OutboxRow>> {
        let (state, before) = (state.map(str::to_owned), before.map_or(i64::MAX, |before| before.0));
        self.read(move |sql| match state {
            None => sql.within(
                concat!(
                    "SELECT ",
                    out_columns!(),
                    " FROM outbox o WHERE o.id < ?1 ORDER BY o.id DESC LIMIT ?2"
                ),
                params![before, limit],
                most,
                texts,
                out,
            ),
            // Spelled out, so that each finds its own small index.
            Some(state) => sql.within(
                match state.as_str() {
                    "queued" | "streaming" | "sending" => concat!(
                        "SELECT ",
                        out_columns!(),
                        " FROM outbox o WHERE o.state IN ('queued', 'streaming', 'sending') AND o.state = ?3
                           AND o.id < ?1 ORDER BY o.id DESC LIMIT ?2"
                    ),
                    "dead" | "unknown" => concat!(
                        "SELECT ",
                        out_columns!(),
                        " FROM outbox o WHERE o.state IN ('unknown', 'dead') AND o.state = ?3
                           AND o.id < ?1 ORDER BY o.id DESC LIMIT ?2"
                    ),
                    _ => concat!(
                        "SELECT ",
                        out_columns!(),
                        " FROM outbox o WHERE o.state = ?3 AND o.id < ?1 ORDER BY o.id DESC LIMIT ?2"
                    ),
                },
                params![before, limit, state],
                most,
                texts,
                out,
            ),
        })
        .await
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

/// What a row's texts hold, in bytes.
fn texts(row: &OutboxRow) -> usize {
    row.post.part.body.len() + row.post.part.plain.len()
}

fn envelope<'a>(
    address: &'a Address,
    session: Option<&'a SessionKey>,
    kind: PostKind,
    now: DateTime<Utc>,
) -> Envelope<'a> {
    Envelope { turn: None, about: &[], session, address, reply_to: None, kind, now }
}

/// The audit's line about one part that somebody changed.
fn noted(
    tx: &Tx<'_>,
    author: &Author,
    action: &str,
    id: OutId,
    address: Option<Address>,
    now: DateTime<Utc>,
) -> Outcome<Option<Address>> {
    if let Some(address) = &address {
        audit(tx, author, action, &format!("{id} {address}"), "done", now)?;
    }
    Ok(address)
}

/// The parts of an earlier request with this key.
fn made_before(tx: &Tx<'_>, base: &str) -> Outcome<Vec<OutboxRow>> {
    let mut rows = Vec::new();
    let one = concat!("SELECT ", out_columns!(), " FROM outbox o WHERE o.part_key = ?1");
    for kind in ["", "m"] {
        for n in 0.. {
            let key = format!("{base}/{kind}{n}");
            let Some(row) = tx.one(one, [&key], out)? else { break };
            let file = row.media.is_some();
            rows.push(row);
            // What did not fit beneath a file follows it.
            for n in 0.. {
                let after = if file { tx.one(one, [format!("{key}/{n}")], out)? } else { None };
                let Some(row) = after else { break };
                rows.push(row);
            }
        }
    }
    Ok(rows)
}

/// Some of them may have been sent since they were looked up.
/// Whether a line about stale parts is on its way to this address already: one is enough.
fn told_already(tx: &Tx<'_>, address: &Address) -> Outcome<bool> {
    let line = tx.one(
        "SELECT 1 FROM outbox WHERE address = ?1 AND state IN ('queued', 'streaming', 'sending')
           AND part_key LIKE '%/notice/stale/%'",
        [address.as_str()],
        |_| Ok(()),
    )?;
    Ok(line.is_some())
}

fn expire(
    tx: &Tx<'_>,
    parts: &[OutId],
    created_before: DateTime<Utc>,
    mut told: HashSet<String>,
    now: DateTime<Utc>,
) -> Outcome<(Vec<OutboxRow>, HashSet<String>)> {
    let mut said = Vec::new();
    for id in parts {
        let Some(part) =
            load(tx, *id)?.filter(|part| part.state == "queued" && part.created < created_before)
        else {
            continue;
        };
        // Nobody misses a deletion.
        let state = if part.delete.is_some() { "dropped" } else { "dead" };
        done(tx, *id, state, "expired", now)?;
        if part.post.kind != PostKind::Notice
            && part.delete.is_none()
            && told.insert(part.address.as_str().to_owned())
            && !told_already(tx, &part.address)?
        {
            let session = part.post.about.session.as_ref();
            let about = &part.post.about.messages;
            let line = Envelope { about, ..envelope(&part.address, session, PostKind::Notice, now) };
            said.extend(line.notice(tx, &id.to_string(), &Notice::Stale)?);
        }
    }
    Ok((said, told))
}
