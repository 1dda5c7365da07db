//! The text and files of an earlier message of the platform, for replies to it.

use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::id::{ChatMessageId, MessageId, OutId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::Quote;
use rusqlite::params;

use crate::fault::Outcome;
use crate::media::media;
use crate::row::MediaRow;
use crate::sql::{Sql, parsed};
use crate::{Result, StoreReader};

/// How far back a message is looked for: there is no index by the platform's ids.
pub(crate) const MAX_LOOKBACK: u32 = 2000;

/// How much of it is quoted, in characters.
const LENGTH: usize = 1000;

impl StoreReader {
    /// The text of a message that was received or sent lately in this chat or one of its threads.
    pub async fn quote_of(&self, chat: &Address, platform_message: &str) -> Result<Option<Quote>> {
        let (chat, id) = (chat.clone(), platform_message.to_owned());
        self.read(move |sql| {
            let ours = newest(
                sql,
                "SELECT address, NULL, coalesce(plain, body), NULL FROM
                  (SELECT id, address, plain, body, platform_message_id FROM outbox ORDER BY id DESC LIMIT ?2)
                 WHERE platform_message_id = ?1 ORDER BY id DESC",
                &chat,
                &id,
            )?;
            let found = match ours {
                Some(found) => Some((true, found)),
                // Rows without their text are no answer.
                None => newest(
                    sql,
                    "SELECT address, sender, body, principal FROM
                      (SELECT id, address, sender, body, principal, platform_message, disposition FROM inbound
                       ORDER BY id DESC LIMIT ?2)
                     WHERE platform_message = ?1 AND (disposition <> 'refused' OR body <> '') ORDER BY id DESC",
                    &chat,
                    &id,
                )?
                .map(|found| (false, found)),
            };
            Ok(found.map(|(ours, Found { sender, text, by })| Quote {
                message: Some(id),
                id: by.and_then(|by| by.parse::<Principal>().ok()),
                sender,
                ours,
                ..Quote::of(text.chars().take(LENGTH).collect::<String>())
            }))
        })
        .await
    }
}

impl StoreReader {
    /// The message of a conversation that the platform names so, if it was received or sent lately.
    pub async fn message_named(
        &self,
        session: &SessionKey,
        platform_message: &str,
    ) -> Result<Option<ChatMessageId>> {
        let (session, message) = (session.as_str().to_owned(), platform_message.to_owned());
        self.read(move |sql| {
            // Rows that changed a message later have its id as well.
            let sent =
                "SELECT id FROM (SELECT id, key, platform_message_id FROM outbox ORDER BY id DESC LIMIT ?3)
                        WHERE platform_message_id = ?1 AND key = ?2 ORDER BY id LIMIT 1";
            let known = params![message, session, MAX_LOOKBACK];
            if let Some(sent) = sql.one(sent, known, |row| row.get(0).map(OutId))? {
                return Ok(Some(ChatMessageId::Sent(sent)));
            }
            let received =
                "SELECT id FROM (SELECT id, key, platform_message FROM inbound ORDER BY id DESC LIMIT ?3)
                            WHERE platform_message = ?1 AND key = ?2 ORDER BY id LIMIT 1";
            let received = sql.one(received, known, |row| row.get(0).map(MessageId))?;
            Ok(received.map(ChatMessageId::Received))
        })
        .await
    }
}

impl StoreReader {
    /// The files of a message that was received lately in this chat or one of its threads; empty if it had none or is not
    /// known.
    pub async fn files_of(&self, chat: &Address, platform_message: &str) -> Result<Vec<MediaRow>> {
        let (chat, id) = (chat.clone(), platform_message.to_owned());
        self.read(move |sql| {
            let rows: Vec<(Address, i64)> = sql.all(
                "SELECT address, id FROM
                  (SELECT id, address, platform_message, disposition, attachments FROM inbound
                   ORDER BY id DESC LIMIT ?2)
                 WHERE platform_message = ?1 AND disposition <> 'refused' AND attachments IS NOT NULL
                 ORDER BY id DESC",
                params![id, MAX_LOOKBACK],
                |row| Ok((parsed(row, 0)?, row.get(1)?)),
            )?;
            let Some((_, message)) = rows.into_iter().find(|(address, _)| chat_of(address) == chat_of(&chat))
            else {
                return Ok(Vec::new());
            };
            sql.all(
                "SELECT message_id, n, file, size, error FROM media WHERE message_id = ?1 ORDER BY n",
                [message],
                media,
            )
        })
        .await
    }
}

/// The account and the chat of an address, without the thread.
fn chat_of(address: &Address) -> (&AccountId, &str) {
    (address.account(), address.chat())
}

/// A message that was found.
struct Found {
    sender: Option<String>,
    text: String,
    by: Option<String>,
}

/// The newest of this chat.
fn newest(sql: &Sql<'_>, statement: &str, chat: &Address, id: &str) -> Outcome<Option<Found>> {
    let rows: Vec<(Address, Found)> = sql.all(statement, params![id, MAX_LOOKBACK], |row| {
        Ok((parsed(row, 0)?, Found { sender: row.get(1)?, text: row.get(2)?, by: row.get(3)? }))
    })?;
    Ok(rows.into_iter().find(|(address, _)| chat_of(address) == chat_of(chat)).map(|(_, found)| found))
}
