//! The messages of a session that wait for a turn, in their order.

use std::collections::HashSet;

use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::queue_mode::QueueMode;
use rusqlite::{Row, params};

use crate::fault::Outcome;
use crate::message::{inbound, inbound_columns};
use crate::row::{InboundRow, WaitingMessage};
use crate::sql::{Sql, legible};
use crate::{Result, StoreReader};

impl StoreReader {
    /// The messages of a session that wait for a turn and were accepted before one of them, the oldest first.
    pub async fn waiting_messages(
        &self,
        session: &SessionKey,
        before: Option<MessageId>,
    ) -> Result<Vec<WaitingMessage>> {
        let (session, before) = (session.clone(), before.unwrap_or(MessageId(i64::MAX)));
        self.read(move |sql| waiting_before(sql, &session, before)).await
    }

    /// The session in which a message waits that was accepted after this command, and whether it is a piece of an album.
    pub async fn waiting_behind(&self, command: MessageId) -> Result<Option<(SessionKey, bool)>> {
        self.read(move |sql| {
            let behind = sql.one(BEHIND, [command.0], |row| Ok((legible(row, 0)?, row.get(1)?)))?;
            Ok(behind.and_then(|(session, in_album)| Some((session?, in_album))))
        })
        .await
    }

    /// Which of these messages wait for a turn.
    pub async fn still_waiting(&self, messages: Vec<MessageId>) -> Result<HashSet<MessageId>> {
        let ids = serde_json::json!(messages.iter().map(|message| message.0).collect::<Vec<_>>()).to_string();
        self.read(move |sql| {
            let waiting = "SELECT id FROM inbound WHERE id IN (SELECT value FROM json_each(?1))
                            AND disposition = 'turn' AND state = 'waiting'";
            Ok(sql.all(waiting, [&ids], |row| row.get(0).map(MessageId))?.into_iter().collect())
        })
        .await
    }

    /// The messages of all sessions that wait for a turn, the oldest first.
    pub async fn all_waiting(&self, most: usize) -> Result<Vec<InboundRow>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.read(move |sql| {
            let waiting = concat!(
                "SELECT ",
                inbound_columns!(),
                " FROM inbound i WHERE i.disposition = 'turn' AND i.state = 'waiting' ORDER BY i.id LIMIT ?1"
            );
            sql.all(waiting, [most], inbound)
        })
        .await
    }
}

/// The oldest message of a command's session that was accepted after it and waits for a turn.
const BEHIND: &str = "
    SELECT key, album IS NOT NULL FROM inbound
     WHERE key = (SELECT key FROM inbound WHERE id = ?1) AND disposition = 'turn' AND state = 'waiting' AND id > ?1
     ORDER BY id LIMIT 1";

/// The messages that were accepted before one of them; the pieces of an album are one message.
pub(crate) fn waiting_before(
    sql: &Sql<'_>,
    session: &SessionKey,
    before: MessageId,
) -> Outcome<Vec<WaitingMessage>> {
    let rows = waiting(sql, session, -1)?.into_iter().filter(|row| row.id < before);
    let mut messages: Vec<WaitingMessage> = Vec::new();
    for row in rows {
        match messages.last_mut() {
            Some(last) if one_album(&last.message, &row) => last.pieces.push(row.id),
            _ => messages.push(WaitingMessage { pieces: vec![row.id], message: row }),
        }
    }
    Ok(messages)
}

/// The waiting rows of a session that a turn may take now, the oldest first; at most `limit` of them if that is not negative.
/// What was accepted after a command that has not run yet waits for it: the command may end the turn, or become a message
/// of its own before them.
pub(crate) fn takeable(sql: &Sql<'_>, session: &SessionKey, limit: i64) -> Outcome<Vec<InboundRow>> {
    sql.all(
        concat!(
            "SELECT ",
            inbound_columns!(),
            " FROM inbound i WHERE i.key = ?1 AND i.disposition = 'turn' AND i.state = 'waiting'
                AND NOT EXISTS (SELECT 1 FROM inbound c WHERE c.key = ?1 AND c.disposition = 'command'
                                  AND c.state = 'waiting' AND c.id < i.id)
              ORDER BY i.id LIMIT ?2"
        ),
        params![session.as_str(), limit],
        inbound,
    )
}

/// The waiting rows of a session, the oldest first; at most `limit` of them if that is not negative.
pub(crate) fn waiting(sql: &Sql<'_>, session: &SessionKey, limit: i64) -> Outcome<Vec<InboundRow>> {
    sql.all(
        concat!(
            "SELECT ",
            inbound_columns!(),
            " FROM inbound i WHERE i.key = ?1 AND i.disposition = 'turn' AND i.state = 'waiting'
              ORDER BY i.id LIMIT ?2"
        ),
        params![session.as_str(), limit],
        inbound,
    )
}

/// How the messages of a session wait, if that was chosen in the chat: from a column of its row.
pub(crate) fn mode(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<QueueMode>> {
    let name: Option<String> = row.get(column)?;
    Ok(name.and_then(|name| QueueMode::named(&name)))
}

/// Whether two rows are pieces of the same album.
pub(crate) fn one_album(first: &InboundRow, next: &InboundRow) -> bool {
    first.album.is_some()
        && (&first.album, first.epoch, &first.from.id) == (&next.album, next.epoch, &next.from.id)
}
