//! What a message of the platform says, for replies to it.

use frontdesk_core::address::Address;
use frontdesk_core::message::Quote;
use rusqlite::params;

use crate::fault::Outcome;
use crate::sql::{Sql, parsed};
use crate::{Result, Store};

/// How far back a message is looked for: there is no index by the platform's ids.
const BACK: u32 = 2000;

/// How much of it is quoted, in characters.
const LENGTH: usize = 1000;

impl Store {
    /// What a message says that came or went lately, in this chat or one of its threads.
    pub async fn said_as(&self, chat: &Address, platform_message: &str) -> Result<Option<Quote>> {
        let (chat, id) = (chat.clone(), platform_message.to_owned());
        self.read(move |sql| {
            let ours = newest(
                sql,
                "SELECT address, NULL, coalesce(plain, body) FROM
                  (SELECT id, address, plain, body, platform_message_id FROM outbox ORDER BY id DESC LIMIT ?2)
                 WHERE platform_message_id = ?1 ORDER BY id DESC",
                &chat,
                &id,
            )?;
            let found = match ours {
                Some(found) => Some((true, found)),
                // What was not kept says nothing.
                None => newest(
                    sql,
                    "SELECT address, sender, body FROM
                      (SELECT id, address, sender, body, platform_message, disposition FROM inbound
                       ORDER BY id DESC LIMIT ?2)
                     WHERE platform_message = ?1 AND (disposition <> 'refused' OR body <> '') ORDER BY id DESC",
                    &chat,
                    &id,
                )?
                .map(|found| (false, found)),
            };
            Ok(found.map(|(ours, (sender, text))| Quote {
                message: Some(id),
                sender,
                text: text.chars().take(LENGTH).collect(),
                ours,
            }))
        })
        .await
    }
}

/// The newest of this chat: its sender and its text.
fn newest(
    sql: &Sql<'_>,
    statement: &str,
    chat: &Address,
    id: &str,
) -> Outcome<Option<(Option<String>, String)>> {
    let rows: Vec<(Address, Option<String>, String)> =
        sql.all(statement, params![id, BACK], |row| Ok((parsed(row, 0)?, row.get(1)?, row.get(2)?)))?;
    let place = |address: &Address| {
        (address.channel().to_owned(), address.account().to_owned(), address.chat().to_owned())
    };
    Ok(rows
        .into_iter()
        .find(|(address, ..)| place(address) == place(chat))
        .map(|(_, sender, text)| (sender, text)))
}
