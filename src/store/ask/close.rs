//! The end of a question: its row, its message and the turn that waits.

use chrono::{DateTime, Utc};
use frontdesk_core::ask::{AskEnd, PostedAsk};
use frontdesk_core::delivery::{MessageRefs, Post, PostKind};
use frontdesk_core::id::{AskId, OutId, TurnId};
use frontdesk_core::markup::Part;
use rusqlite::params;

use super::rendered::{closing_part, closing_text};
use crate::ask_row::{AskRow, load as load_ask, stored_answer};
use crate::delivery::done;
use crate::fault::Outcome;
use crate::part::{Outgoing, load};
use crate::part_key::{PartKey, TextKey};
use crate::row::{EndedAsk, OutboxAct, OutboxRow, OutboxState};
use crate::sql::ms;
use crate::task::show_state_of;
use crate::tx::Tx;

/// Ends an open question and shows that in its chat. Returns whether it was open.
pub(super) fn close(tx: &Tx<'_>, ask: &AskRow, end: &AskEnd, now: DateTime<Utc>) -> Outcome<bool> {
    let was_open = close_silently(tx, ask, end, now)?;
    if was_open {
        show(tx, ask, end, now)?;
    }
    Ok(was_open)
}

/// Ends an open question. Its chat does not learn of it. Returns whether it was open.
pub(super) fn close_silently(tx: &Tx<'_>, ask: &AskRow, end: &AskEnd, now: DateTime<Utc>) -> Outcome<bool> {
    let by = match end {
        AskEnd::Answered { by, .. } => Some(by),
        AskEnd::Expired { .. } | AskEnd::Cancelled => None,
    };
    let closed = tx.run(
        "UPDATE ask SET state = ?2, answer = ?3, answered_by = ?4, answered_name = ?5, ended_at = ?6
         WHERE id = ?1 AND state = 'open'",
        params![
            ask.view.id.0,
            end.state().name(),
            end.answer().map(stored_answer),
            by.map(|by| by.id.as_str()),
            by.and_then(|by| by.name.as_deref()),
            ms(now),
        ],
    )?;
    if closed == 0 {
        return Ok(false);
    }
    tx.ask_ended(EndedAsk { id: ask.view.id, turn: ask.view.turn, end: end.clone() });
    if let Some(turn) = ask.view.turn {
        show_state_of(tx, turn, now)?;
    }
    Ok(true)
}

/// Changes the question's message: it loses its buttons and says how the question has ended. A message that nobody has
/// seen is not sent any more.
fn show(tx: &Tx<'_>, ask: &AskRow, end: &AskEnd, now: DateTime<Utc>) -> Outcome<()> {
    let Some(question) = load(tx, ask.out)? else { return Ok(()) };
    match question.state {
        OutboxState::Queued if question.attempts == 0 => return unsend(tx, &question, now),
        OutboxState::Dead | OutboxState::Dropped => return Ok(()),
        OutboxState::Queued
        | OutboxState::Streaming
        | OutboxState::Sending
        | OutboxState::Sent
        | OutboxState::Unknown => {}
    }
    let key = TextKey::ask_closed(ask.view.id);
    edit(tx, ask, &question, (&key, None), end, now)
}

/// Somebody pressed a button under a message that is not known: a copy of a question that was sent twice, because no response
/// came for the first one. If the question has ended, the copy says so too.
pub(super) fn close_copy(tx: &Tx<'_>, ask: &AskRow, message: &str, now: DateTime<Utc>) -> Outcome<()> {
    let (Some(question), Some(end)) = (load(tx, ask.out)?, &ask.view.end) else { return Ok(()) };
    if question.platform_message.as_deref() == Some(message) {
        return Ok(());
    }
    // A client could name any message of the bot.
    let known = "SELECT 1 FROM outbox WHERE platform_message_id = ?1 OR target = ?1";
    if tx.one(known, [message], |_| Ok(()))?.is_some() {
        return Ok(());
    }
    let key = TextKey::ask_copy_closed(ask.view.id, message);
    edit(tx, ask, &question, (&key, Some(message)), end, now)
}

/// Stores the edit of a question's message, or of a copy with this id of the platform.
fn edit(
    tx: &Tx<'_>,
    ask: &AskRow,
    question: &OutboxRow,
    (key, copy): (&TextKey, Option<&str>),
    end: &AskEnd,
    now: DateTime<Utc>,
) -> Outcome<()> {
    let MessageRefs { session, messages } = &question.post.about;
    let outgoing = Outgoing {
        turn: ask.view.turn,
        about: messages,
        session: session.as_ref(),
        address: &ask.view.address,
        reply_to: None,
        kind: PostKind::Notice,
        audience: None,
        now,
    };
    let text = closing_text(tx, ask, end)?;
    // Of a question with several messages the last one changes: it had the buttons.
    let renderer = &*tx.shared.renderer;
    let row = if renderer.waits_for_hooks() {
        outgoing.unseen(tx, key.part(0), &text)?
    } else {
        let messages = question.post.part.key as usize + 1;
        let Some(part) = closing_part(renderer, &ask.view.address, &text, messages) else { return Ok(()) };
        outgoing.row(tx, key.part(0), part)?
    };
    let posted = PostedAsk {
        id: ask.view.id,
        kind: ask.view.kind,
        text: ask.view.text.clone(),
        choices: ask.view.choices.clone(),
        deadline: ask.view.deadline,
        audience: ask.view.audience.clone(),
        closed: Some(end.clone()),
    };
    // The platform's id of the question itself may not be known yet.
    let (act, target) = (OutboxAct::Edit, copy.map(str::to_owned));
    outgoing.put(tx, OutboxRow { act, target, post: Post { ask: Some(posted), ..row.post }, ..row }).map(drop)
}

/// Drops the parts of a question.
fn unsend(tx: &Tx<'_>, question: &OutboxRow, now: DateTime<Utc>) -> Outcome<()> {
    let why = "its question ended before it was sent";
    for part in PartKey::before(&question.post.key, question.post.part.key as usize) {
        tx.run(
            "UPDATE outbox SET state = 'dropped', error = ?2, done_at = ?3 WHERE part_key = ?1 AND state = 'queued'",
            params![part.as_str(), why, ms(now)],
        )?;
    }
    done(tx, question.post.out, OutboxState::Dropped, why, now)
}

/// Ends an open question that cannot be read, and whose end nobody can be shown.
pub(super) fn end_unread(tx: &Tx<'_>, id: AskId, turn: Option<TurnId>, now: DateTime<Utc>) -> Outcome<()> {
    tx.run("UPDATE ask SET state = 'cancelled', ended_at = ?2 WHERE id = ?1", params![id.0, ms(now)])?;
    tx.ask_ended(EndedAsk { id, turn, end: AskEnd::Cancelled });
    Ok(())
}

/// An operator has the message of a question sent after all. If the question has ended meanwhile, the message says so.
pub(crate) fn retried(tx: &Tx<'_>, out: OutId) -> Outcome<()> {
    let Some(question) = load(tx, out)? else { return Ok(()) };
    let Some(ask) =
        question.post.ask.as_ref().and_then(|posted| load_ask(tx, posted.id).transpose()).transpose()?
    else {
        return Ok(());
    };
    let Some(end) = ask.view.end.as_ref().filter(|_| ask.out == out) else { return Ok(()) };
    let text = closing_text(tx, &ask, end)?;
    let renderer = &*tx.shared.renderer;
    let part = match renderer.waits_for_hooks() {
        true => Part { key: 0, body: text.clone(), plain: text },
        false => match closing_part(renderer, &question.address, &text, 1) {
            Some(part) => part,
            None => return Ok(()),
        },
    };
    tx.run(
        "UPDATE outbox SET unseen = ?2, body = ?3, plain = ?4 WHERE id = ?1",
        params![
            out.0,
            renderer.waits_for_hooks(),
            part.body,
            (part.plain != part.body).then_some(&part.plain),
        ],
    )
    .map(drop)
}
