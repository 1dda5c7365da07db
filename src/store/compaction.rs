//! Compactions: an agent has replaced the older part of its context by a summary.

use chrono::{DateTime, Utc};
use frontdesk_core::delta::Compacted;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::notice::Notice;
use rusqlite::params;

use crate::fault::Outcome;
use crate::queue::WorkClass;
use crate::row::{Claim, Fenced};
use crate::sql::{Sql, at, int, ms};
use crate::turn::OpenTurn;
use crate::{Result, Store};

/// The last turn of an epoch, other than one. What that one has added itself may not be in the summary.
pub(crate) const LAST_TURN: &str = "
    SELECT turn_id FROM session_message WHERE key = ?1 AND epoch = ?2 AND turn_id IS NOT NULL AND turn_id <> ?3
    ORDER BY id DESC LIMIT 1";

/// The newest compactions of an epoch, each with the last message that it covers.
pub(crate) const OF_EPOCH: &str = "
    SELECT summary, at, coalesce((SELECT max(id) FROM inbound WHERE turn_id = upto_turn), 0)
    FROM compaction WHERE key = ?1 AND epoch = ?2 ORDER BY id DESC LIMIT 100";

impl Store {
    /// The agent of a running turn has compacted its context of the conversation. If it did so by itself, people are told
    /// once in each turn.
    pub async fn compacted(
        &self,
        claim: Claim<TurnId>,
        compacted: Compacted,
        by_itself: bool,
        now: DateTime<Utc>,
    ) -> Result<Fenced<()>> {
        self.write(WorkClass::Turns, move |tx| {
            let Some(turn) = OpenTurn::held(tx, claim)? else { return Ok(Fenced::Stale) };
            let epoch = int(turn.epoch);
            let upto = tx.one(LAST_TURN, params![turn.session.as_str(), epoch, turn.id.0], |row| {
                row.get::<_, i64>(0)
            })?;
            tx.run(
                "INSERT INTO compaction (key, epoch, upto_turn, summary, tokens, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    turn.session.as_str(),
                    epoch,
                    upto,
                    compacted.summary,
                    compacted.tokens.map(int),
                    ms(now)
                ],
            )?;
            if by_itself {
                turn.outgoing(now).notice(tx, turn.id, &Notice::Compacted(compacted.clone()))?;
            }
            Ok(Fenced::Done(()))
        })
        .await
    }
}

/// A compaction in a history.
pub(crate) struct PastCompaction {
    pub(crate) summary: Option<String>,
    pub(crate) at: DateTime<Utc>,
    /// The last message that it covers; 0 if it covers none.
    pub(crate) after: MessageId,
}

impl PastCompaction {
    /// Those of an epoch, the newest first.
    pub(crate) fn of(sql: &Sql<'_>, key: &SessionKey, epoch: u64) -> Outcome<Vec<Self>> {
        sql.all(OF_EPOCH, params![key.as_str(), int(epoch)], |row| {
            Ok(Self { summary: row.get(0)?, at: at(row, 1)?, after: MessageId(row.get(2)?) })
        })
    }
}
