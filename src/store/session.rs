//! Sessions, their epochs and their history, as lists and pages show them; and a reset from outside the conversation.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Address;
use frontdesk_core::agent::SessionOptions;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::SessionKey;
use rusqlite::{Row, params};

use crate::audit::audit;
use crate::epoch::{begin_next, session_state};
use crate::fault::Outcome;
use crate::message::{history, history_select};
use crate::queue::WorkClass;
use crate::row::{Author, EpochReason, EpochRow, HistoryRow, Page, SessionChange, SessionRow};
use crate::sql::{Sql, at, count, int, maybe_at, ms, parsed};
use crate::waiting::mode;
use crate::{Result, Store, StoreReader, ask};

/// The columns of [`SessionRow`], of `session s`.
macro_rules! session_select {
    () => {
        "SELECT s.key, s.address, s.epoch, s.last_epoch,
                s.last_user_at, s.seq, s.created_at,
                (SELECT count(*) FROM inbound WHERE key = s.key AND state = 'waiting' AND disposition = 'turn'),
                (SELECT id FROM turn WHERE key = s.key AND state IN ('queued', 'running') AND state = 'running'),
                s.model, s.thinking, s.queue_mode, s.title, s.archived_at
         FROM session s "
    };
}

/// The epochs of a conversation before one of them, the newest first.
pub(crate) const EPOCHS: &str =
    "SELECT n, started_at, ended_at, reason FROM epoch WHERE key = ?1 AND n < ?2 ORDER BY n DESC LIMIT ?3";

/// How many messages for the agent one epoch has. A statement of its own: as a correlated subquery it would not find
/// the rows by their index.
pub(crate) const SIZE_OF_EPOCH: &str =
    "SELECT count(*) FROM session_message WHERE key = ?1 AND epoch = ?2 AND disposition = 'turn'";

/// The beginning of the first of these messages.
pub(crate) const START_OF_EPOCH: &str = "
    SELECT substr(body, 1, 200) FROM inbound WHERE id =
     (SELECT id FROM session_message WHERE key = ?1 AND epoch = ?2 AND disposition = 'turn' ORDER BY id LIMIT 1)";

/// Messages of one epoch before one of them, the newest first.
pub(crate) const HISTORY_OF_EPOCH: &str = concat!(
    history_select!(),
    "WHERE i.id IN (SELECT id FROM session_message WHERE key = ?1 AND epoch = ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4)
     ORDER BY i.id DESC"
);

/// The same over all epochs. There the index is not in the order of ids: first the ids alone are sorted, then only the
/// rows of the page are read.
pub(crate) const HISTORY: &str = concat!(
    history_select!(),
    "WHERE i.id IN (SELECT id FROM session_message WHERE key = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3)
     ORDER BY i.id DESC"
);

impl Store {
    /// Begins a new epoch from outside the conversation. Returns its number, or `None` if there is no such session. For
    /// the reset rule, inactivity counts from the first message in it.
    pub async fn reset(
        &self,
        key: &SessionKey,
        reason: EpochReason,
        author: &Author,
        now: DateTime<Utc>,
    ) -> Result<Option<u64>> {
        let (key, author) = (key.clone(), author.clone());
        self.write(WorkClass::Requests, move |tx| {
            let Some(session) = session_state(tx, &key)? else { return Ok(None) };
            let epoch = begin_next(tx, &key, &session, reason, now)?.epoch;
            tx.run("UPDATE session SET last_user_at = NULL WHERE key = ?1", [key.as_str()])?;
            ask::withdraw_from(tx, &key, now)?;
            audit(tx, &author, "session reset", key.as_str(), "done", now)?;
            Ok(Some(epoch))
        })
        .await
    }

    /// Changes how a session is listed. Returns whether there is such a session.
    pub async fn list_session_as(
        &self,
        key: &SessionKey,
        change: SessionChange,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let key = key.clone();
        self.write(WorkClass::Requests, move |tx| {
            let SessionChange { title, archived } = &change;
            let found = tx.run(
                "UPDATE session SET title = CASE WHEN ?2 THEN ?3 ELSE title END,
                        archived_at = CASE WHEN ?4 IS NULL THEN archived_at WHEN ?4 THEN ?5 END
                 WHERE key = ?1",
                params![
                    key.as_str(),
                    title.is_some(),
                    title.as_ref().and_then(Option::as_deref),
                    archived,
                    ms(now)
                ],
            )?;
            Ok(found > 0)
        })
        .await
    }
}

impl StoreReader {
    /// The beginnings of the current conversations of these sessions; `None` for one without a message.
    pub async fn openings(&self, sessions: &[SessionRow]) -> Result<Vec<Option<String>>> {
        let sessions: Vec<_> = sessions.iter().map(|row| (row.key.clone(), row.epoch)).collect();
        self.read(move |sql| {
            let opening = |(key, epoch): (SessionKey, u64)| {
                sql.one(START_OF_EPOCH, params![key.as_str(), int(epoch)], |row| row.get(0))
            };
            sessions.into_iter().map(opening).collect()
        })
        .await
    }

    /// One session.
    pub async fn session(&self, key: &SessionKey) -> Result<Option<SessionRow>> {
        let key = key.clone();
        self.read(move |sql| one(sql, key.as_str())).await
    }

    /// Sessions in the order of their keys, after one of them: of one channel (`telegram`), of one account of it
    /// (`telegram@work`), or all.
    pub async fn sessions(
        &self,
        channel: Option<&str>,
        after: Option<&SessionKey>,
        limit: u32,
    ) -> Result<Vec<SessionRow>> {
        let channel = channel.map(str::to_owned);
        let mut after = after.map(|key| key.as_str().to_owned()).unwrap_or_default();
        self.read(move |sql| {
            let Some(channel) = channel else { return keyed(sql, &after, None, limit) };
            let account = channel.parse::<AccountId>().ok().filter(|_| channel.contains('@'));
            let is_meant = |key: &SessionKey| match &account {
                Some(account) => key.account() == account,
                None => key.channel() == channel,
            };
            let mut found: Vec<SessionRow> = Vec::new();
            // The keys of one agent and account are adjacent, so the keys of another account are skipped in one step.
            while let left @ 1.. = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX))
                && let Some(key) = next(sql, &after)?
            {
                let end = end_of_group(&key);
                if is_meant(&key) {
                    found.extend(keyed(sql, &after, Some(&end), left)?);
                }
                after = end;
            }
            Ok(found)
        })
        .await
    }

    /// The epochs of a session, the newest first.
    pub async fn epochs(&self, key: &SessionKey, before: Option<u64>, limit: u32) -> Result<Vec<EpochRow>> {
        let key = key.clone();
        self.read(move |sql| {
            let known = params![key.as_str(), int(before.unwrap_or(u64::MAX)), limit];
            let mut epochs = sql.all(EPOCHS, known, epoch)?;
            for epoch in &mut epochs {
                let of = params![key.as_str(), int(epoch.n)];
                epoch.messages = sql.one(SIZE_OF_EPOCH, of, |row| count(row, 0))?.unwrap_or(0);
                epoch.first_text = sql.one(START_OF_EPOCH, of, |row| row.get(0))?;
            }
            Ok(epochs)
        })
        .await
    }

    /// Sessions whose address begins with this text, in the order of their keys, after a key.
    pub async fn sessions_in(
        &self,
        beginning: &str,
        after: Option<&SessionKey>,
        limit: u32,
    ) -> Result<Vec<SessionRow>> {
        let (beginning, after) = (beginning.to_owned(), after.map_or_else(String::new, ToString::to_string));
        self.read(move |sql| {
            let statement = concat!(
                session_select!(),
                "WHERE substr(s.address, 1, length(?1)) = ?1 AND s.key > ?2 ORDER BY s.key LIMIT ?3"
            );
            sql.all(statement, params![beginning, after, limit], session)
        })
        .await
    }

    /// The chats of an account in which a person has sent a message to the agent or begun a conversation since then, the
    /// latest first.
    pub async fn chats_since(
        &self,
        account: &AccountId,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Address>> {
        let account = account.clone();
        self.read(move |sql| {
            let all: Vec<Address> = sql.all(
                "SELECT s.address FROM session s JOIN epoch e ON e.key = s.key AND e.n = s.epoch
                 WHERE coalesce(s.last_user_at, e.started_at) >= ?1 ORDER BY coalesce(s.last_user_at, e.started_at) DESC",
                [ms(since)],
                |row| parsed(row, 0),
            )?;
            let mut seen = HashSet::new();
            let ours = |chat: &Address| *chat.account() == account;
            Ok(all.into_iter().filter(|chat| ours(chat) && seen.insert(chat.clone())).take(limit).collect())
        })
        .await
    }

    /// The name that this database got when it was created.
    pub async fn database_name(&self) -> Result<String> {
        let name =
            self.read(|sql| sql.one("SELECT name FROM meta", [], |row| row.get::<_, String>(0))).await?;
        Ok(name.unwrap_or_default())
    }

    /// Messages with their answers, the newest first, of one epoch or of all. An answer is in the row of the last
    /// message of its turn.
    pub async fn history(
        &self,
        key: &SessionKey,
        epoch: Option<u64>,
        before: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<HistoryRow>> {
        Ok(self.history_page(key, epoch, before, limit, usize::MAX).await?.rows)
    }

    /// The same, with at most `most` bytes of text, but at least one message.
    pub async fn history_page(
        &self,
        key: &SessionKey,
        epoch: Option<u64>,
        before: Option<MessageId>,
        limit: u32,
        most: usize,
    ) -> Result<Page<HistoryRow>> {
        let (key, before) = (key.clone(), before.map_or(i64::MAX, |before| before.0));
        self.read(move |sql| match epoch {
            Some(n) => sql.within(
                HISTORY_OF_EPOCH,
                params![key.as_str(), int(n), before, limit],
                most,
                weight,
                history,
            ),
            None => sql.within(HISTORY, params![key.as_str(), before, limit], most, weight, history),
        })
        .await
    }
}

/// The size of a message's texts in bytes.
pub(crate) fn weight(row: &HistoryRow) -> usize {
    row.bytes_of_words()
        + row.answer.as_ref().map_or(0, String::len)
        + row.message.quote.as_ref().map_or(0, |quote| quote.text.len())
}

/// Sessions in the order of their keys, from one to another.
fn keyed(sql: &Sql<'_>, after: &str, end: Option<&str>, limit: u32) -> Outcome<Vec<SessionRow>> {
    match end {
        Some(end) => sql.all(
            concat!(session_select!(), "WHERE s.key > ?1 AND s.key < ?2 ORDER BY s.key LIMIT ?3"),
            params![after, end, limit],
            session,
        ),
        None => sql.all(
            concat!(session_select!(), "WHERE s.key > ?1 ORDER BY s.key LIMIT ?2"),
            params![after, limit],
            session,
        ),
    }
}

/// The first session key after a text.
pub(crate) fn next(sql: &Sql<'_>, after: &str) -> Outcome<Option<SessionKey>> {
    let next = "SELECT key FROM session WHERE key > ?1 ORDER BY key LIMIT 1";
    sql.one(next, [after], |row| parsed(row, 0))
}

/// A text that sorts behind every key with the same agent and channel, and before all keys after them. A colon inside a
/// segment is escaped, so the third colon ends the channel; `;` is the character after `:`.
pub(crate) fn end_of_group(key: &SessionKey) -> String {
    let text = key.as_str();
    match text.match_indices(':').nth(2) {
        Some((colon, _)) => format!("{};", &text[..colon]),
        None => text.to_owned(),
    }
}

/// One session.
pub(crate) fn one(sql: &Sql<'_>, key: &str) -> Outcome<Option<SessionRow>> {
    sql.one(concat!(session_select!(), "WHERE s.key = ?1"), [key], session)
}

fn session(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        key: parsed(row, 0)?,
        address: parsed(row, 1)?,
        epoch: count(row, 2)?,
        last_epoch: count(row, 3)?,
        last_user_at: maybe_at(row, 4)?,
        seq: count(row, 5)?,
        created: at(row, 6)?,
        waiting: count(row, 7)?,
        running: row.get::<_, Option<i64>>(8)?.map(TurnId),
        options: SessionOptions { model: row.get(9)?, thinking: row.get(10)? },
        queue_mode: mode(row, 11)?,
        title: row.get(12)?,
        archived: maybe_at(row, 13)?,
    })
}

pub(crate) fn epoch(row: &Row<'_>) -> rusqlite::Result<EpochRow> {
    Ok(EpochRow {
        n: count(row, 0)?,
        started: at(row, 1)?,
        ended: maybe_at(row, 2)?,
        reason: parsed(row, 3)?,
        messages: 0,
        first_text: None,
    })
}
