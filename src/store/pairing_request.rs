//! T1 for an unknown sender: a request for a pairing code, without the text of the message, with limits on how many
//! there are.

use chrono::{DateTime, Duration, Utc};
use frontdesk_core::address::Principal;
use frontdesk_core::delivery::PostKind;
use frontdesk_core::drop_reason::DropReason;
use frontdesk_core::id::MessageId;
use frontdesk_core::message::Refusal;
use frontdesk_core::notice::Notice;
use frontdesk_core::pairing::{BEFORE_REMINDER, BETWEEN_NOTICES, BETWEEN_REQUESTS, LIFETIME};
use frontdesk_core::time::{Now, Pause};
use rusqlite::params;

use crate::fault::Outcome;
use crate::ids::Table;
use crate::insert::{Kept, NewRow, count_dropped, insert, known};
use crate::part::{Outgoing, is_known};
use crate::part_key::TextKey;
use crate::row::{Admitted, Batch, MessageState, PairingRequest, Reason, Stored};
use crate::sql::{at, ms};
use crate::tx::Tx;

/// One request. A person who has a code, had one a short time ago or writes while too many others do is counted and
/// leaves no row.
pub(crate) fn taken(
    tx: &Tx<'_>,
    batch: &Batch,
    message: &Admitted,
    request: &PairingRequest,
) -> Outcome<Stored> {
    let event = &message.event;
    if let Some(known) = known(tx, batch, &event.id, None)? {
        return Ok(known);
    }
    let refused = match too_soon(tx, &event.from.id, batch.received.steady)? {
        true => Some(DropReason::PairingPending),
        false => Some(DropReason::PairingFlood).filter(|_| !request.open || request.most == 0),
    };
    if let Some(reason) = refused {
        count_dropped(tx, &batch.source, &reason)?;
        remind(tx, message, batch.received)?;
        return Ok(Stored::Dropped);
    }
    make_space(tx, &event.from.id, request.most)?;
    let reason = Reason::Refused(Refusal::Pairing);
    let id = insert(tx, batch, message, NewRow::ended(MessageState::Refused, reason, 0, Kept::Nothing))?;
    open(tx, message, request, id, batch.received.steady)?;
    tell(tx, message, request, id, batch.received.wall)?;
    Ok(Stored::Asked { message: id })
}

/// Whether this person may not ask now: a code is open, or the last one was made or told too short a time ago.
fn too_soon(tx: &Tx<'_>, who: &Principal, now: DateTime<Utc>) -> Outcome<bool> {
    let last = tx.one(
        "SELECT state = 'open', created_at, told_at FROM pairing WHERE principal = ?1",
        [who.as_str()],
        |row| Ok((row.get::<_, bool>(0)?, at(row, 1)?, at(row, 2)?)),
    )?;
    let Some((open, created, told)) = last else { return Ok(false) };
    let within = |since: DateTime<Utc>, span: Duration| !Pause { since, until: since + span }.is_over(now);
    Ok((open && within(created, LIFETIME))
        || within(created, BETWEEN_REQUESTS)
        || within(told, BETWEEN_NOTICES))
}

/// A person who has a valid code and writes again is told so, once: a part's key exists only once.
fn remind(tx: &Tx<'_>, message: &Admitted, now: Now) -> Outcome<()> {
    let event = &message.event;
    let open = tx.one(
        "SELECT message_id, created_at, expires_at FROM pairing WHERE principal = ?1 AND state = 'open'",
        [event.from.id.as_str()],
        |row| Ok((MessageId(row.get(0)?), at(row, 1)?, at(row, 2)?)),
    )?;
    let Some((request, created, expires)) = open else { return Ok(()) };
    let minutes = (expires - now.steady).num_minutes();
    if now.steady - created < BEFORE_REMINDER || !(1..=LIFETIME.num_minutes()).contains(&minutes) {
        return Ok(());
    }
    let notice = Notice::CodeStands { minutes };
    if is_known(tx, TextKey::notice(request, &notice).part(0).as_str())? {
        return Ok(());
    }
    let person = Outgoing {
        turn: None,
        about: &[request],
        session: Some(&message.session),
        address: &event.address,
        reply_to: None,
        kind: PostKind::Notice,
        audience: None,
        now: now.wall,
    };
    person.notice(tx, request, &notice).map(drop)
}

/// Deletes this person's last request, and the oldest ones beyond the limit of open requests. Their senders may ask
/// again at once; a code that has not been sent yet is not sent any more.
fn make_space(tx: &Tx<'_>, who: &Principal, most: u32) -> Outcome<()> {
    tx.run("DELETE FROM pairing WHERE principal = ?1", [who.as_str()])?;
    let evicted = tx.all(
        "DELETE FROM pairing WHERE state = 'open' AND channel = ?1 AND account = ?2 AND id <=
           (SELECT id FROM pairing WHERE state = 'open' AND channel = ?1 AND account = ?2
            ORDER BY id DESC LIMIT 1 OFFSET ?3) RETURNING message_id",
        params![who.platform(), who.account().name(), most - 1],
        |row| row.get(0).map(MessageId),
    )?;
    for asked in evicted {
        tx.run(
            "DELETE FROM outbox WHERE part_key = ?1 AND state = 'queued'",
            [TextKey::notice(asked, &code(who)).part(0).as_str()],
        )?;
    }
    Ok(())
}

fn open(
    tx: &Tx<'_>,
    message: &Admitted,
    request: &PairingRequest,
    id: MessageId,
    now: DateTime<Utc>,
) -> Outcome<()> {
    let event = &message.event;
    tx.run(
        "INSERT INTO pairing (id, principal, channel, account, address, sender, message_id, salt, hash, state,
                              created_at, expires_at, told_at)
         VALUES (?11, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'open', ?9, ?10, ?9)",
        params![
            event.from.id.as_str(),
            event.from.id.platform(),
            event.from.id.account().name(),
            event.address.as_str(),
            event.from.name,
            id.0,
            request.salt.0,
            request.hash,
            ms(now),
            ms(now + LIFETIME),
            tx.new_id(Table::Pairing)?,
        ],
    )?;
    Ok(())
}

/// The notice that carries a code.
fn code(who: &Principal) -> Notice {
    Notice::Code { id: who.id().to_owned() }
}

/// The person gets the code when the notice is sent; admins get a notice that says who asks.
fn tell(
    tx: &Tx<'_>,
    message: &Admitted,
    request: &PairingRequest,
    id: MessageId,
    now: DateTime<Utc>,
) -> Outcome<()> {
    let event = &message.event;
    let about = [id];
    let person = Outgoing {
        turn: None,
        about: &about,
        session: Some(&message.session),
        address: &event.address,
        reply_to: event.platform_message.as_deref(),
        kind: PostKind::Notice,
        audience: None,
        now,
    };
    let code = code(&event.from.id);
    person.masked(tx, &TextKey::notice(id, &code), &code.text(), request.salt, Some(&code))?;
    let asked = Notice::Asked { shown: event.from.name.clone(), who: event.from.id.clone() };
    for (n, admin) in request.tell.iter().enumerate() {
        let outgoing = Outgoing { session: None, address: admin, reply_to: None, ..person.clone() };
        outgoing.notice_as(tx, &TextKey::notice(id, &asked).copy(n), &asked)?;
    }
    Ok(())
}
