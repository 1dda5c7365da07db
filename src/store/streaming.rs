//! Streaming: the first part of an answer is posted and edited while the agent still writes it.

use chrono::{DateTime, Utc};
use frontdesk_core::delivery::{Ending, Post};
use frontdesk_core::delta::Usage;
use frontdesk_core::id::{OutId, TurnId};
use frontdesk_core::markup::Part;
use frontdesk_core::notice::Failure;
use frontdesk_core::profile::ReceiptRule;
use rusqlite::params;

use crate::answer::{cut, whole};
use crate::delivery::{done, open};
use crate::fault::Outcome;
use crate::part::load;
use crate::part_key::TextKey;
use crate::queue::WorkClass;
use crate::row::{Claim, Fenced, Finish, OutboxRow, OutboxState, StreamedPart, TurnState};
use crate::sql::parsed;
use crate::turn::{OpenTurn, used};
use crate::tx::Tx;
use crate::{Result, Store, spend};

impl Store {
    /// The row of the message that will be streamed into, made before its first post (T2b). `Done(None)` when
    /// an older part to that address is unfinished, or where parts need no platform.
    pub async fn stream(
        &self,
        claim: Claim<TurnId>,
        plain: String,
        now: DateTime<Utc>,
    ) -> Result<Fenced<Option<OutboxRow>>> {
        self.write(WorkClass::Turns, move |tx| {
            let Some(turn) = OpenTurn::held(tx, claim)? else { return Ok(Fenced::Stale) };
            begin(tx, &turn, &plain, now).map(Fenced::Done)
        })
        .await
    }

    /// The task that ran a turn has no request on its way any more, after something else ended the turn (`/stop`). Stores
    /// the last edit of its streamed message, which says how the turn ended, or gives the message up if it was never
    /// posted. Returns whether there was one: parts may have waited behind it, so its address is to be woken.
    pub async fn stream_settled(&self, turn: TurnId, now: DateTime<Utc>) -> Result<bool> {
        self.write(WorkClass::Turns, move |tx| Ok(settle(tx, turn, false, now)? != Settled::No)).await
    }

    /// What the streamed message is about to show, stored before each edit: when its turn is stopped or cut off, this
    /// is what stays. Stale when the turn has ended or is somebody else's, or the platform's id of the message was forgotten:
    /// then nothing may be shown any more.
    pub async fn stream_shows(&self, claim: Claim<TurnId>, plain: String) -> Result<Fenced<()>> {
        self.write(WorkClass::Turns, move |tx| {
            let shown = tx.run(
                "UPDATE outbox SET body = ?3, plain = NULL
                 WHERE turn_id = ?1 AND state = 'streaming' AND platform_message_id IS NOT NULL
                   AND EXISTS (SELECT 1 FROM turn WHERE id = ?1 AND fence = ?2 AND state = 'running')",
                params![claim.id.0, claim.fence, plain],
            )?;
            Ok(Fenced::if_changed(shown))
        })
        .await
    }

    /// The first post of a streamed message failed: its row is deleted, so that nothing waits behind it. The answer is sent
    /// as a whole, or streaming begins again. Changes nothing if the message was posted, or is a part of the answer already.
    pub async fn unstreamed(&self, out: OutId) -> Result<()> {
        self.write(WorkClass::Turns, move |tx| {
            let row =
                "DELETE FROM outbox WHERE id = ?1 AND state = 'streaming' AND platform_message_id IS NULL";
            tx.run(row, [out.0]).map(drop)
        })
        .await
    }

    /// Stores the text of a stopped turn for the history, and its usage, unless the conversation was erased meanwhile. If
    /// the chat has `shown` it in a draft, which disappears by itself, it is sent as a message that says how it ended; not to
    /// somebody who has lost their access.
    pub async fn keep_partial(
        &self,
        claim: Claim<TurnId>,
        so_far: Option<String>,
        shown: bool,
        usage: Option<Usage>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.write(WorkClass::Turns, move |tx| {
            let kept: Option<bool> = tx.one(
                "UPDATE turn SET answer = coalesce(?3, answer)
                 WHERE id = ?1 AND fence = ?2 AND state IN ('cancelled', 'superseded')
                   AND EXISTS (SELECT 1 FROM epoch WHERE key = turn.key AND n = turn.epoch)
                 RETURNING error IS NOT NULL",
                params![claim.id.0, claim.fence, so_far],
                |row| row.get(0),
            )?;
            let Some(access_was_revoked) = kept else { return Ok(()) };
            let shown = shown && !access_was_revoked;
            if let (Some(text), true, Some(turn)) = (&so_far, shown, OpenTurn::by_id(tx, claim.id)?) {
                let parts = tx
                    .shared
                    .renderer
                    .parts(&turn.address, &whole(tx, &turn.address, text, Ending::Cancelled));
                turn.outgoing(now).parts(tx, &TextKey::answer(turn.id), parts)?;
            }
            usage.iter().try_for_each(|usage| {
                used(tx, claim.id, usage)?;
                spend::add(tx, claim.id, usage)
            })
        })
        .await
    }

    /// The platform has given the streamed message its id. If the turn has ended meanwhile and the answer has
    /// not been sent yet, it becomes an edit of this message after all.
    pub async fn streamed(&self, out: OutId, platform_message: String) -> Result<()> {
        self.write(WorkClass::Turns, move |tx| {
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

/// What became of a streamed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// There was none, or it is left to the turn's holder.
    No,
    /// It will not be posted.
    Dropped,
    /// An edit says how its turn ended.
    Edited,
}

/// Closes the streamed message of a turn that has ended: an edit that says so, or nothing at all where the
/// platform's id was never learned. While that may still come (`posting`), it is left to the turn's holder.
pub(crate) fn settle(tx: &Tx<'_>, turn: TurnId, posting: bool, now: DateTime<Utc>) -> Outcome<Settled> {
    let Some(row) = StreamedPart::of(tx, turn)? else { return Ok(Settled::No) };
    let ended = "SELECT state FROM turn WHERE id = ?1 AND state NOT IN ('queued', 'running')";
    let Some(state) = tx.one(ended, [turn.0], |row| parsed(row, 0))? else { return Ok(Settled::No) };
    if row.platform_message.is_none() {
        if posting {
            return Ok(Settled::No);
        }
        done(tx, row.out, OutboxState::Dropped, "its turn ended before it was posted", now)?;
        return Ok(Settled::Dropped);
    }
    match tx.apart(|| ending(tx, turn, state, &row, now)) {
        Err(fault) if !fault.takes_the_group() => {
            // The chat shows half an answer; but while the row stayed open, no later part would be sent.
            tracing::error!(%turn, cause = %fault.error(), "a streamed message cannot say how it ended");
            done(tx, row.out, OutboxState::Dropped, Failure::Internal.name(), now)?;
            Ok(Settled::Dropped)
        }
        ended => ended.map(|()| Settled::Edited),
    }
}

/// The last edit of a streamed message whose turn has ended.
fn ending(
    tx: &Tx<'_>,
    turn: TurnId,
    state: TurnState,
    row: &StreamedPart,
    now: DateTime<Utc>,
) -> Outcome<()> {
    let ending = match state {
        TurnState::Done => Ending::Answered,
        TurnState::Cancelled | TurnState::Superseded | TurnState::Refused => Ending::Cancelled,
        TurnState::Queued | TurnState::Running | TurnState::Interrupted | TurnState::Dead => Ending::Dead,
    };
    let Some(turn) = OpenTurn::by_id(tx, turn)? else { return Ok(()) };
    cut(tx, &turn, &Finish::bare(turn.claim(), ending, now), row).map(drop)
}

fn begin(tx: &Tx<'_>, turn: &OpenTurn, plain: &str, now: DateTime<Utc>) -> Outcome<Option<OutboxRow>> {
    if tx.shared.renderer.receipt(&turn.address) == ReceiptRule::Commit {
        return Ok(None);
    }
    if let Some(known) = StreamedPart::of(tx, turn.id)? {
        return load(tx, known.out);
    }
    if open(tx, turn.address.as_str())? {
        return Ok(None);
    }
    let part = Part { key: 0, body: plain.to_owned(), plain: plain.to_owned() };
    let outgoing = turn.outgoing(now);
    let row = outgoing.row(tx, TextKey::answer(turn.id).part(0), part)?;
    let row = OutboxRow { state: OutboxState::Streaming, post: Post { more: true, ..row.post }, ..row };
    Ok(outgoing.put(tx, row.clone())?.map(|_| row))
}
