//! The first part of an answer that is shown while the agent still speaks.

use chrono::{DateTime, Utc};
use frontdesk_core::act::{Ending, Post};
use frontdesk_core::address::Address;
use frontdesk_core::id::{OutId, TurnId};
use frontdesk_core::markup::Part;
use frontdesk_core::notice::Failure;
use frontdesk_core::profile::ReceiptRule;
use rusqlite::params;

use crate::delivery::{done, open};
use crate::fault::Outcome;
use crate::finish::{cut, fenced};
use crate::part::{Piece, load};
use crate::queue::Line;
use crate::row::{Fenced, Finish, OutboxRow};
use crate::sql::{Sql, ms};
use crate::turn::OpenTurn;
use crate::tx::Tx;
use crate::{Result, Store};

impl Store {
    /// The row of the message that will be streamed into, made before its first post (T2b). `Done(None)` when
    /// an older part to that address is unfinished, or where parts need no platform.
    pub async fn stream(
        &self,
        turn: TurnId,
        fence: i64,
        plain: String,
        now: DateTime<Utc>,
    ) -> Result<Fenced<Option<OutboxRow>>> {
        self.write(Line::Turns, move |tx| {
            let Some(turn) = OpenTurn::held(tx, turn, fence)? else { return Ok(Fenced::Stale) };
            begin(tx, &turn, &plain, now).map(Fenced::Done)
        })
        .await
    }

    /// A turn that somebody else has ended (`/stop`) has nothing on its way any more: to be said by whoever held
    /// it. The message that it was streaming into says how it ended; one that never came to be is given up.
    /// Returns whether there was one: its address is to be woken then, for the parts that waited behind it.
    pub async fn stream_settled(&self, turn: TurnId, now: DateTime<Utc>) -> Result<bool> {
        self.write(Line::Turns, move |tx| Ok(settle(tx, turn, false, now)?.is_some())).await
    }

    /// What the streamed message is about to show, stored before each edit: when its turn is stopped or cut off, this
    /// is what stays. Stale when the turn has ended or is somebody else's: then nothing may be shown any more.
    pub async fn stream_shows(&self, turn: TurnId, fence: i64, plain: String) -> Result<Fenced<()>> {
        self.write(Line::Turns, move |tx| {
            fenced(tx.run(
                "UPDATE outbox SET body = ?3, plain = NULL
                 WHERE turn_id = ?1 AND state = 'streaming'
                   AND EXISTS (SELECT 1 FROM turn WHERE id = ?1 AND fence = ?2 AND state = 'running')",
                params![turn.0, fence, plain],
            )?)
        })
        .await
    }

    /// The first post of a streamed message failed: its row goes, so that nothing waits behind it. The answer comes as
    /// a whole, or begins to be streamed again. Nothing happens once the row is more than an attempt.
    pub async fn unstreamed(&self, out: OutId) -> Result<()> {
        self.write(Line::Turns, move |tx| {
            let row =
                "DELETE FROM outbox WHERE id = ?1 AND state = 'streaming' AND platform_message_id IS NULL";
            tx.run(row, [out.0]).map(drop)
        })
        .await
    }

    /// Keeps what a stopped turn had said until then, for the history. A conversation that was erased meanwhile stays
    /// erased.
    pub async fn keep_partial(&self, turn: TurnId, fence: i64, so_far: String) -> Result<()> {
        self.write(Line::Turns, move |tx| {
            tx.run(
                "UPDATE turn SET answer = ?3
                 WHERE id = ?1 AND fence = ?2 AND state IN ('cancelled', 'superseded')
                   AND EXISTS (SELECT 1 FROM epoch WHERE key = turn.key AND n = turn.epoch)",
                params![turn.0, fence, so_far],
            )
            .map(drop)
        })
        .await
    }

    /// The platform has given the streamed message its id. If the turn has ended meanwhile and the answer has
    /// not been sent yet, it becomes an edit of this message after all.
    pub async fn streamed(&self, out: OutId, platform_message: String) -> Result<()> {
        self.write(Line::Turns, move |tx| {
            let streaming =
                "UPDATE outbox SET platform_message_id = ?2 WHERE id = ?1 AND state = 'streaming'";
            if tx.run(streaming, params![out.0, platform_message])? == 0 {
                tx.run(
                    "UPDATE outbox SET platform_message_id = ?2, act = 'edit', target = ?2
                     WHERE id = ?1 AND state = 'queued' AND act = 'post' AND attempts = 0",
                    params![out.0, platform_message],
                )?;
            }
            Ok(())
        })
        .await
    }
}

/// A row in state `streaming`.
pub(crate) struct Streaming {
    pub(crate) out: OutId,
    pub(crate) platform_message: Option<String>,
    /// What it shows, plain: stored before each edit, so never less than that.
    pub(crate) body: String,
}

impl Streaming {
    /// The streamed message of a turn.
    pub(crate) fn of(sql: &Sql<'_>, turn: TurnId) -> Outcome<Option<Self>> {
        sql.one(
            "SELECT id, platform_message_id, body FROM outbox WHERE turn_id = ?1 AND state = 'streaming'",
            [turn.0],
            |row| Ok(Self { out: OutId(row.get(0)?), platform_message: row.get(1)?, body: row.get(2)? }),
        )
    }

    /// Turns it into the answer's first part: an edit, or a post anew where the platform's id was never
    /// learned (that chat may then show a cut-off message as well).
    pub(crate) fn becomes(&self, tx: &Tx<'_>, part: &Part, now: DateTime<Utc>) -> Outcome<Option<OutboxRow>> {
        let act = if self.platform_message.is_some() { "edit" } else { "post" };
        if self.platform_message.is_none() {
            metrics::counter!("frontdesk_store_streams_reposted_total").increment(1);
        }
        tx.run(
            "UPDATE outbox SET state = 'queued', act = ?2, target = ?3, body = ?4, plain = ?5, next_at = ?6, paused_at = NULL,
                               owner = NULL
             WHERE id = ?1",
            params![
                self.out.0,
                act,
                self.platform_message,
                part.body,
                (part.plain != part.body).then_some(&part.plain),
                ms(now),
            ],
        )?;
        let row = load(tx, self.out)?;
        row.iter().for_each(|row| tx.said(row));
        Ok(row)
    }
}

/// Closes the streamed message of a turn that has ended: an edit that says so, or nothing at all where the
/// platform's id was never learned. While that may still come (`posting`), it is left to the turn's holder.
/// Returns what follows, or `None` if no message was closed.
pub(crate) fn settle(
    tx: &Tx<'_>,
    turn: TurnId,
    posting: bool,
    now: DateTime<Utc>,
) -> Outcome<Option<Vec<OutboxRow>>> {
    let Some(row) = Streaming::of(tx, turn)? else { return Ok(None) };
    let ended = "SELECT state FROM turn WHERE id = ?1 AND state NOT IN ('queued', 'running')";
    let Some(state) = tx.one(ended, [turn.0], |row| row.get::<_, String>(0))? else { return Ok(None) };
    if row.platform_message.is_none() {
        if posting {
            return Ok(None);
        }
        done(tx, row.out, "dropped", "its turn ended before it was posted", now)?;
        return Ok(Some(Vec::new()));
    }
    match tx.apart(|| ending(tx, turn, &state, &row, now)) {
        Err(fault) if !fault.takes_the_group() => {
            // The chat keeps half an answer; an open row would keep everything behind it as well.
            tracing::error!(%turn, cause = %fault.error(), "a streamed message cannot say how it ended");
            done(tx, row.out, "dropped", Failure::Internal.name(), now)?;
            Ok(Some(Vec::new()))
        }
        said => said.map(Some),
    }
}

fn ending(
    tx: &Tx<'_>,
    turn: TurnId,
    state: &str,
    row: &Streaming,
    now: DateTime<Utc>,
) -> Outcome<Vec<OutboxRow>> {
    let ending = match state {
        "done" => Ending::Answered,
        "cancelled" | "superseded" | "refused" => Ending::Cancelled,
        _ => Ending::Dead,
    };
    let Some(turn) = OpenTurn::by_id(tx, turn)? else { return Ok(Vec::new()) };
    let (said, _) = cut(tx, &turn, &Finish::bare(turn.id, turn.fence, ending, now), row)?;
    Ok(said)
}

/// The parts of a streamed message whose turn ended without an answer of its own: all that is known to have been said,
/// or, if that is less, what the chat shows, unchanged; and how it ended.
pub(crate) fn cut_off(
    tx: &Tx<'_>,
    to: &Address,
    known: Option<&str>,
    shown: &str,
    ending: Ending,
) -> Vec<Part> {
    let how = match ending {
        Ending::Answered => None,
        Ending::Dead => Some("(interrupted, /retry)"),
        Ending::Cancelled | Ending::Superseded | Ending::Refused => Some("(stopped)"),
    };
    let speech = &tx.shared.speech;
    let with_end = |text: &str| how.map_or_else(|| text.to_owned(), |how| format!("{text}\n\n{how}"));
    if let Some(text) = known.filter(|text| !text.trim().is_empty() && *text != shown) {
        // A message that grows shows one part at most.
        let is_more = match speech.parts(to, text).as_slice() {
            [] => false,
            [one] => one.plain.len() >= shown.len(),
            _ => true,
        };
        if is_more {
            return speech.parts(to, &with_end(text));
        }
    }
    let verbatim = |key, text: String| Part { key, body: text.clone(), plain: text };
    match (with_end(shown), how) {
        (whole, _) if speech.fits(to, &whole) => vec![verbatim(0, whole)],
        (_, None) => vec![verbatim(0, shown.to_owned())],
        (_, Some(how)) => vec![verbatim(0, shown.to_owned()), verbatim(1, how.to_owned())],
    }
}

fn begin(tx: &Tx<'_>, turn: &OpenTurn, plain: &str, now: DateTime<Utc>) -> Outcome<Option<OutboxRow>> {
    if tx.shared.speech.receipt(&turn.address) == ReceiptRule::Commit {
        return Ok(None);
    }
    if let Some(known) = Streaming::of(tx, turn.id)? {
        return load(tx, known.out);
    }
    if open(tx, turn.address.as_str())? {
        return Ok(None);
    }
    let part = Part { key: 0, body: plain.to_owned(), plain: plain.to_owned() };
    let Some(row) = turn.envelope(now).put(tx, format!("{}/0", turn.id), Piece::from(&part))? else {
        return Ok(None);
    };
    tx.run(
        "UPDATE outbox SET state = 'streaming', owner = ?2 WHERE id = ?1",
        params![row.post.out.0, tx.shared.boot.as_str()],
    )?;
    Ok(Some(OutboxRow { state: "streaming".into(), post: Post { more: true, ..row.post }, ..row }))
}
