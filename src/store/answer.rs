//! The parts of a turn's answer. The first one replaces the message that was streamed.

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::command::with_mark;
use frontdesk_core::delivery::Ending;
use frontdesk_core::id::{OutId, TurnId};
use frontdesk_core::markup::{Part, followed_by};
use frontdesk_core::notice::Notice;
use rusqlite::params;

use crate::delivery::{done, withdraw};
use crate::fault::Outcome;
use crate::part::load;
use crate::part_key::TextKey;
use crate::row::{Finish, OutboxState, StreamedPart};
use crate::sql::{Sql, ms};
use crate::turn::OpenTurn;
use crate::tx::Tx;

impl StreamedPart {
    /// The streamed message of a turn, while its row is in the state `streaming`.
    pub(crate) fn of(sql: &Sql<'_>, turn: TurnId) -> Outcome<Option<Self>> {
        sql.one(
            "SELECT id, platform_message_id, body FROM outbox WHERE turn_id = ?1 AND state = 'streaming'",
            [turn.0],
            |row| Ok(Self { out: OutId(row.get(0)?), platform_message: row.get(1)?, shown: row.get(2)? }),
        )
    }

    /// Turns it into the answer's first part: an edit, or a new post where the platform's id was never learned (that
    /// chat may then show a cut-off message as well).
    fn becomes(&self, tx: &Tx<'_>, part: &Part, unseen: bool, now: DateTime<Utc>) -> Outcome<()> {
        let act = if self.platform_message.is_some() { "edit" } else { "post" };
        if self.platform_message.is_none() {
            metrics::counter!("frontdesk_store_streams_reposted_total").increment(1);
        }
        tx.run(
            "UPDATE outbox SET state = 'queued', act = ?2, target = ?3, body = ?4, plain = ?5, next_at = ?6, paused_at = NULL,
                               owner = NULL, unseen = ?7
             WHERE id = ?1",
            params![
                self.out.0,
                act,
                self.platform_message,
                part.body,
                (part.plain != part.body).then_some(&part.plain),
                ms(now),
                unseen,
            ],
        )?;
        load(tx, self.out)?.into_iter().for_each(|row| tx.stored(row));
        Ok(())
    }
}

/// Stores the parts of a turn's answer; the first replaces what was streamed.
pub(crate) fn answer(
    tx: &Tx<'_>,
    turn: &OpenTurn,
    streamed: Option<&StreamedPart>,
    parts: Vec<Part>,
    now: DateTime<Utc>,
) -> Outcome<()> {
    let (key, outgoing) = (TextKey::answer(turn.id), turn.outgoing(now));
    for (n, part) in parts.into_iter().enumerate() {
        match streamed.filter(|_| n == 0) {
            Some(streamed) => streamed.becomes(tx, &part, false, now)?,
            None => {
                let row = outgoing.row(tx, key.part(n), part)?;
                outgoing.put(tx, row)?;
            }
        }
    }
    Ok(())
}

/// Ends a streamed message whose turn has no answer: what it shows stays, and it says how the turn ended. Returns whether
/// that tells the interruption, so that no notice with the same text is needed.
pub(crate) fn cut(tx: &Tx<'_>, turn: &OpenTurn, finish: &Finish, streamed: &StreamedPart) -> Outcome<bool> {
    let interrupted = matches!(&finish.notice, Some(Notice::Interrupted { .. }));
    let text = match &finish.notice {
        Some(Notice::Interrupted { so_far }) => Some(so_far.as_str()),
        _ => finish.answer.as_deref(),
    };
    let known = text.filter(|text| !text.trim().is_empty()).or(turn.so_far.as_deref());
    let renderer = &tx.shared.renderer;
    if renderer.waits_for_hooks() {
        let body = whole(
            tx,
            &turn.address,
            known.filter(|text| text.len() >= streamed.shown.len()).unwrap_or(&streamed.shown),
            finish.ending,
        );
        let part = Part { key: 0, plain: body.clone(), body };
        streamed.becomes(tx, &part, true, finish.now)?;
    } else {
        let parts = cut_off(tx, &turn.address, known, &streamed.shown, finish.ending);
        answer(tx, turn, Some(streamed), parts, finish.now)?;
    }
    Ok(interrupted)
}

/// Takes back a streamed message whose answer hooks keep from being sent.
pub(crate) fn take_back(tx: &Tx<'_>, streamed: &StreamedPart, now: DateTime<Utc>) -> Outcome<()> {
    done(tx, streamed.out, OutboxState::Dropped, "hooks keep its answer from being sent", now)?;
    match &streamed.platform_message {
        Some(message) => withdraw(tx, streamed.out, message, now),
        None => Ok(()),
    }
}

/// How a turn ended, for a message that shows a part of its answer.
fn end_of(ending: Ending) -> Option<&'static str> {
    match ending {
        Ending::Answered => None,
        Ending::Dead => Some("(interrupted, /retry)"),
        Ending::Cancelled | Ending::Superseded | Ending::MovedTo(_) | Ending::Refused => Some("(stopped)"),
    }
}

/// A text that was cut off, and how its turn ended.
pub(crate) fn whole(tx: &Tx<'_>, to: &Address, text: &str, ending: Ending) -> String {
    let how = end_of(ending).map(|how| with_mark(how, tx.shared.renderer.command_mark(to)));
    how.map_or_else(|| text.to_owned(), |how| followed_by(text, &how))
}

/// The parts of a streamed message whose turn ended without an answer of its own: the whole text so far,
/// or, if that is less, what the chat shows, unchanged; and how the turn ended.
fn cut_off(tx: &Tx<'_>, to: &Address, known: Option<&str>, shown: &str, ending: Ending) -> Vec<Part> {
    let how = end_of(ending);
    let renderer = &tx.shared.renderer;
    let with_end = |text: &str| whole(tx, to, text, ending);
    if let Some(text) = known.filter(|text| !text.trim().is_empty() && *text != shown) {
        // A streamed message shows one part at most.
        let is_more = match renderer.parts(to, text).as_slice() {
            [] => false,
            [one] => one.plain.len() >= shown.len(),
            _ => true,
        };
        if is_more {
            return renderer.parts(to, &with_end(text));
        }
    }
    let verbatim = |key, text: String| Part { key, body: text.clone(), plain: text };
    match (with_end(shown), how) {
        (whole, _) if renderer.fits(to, &whole) => vec![verbatim(0, whole)],
        (_, None) => vec![verbatim(0, shown.to_owned())],
        (_, Some(how)) => vec![verbatim(0, shown.to_owned()), verbatim(1, how.to_owned())],
    }
}
