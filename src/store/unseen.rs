//! Texts that hooks see before they are sent. A text that a transaction makes is one row with the whole text in Markdown,
//! and at the head of its address the hooks see it: only then is it rendered, and counts as sent where a commit is enough.

use chrono::{DateTime, Utc};
use frontdesk_core::delivery::Post;
use frontdesk_core::id::{MessageId, OutId};
use frontdesk_core::markup::Part;
use frontdesk_core::profile::ReceiptRule;
use rusqlite::params;

use crate::ask;
use crate::delivery::{beside, done, gap};
use crate::fault::Outcome;
use crate::part::{load, next_number, salt_for};
use crate::part_key::{PartKey, TextKey};
use crate::queue::WorkClass;
use crate::row::{Fenced, OutboxRow, OutboxState, Withheld};
use crate::sql::{int, ms};
use crate::tx::Tx;
use crate::{Result, Store, StoreReader};

impl Store {
    /// The hooks have seen a text and this is what they made of it: it is rendered and can be sent. `choices` are the labels of
    /// the choices, if it is an open question. Stale if it is not to be sent any more.
    pub async fn seen(
        &self,
        out: OutId,
        text: String,
        choices: Vec<String>,
        now: DateTime<Utc>,
    ) -> Result<Fenced<()>> {
        self.write(WorkClass::Outbox, move |tx| {
            let Some(row) = waiting(tx, out)? else { return Ok(Fenced::Stale) };
            release(tx, row, &text, &choices, now).map(Fenced::Done)
        })
        .await
    }

    /// Hooks keep a text from being sent. It stays unseen, so that they see it again if an operator has it sent after all.
    pub async fn withheld(&self, out: OutId, withheld: Withheld, now: DateTime<Utc>) -> Result<Fenced<()>> {
        self.write(WorkClass::Outbox, move |tx| {
            if waiting(tx, out)?.is_none() {
                return Ok(Fenced::Stale);
            }
            done(tx, out, withheld.state(), &withheld.error, now)?;
            if withheld.failed {
                gap(tx, out, now)?;
            }
            Ok(Fenced::Done(()))
        })
        .await
    }
}

impl StoreReader {
    /// Whether the reply to a command is stored and waits for hooks.
    pub async fn reply_waits(&self, command: MessageId) -> Result<bool> {
        let key = TextKey::reply(command).part(0);
        self.read(move |sql| {
            let waits = "SELECT 1 FROM outbox WHERE part_key = ?1 AND unseen AND state = 'queued'";
            Ok(sql.one(waits, [key.as_str()], |_| Ok(()))?.is_some())
        })
        .await
    }
}

/// The row of a text that hooks are to see.
fn waiting(tx: &Tx<'_>, out: OutId) -> Outcome<Option<OutboxRow>> {
    Ok(load(tx, out)?.filter(|row| row.unseen && row.state == OutboxState::Queued))
}

fn release(
    tx: &Tx<'_>,
    mut row: OutboxRow,
    text: &str,
    choices: &[String],
    now: DateTime<Utc>,
) -> Outcome<()> {
    let renderer = &tx.shared.renderer;
    let (first, rest) = match &row.media {
        Some(_) => {
            let (caption, after) = renderer.caption(&row.address, text);
            let nothing = || Part { key: 0, body: String::new(), plain: String::new() };
            (caption.unwrap_or_else(nothing), after)
        }
        None => {
            let parts = match &mut row.post.ask {
                Some(ask) => ask::seen(tx, row.post.out, &row.address, ask, (text, choices))?,
                None => renderer.parts(&row.address, text),
            };
            let mut parts = parts.into_iter();
            match parts.next() {
                Some(first) => (first, parts.collect::<Vec<_>>()),
                None => return done(tx, row.post.out, OutboxState::Dropped, "hooks left nothing of it", now),
            }
        }
    };
    let (state, seq) = match renderer.receipt(&row.address) {
        ReceiptRule::Platform => (OutboxState::Queued, None),
        ReceiptRule::Commit => {
            let session = row.post.about.session.as_ref();
            (OutboxState::Sent, session.map(|session| next_number(tx, session)).transpose()?.flatten())
        }
    };
    let salt = row.salt.and_then(|salt| salt_for(salt, &first));
    tx.run(
        "UPDATE outbox SET unseen = 0, body = ?2, plain = ?3, salt = ?4, state = ?5, seq = ?6, done_at = ?7 WHERE id = ?1",
        params![
            row.post.out.0,
            first.body,
            (first.plain != first.body).then_some(&first.plain),
            salt.map(|salt| salt.0),
            state.name(),
            seq.map(int),
            (state == OutboxState::Sent).then_some(ms(now)),
        ],
    )?;
    if row.post.ask.is_some() && !rest.is_empty() {
        // The buttons are beneath the last part.
        tx.run("UPDATE outbox SET ask = NULL WHERE id = ?1", [row.post.out.0])?;
    }
    load(tx, row.post.out)?.into_iter().for_each(|row| tx.stored(row));
    following(tx, &row, rest, now)
}

/// Stores the other parts of a text. They come before everything that was stored after it.
fn following(tx: &Tx<'_>, row: &OutboxRow, rest: Vec<Part>, now: DateTime<Utc>) -> Outcome<()> {
    let outgoing = beside(row, now);
    let last = rest.len();
    for (n, part) in rest.into_iter().enumerate() {
        let salt = row.salt.and_then(|salt| salt_for(salt, &part));
        let new = outgoing.row(tx, PartKey::following(&row.post.key, n + 1), part)?;
        let follows = Some(row.follows.unwrap_or(row.post.out));
        let ask = row.post.ask.clone().filter(|_| n + 1 == last);
        let asked = ask.as_ref().map(|ask| ask.id);
        let put = outgoing.put(tx, OutboxRow { salt, follows, post: Post { ask, ..new.post }, ..new })?;
        if let (Some(ask), Some(out)) = (asked, put) {
            tx.run("UPDATE ask SET out_id = ?2 WHERE id = ?1", [ask.0, out.0])?;
        }
    }
    Ok(())
}
