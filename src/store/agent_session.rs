//! What an agent and a session know of each other between turns: the agent's own name for the conversation, and what was
//! chosen for it. And that an agent takes back its text.

use frontdesk_core::agent::SessionOptions;
use frontdesk_core::delta::Usage;
use frontdesk_core::id::{OutId, TurnId};
use frontdesk_core::key::SessionKey;
use rusqlite::{Row, params};

use crate::fault::Outcome;
use crate::message::usage;
use crate::queue::WorkClass;
use crate::row::{Claim, EpochUsage, Fenced, UsageTotal};
use crate::sql::{Sql, count, int, nat};
use crate::{Result, Store, StoreReader};

/// The usage of the last turn of an epoch that has ended and told the agent something. How full the context is does not
/// hold any more if it was compacted after that turn.
pub(crate) const LAST_USAGE: &str = "
    SELECT model, input_tokens, output_tokens, cache_read, cache_write, cost_micro,
           iif((SELECT max(coalesce(upto_turn, 0)) FROM compaction WHERE key = ?1 AND epoch = ?2) >= turn.id,
               NULL, context_used),
           context_window
    FROM turn WHERE id =
     (SELECT turn_id FROM session_message WHERE key = ?1 AND epoch = ?2 AND turn_id IS NOT NULL
        AND (SELECT kind <> 'compact' AND finished_at IS NOT NULL FROM turn WHERE id = session_message.turn_id)
      ORDER BY id DESC LIMIT 1)";

/// The number of answers of an epoch, and what all its turns have used together, compactions included. Agents report the
/// numbers, so each is bounded: one wrong report must not make the sum too large for the database.
pub(crate) const TOTAL_USAGE: &str = "
    SELECT count(*) FILTER (WHERE kind <> 'compact' AND state = 'done'),
           sum(min(input_tokens, 1000000000000)), sum(min(output_tokens, 1000000000000)),
           sum(min(cache_read, 1000000000000)), sum(min(cache_write, 1000000000000)),
           sum(min(cost_micro, 1000000000000))
    FROM turn WHERE finished_at IS NOT NULL AND id IN
     (SELECT turn_id FROM session_message WHERE key = ?1 AND epoch = ?2 AND turn_id IS NOT NULL)";

impl Store {
    /// The agent of a running turn has told its own name for the conversation, which every later turn of the epoch gets.
    pub async fn agent_ref(&self, claim: Claim<TurnId>, agent_ref: String) -> Result<Fenced<()>> {
        self.write(WorkClass::Turns, move |tx| {
            let named = tx.run(
                "UPDATE epoch SET agent_ref = ?3 WHERE (key, n) =
                  (SELECT key, epoch FROM turn WHERE id = ?1 AND fence = ?2 AND state = 'running')",
                params![claim.id.0, claim.fence, agent_ref],
            )?;
            Ok(Fenced::if_changed(named))
        })
        .await
    }

    /// The agent of a running turn begins its answer again: the text that was stored at a side effect does not count any
    /// more, and what is shown live gets a higher number.
    pub async fn restarted(&self, claim: Claim<TurnId>) -> Result<Fenced<()>> {
        self.write(WorkClass::Turns, move |tx| {
            let restarted = tx.run(
                "UPDATE turn SET restarts = restarts + 1, answer = NULL
                 WHERE id = ?1 AND fence = ?2 AND state = 'running'",
                [claim.id.0, claim.fence],
            )?;
            Ok(Fenced::if_changed(restarted))
        })
        .await
    }
}

impl StoreReader {
    /// What the turns of an epoch have used that have ended.
    pub async fn usage(&self, key: &SessionKey, epoch: u64) -> Result<EpochUsage> {
        let key = key.clone();
        self.read(move |sql| {
            let of_epoch = params![key.as_str(), int(epoch)];
            let last = sql.one(LAST_USAGE, of_epoch, |row| usage(row, 0))?;
            let total = sql.one(TOTAL_USAGE, of_epoch, total)?.unwrap_or_default();
            Ok(EpochUsage { last: last.filter(|usage| *usage != Usage::default()), total })
        })
        .await
    }
}

/// What was sent as the answer of the last turn of an epoch that has ended and told the agent something.
pub(crate) const LAST_ANSWER: &str = "
    SELECT id FROM outbox WHERE kind = 'answer' AND act IN ('post', 'edit') AND state NOT IN ('dead', 'dropped')
       AND turn_id =
     (SELECT turn_id FROM session_message WHERE key = ?1 AND epoch = ?2 AND turn_id IS NOT NULL
        AND (SELECT kind <> 'compact' AND finished_at IS NOT NULL FROM turn WHERE id = session_message.turn_id)
      ORDER BY id DESC LIMIT 1)
    ORDER BY id";

impl StoreReader {
    /// The messages that the last answer of an epoch was sent as.
    pub async fn last_answer(&self, key: &SessionKey, epoch: u64) -> Result<Vec<OutId>> {
        let key = key.clone();
        self.read(move |sql| {
            sql.all(LAST_ANSWER, params![key.as_str(), int(epoch)], |row| row.get(0).map(OutId))
        })
        .await
    }
}

fn total(row: &Row<'_>) -> rusqlite::Result<UsageTotal> {
    let number = |column: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(nat));
    Ok(UsageTotal {
        answers: count(row, 0)?,
        input: number(1)?,
        output: number(2)?,
        cache_read: number(3)?,
        cache_write: number(4)?,
        cost_micro: number(5)?,
    })
}

/// What a turn is told of its conversation.
#[derive(Default)]
pub(crate) struct AgentSession {
    pub(crate) agent_ref: Option<String>,
    pub(crate) options: SessionOptions,
}

impl AgentSession {
    pub(crate) fn of(sql: &Sql<'_>, session: &SessionKey, epoch: u64) -> Outcome<Self> {
        let found = sql.one(
            "SELECT (SELECT agent_ref FROM epoch WHERE key = s.key AND n = ?2), s.model, s.thinking
             FROM session s WHERE s.key = ?1",
            params![session.as_str(), int(epoch)],
            |row| {
                let options = SessionOptions { model: row.get(1)?, thinking: row.get(2)? };
                Ok(Self { agent_ref: row.get(0)?, options })
            },
        )?;
        Ok(found.unwrap_or_default())
    }
}
