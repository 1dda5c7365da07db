//! T3: a turn ends, its messages with it, and every part of its answer is on its way, in one commit.

use chrono::{DateTime, Utc};
use frontdesk_core::act::Ending;
use frontdesk_core::id::TurnId;
use frontdesk_core::markup::Part;
use frontdesk_core::notice::Notice;
use rusqlite::params;

use crate::fault::Outcome;
use crate::queue::Line;
use crate::row::{Fenced, Finish, OutboxRow};
use crate::sql::{int, ms};
use crate::streaming::{Streaming, cut_off, settle};
use crate::turn::OpenTurn;
use crate::tx::Tx;
use crate::{Result, Store};

impl Store {
    /// Notes before the first tool that the agent is about to act (T2b): from here on the turn is not run
    /// again. `so_far` is what it said until now; a later call replaces that, and keeps the time.
    pub async fn side_effect(
        &self,
        turn: TurnId,
        fence: i64,
        so_far: String,
        now: DateTime<Utc>,
    ) -> Result<Fenced<()>> {
        self.write(Line::Turns, move |tx| {
            fenced(tx.run(
                "UPDATE turn SET side_effect_at = coalesce(side_effect_at, ?3), answer = ?4
                 WHERE id = ?1 AND fence = ?2 AND state = 'running'",
                params![turn.0, fence, ms(now), so_far],
            )?)
        })
        .await
    }

    /// Ends a turn (T3). Returns everything that it put on its way.
    pub async fn finish(&self, finish: Finish) -> Result<Fenced<Vec<OutboxRow>>> {
        self.write(Line::Turns, move |tx| {
            let Some(turn) = OpenTurn::held(tx, finish.turn, finish.fence)? else { return Ok(Fenced::Stale) };
            end(tx, &turn, &finish).map(Fenced::Done)
        })
        .await
    }

    /// The agent died: the turn is to run once more. The attempt counts as a death.
    pub async fn requeue(&self, turn: TurnId, fence: i64) -> Result<Fenced<()>> {
        self.write(Line::Turns, move |tx| {
            fenced(tx.run(
                "UPDATE turn SET state = 'queued', owner = NULL WHERE id = ?1 AND fence = ?2 AND state = 'running'",
                [turn.0, fence],
            )?)
        })
        .await
    }

    /// The agent could not even be started: the turn waits again as if it had not been claimed. What was put on disk
    /// for the tool call that is the start itself has not happened either.
    pub async fn not_begun(&self, turn: TurnId, fence: i64) -> Result<Fenced<()>> {
        self.write(Line::Turns, move |tx| {
            fenced(tx.run(
                "UPDATE turn SET state = 'queued', owner = NULL, attempt = attempt - 1, side_effect_at = NULL,
                                 answer = NULL
                 WHERE id = ?1 AND fence = ?2 AND state = 'running'",
                [turn.0, fence],
            )?)
        })
        .await
    }

    /// An orderly stop gives a turn back: it runs again at the next start, and the attempt is no death. A turn
    /// that has acted cannot run again: it ends here as interrupted, and its notice is on its way.
    pub async fn release(&self, turn: TurnId, fence: i64, now: DateTime<Utc>) -> Result<Fenced<()>> {
        self.write(Line::Turns, move |tx| {
            let Some(turn) = OpenTurn::held(tx, turn, fence)? else { return Ok(Fenced::Stale) };
            if turn.acted.is_some() {
                interrupt(tx, &turn, now)?;
                return Ok(Fenced::Done(()));
            }
            fenced(tx.run(
                "UPDATE turn SET state = 'queued', owner = NULL, released = released + 1 WHERE id = ?1",
                [turn.id.0],
            )?)
        })
        .await
    }
}

/// Ends a turn that was cut off after its agent had acted: what it had said is delivered, and it is not run
/// again.
pub(crate) fn interrupt(tx: &Tx<'_>, turn: &OpenTurn, now: DateTime<Utc>) -> Outcome<Vec<OutboxRow>> {
    let so_far = turn.so_far.clone().unwrap_or_default();
    let finish = Finish {
        error: Some("interrupted".into()),
        notice: Some(Notice::Interrupted { so_far }),
        ..Finish::bare(turn.id, turn.fence, Ending::Dead, now)
    };
    end(tx, turn, &finish)
}

impl Finish {
    /// An end with nothing to say.
    pub fn bare(turn: TurnId, fence: i64, ending: Ending, now: DateTime<Utc>) -> Self {
        Self {
            turn,
            fence,
            ending,
            answer: None,
            parts: Vec::new(),
            media: Vec::new(),
            error: None,
            notice: None,
            usage: None,
            by_hook: false,
            now,
        }
    }
}

/// Ends a turn that is open, whoever holds it.
pub(crate) fn end(tx: &Tx<'_>, turn: &OpenTurn, finish: &Finish) -> Outcome<Vec<OutboxRow>> {
    close(tx, turn, finish)?;
    let streaming = Streaming::of(tx, turn.id)?;
    let (mut said, spoken) = match &streaming {
        Some(row) if finish.parts.is_empty() => cut(tx, turn, finish, row)?,
        row => (answer(tx, turn, row.as_ref(), &finish.parts, finish.now)?, false),
    };
    if !finish.media.is_empty() {
        said.extend(turn.envelope(finish.now).files(tx, &turn.id.to_string(), &finish.media)?);
    }
    if let Some(notice) = finish.notice.as_ref().filter(|_| !spoken) {
        said.extend(turn.envelope(finish.now).notice(tx, &turn.id.to_string(), notice)?);
    }
    Ok(said)
}

/// Cancels a turn that somebody else may hold. Returns what a streamed message says now.
pub(crate) fn cancel(
    tx: &Tx<'_>,
    turn: &OpenTurn,
    why: Option<&str>,
    now: DateTime<Utc>,
) -> Outcome<Vec<OutboxRow>> {
    let error = why.map(str::to_owned);
    // The history keeps what was shown. Whoever runs the turn may know of more, and stores it then.
    let known = turn.so_far.as_ref().map_or(0, String::len);
    let answer = Streaming::of(tx, turn.id)?.map(|row| row.body).filter(|shown| shown.len() > known);
    let finish = Finish { error, answer, ..Finish::bare(turn.id, turn.fence, Ending::Cancelled, now) };
    close(tx, turn, &finish)?;
    Ok(settle(tx, turn.id, turn.state == "running", now)?.unwrap_or_default())
}

/// The turn's own row and its messages.
fn close(tx: &Tx<'_>, turn: &OpenTurn, finish: &Finish) -> Outcome<()> {
    let state = match (finish.ending, &finish.notice) {
        (Ending::Answered, _) => "done",
        (Ending::Dead, Some(Notice::Interrupted { .. })) => "interrupted",
        (ending, _) => ending.name(),
    };
    let usage = finish.usage.clone().unwrap_or_default();
    tx.run(
        "UPDATE turn SET state = ?2, kind = iif(?3, 'hook', kind), answer = coalesce(?4, answer), error = ?5,
                         model = ?6, input_tokens = ?7, output_tokens = ?8, finished_at = ?9, owner = NULL
         WHERE id = ?1",
        params![
            turn.id.0,
            state,
            finish.by_hook,
            finish.answer,
            finish.error,
            usage.model,
            usage.input.map(int),
            usage.output.map(int),
            ms(finish.now),
        ],
    )?;
    tx.run(
        "UPDATE inbound SET state = ?2, reason = coalesce(?3, reason) WHERE turn_id = ?1 AND state = 'in_turn'",
        params![turn.id.0, finish.ending.name(), finish.error],
    )?;
    Ok(())
}

/// The answer's parts; the first replaces what was streamed.
fn answer(
    tx: &Tx<'_>,
    turn: &OpenTurn,
    streaming: Option<&Streaming>,
    parts: &[Part],
    now: DateTime<Utc>,
) -> Outcome<Vec<OutboxRow>> {
    let mut said = Vec::with_capacity(parts.len());
    for (n, part) in parts.iter().enumerate() {
        match streaming.filter(|_| n == 0) {
            Some(row) => said.extend(row.becomes(tx, part, now)?),
            None => said.extend(turn.envelope(now).put(tx, format!("{}/{n}", turn.id), part.into())?),
        }
    }
    Ok(said)
}

/// A streamed message whose turn has no answer: what it showed stays, and it says how it ended. An interruption
/// is told there, and not once more as a notice with the same text.
pub(crate) fn cut(
    tx: &Tx<'_>,
    turn: &OpenTurn,
    finish: &Finish,
    row: &Streaming,
) -> Outcome<(Vec<OutboxRow>, bool)> {
    let interrupted = matches!(&finish.notice, Some(Notice::Interrupted { .. }));
    let told = match &finish.notice {
        Some(Notice::Interrupted { so_far }) => Some(so_far.as_str()),
        _ => finish.answer.as_deref(),
    };
    let known = told.filter(|text| !text.trim().is_empty()).or(turn.so_far.as_deref());
    let parts = cut_off(tx, &turn.address, known, &row.body, finish.ending);
    Ok((answer(tx, turn, Some(row), &parts, finish.now)?, interrupted))
}

/// What an update that needs a fence did.
pub(crate) fn fenced(changed: usize) -> Outcome<Fenced<()>> {
    Ok(if changed > 0 { Fenced::Done(()) } else { Fenced::Stale })
}
