//! What ends when somebody is shut out, or when a chat is served no more.

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::{self, SessionKey};
use frontdesk_core::message::Refusal;
use frontdesk_core::notice::Notice;
use rusqlite::params;

use crate::fault::Outcome;
use crate::finish::cancel;
use crate::part::Outgoing;
use crate::row::{Reason, Revoked, Scope, TurnState};
use crate::sql::{ms, parsed};
use crate::turn::{OpenTurn, turn_columns};
use crate::tx::Tx;

/// Whose open messages end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose<'a> {
    /// One person's, where a grant held; without a scope everywhere. Their private chat, where it is known.
    Person { principal: &'a Principal, scope: Option<&'a Scope>, private: Option<&'a Address> },
    /// Everybody's in a group.
    Chat(&'a Address),
}

impl Whose<'_> {
    /// Whether it is about what this person says.
    fn says(self, who: &str) -> bool {
        match self {
            Whose::Person { principal, .. } => principal.as_str() == who,
            Whose::Chat(_) => true,
        }
    }

    /// Whether it is about what is said here.
    fn holds_in(self, session: &SessionKey) -> bool {
        match self {
            Whose::Person { scope: None, .. } => true,
            Whose::Person { scope: Some(Scope::Admin), .. } => false,
            Whose::Person { scope: Some(Scope::Dm), .. } => session.scope() == key::Scope::Dm,
            Whose::Person { scope: Some(Scope::Group(chat)), principal, .. } => {
                in_group(session, principal.account(), chat)
            }
            Whose::Chat(chat) => in_group(session, chat.account(), chat.chat()),
        }
    }
}

fn in_group(session: &SessionKey, account: &AccountId, chat: &str) -> bool {
    !matches!(session.scope(), key::Scope::Dm | key::Scope::Task | key::Scope::Job)
        && (session.account(), session.id()) == (account, chat)
}

/// Refuses what waits, cancels what runs, and forgets what was overheard.
pub(crate) fn end(tx: &Tx<'_>, whose: Whose<'_>, now: DateTime<Utc>) -> Outcome<Revoked> {
    let mut ended = Revoked::default();
    if matches!(whose, Whose::Person { scope: Some(Scope::Admin), .. }) {
        return Ok(ended);
    }
    turns(tx, whose, now, &mut ended)?;
    waiting(tx, whose, &mut ended)?;
    context_messages(tx, whose)?;
    ended.dropped = unsent(tx, whose, now)?;
    Ok(ended)
}

/// A part that could still be sent.
struct Unsent {
    id: i64,
    session: Option<SessionKey>,
    address: Address,
    turn: Option<i64>,
    message: Option<i64>,
    answers: bool,
}

/// Drops what is to be sent and has not left: whatever goes to the person's private chat, and in groups what answers
/// them alone. A code is left: it belongs to who asks to be let in.
fn unsent(tx: &Tx<'_>, whose: Whose<'_>, now: DateTime<Utc>) -> Outcome<u64> {
    let mut dropped = 0;
    // Spelled out, so that each finds its own small index.
    for open in [
        "SELECT id, key, address, turn_id, message_id, kind = 'answer' FROM outbox
         WHERE state IN ('queued', 'streaming', 'sending') AND state = 'queued' AND salt IS NULL",
        "SELECT id, key, address, turn_id, message_id, kind = 'answer' FROM outbox
         WHERE state IN ('unknown', 'dead') AND state = 'unknown' AND salt IS NULL",
    ] {
        let parts = tx.all(open, [], |row| {
            let session: Option<String> = row.get(1)?;
            Ok(Unsent {
                id: row.get(0)?,
                session: session.map(|_| parsed(row, 1)).transpose()?,
                address: parsed(row, 2)?,
                turn: row.get(3)?,
                message: row.get(4)?,
                answers: row.get(5)?,
            })
        })?;
        for part in parts {
            if is_theirs(tx, whose, &part)? {
                dropped += tx.run(
                    "UPDATE outbox SET state = 'dropped', error = ?2, done_at = ?3, owner = NULL WHERE id = ?1",
                    params![part.id, Refusal::Revoked.name(), ms(now)],
                )?;
            }
        }
    }
    Ok(dropped as u64)
}

fn is_theirs(tx: &Tx<'_>, whose: Whose<'_>, part: &Unsent) -> Outcome<bool> {
    if let Whose::Person { principal, scope: None | Some(Scope::Dm), private } = whose {
        if private.is_some_and(|private| *private == part.address) {
            return Ok(true);
        }
        if let Some(session) = part.session.as_ref().filter(|session| session.scope() == key::Scope::Dm) {
            // Only one person speaks in a private chat: any of its messages tells who, however long its history is.
            let person = "SELECT principal FROM inbound WHERE id = (SELECT id FROM session_message WHERE key = ?1 LIMIT 1)";
            let person = tx.one(person, [session.as_str()], |row| row.get::<_, String>(0))?;
            return Ok(person.is_some_and(|person| person == principal.as_str()));
        }
    }
    let Some(session) = part.session.as_ref().filter(|session| part.answers && whose.holds_in(session))
    else {
        return Ok(false);
    };
    if let Whose::Chat(_) = whose {
        return Ok(session.scope() != key::Scope::Dm);
    }
    // What answers several people belongs to the others as well.
    let asked = tx.all(
        "SELECT principal FROM inbound WHERE turn_id = ?1 UNION SELECT principal FROM inbound WHERE id = ?2",
        params![part.turn, part.message],
        |row| row.get::<_, String>(0),
    )?;
    Ok(!asked.is_empty() && asked.iter().all(|who| whose.says(who)))
}

fn waiting(tx: &Tx<'_>, whose: Whose<'_>, ended: &mut Revoked) -> Outcome<()> {
    // Named, because an order by id tempts SQLite to walk through the whole history.
    let rows = tx.all(
        "SELECT id, key, address, principal FROM inbound INDEXED BY inbound_waiting WHERE state = 'waiting' ORDER BY id",
        [],
        |row| {
            let who: String = row.get(3)?;
            if !whose.says(&who) {
                return Ok(None);
            }
            let session: SessionKey = parsed(row, 1)?;
            let here = whose.holds_in(&session);
            Ok(here.then_some((session, parsed(row, 2)?, MessageId(row.get(0)?))))
        },
    )?;
    for (session, address, id) in rows.into_iter().flatten() {
        tx.run(
            "UPDATE inbound SET state = 'refused', reason = ?2 WHERE id = ?1",
            params![id.0, Reason::Refused(Refusal::Revoked).to_string()],
        )?;
        tx.taken(1);
        ended.waiting.push((session, address, id));
    }
    Ok(())
}

fn turns(tx: &Tx<'_>, whose: Whose<'_>, now: DateTime<Utc>, ended: &mut Revoked) -> Outcome<()> {
    let open = OpenTurn::find_all(
        tx,
        // Named for the same reason.
        concat!(
            "SELECT ",
            turn_columns!(),
            " FROM turn t INDEXED BY turn_open WHERE t.state IN ('queued', 'running') ORDER BY t.id"
        ),
        [],
    )?;
    for turn in open.into_iter().filter(|turn| whose.holds_in(&turn.session)) {
        one_turn(tx, whose, turn, now, ended)?;
    }
    Ok(())
}

/// Cancels a turn with a message that it is about, also one that somebody else runs once more. Other people's messages in
/// it wait again, unless the agent has acted on them already: they are told then.
fn one_turn(
    tx: &Tx<'_>,
    whose: Whose<'_>,
    mut turn: OpenTurn,
    now: DateTime<Utc>,
    ended: &mut Revoked,
) -> Outcome<()> {
    let messages = tx.all(
        "SELECT id, principal FROM inbound WHERE turn_id = ?1 AND state = 'in_turn' ORDER BY id",
        [turn.id.0],
        |row| Ok((MessageId(row.get(0)?), whose.says(row.get_ref(1)?.as_str()?))),
    )?;
    let (theirs, others): (Vec<_>, Vec<_>) = messages.into_iter().partition(|(_, theirs)| *theirs);
    if theirs.is_empty() && matches!(whose, Whose::Person { .. }) && !replays(tx, whose, turn.id)? {
        return Ok(());
    }
    if turn.acted.is_none() {
        give_back(tx, turn.id, &others)?;
    }
    turn.messages = theirs.into_iter().map(|(id, _)| id).collect();
    let is_told = cancel(tx, &turn, Some(Reason::Refused(Refusal::Revoked)), now)?;
    if turn.acted.is_some() && !others.is_empty() {
        // They were not shut out: they may have their own words run once more.
        for (id, _) in &others {
            tx.run("UPDATE inbound SET reason = NULL WHERE id = ?1", [id.0])?;
        }
        if !is_told {
            interrupted(tx, &turn, &others, now)?;
        }
    }
    let OpenTurn { id, session, address, state, messages, .. } = turn;
    if state == TurnState::Running {
        ended.running.push((session, address, id));
    } else {
        ended.waiting.extend(messages.into_iter().map(|id| (session.clone(), address.clone(), id)));
    }
    Ok(())
}

/// Whether a retry in the turn runs what it is about once more.
fn replays(tx: &Tx<'_>, whose: Whose<'_>, turn: TurnId) -> Outcome<bool> {
    let authors = tx.all(
        "SELECT o.principal FROM inbound i, json_each(i.replays) r JOIN inbound o ON o.id = r.value
         WHERE i.turn_id = ?1 AND i.state = 'in_turn' AND i.replays IS NOT NULL",
        [turn.0],
        |row| Ok(whose.says(row.get_ref(0)?.as_str()?)),
    )?;
    Ok(authors.contains(&true))
}

/// Other people's messages wait again, and what the turn had overheard with them.
fn give_back(tx: &Tx<'_>, turn: TurnId, others: &[(MessageId, bool)]) -> Outcome<()> {
    for (id, _) in others {
        tx.run("UPDATE inbound SET state = 'waiting', turn_id = NULL WHERE id = ?1", [id.0])?;
    }
    tx.queued(others.len());
    if !others.is_empty() {
        tx.context_queued(tx.run("UPDATE context_message SET turn_id = NULL WHERE turn_id = ?1", [turn.0])?);
    }
    Ok(())
}

fn interrupted(
    tx: &Tx<'_>,
    turn: &OpenTurn,
    others: &[(MessageId, bool)],
    now: DateTime<Utc>,
) -> Outcome<()> {
    let about: Vec<MessageId> = others.iter().map(|(id, _)| *id).collect();
    let so_far = turn.so_far.clone().unwrap_or_default();
    let outgoing = Outgoing { about: &about, ..turn.outgoing(now) };
    outgoing.notice(tx, turn.id, &Notice::Interrupted { so_far }).map(drop)
}

fn context_messages(tx: &Tx<'_>, whose: Whose<'_>) -> Outcome<()> {
    if tx.context_messages() == 0 {
        return Ok(());
    }
    let waiting =
        tx.all("SELECT id, key, principal FROM context_message WHERE turn_id IS NULL", [], |row| {
            let session: SessionKey = parsed(row, 1)?;
            let theirs = whose.says(row.get_ref(2)?.as_str()?) && whose.holds_in(&session);
            Ok(theirs.then_some(row.get::<_, i64>(0)?))
        })?;
    for id in waiting.into_iter().flatten() {
        tx.context_taken(tx.run("DELETE FROM context_message WHERE id = ?1", [id])?);
    }
    Ok(())
}
