//! Forgetting a conversation: its words go, its numbers and its event ids stay.

use chrono::{DateTime, Utc};
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::SessionKey;
use rusqlite::params;

use crate::audit::audit;
use crate::command::{Stopped, stop};
use crate::epoch::{anew, life};
use crate::fault::Outcome;
use crate::queue::Line;
use crate::row::{Author, EpochReason};
use crate::sql::{int, ms};
use crate::tx::Tx;
use crate::{Result, Store, context_message};

/// Rows that one unit blanks: a few milliseconds of the writer's time.
const CHUNK: usize = 100;

/// The tables that hold words: which rows, up to the newest of the moment of erasure, and what is blanked.
const WORDS: [Words; 6] = [
    Words {
        rows: "SELECT DISTINCT message_id FROM media WHERE message_id IN
                (SELECT id FROM session_message WHERE key = ?1 AND id <= ?2)",
        newest: "SELECT coalesce(max(id), 0) FROM inbound",
        blank: "DELETE FROM media WHERE message_id = ?1",
    },
    Words {
        rows: "SELECT id FROM session_message WHERE key = ?1 AND id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM inbound",
        blank: "UPDATE inbound SET body = '', attachments = NULL, quote = NULL, forward = NULL, links = NULL, sender = NULL,
                                   digest = 0
                WHERE id = ?1",
    },
    Words {
        // By way of its turns: the index of context_messages by session has only those that wait, which are gone.
        rows: "SELECT id FROM context_message WHERE turn_id IN (SELECT turn_id FROM session_message WHERE key = ?1) AND id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM context_message",
        blank: "DELETE FROM context_message WHERE id = ?1",
    },
    Words {
        rows: "SELECT DISTINCT turn_id FROM session_message WHERE key = ?1 AND turn_id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM turn",
        blank: "UPDATE turn SET answer = NULL WHERE id = ?1",
    },
    Words {
        rows: "SELECT id FROM dead_letter WHERE key = ?1 AND id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM dead_letter",
        blank: "DELETE FROM dead_letter WHERE id = ?1",
    },
    Words {
        rows: "SELECT id FROM outbox WHERE key = ?1 AND id <= ?2",
        newest: "SELECT coalesce(max(id), 0) FROM outbox",
        blank: "UPDATE outbox SET body = '', plain = NULL, media = NULL, salt = NULL WHERE id = ?1",
    },
];

/// The statements that find messages and turns, for the test of their plans.
#[cfg(test)]
pub(crate) fn rows_of_messages() -> impl Iterator<Item = &'static str> {
    WORDS.iter().map(|words| words.rows).filter(|rows| rows.contains("session_message"))
}

struct Words {
    rows: &'static str,
    newest: &'static str,
    blank: &'static str,
}

impl Store {
    /// Erases a session: everything open ends, every text of it goes, and a new epoch begins whose number was
    /// never used. Event ids stay, so that a redelivery is still known. Returns what [`Store::cancel`] returns,
    /// or `None` if there is no such session. The words go in small units after the first one; if the process
    /// dies in between, erasing again takes the rest.
    pub async fn erase(
        &self,
        key: &SessionKey,
        author: &Author,
        now: DateTime<Utc>,
    ) -> Result<Option<(Vec<TurnId>, Vec<MessageId>)>> {
        let (session, author) = (key.clone(), author.clone());
        let closed = self.write(Line::Shared, move |tx| close(tx, &session, &author, now)).await?;
        let Some(Closed { stopped, newest }) = closed else { return Ok(None) };
        for (words, newest) in WORDS.iter().zip(newest) {
            let session = key.clone();
            let rows = self
                .read(move |sql| {
                    sql.all(words.rows, params![session.as_str(), newest], |row| row.get::<_, i64>(0))
                })
                .await?;
            for chunk in rows.chunks(CHUNK) {
                let chunk = chunk.to_vec();
                self.write(Line::Shared, move |tx| {
                    chunk.iter().try_for_each(|id| tx.run(words.blank, [id]).map(drop))
                })
                .await?;
            }
        }
        Ok(Some((stopped.running, stopped.waiting)))
    }
}

/// A session that was left behind.
struct Closed {
    stopped: Stopped,
    /// The newest row of each table: what comes later belongs to the new conversation.
    newest: Vec<i64>,
}

/// Ends everything that is open and leaves the old epochs behind.
fn close(tx: &Tx<'_>, key: &SessionKey, author: &Author, now: DateTime<Utc>) -> Outcome<Option<Closed>> {
    let Some(life) = life(tx, key)? else { return Ok(None) };
    let stopped = stop(tx, key, i64::MAX, now)?;
    let commands = tx.run(
        "UPDATE inbound SET state = 'cancelled' WHERE key = ?1 AND disposition = 'command' AND state = 'waiting'",
        [key.as_str()],
    )?;
    tx.taken(commands);
    context_message::forget(tx, key)?;
    let epoch = anew(tx, key, &life, EpochReason::Erased, now)?.epoch;
    tx.run("DELETE FROM epoch WHERE key = ?1 AND n <> ?2", params![key.as_str(), int(epoch)])?;
    tx.run("UPDATE session SET last_user_at = NULL WHERE key = ?1", [key.as_str()])?;
    tx.run(
        "UPDATE outbox SET state = 'dropped', done_at = ?2, owner = NULL
         WHERE key = ?1 AND state IN ('queued', 'streaming', 'sending')",
        params![key.as_str(), ms(now)],
    )?;
    audit(tx, author, "session erase", key.as_str(), "done", now)?;
    let newest = |words: &Words| Ok(tx.one(words.newest, [], |row| row.get(0))?.unwrap_or(0));
    let newest = WORDS.iter().map(newest).collect::<Outcome<_>>()?;
    Ok(Some(Closed { stopped, newest }))
}
