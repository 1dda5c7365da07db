//! Tokens of the API. Only their hashes are stored. The holder of a token is a person of the web channel, whose grants are made
//! and revoked with it.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::token::{TokenName, TokenScope};
use rusqlite::{Row, params};

use crate::audit::{audit, done_or_unchanged};
use crate::fault::{Fault, Outcome};
use crate::grant;
use crate::queue::WorkClass;
use crate::row::{AccessDone, Author, NewBrowser, NewToken, Revoked, Scope, TOKEN, TokenKind, TokenRow};
use crate::sql::{Sql, at, maybe_at, ms, parsed};
use crate::tx::Tx;
use crate::{Result, Store, StoreReader};

const COLUMNS: &str =
    "name, holder, hash, scope, kind, author, created_at, expires_at, last_used_at, revoked_at";
/// How many browsers of one person are logged in at most. The one that logged in first is logged out then.
const BROWSERS: u32 = 50;
/// How long the row of a browser's token is kept after it has expired.
const KEPT: TimeDelta = TimeDelta::days(30);

impl Store {
    /// The token in the home folder was made, or replaced by a new one. It is no named token: its holder is an admin by the
    /// configuration. Browsers that were let in with the one before are logged out.
    pub async fn owner_token_made(&self, name: &str, hash: [u8; 32], now: DateTime<Utc>) -> Result<()> {
        let name = name.to_owned();
        self.write(WorkClass::Requests, move |tx| {
            tx.run(
                "INSERT INTO token (name, holder, hash, scope, kind, author, created_at)
                 VALUES (?1, ?1, ?2, 'admin', 'owner', 'home', ?3)
                 ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at",
                params![name, hash, ms(now)],
            )?;
            end_browsers(tx, &name, now)?;
            tx.note_access_change();
            Ok(())
        })
        .await
    }

    /// Deletes the rows of browsers' tokens that expired long ago.
    pub async fn purge_browsers(&self, now: DateTime<Utc>) -> Result<()> {
        self.write(WorkClass::Requests, move |tx| {
            tx.run("DELETE FROM token WHERE kind = 'browser' AND expires_at < ?1", [ms(now - KEPT)])?;
            Ok(())
        })
        .await
    }

    /// Tokens were used at these times.
    pub async fn tokens_used(&self, uses: Vec<(String, DateTime<Utc>)>) -> Result<()> {
        self.write(WorkClass::Requests, move |tx| {
            for (name, at) in &uses {
                tx.run(
                    "UPDATE token SET last_used_at = max(coalesce(last_used_at, 0), ?2) WHERE name = ?1",
                    params![name, ms(*at)],
                )?;
            }
            Ok(())
        })
        .await
    }
}

impl StoreReader {
    /// The hash of the token in the home folder.
    pub async fn owner_token(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let name = name.to_owned();
        self.read(move |sql| {
            sql.one("SELECT hash FROM token WHERE name = ?1 AND kind = 'owner'", [&name], |row| row.get(0))
        })
        .await
    }

    /// Every token, in the order of names, also those that were revoked.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>> {
        self.read(|sql| {
            let rows = sql.all(&format!("SELECT {COLUMNS} FROM token ORDER BY name"), [], token)?;
            rows.into_iter().collect()
        })
        .await
    }
}

/// Makes a token and grants its holder what the scope needs. A name that was ever used is taken: its chats are somebody's.
pub(crate) fn make(tx: &Tx<'_>, new: &NewToken, author: &Author, now: DateTime<Utc>) -> Outcome<AccessDone> {
    let made = tx.run(
        "INSERT INTO token (name, holder, hash, scope, kind, author, created_at, expires_at)
         VALUES (?1, ?1, ?2, ?3, 'named', ?4, ?5, ?6) ON CONFLICT (name) DO NOTHING",
        params![new.name.as_str(), new.hash, new.scope.name(), author.name, ms(now), new.expires.map(ms)],
    )? > 0;
    let subject = format!("{} {}", new.name, new.scope.name());
    audit(tx, author, "make_token", &subject, if made { "done" } else { "refused:taken" }, now)?;
    if !made {
        return Ok(AccessDone::TokenNameTaken);
    }
    let scope = match new.scope {
        TokenScope::Chat | TokenScope::App | TokenScope::Read => Scope::Dm,
        TokenScope::Admin => Scope::Admin,
    };
    grant::give(tx, &new.holder, &scope, TOKEN, None, author, now)?;
    Ok(AccessDone::TokenStored)
}

/// Makes the token of a browser for a person who has access already.
pub(crate) fn log_in(
    tx: &Tx<'_>,
    new: &NewBrowser,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<AccessDone> {
    let holder = new.holder.to_string();
    let made = tx.run(
        "INSERT INTO token (name, holder, hash, scope, kind, author, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, 'browser', ?5, ?6, ?7) ON CONFLICT (name) DO NOTHING",
        params![new.name.as_str(), holder, new.hash, new.scope.name(), author.name, ms(now), ms(new.expires)],
    )? > 0;
    let subject = format!("{holder} {}", new.name);
    audit(tx, author, "log_in", &subject, if made { "done" } else { "refused:taken" }, now)?;
    if !made {
        return Ok(AccessDone::TokenNameTaken);
    }
    tx.run(
        "UPDATE token SET revoked_at = ?2 WHERE name IN (
           SELECT name FROM token WHERE holder = ?1 AND kind = 'browser' AND revoked_at IS NULL
           ORDER BY created_at DESC LIMIT -1 OFFSET ?3)",
        params![holder, ms(now), BROWSERS],
    )?;
    Ok(AccessDone::TokenStored)
}

/// Revokes the token of one browser. What its holder has open goes on.
pub(crate) fn log_out(
    tx: &Tx<'_>,
    name: &TokenName,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<AccessDone> {
    let ended = tx.run(
        "UPDATE token SET revoked_at = ?2 WHERE name = ?1 AND kind = 'browser' AND revoked_at IS NULL",
        params![name.as_str(), ms(now)],
    )? > 0;
    audit(tx, author, "log_out", name.as_str(), done_or_unchanged(ended), now)?;
    Ok(if ended { AccessDone::TokenStored } else { AccessDone::NoSuchToken })
}

/// Revokes the tokens of all browsers that were let in with the token of this name, also those of a program's users.
fn end_browsers(tx: &Tx<'_>, name: &str, now: DateTime<Utc>) -> Outcome<()> {
    // The character behind '/' ends the range of the users.
    tx.run(
        "UPDATE token SET revoked_at = ?2
         WHERE (holder = ?1 OR holder > ?1 || '/' AND holder < ?1 || '0') AND kind = 'browser' AND revoked_at IS NULL",
        params![name, ms(now)],
    )?;
    Ok(())
}

/// Replaces the secret of a token that is valid or has expired. The old one is refused from now on, and browsers that were let
/// in with it are logged out.
pub(crate) fn rotate(
    tx: &Tx<'_>,
    name: &TokenName,
    hash: &[u8; 32],
    expires: Option<DateTime<Utc>>,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<AccessDone> {
    let rotated = tx.run(
        "UPDATE token SET hash = ?2, created_at = ?3, expires_at = ?4, last_used_at = NULL
         WHERE name = ?1 AND kind = 'named' AND revoked_at IS NULL",
        params![name.as_str(), hash, ms(now), expires.map(ms)],
    )? > 0;
    if rotated {
        end_browsers(tx, name.as_str(), now)?;
    }
    audit(tx, author, "rotate_token", name.as_str(), done_or_unchanged(rotated), now)?;
    Ok(if rotated { AccessDone::TokenStored } else { AccessDone::NoSuchToken })
}

/// Revokes a token and everything that its holder was granted, and ends what they have open. The token of a browser ends
/// alone.
pub(crate) fn revoke(
    tx: &Tx<'_>,
    name: &TokenName,
    holder: &Principal,
    private: Option<&Address>,
    author: &Author,
    now: DateTime<Utc>,
) -> Outcome<AccessDone> {
    let logged_out = tx.run(
        "UPDATE token SET revoked_at = ?2 WHERE name = ?1 AND kind = 'browser' AND revoked_at IS NULL",
        params![name.as_str(), ms(now)],
    )? > 0;
    if logged_out {
        audit(tx, author, "log_out", name.as_str(), "done", now)?;
        return Ok(AccessDone::Revoked(Revoked::default()));
    }
    let revoked = tx.run(
        "UPDATE token SET revoked_at = ?2 WHERE name = ?1 AND kind = 'named' AND revoked_at IS NULL",
        params![name.as_str(), ms(now)],
    )? > 0;
    audit(tx, author, "revoke_token", name.as_str(), done_or_unchanged(revoked), now)?;
    if !revoked {
        return Ok(AccessDone::NoSuchToken);
    }
    end_browsers(tx, name.as_str(), now)?;
    match grant::revoke(tx, grant::From { principal: holder, scope: None, also: &[], private }, author, now)?
    {
        AccessDone::Revoked(ended) => Ok(AccessDone::Revoked(ended)),
        _ => Ok(AccessDone::Revoked(Revoked::default())),
    }
}

/// The tokens that may be used, but for the owner's.
pub(crate) fn valid(sql: &Sql<'_>) -> Outcome<Vec<TokenRow>> {
    let statement =
        format!("SELECT {COLUMNS} FROM token WHERE kind <> 'owner' AND revoked_at IS NULL ORDER BY name");
    sql.all(&statement, [], token)?.into_iter().collect()
}

fn token(row: &Row<'_>) -> rusqlite::Result<Outcome<TokenRow>> {
    let (scope, kind): (String, String) = (row.get(3)?, row.get(4)?);
    let (Some(scope), Some(kind)) = (TokenScope::named(&scope), TokenKind::named(&kind)) else {
        return Ok(Err(Fault::Bad(format!(
            "{scope:?} and {kind:?} are not the scope and the kind of a token"
        ))));
    };
    Ok(Ok(TokenRow {
        name: parsed(row, 0)?,
        holder: parsed(row, 1)?,
        hash: row.get(2)?,
        scope,
        kind,
        by: row.get(5)?,
        created: at(row, 6)?,
        expires: maybe_at(row, 7)?,
        last_used: maybe_at(row, 8)?,
        revoked: maybe_at(row, 9)?,
    }))
}
