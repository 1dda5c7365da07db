//! Sessions by their last message, the latest first, and sessions in which something waits or runs.
//!
//! No index has the time of a session's last message: it would move with every message. The messages themselves are in the
//! order in which they arrived, so the list reads them from the end, and shows each session at its last one.

use std::collections::HashSet;

use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use rusqlite::params;

use crate::fault::Outcome;
use crate::row::{RecentSession, SessionFilter, SessionRow};
use crate::session;
use crate::sql::{Sql, at, parsed};
use crate::{Result, StoreReader};

/// How many messages one page reads.
const READ: i64 = 20_000;

const WALK: &str = "SELECT id, key, received_at FROM inbound WHERE id < ?1 AND id >= ?2 ORDER BY id DESC";

/// Whether a session has a message after one of them. Each epoch is looked up by itself, because the index of ended
/// messages is in the order of epochs.
pub(crate) const HAS_LATER: &str = "
    SELECT 1 FROM epoch e WHERE e.key = ?1 AND EXISTS (
      SELECT 1 FROM inbound i WHERE i.key = e.key AND i.epoch = e.n AND i.id > ?2
         AND i.state NOT IN ('waiting', 'in_turn'))
    UNION ALL
    SELECT 1 FROM inbound WHERE key = ?1 AND state = 'waiting' AND id > ?2
    UNION ALL
    SELECT 1 FROM turn t JOIN inbound i ON i.turn_id = t.id
    WHERE t.key = ?1 AND t.state IN ('queued', 'running') AND i.id > ?2
    LIMIT 1";

/// The keys of sessions in which something waits or runs.
const BUSY: &str = "
    SELECT key FROM (
      SELECT key FROM inbound WHERE state = 'waiting'
      UNION
      SELECT key FROM turn WHERE state IN ('queued', 'running'))
    WHERE key > ?1 ORDER BY key LIMIT ?2";

impl StoreReader {
    /// Sessions by their last message before one, the latest first, and where the list goes on; `None` at its end. A page
    /// reads a bounded number of messages, so it may have few sessions, or none, though the list goes on.
    pub async fn recent_sessions(
        &self,
        filter: SessionFilter,
        before: Option<MessageId>,
        limit: u32,
    ) -> Result<(Vec<RecentSession>, Option<MessageId>)> {
        self.read(move |sql| {
            let newest = "SELECT coalesce(max(id), 0) FROM inbound";
            let newest = sql.one(newest, [], |row| row.get::<_, i64>(0))?.unwrap_or(0);
            let end = before.map_or(i64::MAX, |before| before.0).min(newest.saturating_add(1));
            let begin = end.saturating_sub(READ);
            let mut statement = sql.0.prepare_cached(WALK)?;
            let mut rows = statement.query(params![end, begin])?;
            let (mut seen, mut found) = (HashSet::new(), Vec::new());
            while let Some(row) = rows.next()? {
                let key: String = row.get(1)?;
                if seen.contains(&key) {
                    continue;
                }
                let message = MessageId(row.get(0)?);
                let known: SessionKey = parsed(row, 1)?;
                if is_meant(sql, &filter, &known)?
                    && (before.is_none() || !has_later(sql, &key, message)?)
                    && let Some(session) = session::one(sql, &key)?
                {
                    found.push(RecentSession { session, message, at: at(row, 2)? });
                }
                seen.insert(key);
                if found.len() >= limit as usize {
                    return Ok((found, Some(message)));
                }
            }
            Ok((found, Some(MessageId(begin)).filter(|_| begin > 1)))
        })
        .await
    }

    /// Sessions in which a message waits or a turn runs, in the order of their keys.
    pub async fn busy_sessions(&self, after: Option<&SessionKey>, limit: u32) -> Result<Vec<SessionRow>> {
        let after = after.map_or_else(String::new, ToString::to_string);
        self.read(move |sql| {
            let keys: Vec<String> = sql.all(BUSY, params![after, limit], |row| row.get(0))?;
            let sessions = keys.iter().map(|key| session::one(sql, key)).collect::<Outcome<Vec<_>>>()?;
            Ok(sessions.into_iter().flatten().collect())
        })
        .await
    }
}

fn has_later(sql: &Sql<'_>, key: &str, message: MessageId) -> Outcome<bool> {
    Ok(sql.one(HAS_LATER, params![key, message.0], |_| Ok(()))?.is_some())
}

fn is_meant(sql: &Sql<'_>, filter: &SessionFilter, key: &SessionKey) -> Outcome<bool> {
    let here = filter.channel.as_ref().is_none_or(|channel| match channel.split_once('@') {
        Some(_) => key.account().to_string() == *channel,
        None => key.channel() == channel,
    });
    if !here || filter.agent.as_ref().is_some_and(|agent| key.agent() != agent) {
        return Ok(false);
    }
    let Some(words) = filter.find.as_ref().map(|words| words.to_lowercase()) else { return Ok(true) };
    if key.as_str().to_lowercase().contains(&words) {
        return Ok(true);
    }
    let title = "SELECT title FROM session WHERE key = ?1";
    let title: Option<String> = sql.one(title, [key.as_str()], |row| row.get(0))?.flatten();
    Ok(title.is_some_and(|title| title.to_lowercase().contains(&words)))
}
