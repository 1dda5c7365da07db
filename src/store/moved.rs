//! A chat whose id changed: open messages go to the new id, and everything else keeps the first id.

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::key::{Scope, SessionKey};
use rusqlite::params;

use crate::fault::{Fault, Outcome};
use crate::queue::WorkClass;
use crate::row::{ChatAlias, Moved};
use crate::session::{end_of_group, next};
use crate::sql::{Sql, legible, ms, parsed};
use crate::tx::Tx;
use crate::{Result, Store};

impl Store {
    /// A chat's id has changed: its open messages go to the new id. Its conversations keep the first id if it has any
    /// under that one and none under the new one, or if `named` says that rules or grants refer to the old id. Else the
    /// new id is a chat of its own. `None` if the change is known and nothing was open for the old id.
    pub async fn chat_moved(
        &self,
        from: &Address,
        to: &Address,
        named: bool,
        now: DateTime<Utc>,
    ) -> Result<Option<Moved>> {
        let (from, to) = (from.clone(), to.clone());
        self.write(WorkClass::Requests, move |tx| moved(tx, &from, &to, named, now)).await
    }
}

/// Every move.
pub(crate) fn all(sql: &Sql<'_>) -> Outcome<Vec<ChatAlias>> {
    sql.all("SELECT original, current FROM chat_alias ORDER BY moved_at, current", [], |row| {
        Ok(ChatAlias { original: parsed(row, 0)?, current: parsed(row, 1)? })
    })
}

fn moved(
    tx: &Tx<'_>,
    from: &Address,
    to: &Address,
    named: bool,
    now: DateTime<Utc>,
) -> Outcome<Option<Moved>> {
    let root = "SELECT original FROM chat_alias WHERE current = ?1";
    let (from, to) = (from.without_thread(), to.without_thread());
    let original = tx.one(root, [from.as_str()], |row| parsed(row, 0))?.unwrap_or_else(|| from.clone());
    if original == to {
        // The chat has its first id again.
        return Ok(None);
    }
    // A chat that has conversations under its new id already keeps them.
    let keeps_its_name = rows(tx, &to)?.is_empty() && (named || !rows(tx, &original)?.is_empty());
    let new = match keeps_its_name {
        true => tx.run(
            "INSERT INTO chat_alias (current, original, moved_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (current) DO NOTHING",
            params![to.as_str(), original.as_str(), ms(now)],
        )?,
        false => 0,
    };
    let wake = rewrite(tx, &from, &to)?;
    if new > 0 {
        sessions(tx, &original, &from, &to)?;
        tx.note_access_change();
    }
    let row = ChatAlias { original, current: to };
    Ok((new > 0 || !wake.is_empty()).then_some(Moved { row, wake }))
}

/// The address under the new id, if `old` is the chat or a thread of it.
fn moved_address(old: &Address, from: &Address, to: &Address) -> Outcome<Option<Address>> {
    if (old.account(), old.chat()) != (from.account(), from.chat()) {
        return Ok(None);
    }
    let new = Address::at(to.account(), to.chat(), old.thread());
    new.map(Some).map_err(|error| Fault::Bad(error.to_string()))
}

/// A query for the addresses of open rows, and the statement that redirects one of them. Each finds its rows by a small
/// index.
type Open = (&'static str, &'static str);

/// Parts that are to be sent: their addresses are woken afterwards.
const TO_SEND: Open = (
    "SELECT DISTINCT address FROM outbox WHERE state IN ('queued', 'streaming', 'sending')",
    "UPDATE outbox SET address = ?2
     WHERE address = ?1 AND state IN ('queued', 'streaming', 'sending')",
);

/// Rows that lead to parts later, or may be sent again.
const OTHERS: [Open; 4] = [
    (
        "SELECT DISTINCT address FROM outbox WHERE state IN ('unknown', 'dead')",
        "UPDATE outbox SET address = ?2 WHERE state IN ('unknown', 'dead') AND address = ?1",
    ),
    (
        "SELECT DISTINCT address FROM inbound WHERE state = 'waiting'",
        "UPDATE inbound SET address = ?2 WHERE state = 'waiting' AND address = ?1",
    ),
    (
        "SELECT DISTINCT address FROM turn WHERE state IN ('queued', 'running')",
        "UPDATE turn SET address = ?2 WHERE state IN ('queued', 'running') AND address = ?1",
    ),
    (
        "SELECT DISTINCT address FROM ask WHERE state = 'open'",
        "UPDATE ask SET address = ?2 WHERE state = 'open' AND address = ?1",
    ),
];

/// Redirects everything that is open to the new id. Returns the addresses with something to send.
fn rewrite(tx: &Tx<'_>, from: &Address, to: &Address) -> Outcome<Vec<Address>> {
    let wake = redirect(tx, TO_SEND, from, to)?;
    for open in OTHERS {
        redirect(tx, open, from, to)?;
    }
    in_turns(tx, from, to)?;
    Ok(wake)
}

/// Redirects rows of one kind. Returns their new addresses.
fn redirect(tx: &Tx<'_>, (addresses, update): Open, from: &Address, to: &Address) -> Outcome<Vec<Address>> {
    let old: Vec<Option<Address>> = tx.all(addresses, [], |row| legible(row, 0))?;
    let mut redirected = Vec::new();
    for old in old.into_iter().flatten() {
        let Some(new) = moved_address(&old, from, to)? else { continue };
        tx.run(update, [old.as_str(), new.as_str()])?;
        redirected.push(new);
    }
    Ok(redirected)
}

/// Messages that a turn has taken: they are found by their turns.
fn in_turns(tx: &Tx<'_>, from: &Address, to: &Address) -> Outcome<()> {
    let taken = tx.all_legible(
        "SELECT id, address FROM inbound WHERE state = 'in_turn'
           AND turn_id IN (SELECT id FROM turn WHERE state IN ('queued', 'running'))",
        [],
        |row| Ok((row.get::<_, i64>(0)?, parsed(row, 1)?)),
    )?;
    for (id, old) in taken {
        if let Some(new) = moved_address(&old, from, to)? {
            tx.run("UPDATE inbound SET address = ?2 WHERE id = ?1", params![id, new.as_str()])?;
        }
    }
    Ok(())
}

/// Sets the address of the chat's sessions, whose keys have its first id, to its new id.
fn sessions(tx: &Tx<'_>, original: &Address, from: &Address, to: &Address) -> Outcome<()> {
    for (key, old) in rows(tx, original)? {
        if let Some(new) = moved_address(&old, from, to)? {
            tx.run("UPDATE session SET address = ?2 WHERE key = ?1", [key.as_str(), new.as_str()])?;
        }
    }
    Ok(())
}

/// The sessions whose keys have this chat's id, with their addresses. They are found by ranges of keys:
/// anything else would scan all sessions.
fn rows(tx: &Tx<'_>, chat: &Address) -> Outcome<Vec<(String, Address)>> {
    let (mut found, mut after) = (Vec::new(), String::new());
    while let Some(some) = next(tx, &after)? {
        after = end_of_group(&some);
        if some.account() != chat.account() {
            continue;
        }
        for (low, high) in ranges(&some, chat.chat())? {
            found.extend(tx.all(
                "SELECT key, address FROM session WHERE key >= ?1 AND key < ?2",
                [low, high],
                |row| Ok((row.get(0)?, parsed(row, 1)?)),
            )?);
        }
    }
    Ok(found)
}

/// The ranges of keys that a group's sessions have among those of one agent and account.
fn ranges(some: &SessionKey, chat: &str) -> Outcome<Vec<(String, String)>> {
    let key = |scope, thread, person| {
        SessionKey::at(some.agent(), some.account(), scope, chat, thread, person)
            .map_err(|error| Fault::Bad(error.to_string()))
    };
    let mut ranges = Vec::new();
    for scope in [Scope::Group, Scope::Channel] {
        let key = key(scope, None, None)?;
        ranges.push((key.as_str().to_owned(), format!("{key}\u{1}")));
    }
    for (scope, thread, person) in
        [(Scope::Topic, Some("-"), None), (Scope::Thread, Some("-"), None), (Scope::Member, None, Some("-"))]
    {
        let key = key(scope, thread, person)?;
        // Behind the chat comes a colon, and nothing that is a key stands between `:` and `;`.
        let end = key.as_str().match_indices(':').nth(4).map_or(key.as_str().len(), |(colon, _)| colon);
        let chat = key.as_str().get(..end).unwrap_or_default();
        ranges.push((format!("{chat}:"), format!("{chat};")));
    }
    Ok(ranges)
}
