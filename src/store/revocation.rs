//! What ends when a person loses access, or when a group is no longer served.

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::{self, SessionKey};
use frontdesk_core::message::Refusal;
use rusqlite::params;

use crate::ask::withdraw_replies_of;
use crate::dequeue::ends_unanswered;
use crate::fault::Outcome;
use crate::leave::leave;
use crate::row::{
    CancelledTask, JobRow, MessageState, Reason, Revoked, Scope, Stopped, StoppedRun, TaskRow, TurnState,
};
use crate::sql::{ms, parsed};
use crate::turn::{OpenTurn, turn_columns};
use crate::tx::Tx;
use crate::{job_control, link, task_control};

/// Who loses access.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'a> {
    /// A person, in one scope or everywhere. `private` is the person's private chat, where it is known.
    Person { principal: &'a Principal, scope: Option<&'a Scope>, private: Option<&'a Address> },
    /// Everybody in a group.
    Group(&'a Address),
}

impl Target<'_> {
    /// Whether messages of this principal end.
    fn is_author(self, who: &str) -> bool {
        match self {
            Target::Person { principal, .. } => principal.includes(who),
            Target::Group(_) => true,
        }
    }

    /// Whether messages in this session end.
    fn covers(self, session: &SessionKey) -> bool {
        match self {
            Target::Person { scope: None, .. } => true,
            Target::Person { scope: Some(Scope::Admin), .. } => false,
            Target::Person { scope: Some(Scope::Dm), .. } => session.scope() == key::Scope::Dm,
            Target::Person { scope: Some(Scope::Group(chat)), principal, .. } => {
                in_group(session, principal.account(), chat)
            }
            Target::Group(chat) => in_group(session, chat.account(), chat.chat()),
        }
    }
}

fn in_group(session: &SessionKey, account: &AccountId, chat: &str) -> bool {
    !(session.scope() == key::Scope::Dm || session.scope().is_background())
        && (session.account(), session.id()) == (account, chat)
}

/// Refuses messages that wait, cancels turns that run, deletes context messages and drops parts that were not sent. Of an
/// admin, the confirmations end too that their commands ask for. Rows that cannot be read are left out: they can be neither
/// answered nor sent.
pub(crate) fn end_access(tx: &Tx<'_>, target: Target<'_>, now: DateTime<Utc>) -> Outcome<Revoked> {
    let mut ended = Revoked::default();
    let may_write = matches!(target, Target::Person { scope: Some(Scope::Admin), .. });
    if !may_write {
        tasks(tx, target, now, &mut ended)?;
        jobs(tx, target, now, &mut ended)?;
        turns(tx, target, now, &mut ended)?;
        waiting(tx, target, now, &mut ended)?;
        context_messages(tx, target)?;
    }
    if let Target::Person { principal, scope: None | Some(Scope::Dm), .. } = target {
        link::end_of(tx, principal)?;
    }
    if let Target::Person { principal, scope: None | Some(Scope::Admin), .. } = target {
        withdraw_replies_of(tx, principal, now)?;
    }
    if !may_write {
        ended.dropped = unsent_parts(tx, target, now)?;
    }
    Ok(ended)
}

/// Cancels the tasks that were handed over where the access is lost.
fn tasks(tx: &Tx<'_>, target: Target<'_>, now: DateTime<Utc>, ended: &mut Revoked) -> Outcome<()> {
    let in_reach = |task: &TaskRow| match (&task.order.origin, target) {
        (Some(origin), _) => target.covers(origin),
        // Handed over outside of every chat.
        (None, Target::Person { scope, .. }) => matches!(scope, None | Some(Scope::Dm)),
        (None, Target::Group(_)) => false,
    };
    let theirs = |task: &TaskRow| target.is_author(task.order.owner.id.as_str()) && in_reach(task);
    for CancelledTask { session, address, stopped } in task_control::cancel_where(tx, theirs, now)? {
        let Stopped { running, waiting } = stopped;
        ended.running.extend(running.into_iter().map(|turn| (session.clone(), address.clone(), turn)));
        ended.waiting.extend(waiting.into_iter().map(|id| (session.clone(), address.clone(), id)));
    }
    Ok(())
}

/// Pauses the jobs that were made, or send their results, where the access is lost, and stops their runs.
fn jobs(tx: &Tx<'_>, target: Target<'_>, now: DateTime<Utc>, ended: &mut Revoked) -> Outcome<()> {
    let in_reach = |job: &JobRow| {
        let chat = job.chat.as_ref().and_then(|chat| chat.session.as_ref());
        let mut known = job.origin.iter().chain(chat).peekable();
        match target {
            // Made outside of every chat.
            Target::Person { scope, .. } if known.peek().is_none() => matches!(scope, None | Some(Scope::Dm)),
            _ => known.any(|session| target.covers(session)),
        }
    };
    let theirs = |job: &JobRow| target.is_author(job.owner.id.as_str()) && in_reach(job);
    for StoppedRun { session, address, stopped } in job_control::revoke_where(tx, theirs, now)? {
        let Stopped { running, waiting } = stopped;
        ended.running.extend(running.into_iter().map(|turn| (session.clone(), address.clone(), turn)));
        ended.waiting.extend(waiting.into_iter().map(|id| (session.clone(), address.clone(), id)));
    }
    Ok(())
}

/// A part that could still be sent.
struct UnsentPart {
    id: i64,
    session: Option<SessionKey>,
    address: Address,
    turn: Option<i64>,
    message: Option<i64>,
    answers: bool,
}

/// Drops parts that were not sent: all that go to the person's private chat, and in groups those that answer nobody else.
/// A request that is under way cannot be called back; its part is dropped as well, so that it is not sent again if the
/// request fails or the process dies. A notice with a pairing code stays: an unknown sender asked for it. So do edits that
/// take away the buttons of a question: they say nothing but that it has ended.
fn unsent_parts(tx: &Tx<'_>, target: Target<'_>, now: DateTime<Utc>) -> Outcome<u64> {
    let mut dropped = 0;
    // Spelled out, so that each finds its own small index.
    for open in [
        "SELECT id, key, address, turn_id, message_id, kind = 'answer' FROM outbox
         WHERE state IN ('queued', 'streaming', 'sending') AND state <> 'streaming' AND salt IS NULL
           AND (ask IS NULL OR act <> 'edit')",
        "SELECT id, key, address, turn_id, message_id, kind = 'answer' FROM outbox
         WHERE state IN ('unknown', 'dead') AND state = 'unknown' AND salt IS NULL
           AND (ask IS NULL OR act <> 'edit')",
    ] {
        let parts = tx.all_legible(open, [], |row| {
            let session: Option<String> = row.get(1)?;
            Ok(UnsentPart {
                id: row.get(0)?,
                session: session.map(|_| parsed(row, 1)).transpose()?,
                address: parsed(row, 2)?,
                turn: row.get(3)?,
                message: row.get(4)?,
                answers: row.get(5)?,
            })
        })?;
        for part in parts {
            if is_theirs(tx, target, &part)? {
                dropped += tx.run(
                    "UPDATE outbox SET state = 'dropped', error = ?2, done_at = ?3, owner = NULL WHERE id = ?1",
                    params![part.id, Refusal::Revoked.name(), ms(now)],
                )?;
            }
        }
    }
    Ok(dropped as u64)
}

fn is_theirs(tx: &Tx<'_>, target: Target<'_>, part: &UnsentPart) -> Outcome<bool> {
    if let Target::Person { principal, scope: None | Some(Scope::Dm), private } = target {
        if private.is_some_and(|private| *private == part.address) {
            return Ok(true);
        }
        if let Some(session) = part.session.as_ref().filter(|session| session.scope() == key::Scope::Dm) {
            // Only one person writes in a private chat, so any of its messages names that person. Other chats may share
            // its session.
            let person = "SELECT i.principal FROM session_message m JOIN inbound i ON i.id = m.id
                          WHERE m.key = ?1 AND i.address = ?2 LIMIT 1";
            let of_chat = params![session.as_str(), part.address.as_str()];
            let person = tx.one(person, of_chat, |row| row.get::<_, String>(0))?;
            return Ok(person.is_some_and(|person| principal.includes(&person)));
        }
    }
    let Some(session) = part.session.as_ref().filter(|session| part.answers && target.covers(session)) else {
        return Ok(false);
    };
    if let Target::Group(_) = target {
        return Ok(session.scope() != key::Scope::Dm);
    }
    // An answer to several people stays: it is for the others as well.
    let asked = tx.all(
        "SELECT principal FROM inbound WHERE turn_id = ?1 UNION SELECT principal FROM inbound WHERE id = ?2",
        params![part.turn, part.message],
        |row| row.get::<_, String>(0),
    )?;
    Ok(!asked.is_empty() && asked.iter().all(|who| target.is_author(who)))
}

fn waiting(tx: &Tx<'_>, target: Target<'_>, now: DateTime<Utc>, ended: &mut Revoked) -> Outcome<()> {
    // The index is named: because of the order by id SQLite would scan the whole history.
    let rows = tx.all_legible(
        "SELECT id, key, address, principal, coalesce(place, key) FROM inbound INDEXED BY inbound_waiting WHERE state = 'waiting' ORDER BY id",
        [],
        |row| {
            let who: String = row.get(3)?;
            if !target.is_author(&who) {
                return Ok(None);
            }
            let session: SessionKey = parsed(row, 1)?;
            let is_covered = target.covers(&parsed(row, 4)?);
            Ok(is_covered.then_some((session, parsed(row, 2)?, MessageId(row.get(0)?))))
        },
    )?;
    for (session, address, id) in rows.into_iter().flatten() {
        ends_unanswered(tx, id, MessageState::Refused, Some(Reason::Refused(Refusal::Revoked)), now)?;
        ended.waiting.push((session, address, id));
    }
    Ok(())
}

fn turns(tx: &Tx<'_>, target: Target<'_>, now: DateTime<Utc>, ended: &mut Revoked) -> Outcome<()> {
    let open = OpenTurn::find_all(
        tx,
        // The index is named for the same reason.
        concat!(
            "SELECT ",
            turn_columns!(),
            " FROM turn t INDEXED BY turn_open WHERE t.state IN ('queued', 'running') ORDER BY t.id"
        ),
        [],
    )?;
    for turn in open.into_iter().filter(|turn| target.covers(&turn.session)) {
        one_turn(tx, target, turn, now, ended)?;
    }
    Ok(())
}

/// Cancels a turn that has a message of the target, or a `/retry` that runs such a message again. Other people's messages
/// in it wait again, unless the agent has acted already: then their authors get a notice.
fn one_turn(
    tx: &Tx<'_>,
    target: Target<'_>,
    mut turn: OpenTurn,
    now: DateTime<Utc>,
    ended: &mut Revoked,
) -> Outcome<()> {
    let messages = tx.all(
        "SELECT id, principal FROM inbound WHERE turn_id = ?1 AND state = 'in_turn' ORDER BY id",
        [turn.id.0],
        |row| Ok((MessageId(row.get(0)?), target.is_author(row.get_ref(1)?.as_str()?))),
    )?;
    let (theirs, others): (Vec<_>, Vec<_>) = messages.into_iter().partition(|(_, theirs)| *theirs);
    if theirs.is_empty() && matches!(target, Target::Person { .. }) && !replays(tx, target, turn.id)? {
        return Ok(());
    }
    let [theirs, others] =
        [theirs, others].map(|list| list.into_iter().map(|(id, _)| id).collect::<Vec<_>>());
    leave(tx, &mut turn, theirs, &others, Some(Reason::Refused(Refusal::Revoked)), now)?;
    let OpenTurn { id, session, address, state, messages, .. } = turn;
    if state == TurnState::Running {
        ended.running.push((session, address, id));
    } else {
        ended.waiting.extend(messages.into_iter().map(|id| (session.clone(), address.clone(), id)));
    }
    Ok(())
}

/// Whether a `/retry` in the turn runs a message of the target again.
fn replays(tx: &Tx<'_>, target: Target<'_>, turn: TurnId) -> Outcome<bool> {
    let authors = tx.all(
        "SELECT o.principal FROM inbound i, json_each(i.replays) r JOIN inbound o ON o.id = r.value
         WHERE i.turn_id = ?1 AND i.state = 'in_turn' AND i.replays IS NOT NULL",
        [turn.0],
        |row| Ok(target.is_author(row.get_ref(0)?.as_str()?)),
    )?;
    Ok(authors.contains(&true))
}

fn context_messages(tx: &Tx<'_>, target: Target<'_>) -> Outcome<()> {
    let waiting = tx.all_legible(
        "SELECT id, coalesce(place, key), principal FROM context_message WHERE turn_id IS NULL",
        [],
        |row| {
            let session: SessionKey = parsed(row, 1)?;
            let theirs = target.is_author(row.get_ref(2)?.as_str()?) && target.covers(&session);
            Ok(theirs.then_some(row.get::<_, i64>(0)?))
        },
    )?;
    for id in waiting.into_iter().flatten() {
        tx.run("DELETE FROM context_message WHERE id = ?1", [id])?;
    }
    Ok(())
}
