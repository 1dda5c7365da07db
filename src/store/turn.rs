//! Rows of `turn`.

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::agent::Origin;
use frontdesk_core::delivery::PostKind;
use frontdesk_core::delta::Usage;
use frontdesk_core::id::{MessageId, RunId, TaskId, TurnId};
use frontdesk_core::key::SessionKey;
use rusqlite::{Params, Row, params};

use crate::fault::Outcome;
use crate::part::Outgoing;
use crate::row::{Claim, TurnState};
use crate::sql::{Sql, count, int, maybe_at, maybe_parsed, parsed, small};
use crate::tx::Tx;

/// The columns of [`OpenTurn`], of `turn t`.
macro_rules! turn_columns {
    () => {
        "t.id, t.key, t.epoch, t.address, t.reply_to, t.attempt, t.released, t.state, t.fence, \
         t.side_effect_at, t.answer, t.origin, t.restarts, t.task_id, t.run_id, \
         coalesce((SELECT origin_key FROM task WHERE id = t.task_id), (SELECT chat_key FROM run WHERE id = t.run_id))"
    };
}

pub(crate) use turn_columns;

/// The kind of a turn in which the agent compacts its context.
pub(crate) const COMPACT: &str = "compact";

/// A turn that has not ended, or had not when it was read.
#[derive(Debug, Clone)]
pub(crate) struct OpenTurn {
    pub(crate) id: TurnId,
    pub(crate) session: SessionKey,
    pub(crate) epoch: u64,
    pub(crate) address: Address,
    pub(crate) reply_to: Option<String>,
    pub(crate) attempt: u32,
    pub(crate) released: u32,
    pub(crate) state: TurnState,
    pub(crate) fence: i64,
    /// When its agent first ran a tool, if it did.
    pub(crate) acted: Option<DateTime<Utc>>,
    /// At a side effect: the text until then.
    pub(crate) so_far: Option<String>,
    /// What began it.
    pub(crate) origin: Origin,
    /// How often the agent took back its text.
    pub(crate) restarts: u32,
    /// The task that it works on.
    pub(crate) task: Option<TaskId>,
    /// The run of a job that it works on.
    pub(crate) run: Option<RunId>,
    /// Of a task the session that has handed it over; of a run that of the chat of its result.
    chat_session: Option<SessionKey>,
    /// The messages, oldest first.
    pub(crate) messages: Vec<MessageId>,
}

impl OpenTurn {
    /// The first that the statement finds; it must select [`turn_columns`].
    pub(crate) fn find(sql: &Sql<'_>, statement: &str, params: impl Params) -> Outcome<Option<Self>> {
        let Some(mut turn) = sql.one(statement, params, Self::read)? else { return Ok(None) };
        turn.messages = messages(sql, turn.id)?;
        Ok(Some(turn))
    }

    /// All that it finds and that can be read.
    pub(crate) fn find_all(sql: &Sql<'_>, statement: &str, params: impl Params) -> Outcome<Vec<Self>> {
        let mut turns = sql.all_legible(statement, params, Self::read)?;
        for turn in &mut turns {
            turn.messages = messages(sql, turn.id)?;
        }
        Ok(turns)
    }

    /// The turn, if the claim on it is still valid.
    pub(crate) fn held(sql: &Sql<'_>, claim: Claim<TurnId>) -> Outcome<Option<Self>> {
        let statement = concat!(
            "SELECT ",
            turn_columns!(),
            " FROM turn t WHERE t.id = ?1 AND t.fence = ?2 AND t.state = 'running'"
        );
        Self::find(sql, statement, [claim.id.0, claim.fence])
    }

    /// The turn, whoever holds it and even if it has ended.
    pub(crate) fn by_id(sql: &Sql<'_>, id: TurnId) -> Outcome<Option<Self>> {
        Self::find(sql, concat!("SELECT ", turn_columns!(), " FROM turn t WHERE t.id = ?1"), [id.0])
    }

    /// The session whose chat it is for: its own, or of a task or a run the one that gets its result.
    pub(crate) fn chat(&self) -> &SessionKey {
        self.chat_session.as_ref().unwrap_or(&self.session)
    }

    /// The claim under which it runs.
    pub(crate) fn claim(&self) -> Claim<TurnId> {
        Claim { id: self.id, fence: self.fence }
    }

    /// How many of its attempts ended in a death.
    pub(crate) fn deaths(&self) -> u32 {
        self.attempt.saturating_sub(self.released)
    }

    /// What the parts of its answer are about and where they go.
    pub(crate) fn outgoing(&self, now: DateTime<Utc>) -> Outgoing<'_> {
        Outgoing {
            turn: Some(self.id),
            about: &self.messages,
            session: Some(self.chat()),
            address: &self.address,
            reply_to: self.reply_to.as_deref(),
            kind: PostKind::Answer,
            audience: None,
            now,
        }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: TurnId(row.get(0)?),
            session: parsed(row, 1)?,
            epoch: count(row, 2)?,
            address: parsed(row, 3)?,
            reply_to: row.get(4)?,
            attempt: small(row, 5)?,
            released: small(row, 6)?,
            state: parsed(row, 7)?,
            fence: row.get(8)?,
            acted: maybe_at(row, 9)?,
            so_far: row.get(10)?,
            origin: Origin::named(row.get_ref(11)?.as_str()?).unwrap_or(Origin::Message),
            restarts: small(row, 12)?,
            task: row.get::<_, Option<i64>>(13)?.map(TaskId),
            run: row.get::<_, Option<i64>>(14)?.map(RunId),
            chat_session: maybe_parsed(row, 15)?,
            messages: Vec::new(),
        })
    }
}

fn messages(sql: &Sql<'_>, turn: TurnId) -> Outcome<Vec<MessageId>> {
    sql.all("SELECT id FROM inbound WHERE turn_id = ?1 ORDER BY id", [turn.0], |row| {
        row.get(0).map(MessageId)
    })
}

/// Stores the usage of a turn that has ended.
pub(crate) fn used(tx: &Tx<'_>, turn: TurnId, usage: &Usage) -> Outcome<()> {
    tx.run(
        "UPDATE turn SET model = ?2, input_tokens = ?3, output_tokens = ?4, cache_read = ?5, cache_write = ?6,
                         cost_micro = ?7, context_used = ?8, context_window = ?9
         WHERE id = ?1",
        params![
            turn.0,
            usage.model,
            usage.input.map(int),
            usage.output.map(int),
            usage.cache_read.map(int),
            usage.cache_write.map(int),
            usage.cost_micro.map(int),
            usage.context_used.map(int),
            usage.context_window.map(int),
        ],
    )?;
    Ok(())
}
