//! T1c: a command's effect, its reply and its end in one transaction.

use frontdesk_core::agent::SessionOption;
use frontdesk_core::delivery::PostKind;
use frontdesk_core::id::{MessageId, TaskId};
use frontdesk_core::notice::Notice;
use frontdesk_core::pairing::MASK;
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_core::time::Now;
use rusqlite::params;

use crate::dequeue::dequeue;
use crate::fault::Outcome;
use crate::message::{inbound, inbound_columns};
use crate::part::Outgoing;
use crate::part_key::TextKey;
use crate::queue::WorkClass;
use crate::row::{
    AccessChange, Author, CommandEffect, CommandFacts, Fenced, InboundRow, LinkDone, MovedToTask, Reason,
    ReplyForm, TaskFound, TaskSubmitted,
};
use crate::sql::int;
use crate::stop::{stop_chat, stop_own, supersede};
use crate::tx::Tx;
use crate::{Result, Store, StoreReader, access, ask, link, retry, task, task_control, task_submit};

/// Makes the text of a command's reply from its result.
pub type Reply = Box<dyn Fn(&CommandFacts) -> String + Send>;

/// The columns of a command that waits.
const WAITING: &str = concat!(
    "SELECT ",
    inbound_columns!(),
    " FROM inbound i WHERE i.id = ?1 AND i.disposition = 'command' AND i.state = 'waiting'"
);

impl Store {
    /// Runs a command and stores its reply (T1c). Returns its result. Stale if the command was answered before.
    pub async fn answer_command(
        &self,
        id: MessageId,
        effect: CommandEffect,
        now: impl Into<Now>,
        reply: Reply,
    ) -> Result<Fenced<CommandFacts>> {
        self.answer_with(id, effect, ReplyForm::Chat, now, reply).await
    }

    /// The same with a form of the reply.
    pub async fn answer_with(
        &self,
        id: MessageId,
        effect: CommandEffect,
        form: ReplyForm,
        now: impl Into<Now>,
        reply: Reply,
    ) -> Result<Fenced<CommandFacts>> {
        let now = now.into();
        self.write(WorkClass::Commands, move |tx| {
            let Some(row) = tx.one(WAITING, [id.0], inbound)? else { return Ok(Fenced::Stale) };
            answer(tx, &row, &effect, &form, now, &reply).map(Fenced::Done)
        })
        .await
    }
}

impl StoreReader {
    /// A command that waits for its answer.
    pub async fn command(&self, id: MessageId) -> Result<Option<InboundRow>> {
        self.read(move |sql| sql.one(WAITING, [id.0], inbound)).await
    }
}

fn answer(
    tx: &Tx<'_>,
    row: &InboundRow,
    effect: &CommandEffect,
    form: &ReplyForm,
    now: Now,
    reply: &Reply,
) -> Outcome<CommandFacts> {
    let facts = match effect {
        CommandEffect::None => CommandFacts::None,
        CommandEffect::Stop => CommandFacts::Stopped(stop_chat(tx, &row.session, row.id, now.wall)?),
        CommandEffect::StopOwn => stop_own(tx, row, now.wall)?,
        CommandEffect::Retry | CommandEffect::RetryOwn => {
            match retry::retry(tx, row, matches!(effect, CommandEffect::RetryOwn))? {
                CommandFacts::Waits => return Ok(CommandFacts::Waits),
                facts => facts,
            }
        }
        CommandEffect::Compact { instructions } => {
            let joins = joins_compaction(tx, row)?;
            becomes_message(tx, row, instructions, Some(Reason::Compacts))?;
            match joins {
                true => CommandFacts::CompactsAlready,
                false => return Ok(CommandFacts::Waits),
            }
        }
        CommandEffect::Message { text, mode } => {
            becomes_message(tx, row, text, mode.map(Reason::Queued))?;
            return Ok(match mode {
                Some(QueueMode::Interrupt) => {
                    CommandFacts::Interrupts(supersede(tx, &row.session, row.id, now.wall)?)
                }
                _ => CommandFacts::Waits,
            });
        }
        CommandEffect::InterruptOwn { text } => return interrupt_own(tx, row, text, now),
        CommandEffect::ChooseQueue(mode) => choose_queue(tx, row, *mode)?,
        CommandEffect::Dequeue { what, any } => {
            CommandFacts::Dequeued(dequeue(tx, row, *what, *any, now.wall)?)
        }
        CommandEffect::Choose { option, value } => choose(tx, row, *option, value.as_deref())?,
        CommandEffect::Access { change, author } => changed(tx, row, change, author, now)?,
        CommandEffect::Link(step) => CommandFacts::Link(link::step(tx, row, step, now)?),
        CommandEffect::Submit(new) => CommandFacts::Submitted(task_submit::submit(tx, new, now.wall)?),
        CommandEffect::MoveToTask { task, any } => {
            CommandFacts::MovedToTask(task_submit::move_here(tx, row, task, *any, now.wall)?)
        }
        CommandEffect::CancelTask { task, reach, author } => {
            CommandFacts::TaskCancelled(task_control::cancel(tx, *task, reach, author, now.wall)?)
        }
        CommandEffect::RetryTask { task, reach, agent, open } => {
            let retried = task_control::retried(tx, *task, reach, agent.as_deref(), *open, now.wall)?;
            CommandFacts::TaskRetried(retried)
        }
        CommandEffect::Answer(answering) => CommandFacts::Answered(ask::answered(tx, answering, now)?),
    };
    let is_answered_by_its_turn = facts == CommandFacts::CompactsAlready;
    if !is_answered_by_its_turn {
        end(tx, row)?;
    }
    let kind = if is_answered_by_its_turn { PostKind::Notice } else { PostKind::Answer };
    send_reply(tx, row, &facts, kind, form, now, reply)?;
    Ok(facts)
}

/// The messages of the session wait in this mode from now on.
fn choose_queue(tx: &Tx<'_>, row: &InboundRow, mode: Option<QueueMode>) -> Outcome<CommandFacts> {
    let chosen = params![row.session.as_str(), mode.map(QueueMode::name)];
    tx.run("UPDATE session SET queue_mode = ?2 WHERE key = ?1", chosen)?;
    Ok(CommandFacts::None)
}

/// Stores the reply to a command.
fn send_reply(
    tx: &Tx<'_>,
    row: &InboundRow,
    facts: &CommandFacts,
    kind: PostKind,
    form: &ReplyForm,
    now: Now,
    reply: &Reply,
) -> Outcome<()> {
    let about = [row.id];
    // Why an answer does not count concerns nobody else in the chat.
    let for_sender = *form == ReplyForm::Sender || matches!(facts, CommandFacts::Answered(Err(_)));
    let outgoing = Outgoing {
        turn: None,
        about: &about,
        session: Some(&row.session),
        address: &row.address,
        reply_to: row.platform_message.as_deref(),
        kind,
        audience: for_sender.then_some(&row.from.id),
        now: now.wall,
    };
    match (form, facts) {
        (ReplyForm::Question(choices), _) => ask::of_command(tx, row, &outgoing, true, choices, now),
        // The question is the reply.
        (_, CommandFacts::Link(LinkDone::Asked)) => Ok(()),
        (_, CommandFacts::Link(LinkDone::Shown(salt))) => {
            outgoing.masked(tx, &TextKey::reply(row.id), &reply(facts), *salt, None)
        }
        (_, _) => {
            let first = outgoing.own_text(tx, &TextKey::reply(row.id), &reply(facts))?;
            match submitted(facts).zip(first) {
                Some((task, first)) => task::shown_by(tx, task, first, &row.address),
                None => Ok(()),
            }
        }
    }
}

/// The task that a command has handed over.
fn submitted(facts: &CommandFacts) -> Option<TaskId> {
    match facts {
        CommandFacts::Submitted(TaskSubmitted::Stored(task))
        | CommandFacts::MovedToTask(MovedToTask::Moved(TaskSubmitted::Stored(task), _))
        | CommandFacts::TaskRetried(TaskFound::Done(TaskSubmitted::Stored(task))) => Some(*task),
        _ => None,
    }
}

/// The row becomes a message for the agent, with this text.
fn becomes_message(tx: &Tx<'_>, row: &InboundRow, text: &str, reason: Option<Reason>) -> Outcome<()> {
    let reason = reason.map(|reason| reason.to_string());
    tx.run(
        "UPDATE inbound SET disposition = 'turn', body = ?2, reason = ?3 WHERE id = ?1",
        params![row.id.0, text, reason],
    )
    .map(drop)
}

/// The row becomes a message that interrupts only what its sender has asked for.
fn interrupt_own(tx: &Tx<'_>, row: &InboundRow, text: &str, now: Now) -> Outcome<CommandFacts> {
    if !answers_others(tx, row)? {
        becomes_message(tx, row, text, Some(Reason::Queued(QueueMode::Interrupt)))?;
        return Ok(CommandFacts::Interrupts(supersede(tx, &row.session, row.id, now.wall)?));
    }
    becomes_message(tx, row, text, None)?;
    let (about, notice) = ([row.id], Notice::NotInterrupted);
    let outgoing = Outgoing {
        turn: None,
        about: &about,
        session: Some(&row.session),
        address: &row.address,
        reply_to: row.platform_message.as_deref(),
        kind: PostKind::Notice,
        audience: None,
        now: now.wall,
    };
    let key = TextKey::notice(row.id, &notice);
    ask::notice_with_drop(tx, &outgoing, &key, &notice, (row.id, &row.from.id), now)?;
    Ok(CommandFacts::Waits)
}

/// Whether a turn of the command's session that a message could take the place of has messages of other people.
fn answers_others(tx: &Tx<'_>, row: &InboundRow) -> Outcome<bool> {
    let others = "SELECT 1 FROM inbound i JOIN turn t ON t.id = i.turn_id
                   WHERE t.key = ?1 AND t.state IN ('queued', 'running') AND t.kind <> 'compact'
                     AND i.state = 'in_turn' AND i.principal <> ?2 LIMIT 1";
    let found = tx.one(others, [row.session.as_str(), row.from.id.as_str()], |_| Ok(()))?;
    Ok(found.is_some())
}

/// Whether the last message that waits is a `/compact` of the same conversation: one turn does what both ask for.
fn joins_compaction(tx: &Tx<'_>, row: &InboundRow) -> Outcome<bool> {
    let last = tx.one(
        "SELECT coalesce(reason = ?2, 0) AND epoch = ?3 FROM inbound
         WHERE key = ?1 AND disposition = 'turn' AND state = 'waiting' ORDER BY id DESC LIMIT 1",
        params![row.session.as_str(), Reason::Compacts.to_string(), int(row.epoch)],
        |row| row.get(0),
    )?;
    Ok(last.unwrap_or(false))
}

/// Chooses a value for the session of the command.
fn choose(
    tx: &Tx<'_>,
    row: &InboundRow,
    option: SessionOption,
    value: Option<&str>,
) -> Outcome<CommandFacts> {
    let statement = match option {
        SessionOption::Model => "UPDATE session SET model = ?2 WHERE key = ?1",
        SessionOption::Thinking => "UPDATE session SET thinking = ?2 WHERE key = ?1",
    };
    tx.run(statement, params![row.session.as_str(), value])?;
    Ok(CommandFacts::None)
}

/// Marks the command as answered, so that its own effect does not find it waiting.
fn end(tx: &Tx<'_>, row: &InboundRow) -> Outcome<()> {
    let ended =
        tx.run("UPDATE inbound SET state = 'answered' WHERE id = ?1 AND state = 'waiting'", [row.id.0])?;
    tx.taken(ended);
    Ok(())
}

/// Changes who has access. The command is marked as answered first, so that an admin who revokes their own access still gets
/// the reply.
fn changed(
    tx: &Tx<'_>,
    row: &InboundRow,
    change: &AccessChange,
    author: &Author,
    now: Now,
) -> Outcome<CommandFacts> {
    end(tx, row)?;
    if let AccessChange::Approve { .. } | AccessChange::Deny { .. } = change {
        // No pairing code is stored, and no digest from which it could be found.
        tx.run("UPDATE inbound SET body = ?2, digest = 0 WHERE id = ?1", params![row.id.0, MASK])?;
    }
    let done = access::apply(tx, change, author, now)?;
    Ok(CommandFacts::Access(Box::new(done)))
}
