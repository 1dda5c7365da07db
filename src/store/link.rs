//! Private chats that share one session: a code shown in one and entered in another, the consent of both, and the end.

use chrono::{DateTime, Duration, Utc};
use frontdesk_core::address::Principal;
use frontdesk_core::delivery::PostKind;
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::link::{self, LIFETIME, LinkError, PARTED, REFUSED};
use frontdesk_core::pairing::{Code, MASK, Salt};
use frontdesk_core::time::{Now, Pause};
use rusqlite::{Row, params};

use crate::ask;
use crate::audit::audit;
use crate::failed_guesses::FailedGuesses;
use crate::fault::{Fault, Outcome};
use crate::message::{inbound, inbound_columns};
use crate::part::Outgoing;
use crate::part_key::TextKey;
use crate::row::{Author, CommandChoices, InboundRow, LinkDone, LinkRow, LinkStep, digest};
use crate::sql::{Sql, at, maybe_parsed, ms, parsed};
use crate::tx::Tx;

/// All chats that share the session of another one.
pub(crate) fn all(sql: &Sql<'_>) -> Outcome<Vec<LinkRow>> {
    sql.all("SELECT place, target, principal, target_principal FROM link ORDER BY place", [], |row| {
        Ok(LinkRow {
            place: parsed(row, 0)?,
            target: parsed(row, 1)?,
            principal: parsed(row, 2)?,
            other: parsed(row, 3)?,
        })
    })
}

/// Carries out a command about joined chats.
pub(crate) fn step(tx: &Tx<'_>, command: &InboundRow, step: &LinkStep, now: Now) -> Outcome<LinkDone> {
    match step {
        LinkStep::Show { salt, hash } => show(tx, command, *salt, hash, now.steady),
        LinkStep::Enter(code) => enter(tx, command, code, now),
        LinkStep::Confirm(request) => confirm(tx, command, *request, now),
        LinkStep::Refuse(request) => refuse(tx, command, *request, now),
        LinkStep::Off => part(tx, command, now.wall),
    }
}

/// Separates all chats of somebody who has lost access.
pub(crate) fn end_of(tx: &Tx<'_>, who: &Principal) -> Outcome<()> {
    tx.run("DELETE FROM link WHERE ?1 IN (principal, target_principal)", [who.as_str()])?;
    tx.run("DELETE FROM link_code WHERE ?1 IN (principal, other_principal)", [who.as_str()])?;
    tx.note_access_change();
    Ok(())
}

fn show(
    tx: &Tx<'_>,
    command: &InboundRow,
    salt: Salt,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Outcome<LinkDone> {
    tx.run("DELETE FROM link_code WHERE expires_at <= ?1", [ms(now)])?;
    tx.run(
        "INSERT OR REPLACE INTO link_code (place, target, principal, message_id, salt, hash, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            command.own_session().as_str(),
            command.session.as_str(),
            command.from.id.as_str(),
            command.id.0,
            salt.0,
            hash,
            ms(now),
            ms(end(now)),
        ],
    )?;
    Ok(LinkDone::Shown(salt))
}

fn end(now: DateTime<Utc>) -> DateTime<Utc> {
    now + Duration::from_std(LIFETIME).unwrap_or_default()
}

/// A code that is shown in a chat, and the chat in which it was entered.
struct Request {
    /// The session of the chat that shows the code.
    place: SessionKey,
    target: SessionKey,
    principal: Principal,
    /// The message that asked for the code.
    message: MessageId,
    salt: Salt,
    hash: Vec<u8>,
    valid: Pause,
    entered: Option<Entered>,
}

struct Entered {
    place: SessionKey,
    principal: Principal,
    message: MessageId,
}

/// The columns that [`request`] reads.
macro_rules! request_columns {
    () => {
        "place, target, principal, message_id, salt, hash, created_at, expires_at, other_place, other_principal, \
         other_message"
    };
}

fn request(row: &Row<'_>) -> rusqlite::Result<Request> {
    let entered = match (maybe_parsed(row, 8)?, maybe_parsed(row, 9)?, row.get::<_, Option<i64>>(10)?) {
        (Some(place), Some(principal), Some(message)) => {
            Some(Entered { place, principal, message: MessageId(message) })
        }
        _ => None,
    };
    Ok(Request {
        place: parsed(row, 0)?,
        target: parsed(row, 1)?,
        principal: parsed(row, 2)?,
        message: MessageId(row.get(3)?),
        salt: Salt(row.get(4)?),
        hash: row.get(5)?,
        valid: Pause { since: at(row, 6)?, until: at(row, 7)? },
        entered,
    })
}

fn enter(tx: &Tx<'_>, command: &InboundRow, code: &Code, now: Now) -> Outcome<LinkDone> {
    // The code is stored nowhere, nor anything from which it could be found.
    let masked = format!("/link {MASK}");
    tx.run(
        "UPDATE inbound SET body = ?2, digest = ?3 WHERE id = ?1",
        params![command.id.0, masked, digest(&masked)],
    )?;
    let guesser = format!("link {}", command.from.id);
    let tries = FailedGuesses::of(tx, &guesser, now.steady)?;
    if let Some(until) = tries.locked_until {
        note(tx, command, &command.from.id, "refused:locked", now.wall)?;
        return Ok(LinkDone::Locked { until });
    }
    let Some(request) = having(tx, code, now.steady)? else {
        let left = tries.failed(tx, &guesser, now.steady)?;
        note(tx, command, &command.from.id, "refused:no_such_code", now.wall)?;
        return Ok(LinkDone::NoSuchCode { left });
    };
    let place = command.own_session();
    if let Some(error) = obstacle(tx, &request, place, &command.session)? {
        return Ok(LinkDone::Failed(error));
    }
    tx.run(
        "UPDATE link_code SET other_place = ?2, other_principal = ?3, other_message = ?4, created_at = ?5, expires_at = ?6
         WHERE place = ?1",
        params![
            request.place.as_str(),
            place.as_str(),
            command.from.id.as_str(),
            command.id.0,
            ms(now.steady),
            ms(end(now.steady)),
        ],
    )?;
    let Some(first) = message(tx, request.message)? else {
        return Ok(LinkDone::Failed(LinkError::NoRequest));
    };
    let about = |other: &InboundRow| (other.from.id.clone(), other.from.name.clone());
    asks(tx, &first, about(command), command.id, now)?;
    asks(tx, command, about(&first), command.id, now)?;
    note(tx, command, &request.principal, "asked", now.wall)?;
    Ok(LinkDone::Asked)
}

/// The open request with this code. All requests are compared, so that the time taken tells nothing about the code.
fn having(tx: &Tx<'_>, code: &Code, now: DateTime<Utc>) -> Outcome<Option<Request>> {
    let shown = concat!("SELECT ", request_columns!(), " FROM link_code WHERE other_message IS NULL");
    let mut found = None;
    for request in tx.all(shown, [], request)? {
        let fits = code.matches(request.salt, &request.hash);
        if fits && !request.valid.is_over(now) {
            found = Some(request);
        }
    }
    Ok(found)
}

/// Why a chat cannot be joined. `place` is its own session, `session` the one to which its messages belong now.
fn obstacle(
    tx: &Tx<'_>,
    request: &Request,
    place: &SessionKey,
    session: &SessionKey,
) -> Outcome<Option<LinkError>> {
    if *place == request.place {
        return Ok(Some(LinkError::SameChat));
    }
    if place.agent() != request.target.agent() {
        return Ok(Some(LinkError::OtherAgent));
    }
    if place != session {
        return Ok(Some(LinkError::Joined));
    }
    let shared = "SELECT 1 FROM link WHERE target = ?1";
    let is_shared = tx.one(shared, [place.as_str()], |_| Ok(()))?.is_some();
    Ok(is_shared.then_some(LinkError::Shared))
}

fn message(tx: &Tx<'_>, id: MessageId) -> Outcome<Option<InboundRow>> {
    tx.one(concat!("SELECT ", inbound_columns!(), " FROM inbound i WHERE i.id = ?1"), [id.0], inbound)
}

/// Asks a chat whether it is to be joined to that of somebody else.
fn asks(
    tx: &Tx<'_>,
    command: &InboundRow,
    (other, name): (Principal, Option<String>),
    request: MessageId,
    now: Now,
) -> Outcome<()> {
    let about = [command.id];
    let outgoing = to_chat_of(command, &about, PostKind::Answer, now.wall);
    let question = link::question(&other, name.as_deref(), request)
        .map_err(|error| Fault::Bad(format!("the question about two chats: {error}")))?;
    let choices = CommandChoices { question, commands: link::commands(request) };
    match tx.shared.renderer.buttons(&command.address) {
        true => ask::of_command(tx, command, &outgoing, false, &choices, now),
        false => {
            let key = TextKey::linked(command.id).copy(0);
            outgoing.text(tx, &key, &choices.question.text).map(drop)
        }
    }
}

fn to_chat_of<'a>(
    command: &'a InboundRow,
    about: &'a [MessageId],
    kind: PostKind,
    now: DateTime<Utc>,
) -> Outgoing<'a> {
    Outgoing {
        turn: None,
        about,
        session: Some(&command.session),
        address: &command.address,
        reply_to: None,
        kind,
        audience: None,
        now,
    }
}

/// The open request that the message `request_id` has begun, if the sender of `command` may decide about it, and whether that
/// sender is in the chat that shows the code.
fn decidable(
    tx: &Tx<'_>,
    command: &InboundRow,
    request_id: MessageId,
    now: DateTime<Utc>,
) -> Outcome<Option<(Request, Entered, bool)>> {
    let entered = concat!("SELECT ", request_columns!(), " FROM link_code WHERE other_message = ?1");
    let Some(mut request) = tx.one(entered, [request_id.0], request)? else { return Ok(None) };
    let Some(entered) = request.entered.take() else { return Ok(None) };
    let by = (command.own_session(), &command.from.id);
    let is_first = by == (&request.place, &request.principal);
    let is_other = by == (&entered.place, &entered.principal);
    let may_decide = (is_first || is_other) && !request.valid.is_over(now);
    Ok(may_decide.then_some((request, entered, is_first)))
}

fn confirm(tx: &Tx<'_>, command: &InboundRow, id: MessageId, now: Now) -> Outcome<LinkDone> {
    let Some((request, entered, is_first)) = decidable(tx, command, id, now.steady)? else {
        return Ok(LinkDone::Failed(LinkError::NoRequest));
    };
    let agreed =
        "UPDATE link_code SET agreed = agreed OR ?2, other_agreed = other_agreed OR NOT ?2 WHERE place = ?1
                  RETURNING agreed AND other_agreed";
    let both = tx.one(agreed, params![request.place.as_str(), is_first], |row| row.get::<_, bool>(0))?;
    let (own, other) = match is_first {
        true => (request.message, entered.message),
        false => (entered.message, request.message),
    };
    ask::withdraw_of_command(tx, own, now.wall)?;
    if both != Some(true) {
        return Ok(LinkDone::Agreed);
    }
    tx.run("DELETE FROM link_code WHERE place = ?1", [request.place.as_str()])?;
    // Something else may have been joined in the meantime.
    let Some(joining) = message(tx, entered.message)? else {
        return Ok(LinkDone::Failed(LinkError::NoRequest));
    };
    let session = session_of(tx, &entered.place)?;
    if let Some(error) = obstacle(tx, &request, &entered.place, &session)? {
        return Ok(LinkDone::Failed(error));
    }
    // The chat that shows the code may share another session since then.
    let target = session_of(tx, &request.place)?;
    tx.run(
        "INSERT INTO link (place, target, principal, target_principal, address, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            entered.place.as_str(),
            target.as_str(),
            entered.principal.as_str(),
            request.principal.as_str(),
            joining.address.as_str(),
            ms(now.wall),
        ],
    )?;
    tx.note_access_change();
    let (sender, partner) = match is_first {
        true => (&request.principal, &entered.principal),
        false => (&entered.principal, &request.principal),
    };
    note(tx, command, partner, "done", now.wall)?;
    tell(tx, command, other, &link::joined(sender), now.wall)?;
    Ok(LinkDone::Joined { other: partner.clone() })
}

/// The session to which the messages of a chat belong.
fn session_of(tx: &Tx<'_>, place: &SessionKey) -> Outcome<SessionKey> {
    let target = "SELECT target FROM link WHERE place = ?1";
    Ok(tx.one(target, [place.as_str()], |row| parsed(row, 0))?.unwrap_or_else(|| place.clone()))
}

fn refuse(tx: &Tx<'_>, command: &InboundRow, id: MessageId, now: Now) -> Outcome<LinkDone> {
    let Some((request, entered, is_first)) = decidable(tx, command, id, now.steady)? else {
        return Ok(LinkDone::Failed(LinkError::NoRequest));
    };
    tx.run("DELETE FROM link_code WHERE place = ?1", [request.place.as_str()])?;
    for message in [request.message, entered.message] {
        ask::withdraw_of_command(tx, message, now.wall)?;
    }
    let (other, who) = match is_first {
        true => (entered.message, &entered.principal),
        false => (request.message, &request.principal),
    };
    note(tx, command, who, "refused:not_agreed", now.wall)?;
    tell(tx, command, other, REFUSED, now.wall)?;
    Ok(LinkDone::Refused)
}

/// Tells the chat of another command what this one has done.
fn tell(tx: &Tx<'_>, command: &InboundRow, other: MessageId, text: &str, now: DateTime<Utc>) -> Outcome<()> {
    let Some(other) = message(tx, other)? else { return Ok(()) };
    let about = [other.id];
    let outgoing = to_chat_of(&other, &about, PostKind::Result, now);
    outgoing.text(tx, &TextKey::linked(command.id), text).map(drop)
}

/// Separates a chat from the session that it shares, or the other chats from the session of this one.
fn part(tx: &Tx<'_>, command: &InboundRow, now: DateTime<Utc>) -> Outcome<LinkDone> {
    let place = command.own_session();
    let mine = tx.run("DELETE FROM link WHERE place = ?1", [place.as_str()])?;
    if mine > 0 {
        tx.note_access_change();
        unlinked(tx, command, place, now)?;
        return Ok(LinkDone::Parted { chats: 1 });
    }
    let others = "DELETE FROM link WHERE target = ?1 RETURNING place, address";
    let others =
        tx.all(others, [place.as_str()], |row| Ok((parsed::<SessionKey>(row, 0)?, parsed(row, 1)?)))?;
    for (n, (other, address)) in others.iter().enumerate() {
        unlinked(tx, command, other, now)?;
        let outgoing =
            Outgoing { session: Some(other), address, ..to_chat_of(command, &[], PostKind::Result, now) };
        outgoing.text(tx, &TextKey::linked(command.id).copy(n), PARTED)?;
    }
    if others.is_empty() {
        return Ok(LinkDone::Failed(LinkError::NotJoined));
    }
    tx.note_access_change();
    Ok(LinkDone::Parted { chats: others.len() })
}

fn note(
    tx: &Tx<'_>,
    command: &InboundRow,
    subject: &Principal,
    outcome: &str,
    now: DateTime<Utc>,
) -> Outcome<()> {
    audit(tx, &author(command), "link", subject.as_str(), outcome, now)
}

fn unlinked(tx: &Tx<'_>, command: &InboundRow, place: &SessionKey, now: DateTime<Utc>) -> Outcome<()> {
    audit(tx, &author(command), "unlink", place.as_str(), "done", now)
}

fn author(command: &InboundRow) -> Author {
    Author { name: command.from.id.to_string(), via: "chat" }
}
