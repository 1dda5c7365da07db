//! The end of a question: its row, its message and the turn that waits.

use chrono::{DateTime, Utc};
use frontdesk_core::ask::{AskEnd, PostedAsk};
use frontdesk_core::delivery::{MessageRefs, Post, PostKind};
use frontdesk_core::id::{AskId, OutId, TurnId};
use frontdesk_core::markup::Part;
use rusqlite::params;

use crate::ask_row::{AskRow, load as load_ask, stored_answer};
use crate::delivery::done;
use crate::fault::Outcome;
use crate::part::{Outgoing, load};
use crate::part_key::TextKey;
use crate::row::{EndedAsk, OutboxRow, OutboxState};
use crate::sql::ms;
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
    Ok(true)
}

/// Changes the question's message: it loses its buttons and says how the question has ended. A message that nobody has
/// seen is not sent any more.
fn show(tx: &Tx<'_>, ask: &AskRow, end: &AskEnd, now: DateTime<Utc>) -> Outcome<()> {
    let Some(question) = load(tx, ask.out)? else { return Ok(()) };
    match question.state {
        OutboxState::Queued if question.attempts == 0 => return unsend(tx, ask, &question, now),
        OutboxState::Dead | OutboxState::Dropped => return Ok(()),
        OutboxState::Queued
        | OutboxState::Streaming
        | OutboxState::Sending
        | OutboxState::Sent
        | OutboxState::Unknown => {}
    }
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
    let text = closing_text(ask, end);
    // Of a question with several messages the last one changes: it had the buttons.
    let key = TextKey::ask_closed(ask.view.id);
    let Some(row) = outgoing.text_rows(tx, &key, &text)?.pop() else { return Ok(()) };
    let posted = PostedAsk {
        id: ask.view.id,
        kind: ask.view.kind,
        text: ask.view.text.clone(),
        choices: ask.view.choices.clone(),
        deadline: ask.view.deadline,
        audience: ask.view.audience.clone(),
        closed: Some(end.clone()),
    };
    outgoing.put(tx, OutboxRow { post: Post { ask: Some(posted), ..row.post }, ..row }).map(drop)
}

/// Drops the parts of a question.
fn unsend(tx: &Tx<'_>, ask: &AskRow, question: &OutboxRow, now: DateTime<Utc>) -> Outcome<()> {
    let why = "its question ended before it was sent";
    let key = ask.key();
    for n in 0..question.post.part.key as usize {
        tx.run(
            "UPDATE outbox SET state = 'dropped', error = ?2, done_at = ?3 WHERE part_key = ?1 AND state = 'queued'",
            params![key.part(n).as_str(), why, ms(now)],
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
    let text = closing_text(&ask, end);
    let part = match tx.shared.renderer.waits_for_hooks() {
        true => Part { key: question.post.part.key, body: text.clone(), plain: text },
        false => match tx.shared.renderer.parts(&question.address, &text).into_iter().next() {
            Some(part) => part,
            None => return Ok(()),
        },
    };
    tx.run(
        "UPDATE outbox SET unseen = ?2, body = ?3, plain = ?4 WHERE id = ?1",
        params![
            out.0,
            tx.shared.renderer.waits_for_hooks(),
            part.body,
            (part.plain != part.body).then_some(&part.plain),
        ],
    )
    .map(drop)
}

/// The question with a line that says how it has ended.
fn closing_text(ask: &AskRow, end: &AskEnd) -> String {
    format!("{}\n\n{}", ask.view.text, end.line(&ask.view.choices))
}
