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
use crate::queue::WorkClass;
use crate::row::{Author, MessageState, Stopped, TurnState};
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
    let open = "SELECT DISTINCT key FROM turn
                WHERE state IN ('queued', 'running') AND substr(key, 7 + instr(substr(key, 7), ':')) = ?1";
    let others = tx.all(open, [session.chat()], |row| legible(row, 0))?;
    let mut stopped = stop(tx, session, before, now)?;
    for other in others.into_iter().flatten().filter(|other: &SessionKey| other != session) {
        let Stopped { running, waiting } = stop(tx, &other, before, now)?;
        stopped.running.extend(running);
        stopped.waiting.extend(waiting);
    }
    Ok(stopped)
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
