//! Which bot or login an account is connected as. The platform's ids of messages belong to it: another one cannot edit,
//! delete or reply to them, and gives the same ids to other messages.

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_core::id::OutId;
use frontdesk_core::key::SessionKey;
use rusqlite::params;

use crate::delivery::done;
use crate::fault::Outcome;
use crate::queue::WorkClass;
use crate::quote::MAX_LOOKBACK;
use crate::row::OutboxState;
use crate::sql::{ms, parsed};
use crate::tx::Tx;
use crate::{Result, Store, StoreReader};

const LOGIN: &str = "SELECT login FROM account_login WHERE channel = ?1 AND account = ?2";

impl StoreReader {
    /// The login that an account was connected as last.
    pub async fn account_login(&self, account: &AccountId) -> Result<Option<String>> {
        let account = account.clone();
        self.read(move |sql| sql.one(LOGIN, [account.channel(), account.name()], |row| row.get(0))).await
    }
}

impl Store {
    /// An account connects as this login from now on. If it was another one before, the platform's ids of messages are
    /// forgotten, and what was to be sent with them becomes new messages. Returns whether it was.
    pub async fn account_connects(
        &self,
        account: &AccountId,
        login: String,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let account = account.clone();
        self.write(WorkClass::Requests, move |tx| {
            let (channel, name) = (account.channel(), account.name());
            let before: Option<String> = tx.one(LOGIN, [channel, name], |row| row.get(0))?;
            if before.as_ref() == Some(&login) {
                return Ok(false);
            }
            tx.run(
                "INSERT INTO account_login (channel, account, login, since) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (channel, account) DO UPDATE SET login = excluded.login, since = excluded.since",
                params![channel, name, login, ms(now)],
            )?;
            if before.is_some() {
                forget_unsent(tx, &account, now)?;
                forget_sent(tx, &account)?;
                forget_received(tx, &account)?;
            }
            Ok(before.is_some())
        })
        .await
    }
}

/// What is still to be sent is not sent with ids of the login before: edits of answers become posts. Edits that close a
/// question or that an agent asked for are given up, like deletions, reactions and pins.
fn forget_unsent(tx: &Tx<'_>, account: &AccountId, now: DateTime<Utc>) -> Outcome<()> {
    let open: Vec<(i64, Address, bool)> = tx.all(
        "SELECT id, address, act IN ('delete', 'react', 'pin') OR (act = 'edit' AND (ask IS NOT NULL OR kind = 'send'))
         FROM outbox
         WHERE state IN ('queued', 'streaming', 'sending')",
        [],
        |row| Ok((row.get(0)?, parsed(row, 1)?, row.get(2)?)),
    )?;
    for (id, _, is_pointless) in open.into_iter().filter(|(_, address, _)| address.account() == account) {
        if is_pointless {
            done(tx, OutId(id), OutboxState::Dropped, "its message belongs to the login before", now)?;
        } else {
            tx.run(
                "UPDATE outbox SET act = 'post', target = NULL, about_out = NULL, reply_to = NULL, platform_message_id = NULL
                 WHERE id = ?1",
                [id],
            )?;
        }
    }
    Ok(())
}

/// Nothing looks for a sent message further back than quotes do, except open questions.
fn forget_sent(tx: &Tx<'_>, account: &AccountId) -> Outcome<()> {
    let sent: Vec<(i64, Address)> = tx.all(
        "SELECT id, address FROM (SELECT id, address FROM outbox ORDER BY id DESC LIMIT ?1)
         UNION SELECT o.id, o.address FROM ask a JOIN outbox o ON o.id = a.out_id WHERE a.state = 'open'",
        [MAX_LOOKBACK],
        |row| Ok((row.get(0)?, parsed(row, 1)?)),
    )?;
    for (id, _) in sent.into_iter().filter(|(_, address)| address.account() == account) {
        tx.run("UPDATE outbox SET platform_message_id = NULL WHERE id = ?1", [id])?;
    }
    Ok(())
}

/// The same for received messages, and for those that are still to be answered: an answer replies to nothing then.
fn forget_received(tx: &Tx<'_>, account: &AccountId) -> Outcome<()> {
    let ours = |statement: &str, limit: Option<u32>| -> Outcome<Vec<i64>> {
        let found: Vec<(i64, SessionKey)> =
            tx.all(statement, rusqlite::params_from_iter(limit), |row| Ok((row.get(0)?, parsed(row, 1)?)))?;
        Ok(found.into_iter().filter(|(_, key)| key.account() == account).map(|(id, _)| id).collect())
    };
    let latest = "SELECT id, key FROM inbound ORDER BY id DESC LIMIT ?1";
    let waiting = "SELECT id, key FROM inbound WHERE state = 'waiting'";
    for id in ours(latest, Some(MAX_LOOKBACK))?.into_iter().chain(ours(waiting, None)?) {
        tx.run("UPDATE inbound SET platform_message = NULL WHERE id = ?1", [id])?;
    }
    for turn in ours("SELECT id, key FROM turn WHERE state IN ('queued', 'running')", None)? {
        tx.run("UPDATE turn SET reply_to = NULL WHERE id = ?1", [turn])?;
        tx.run("UPDATE inbound SET platform_message = NULL WHERE turn_id = ?1", [turn])?;
    }
    Ok(())
}
