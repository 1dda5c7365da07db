//! Turns that end before they are answered: a `/stop` ends all of a session with what waits, and a message that
//! interrupts takes the place of the turns under way.

use chrono::{DateTime, Utc};
use frontdesk_core::delivery::Ending;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::{Scope, SessionKey};
use rusqlite::params;

use crate::audit::{audit, done_or_unchanged};
use crate::dequeue::ends_unanswered;
use crate::fault::Outcome;
use crate::finish::cancel;
use crate::leave::leave;
use crate::queue::WorkClass;
use crate::row::{Author, CommandFacts, InboundRow, MessageState, Stopped, TurnState};
use crate::sql::legible;
use crate::turn::{OpenTurn, turn_columns};
use crate::tx::Tx;
use crate::{Result, Store, ask, job_control, task_control};

impl Store {
    /// Cancels the running and the waiting turns of a session. If a message was being streamed, an edit that says that it
    /// was stopped is in the outbox afterwards.
    pub async fn cancel(&self, key: &SessionKey, author: &Author, now: DateTime<Utc>) -> Result<Stopped> {
        let (key, author) = (key.clone(), author.clone());
        self.write(WorkClass::Commands, move |tx| {
            let stopped = stop(tx, &key, MessageId(i64::MAX), now)?;
            let any = !stopped.running.is_empty() || !stopped.waiting.is_empty();
            audit(tx, &author, "session stop", key.as_str(), done_or_unchanged(any), now)?;
            Ok(stopped)
        })
        .await
    }
}

/// Ends the open turns and the waiting messages of a session that were accepted before a message. A message that was
/// accepted later and steered into such a turn waits again.
pub(crate) fn stop(tx: &Tx<'_>, key: &SessionKey, before: MessageId, now: DateTime<Utc>) -> Outcome<Stopped> {
    let open = concat!(
        "SELECT ",
        turn_columns!(),
        " FROM turn t WHERE t.key = ?1 AND t.state IN ('queued', 'running') ORDER BY t.id"
    );
    let mut stopped = end(tx, OpenTurn::find_all(tx, open, [key.as_str()])?, before, Ending::Cancelled, now)?;
    let waiting = tx.all(
        "SELECT id FROM inbound WHERE key = ?1 AND disposition = 'turn' AND state = 'waiting' AND id < ?2
         ORDER BY id",
        params![key.as_str(), before.0],
        |row| row.get(0).map(MessageId),
    )?;
    for message in waiting {
        ends_unanswered(tx, message, MessageState::Cancelled, None, now)?;
        stopped.waiting.push(message);
    }
    ask::withdraw_replies(tx, key, before.0, now)?;
    match key.scope() {
        Scope::Task => task_control::session_stopped(tx, key, now)?,
        Scope::Job | Scope::Heartbeat => job_control::session_stopped(tx, key, now)?,
        _ => {}
    }
    Ok(stopped)
}

/// Ends what a chat has open, also with an agent that answers there no more: nothing else could reach that.
pub(crate) fn stop_chat(
    tx: &Tx<'_>,
    session: &SessionKey,
    before: MessageId,
    now: DateTime<Utc>,
) -> Outcome<Stopped> {
    let others = busy_with_others(tx, session)?;
    let mut stopped = stop(tx, session, before, now)?;
    for other in others {
        let Stopped { running, waiting } = stop(tx, &other, before, now)?;
        stopped.running.extend(running);
        stopped.waiting.extend(waiting);
    }
    Ok(stopped)
}

/// The sessions of a chat with other agents that have open turns.
fn busy_with_others(tx: &Tx<'_>, session: &SessionKey) -> Outcome<Vec<SessionKey>> {
    let open = "SELECT DISTINCT key FROM turn
                WHERE state IN ('queued', 'running') AND substr(key, 7 + instr(substr(key, 7), ':')) = ?1";
    let keys = tx.all(open, [session.chat()], |row| legible(row, 0))?;
    Ok(keys.into_iter().flatten().filter(|other| other != session).collect())
}

/// Ends what the sender of a command has open in a chat that several people share. Messages of others that are in the same
/// turn wait again, unless the agent has acted for them already.
pub(crate) fn stop_own(tx: &Tx<'_>, command: &InboundRow, now: DateTime<Utc>) -> Outcome<CommandFacts> {
    let who = command.from.id.as_str();
    let (mut stopped, mut others, mut wake) = (Stopped::default(), false, Vec::new());
    let mut sessions = busy_with_others(tx, &command.session)?;
    sessions.push(command.session.clone());
    for key in sessions {
        let open = concat!(
            "SELECT ",
            turn_columns!(),
            " FROM turn t WHERE t.key = ?1 AND t.state IN ('queued', 'running') ORDER BY t.id"
        );
        for mut turn in OpenTurn::find_all(tx, open, [key.as_str()])? {
            let is_own = |id: MessageId, by: &str| id < command.id && by == who;
            let messages = tx.all(
                "SELECT id, principal FROM inbound WHERE turn_id = ?1 AND state = 'in_turn' ORDER BY id",
                [turn.id.0],
                |row| {
                    let id = MessageId(row.get(0)?);
                    Ok((id, is_own(id, row.get_ref(1)?.as_str()?)))
                },
            )?;
            let ids = |own| messages.iter().filter(move |(_, is)| *is == own).map(|(id, _)| *id);
            let (own, rest): (Vec<_>, Vec<_>) = (ids(true).collect(), ids(false).collect());
            others |= !rest.is_empty() || messages.is_empty();
            if own.is_empty() {
                continue;
            }
            leave(tx, &mut turn, own, &rest, None, now)?;
            match turn.state {
                TurnState::Running => stopped.running.push(turn.id),
                _ => stopped.waiting.extend(&turn.messages),
            }
            if !rest.is_empty() {
                wake.push(key.clone());
            }
        }
        others |= drop_own(tx, &key, command, now, &mut stopped)?;
    }
    Ok(CommandFacts::StoppedOwn { stopped, others, wake })
}

/// Drops the messages of a command's sender that wait in a session. Returns whether messages of others do.
fn drop_own(
    tx: &Tx<'_>,
    key: &SessionKey,
    command: &InboundRow,
    now: DateTime<Utc>,
    stopped: &mut Stopped,
) -> Outcome<bool> {
    let waiting = tx.all(
        "SELECT id, principal = ?3 FROM inbound
         WHERE key = ?1 AND disposition = 'turn' AND state = 'waiting' AND id < ?2 ORDER BY id",
        params![key.as_str(), command.id.0, command.from.id.as_str()],
        |row| Ok((MessageId(row.get(0)?), row.get::<_, bool>(1)?)),
    )?;
    let mut others = false;
    for (message, is_own) in waiting {
        if !is_own {
            others = true;
            continue;
        }
        ends_unanswered(tx, message, MessageState::Cancelled, None, now)?;
        stopped.waiting.push(message);
    }
    Ok(others)
}

/// A message takes the place of the open turns of its session that were begun before it. What waits goes on waiting, and
/// a compaction, which no message replaces, goes on.
pub(crate) fn supersede(
    tx: &Tx<'_>,
    key: &SessionKey,
    message: MessageId,
    now: DateTime<Utc>,
) -> Outcome<Stopped> {
    let open = concat!(
        "SELECT ",
        turn_columns!(),
        " FROM turn t WHERE t.key = ?1 AND t.state IN ('queued', 'running') AND t.kind <> 'compact' ORDER BY t.id"
    );
    end(tx, OpenTurn::find_all(tx, open, [key.as_str()])?, message, Ending::Superseded, now)
}

fn end(
    tx: &Tx<'_>,
    open: Vec<OpenTurn>,
    before: MessageId,
    ending: Ending,
    now: DateTime<Utc>,
) -> Outcome<Stopped> {
    let mut stopped = Stopped::default();
    for mut turn in open.into_iter().filter(|turn| turn.messages.first().is_none_or(|first| *first < before))
    {
        let back = tx.run(
            "UPDATE inbound SET state = 'waiting', turn_id = NULL
             WHERE turn_id = ?1 AND state = 'in_turn' AND id > ?2",
            [turn.id.0, before.0],
        )?;
        tx.queued(back);
        turn.messages.retain(|message| *message < before);
        cancel(tx, &turn, ending, None, now)?;
        if turn.state == TurnState::Running {
            stopped.running.push(turn.id);
        } else {
            stopped.waiting.extend(&turn.messages);
        }
    }
    Ok(stopped)
}
