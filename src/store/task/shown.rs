//! Readers of a chat that fetch what was sent, such as those of the page, are shown every state of its tasks.

use chrono::{DateTime, Utc};
use frontdesk_core::delivery::{Post, PostKind};
use frontdesk_core::id::{TaskId, TurnId};
use frontdesk_core::markup::Part;
use frontdesk_core::profile::ReceiptRule;
use frontdesk_core::task::TaskChange;

use crate::fault::Outcome;
use crate::part::Outgoing;
use crate::part_key::TextKey;
use crate::row::{OutboxRow, TaskRow};
use crate::sql::nat;
use crate::tx::Tx;

use super::read::by_id;

/// A task has a new state.
pub(crate) fn show_state(tx: &Tx<'_>, id: TaskId, now: DateTime<Utc>) -> Outcome<()> {
    by_id(tx, id)?.map_or(Ok(()), |task| show(tx, &task, now))
}

/// The task of a running turn waits for an answer, or goes on.
pub(crate) fn show_state_of(tx: &Tx<'_>, turn: TurnId, now: DateTime<Utc>) -> Outcome<()> {
    let task = "SELECT task_id FROM turn WHERE id = ?1 AND state = 'running' AND task_id IS NOT NULL";
    let task = tx.one(task, [turn.0], |row| row.get(0).map(TaskId))?;
    task.map_or(Ok(()), |task| show_state(tx, task, now))
}

pub(super) fn show(tx: &Tx<'_>, task: &TaskRow, now: DateTime<Utc>) -> Outcome<()> {
    let order = &task.order;
    let Some(origin) = order.origin.as_ref() else { return Ok(()) };
    if tx.shared.renderer.receipt(&order.address) != ReceiptRule::Commit {
        return Ok(());
    }
    // Its number makes the key one of its own; the next row of the session has another number.
    let number = "SELECT seq FROM session WHERE key = ?1";
    let Some(number) = tx.one(number, [origin.as_str()], |row| row.get(0).map(nat))? else { return Ok(()) };
    let outgoing = Outgoing {
        turn: None,
        about: &[],
        session: Some(origin),
        address: &order.address,
        reply_to: None,
        kind: PostKind::Notice,
        audience: None,
        now,
    };
    let part = Part { key: 0, body: order.title.clone(), plain: order.title.clone() };
    let row = outgoing.row(tx, TextKey::task_state(task.id, number).part(0), part)?;
    let change =
        TaskChange { task: task.id, state: task.state, attempt: task.attempt, problem: task.problem() };
    outgoing.put(tx, OutboxRow { post: Post { task: Some(change), ..row.post }, ..row }).map(drop)
}
