//! T1 of a stranger: a request for a code, without what was said, and bounded in every direction.

use chrono::{DateTime, Duration, Utc};
use frontdesk_core::act::PostKind;
use frontdesk_core::address::Principal;
use frontdesk_core::id::MessageId;
use frontdesk_core::notice::Notice;
use frontdesk_core::pairing::{BEFORE_REMINDER, BETWEEN_NOTICES, BETWEEN_REQUESTS, LIFETIME};
use frontdesk_core::time::{Now, Pause};
use rusqlite::params;

use crate::arrival::count_dropped;
use crate::arrival::{Arrival, known};
use crate::fault::Outcome;
use crate::ids::Table;
use crate::part::{Outgoing, is_known};
use crate::part_key::TextKey;
use crate::row::{Ask, Batch, Stored};
use crate::sql::{at, ms};
use crate::tx::Tx;

/// One request. Whoever has a code, had one a while ago or comes in a flood is counted and leaves no row.
pub(crate) fn taken(tx: &Tx<'_>, batch: &Batch, ask: &Ask) -> Outcome<Stored> {
    if let Some(known) = known(tx, batch, &ask.event_id, None)? {
        return Ok(known);
    }
    let refused = match too_soon(tx, &ask.principal, batch.received.steady)? {
        true => Some("denied:pairing_pending"),
        false => Some("denied:pairing_flood").filter(|_| !ask.open || ask.most == 0),
    };
    if let Some(kind) = refused {
        count_dropped(tx, &batch.source, kind)?;
        remind(tx, ask, batch.received)?;
        return Ok(Stored::Dropped);
    }
    make_room(tx, ask)?;
    let id = Arrival::asked(ask).insert(tx, batch)?;
    request(tx, ask, id, batch.received.steady)?;
    notify(tx, ask, id, batch.received.wall)?;
    Ok(Stored::Asked { message: id, new: true })
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

/// Tells a person who has a valid code and writes again that it is valid. Once: a part's key is stored once only.
fn remind(tx: &Tx<'_>, ask: &Ask, now: Now) -> Outcome<()> {
    let open = tx.one(
        "SELECT message_id, created_at, expires_at FROM pairing WHERE principal = ?1 AND state = 'open'",
        [ask.principal.as_str()],
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
        session: Some(&ask.session),
        address: &ask.address,
        reply_to: None,
        kind: PostKind::Notice,
        now: now.wall,
    };
    person.notice(tx, request, &notice).map(drop)
}

/// Forgets this person's last request, and as many of the oldest as stand in the way. Who is forgotten may ask
/// again at once; a code that has not been sent yet is not sent any more.
fn make_room(tx: &Tx<'_>, ask: &Ask) -> Outcome<()> {
    tx.run("DELETE FROM pairing WHERE principal = ?1", [ask.principal.as_str()])?;
    let evicted = tx.all(
        "DELETE FROM pairing WHERE state = 'open' AND channel = ?1 AND account = ?2 AND id <=
           (SELECT id FROM pairing WHERE state = 'open' AND channel = ?1 AND account = ?2
            ORDER BY id DESC LIMIT 1 OFFSET ?3) RETURNING message_id",
        params![ask.principal.platform(), ask.principal.account().name(), ask.most - 1],
        |row| row.get(0).map(MessageId),
    )?;
    for asked in evicted {
        tx.run(
            "DELETE FROM outbox WHERE part_key = ?1 AND state = 'queued'",
            [TextKey::notice(asked, &code(ask)).part(0).as_str()],
        )?;
    }
    Ok(())
}

fn request(tx: &Tx<'_>, ask: &Ask, id: MessageId, now: DateTime<Utc>) -> Outcome<()> {
    tx.run(
        "INSERT INTO pairing (id, principal, channel, account, address, sender, message_id, salt, hash, state,
                              created_at, expires_at, told_at)
         VALUES (?11, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'open', ?9, ?10, ?9)",
        params![
            ask.principal.as_str(),
            ask.principal.platform(),
            ask.principal.account().name(),
            ask.address.as_str(),
            ask.sender,
            id.0,
            ask.salt.0,
            ask.hash,
            ms(now),
            ms(now + LIFETIME),
            tx.new_id(Table::Pairing)?,
        ],
    )?;
    Ok(())
}

/// The notice that carries a code.
fn code(ask: &Ask) -> Notice {
    Notice::Code { id: ask.principal.id().to_owned() }
}

/// The person gets the code when the notice is sent; admins get a notice that says who asks.
fn notify(tx: &Tx<'_>, ask: &Ask, id: MessageId, now: DateTime<Utc>) -> Outcome<()> {
    let about = [id];
    let person = Outgoing {
        turn: None,
        about: &about,
        session: Some(&ask.session),
        address: &ask.address,
        reply_to: ask.platform_message.as_deref(),
        kind: PostKind::Notice,
        now,
    };
    let code = code(ask);
    person.masked(tx, &TextKey::notice(id, &code), &code, ask.salt)?;
    let asked = Notice::Asked { shown: ask.sender.clone(), who: ask.principal.clone() };
    for (n, admin) in ask.tell.iter().enumerate() {
        let outgoing = Outgoing { session: None, address: admin, reply_to: None, ..person.clone() };
        outgoing.notice_as(tx, &TextKey::notice(id, &asked).copy(n), &asked)?;
    }
    Ok(())
}
