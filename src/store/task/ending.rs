//! How a task ends: in the transaction that ends its turn, with the message that tells its chat.

use chrono::{DateTime, Utc};
use frontdesk_core::answer_end::AnswerEnd;
use frontdesk_core::delivery::{Ending, PostKind};
use frontdesk_core::id::{OutId, TaskId, TurnId};
use frontdesk_core::message::SenderKind;
use frontdesk_core::notice::{Failure, Notice};
use frontdesk_core::task::{TaskReport, TaskState};
use rusqlite::params;

use crate::fault::Outcome;
use crate::ids::Table;
use crate::part::Outgoing;
use crate::part_key::TextKey;
use crate::row::{Claim, Finish, OutboxAct, OutboxRow, OutboxState, Reason, TaskOrder, TaskRow, TurnState};
use crate::sql::ms;
use crate::tx::Tx;

use super::read::by_id;
use super::shown::show;

/// How much of a result the asking session gets as context, in bytes.
const CONTEXT: usize = 2000;
/// How many context messages a session keeps at most, results of tasks included.
const CONTEXT_MESSAGES: u32 = 50;

/// The state of a task whose turn has ended like this.
fn state_of(turn: TurnState, error: Option<Reason>, end: AnswerEnd) -> TaskState {
    match (turn, error) {
        (TurnState::Done, _) if end.is_failure() => TaskState::Failed,
        (TurnState::Done, _) => TaskState::Succeeded,
        (TurnState::Cancelled | TurnState::Superseded, _) => TaskState::Cancelled,
        (TurnState::Interrupted, _) => TaskState::Lost,
        (_, Some(Reason::Failed(Failure::TooLong))) => TaskState::TimedOut,
        _ => TaskState::Failed,
    }
}

/// The turn that worked on a task has ended. Returns the task as it is now.
pub(crate) fn ended(
    tx: &Tx<'_>,
    task: TaskId,
    turn: TurnState,
    (error, end): (Option<Reason>, AnswerEnd),
    now: DateTime<Utc>,
) -> Outcome<Option<TaskRow>> {
    let state = state_of(turn, error, end);
    let ended = tx.run(
        "UPDATE task SET state = ?2, error = ?3, finished_at = ?4, line = NULL,
                         percent = iif(?2 = 'succeeded' AND percent IS NOT NULL, 100, percent)
         WHERE id = ?1 AND state IN ('queued', 'running')",
        params![task.0, state.name(), error.map(|reason| reason.to_string()), ms(now)],
    )?;
    let Some(task) = (ended > 0).then(|| by_id(tx, task)).transpose()?.flatten() else { return Ok(None) };
    show(tx, &task, now)?;
    Ok(Some(task))
}

/// Tells the chat of a task how that has ended: its result, or why there is none, and the last text of the message that
/// showed its progress. The session that has handed it over learns of it with its next turn.
pub(crate) fn report(tx: &Tx<'_>, task: &TaskRow, finish: &Finish) -> Outcome<()> {
    let failure = match task.error {
        Some(Reason::Failed(failure)) => Some(failure),
        _ => None,
    };
    let refused = match &finish.notice {
        Some(notice @ Notice::UsedUp { .. }) => Some(notice.text()),
        _ => None,
    };
    let told = finish.shown.as_deref().or(task.result.as_deref()).unwrap_or_default();
    let report = TaskReport {
        task: task.id,
        source: task.order.source,
        title: &task.order.title,
        state: task.state,
        text: told,
        failure,
        refused: refused.as_deref(),
        limit: task.order.limit,
    };
    if task.order.delivers {
        close_progress(tx, task, &report.last_progress(), finish.now)?;
        let outgoing = outgoing(task, finish.now);
        let key = TextKey::task(task.id);
        let first = match report.message() {
            nothing if nothing.is_empty() => None,
            text => outgoing.text(tx, &key, &text)?,
        };
        outgoing.files(tx, &key, &finish.media)?;
        tx.run("UPDATE task SET result_out = ?2 WHERE id = ?1", params![task.id.0, first.map(|out| out.0)])?;
    }
    match report.message() {
        nothing if nothing.is_empty() => Ok(()),
        text => add_context(tx, task, &text, finish.now),
    }
}

/// A task was cancelled, before a turn worked on it or with its turn: the message that showed its progress says so.
pub(crate) fn stopped(tx: &Tx<'_>, task: &TaskRow, now: DateTime<Utc>) -> Outcome<()> {
    let report = TaskReport {
        task: task.id,
        source: task.order.source,
        title: &task.order.title,
        state: task.state,
        text: "",
        failure: None,
        refused: None,
        limit: task.order.limit,
    };
    if task.order.delivers {
        close_progress(tx, task, &report.last_progress(), now)?;
    }
    Ok(())
}

fn outgoing(task: &TaskRow, now: DateTime<Utc>) -> Outgoing<'_> {
    Outgoing {
        turn: None,
        about: &[],
        session: task.order.origin.as_ref(),
        address: &task.order.address,
        reply_to: task.order.reply_to.as_deref(),
        kind: PostKind::Result,
        audience: None,
        now,
    }
}

/// The last edit of the message that showed the progress of a task, where the platform edits messages.
fn close_progress(tx: &Tx<'_>, task: &TaskRow, text: &str, now: DateTime<Utc>) -> Outcome<()> {
    let Some(shown) = task.progress_out else { return Ok(()) };
    if !tx.shared.renderer.edits(&task.order.address) {
        return Ok(());
    }
    let outgoing = Outgoing { reply_to: None, kind: PostKind::Send, ..outgoing(task, now) };
    let key = TextKey::task_progress_end(task.id);
    for row in outgoing.text_rows(tx, &key, text)?.into_iter().take(1) {
        let row = OutboxRow { act: OutboxAct::Edit, state: OutboxState::Queued, about: Some(shown), ..row };
        outgoing.put(tx, row)?;
    }
    Ok(())
}

/// The session that has handed over a task gets its result as context of its next turn.
fn add_context(tx: &Tx<'_>, task: &TaskRow, text: &str, now: DateTime<Utc>) -> Outcome<()> {
    let Some(origin) = &task.order.origin else { return Ok(()) };
    let known = "SELECT 1 FROM session WHERE key = ?1";
    if tx.one(known, [origin.as_str()], |_| Ok(()))?.is_none() {
        return Ok(());
    }
    let text = &text[..text.floor_char_boundary(CONTEXT)];
    tx.run(
        "INSERT INTO context_message (id, source, event_id, key, principal, sender_kind, sender, input_kind, body, received_at)
         VALUES (?1, 'task', ?2, ?3, ?4, ?5, ?6, 'task', ?7, ?8)
         ON CONFLICT (source, event_id) DO NOTHING",
        params![
            tx.new_id(Table::ContextMessage)?,
            task.id.to_string(),
            origin.as_str(),
            task.order.owner.id.as_str(),
            SenderKind::Person.name(),
            task.order.owner.name,
            text,
            ms(now),
        ],
    )?;
    crate::context_message::trim(tx, origin, CONTEXT_MESSAGES)
}

/// The first text of the message that shows the progress of a task.
pub(super) fn first_progress(
    tx: &Tx<'_>,
    task: &TaskRow,
    text: &str,
    now: DateTime<Utc>,
) -> Outcome<Option<OutId>> {
    let outgoing = Outgoing { kind: PostKind::Notice, ..outgoing(task, now) };
    outgoing.text(tx, &TextKey::task_progress(task.id), text)
}

/// The turn that worked on a task is marked dead, because its end cannot be stored as it is. The chat is told so if that can
/// be stored; if not, the task has failed all the same.
pub(crate) fn turn_is_dead(tx: &Tx<'_>, turn: TurnId, now: DateTime<Utc>) -> Outcome<()> {
    let task = "SELECT task_id FROM turn WHERE id = ?1 AND task_id IS NOT NULL";
    let Some(task) = tx.one(task, [turn.0], |row| row.get(0).map(TaskId))? else { return Ok(()) };
    let failed = Some(Reason::Failed(Failure::Internal));
    let told = tx.apart(|| match ended(tx, task, TurnState::Dead, (failed, AnswerEnd::Whole), now)? {
        Some(task) => {
            let order = TaskOrder { title: String::new(), ..task.order };
            let bare = TaskRow { order, result: None, ..task };
            let claim = Claim { id: turn, fence: 0 };
            report(tx, &bare, &Finish::bare(claim, Ending::Dead, now))
        }
        None => Ok(()),
    });
    match told {
        Err(fault) if !fault.takes_the_group() => {
            tracing::error!(%task, cause = %fault.error(), "the end of a task cannot be told");
            let failed = "UPDATE task SET state = 'failed', finished_at = ?2 WHERE id = ?1 AND state IN ('queued', 'running')";
            tx.run(failed, params![task.0, ms(now)]).map(drop)
        }
        told => told,
    }
}
