//! The history of a conversation as its agent reads it: what people said to it, what it answered, and how it compacted
//! its context.

use frontdesk_core::history::{HistoryEntry, HistoryPage, HistoryRequest};
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::SessionKey;
use rusqlite::params;

use crate::compaction::PastCompaction;
use crate::message::{history, history_select};
use crate::row::{HistoryRow, MessageState, Reason, TurnState};
use crate::sql::int;
use crate::{Result, StoreReader};

/// Messages of one epoch that turns have taken, the newest first.
pub(crate) const PAGE: &str = concat!(
    history_select!(),
    "WHERE i.id IN (SELECT id FROM session_message WHERE key = ?1 AND epoch = ?2 AND id < ?3
                      AND disposition = 'turn' AND turn_id IS NOT NULL AND turn_id <> ?4
                    ORDER BY id DESC LIMIT ?5)
     ORDER BY i.id DESC"
);

impl StoreReader {
    /// One page of what was said in an epoch, other than in one turn. The caller limits what a page may be asked for.
    pub async fn conversation(
        &self,
        key: &SessionKey,
        epoch: u64,
        but: TurnId,
        request: HistoryRequest,
    ) -> Result<HistoryPage> {
        let (key, before) = (key.clone(), request.before.unwrap_or(MessageId(i64::MAX)));
        let limit = request.messages.max(1);
        self.read(move |sql| {
            let found = params![key.as_str(), int(epoch), before.0, but.0, limit];
            let page = sql.within(PAGE, found, request.bytes, weigh, history)?;
            let is_full = page.more || page.rows.len() == usize::try_from(limit).unwrap_or(usize::MAX);
            let next = page.rows.last().map(|row| row.message.id).filter(|_| is_full);
            let compactions = PastCompaction::of(sql, &key, epoch)?;
            let oldest = next.unwrap_or(MessageId(0));
            let here = compactions.into_iter().filter(|past| past.after < before && past.after >= oldest);
            Ok(HistoryPage { entries: entries(page.rows, here.collect()), next })
        })
        .await
    }
}

fn weigh(row: &HistoryRow) -> usize {
    row.bytes_of_words() + row.answer.as_ref().map_or(0, String::len)
}

/// The entries of a page: each compaction after the last message that it covers, that is before it in this order.
fn entries(rows: Vec<HistoryRow>, compactions: Vec<PastCompaction>) -> Vec<HistoryEntry> {
    let mut entries = Vec::new();
    let mut compactions = compactions.into_iter().peekable();
    for row in rows {
        while let Some(past) = compactions.next_if(|past| past.after >= row.message.id) {
            entries.push(compaction(past));
        }
        entries.extend(said(row));
    }
    entries.extend(compactions.map(compaction));
    entries
}

fn compaction(past: PastCompaction) -> HistoryEntry {
    HistoryEntry::Compaction { summary: past.summary, at: past.at }
}

/// The answer to a message and then the message, as the agent knows them. A message that never reached it is left out,
/// and of a `/retry` only the answer is new.
fn said(row: HistoryRow) -> impl Iterator<Item = HistoryEntry> {
    let words = row.words();
    let HistoryRow { message, answer, turn_state, .. } = row;
    let unknown = message.reason == Some(Reason::Compacts) || message.state == MessageState::Refused;
    let complete = turn_state == Some(TurnState::Done);
    let answer = answer.filter(|_| !unknown).map(|text| HistoryEntry::Answer { text, complete });
    let is_new = !unknown && message.replays.is_empty();
    let message = is_new.then_some(HistoryEntry::Message {
        id: message.id,
        from: message.from,
        text: words,
        received: message.received,
    });
    answer.into_iter().chain(message)
}
