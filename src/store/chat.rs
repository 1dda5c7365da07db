//! Settings of chats: served or not, and muted, both by admins, and the time zone.

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::time::{Now, Pause};
use rusqlite::params;

use crate::audit::{audit, done_or_unchanged};
use crate::fault::Outcome;
use crate::revocation::{Target, end_access};
use crate::row::{AccessDone, Author, ChatRow, Revoked};
use crate::sql::{Sql, at, maybe_at, ms, parsed};
use crate::tx::Tx;

/// Serves a group, or stops serving it: then everything that is open there ends.
pub(crate) fn serve(
    tx: &Tx<'_>,
    chat: &Address,
    allowed: bool,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<AccessDone> {
    let was: Option<bool> =
        tx.one("SELECT allowed FROM chat WHERE address = ?1", [chat.as_str()], |row| row.get(0))?;
    let new = was.unwrap_or(false) != allowed;
    tx.run(
        "INSERT INTO chat (address, allowed, author, updated_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (address) DO UPDATE SET allowed = excluded.allowed, author = excluded.author,
                                             updated_at = excluded.updated_at",
        params![chat.as_str(), allowed, author.name, ms(now)],
    )?;
    let ended = if allowed { Revoked::default() } else { end_access(tx, Target::Group(chat), now)? };
    let changed = new || ended != Revoked::default();
    let action = if allowed { "serve" } else { "unserve" };
    audit(tx, author, action, chat.as_str(), done_or_unchanged(changed), now)?;
    Ok(AccessDone::Served { new, ended })
}

/// Mutes a chat until a time, or unmutes it. Waiting messages keep waiting.
pub(crate) fn mute(
    tx: &Tx<'_>,
    chat: &Address,
    until: Option<DateTime<Utc>>,
    author: &Author,
    now: Now,
) -> Outcome<AccessDone> {
    let muted = "SELECT muted_until, muted_at FROM chat WHERE address = ?1";
    let known = tx.one(muted, [chat.as_str()], |row| Ok((maybe_at(row, 0)?, maybe_at(row, 1)?)))?;
    let (was, since) = known.unwrap_or_default();
    let pause = was.map(|until| Pause { since: since.unwrap_or(now.steady), until });
    let before = pause.is_some_and(|pause| !pause.is_over(now.steady));
    let changed = was.map(ms) != until.map(ms);
    if changed {
        tx.run(
            "INSERT INTO chat (address, allowed, muted_until, muted_at, author, updated_at)
             VALUES (?1, 0, ?2, ?3, ?4, ?5)
             ON CONFLICT (address) DO UPDATE SET muted_until = excluded.muted_until, muted_at = excluded.muted_at,
                                                 author = excluded.author, updated_at = excluded.updated_at",
            params![chat.as_str(), until.map(ms), ms(now.steady), author.name, ms(now.wall)],
        )?;
    }
    let action = if until.is_some() { "mute" } else { "unmute" };
    audit(tx, author, action, chat.as_str(), done_or_unchanged(changed), now.wall)?;
    Ok(AccessDone::Muted { before })
}

/// Chooses the time zone of a chat's people, or leaves it to the configuration.
pub(crate) fn zone(
    tx: &Tx<'_>,
    chat: &Address,
    zone: Option<&str>,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<AccessDone> {
    let chosen = "SELECT zone FROM chat WHERE address = ?1";
    let was: Option<String> = tx.one(chosen, [chat.as_str()], |row| row.get(0))?.flatten();
    let changed = was.as_deref() != zone;
    if changed {
        tx.run(
            "INSERT INTO chat (address, allowed, zone, author, updated_at) VALUES (?1, 0, ?2, ?3, ?4)
             ON CONFLICT (address) DO UPDATE SET zone = excluded.zone, author = excluded.author,
                                                 updated_at = excluded.updated_at",
            params![chat.as_str(), zone, author.name, ms(now)],
        )?;
    }
    audit(tx, author, "timezone", chat.as_str(), done_or_unchanged(changed), now)?;
    Ok(AccessDone::ZoneChosen)
}

/// Every chat that was set.
pub(crate) fn all(sql: &Sql<'_>) -> Outcome<Vec<ChatRow>> {
    sql.all(
        "SELECT address, allowed, muted_until, muted_at, author, updated_at, zone FROM chat ORDER BY address",
        [],
        |row| {
            Ok(ChatRow {
                chat: parsed(row, 0)?,
                allowed: row.get(1)?,
                muted_until: maybe_at(row, 2)?,
                muted_at: maybe_at(row, 3)?,
                by: row.get(4)?,
                updated: at(row, 5)?,
                zone: row.get(6)?,
            })
        },
    )
}
