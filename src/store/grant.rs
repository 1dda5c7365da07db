//! Grants: given and revoked.

use chrono::{DateTime, Utc};
use frontdesk_core::address::{Address, Principal};
use rusqlite::{Row, params};

use crate::audit::{audit, done_or_unchanged};
use crate::fault::{Fault, Outcome};
use crate::revocation::{Target, end_access};
use crate::row::{AccessDone, Author, GrantRow, Revoked, Scope};
use crate::sql::{Sql, at, ms, parsed};
use crate::tx::Tx;

/// Grants something. The display name of the request, if there was one, is stored with it.
pub(crate) fn grant(
    tx: &Tx<'_>,
    principal: &Principal,
    scope: &Scope,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<AccessDone> {
    let asked = "SELECT sender FROM pairing WHERE principal = ?1";
    let shown: Option<String> = tx.one(asked, [principal.as_str()], |row| row.get(0))?.flatten();
    let new = give(tx, principal, scope, author.via, shown.as_deref(), author, now)?;
    audit(tx, author, "grant", &format!("{principal} {}", scope.name()), done_or_unchanged(new), now)?;
    if matches!(scope, Scope::Dm | Scope::Admin) {
        // A person who may write in private no longer has an open request.
        let let_in = "UPDATE pairing SET state = 'approved' WHERE principal = ?1 AND state = 'open'";
        tx.run(let_in, [principal.as_str()])?;
    }
    Ok(AccessDone::Granted { new })
}

/// Stores a grant unless there is a valid one already; returns whether it is new.
pub(crate) fn give(
    tx: &Tx<'_>,
    principal: &Principal,
    scope: &Scope,
    source: &str,
    shown: Option<&str>,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<bool> {
    let given = tx.run(
        "INSERT INTO access (principal, scope, source, author, shown, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (principal, scope) WHERE revoked_at IS NULL DO NOTHING",
        params![principal.as_str(), scope.name(), source, author.name, shown, ms(now)],
    )?;
    Ok(given > 0)
}

/// Whose grants are revoked, as in [`crate::row::AccessChange::Revoke`].
#[derive(Clone, Copy)]
pub(crate) struct From<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) scope: Option<&'a Scope>,
    pub(crate) also: &'a [Scope],
    pub(crate) private: Option<&'a Address>,
}

/// Revokes one grant or all of them, and ends what the person has open where they were valid.
pub(crate) fn revoke(
    tx: &Tx<'_>,
    from: From<'_>,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<AccessDone> {
    let From { principal, scope, also, private } = from;
    let grants = tx.run(
        "UPDATE access SET revoked_at = ?3, revoked_by = ?4
         WHERE principal = ?1 AND revoked_at IS NULL AND (?2 IS NULL OR scope = ?2)",
        params![principal.as_str(), scope.map(Scope::name), ms(now), author.name],
    )?;
    let mut ended = end_access(tx, Target::Person { principal, scope, private }, now)?;
    for place in also {
        ended.extend(end_access(tx, Target::Person { principal, scope: Some(place), private }, now)?);
    }
    let subject = format!("{principal} {}", scope.map_or_else(|| "everything".to_owned(), Scope::name));
    let changed = grants > 0 || ended != Revoked::default();
    audit(tx, author, "revoke", &subject, done_or_unchanged(changed), now)?;
    Ok(AccessDone::Revoked(Revoked { grants: grants as u64, ..ended }))
}

/// Every valid grant, in the order in which they were given.
pub(crate) fn all(sql: &Sql<'_>) -> Outcome<Vec<GrantRow>> {
    let rows = sql.all(
        "SELECT principal, scope, source, author, shown, created_at FROM access
         WHERE revoked_at IS NULL ORDER BY id",
        [],
        held,
    )?;
    rows.into_iter().collect()
}

fn held(row: &Row<'_>) -> rusqlite::Result<Outcome<GrantRow>> {
    let scope: String = row.get(1)?;
    let Some(scope) = Scope::named(&scope) else {
        return Ok(Err(Fault::Bad(format!("{scope:?} is not the scope of a grant"))));
    };
    Ok(Ok(GrantRow {
        principal: parsed(row, 0)?,
        scope,
        source: row.get(2)?,
        by: row.get(3)?,
        shown: row.get(4)?,
        created: at(row, 5)?,
    }))
}
