//! Reading tasks.

use std::time::Duration;

use frontdesk_core::id::{OutId, TaskId, TurnId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::progress::Progress;
use frontdesk_core::task::{TaskSource, TaskState};
use rusqlite::{Row, params};

use crate::fault::Outcome;
use crate::message::{attachments, sender};
use crate::part::{out, out_columns};
use crate::part_key::TextKey;
use crate::row::{OutboxState, OutgoingFile, TaskFilter, TaskOrder, TaskReach, TaskRow, TurnTask};
use crate::sql::{Sql, at, maybe_at, maybe_parsed, nat, parsed, small};
use crate::{Result, StoreReader};

/// The columns that [`task`] reads, of `task k`: with its text, its files and its result, or without them.
macro_rules! task_columns {
    (whole) => {
        task_columns!("k.body, k.attachments", "(SELECT t.answer FROM turn t WHERE t.id = k.turn_id)")
    };
    (short) => {
        task_columns!("'', NULL", "NULL")
    };
    ($text:literal, $result:literal) => {
        concat!("k.id, k.key, k.owner, k.owner_kind, k.owner_roles, k.owner_name, k.origin_key, k.address, k.delivers, \
         k.reply_to, k.source, k.title, ", $text, ", \
         iif(k.state = 'running' AND EXISTS (SELECT 1 FROM ask WHERE turn_id = k.turn_id AND state = 'open'), \
             'waiting', k.state), \
         k.attempt, k.turn_id, k.retry_of, k.percent, k.line, k.progress_out, k.result_out, \
         (SELECT o.state FROM outbox o WHERE o.id = k.result_out), ", $result, ", k.error, k.limit_ms, k.created_at, k.started_at, \
         k.finished_at")
    };
}

/// A list whose rows fulfil a condition.
macro_rules! list {
    ($from:literal) => {
        concat!(
            "SELECT ",
            task_columns!(short),
            " FROM task k ",
            $from,
            " AND k.id < ?1 AND (?2 IS NULL OR k.owner = ?2) AND (?3 = 0 OR k.state IN ('queued', 'running'))
               AND (?4 IS NULL OR ?4 =
                    iif(k.state = 'running' AND EXISTS (SELECT 1 FROM ask WHERE turn_id = k.turn_id AND state = 'open'),
                        'waiting', k.state))
               AND (?6 IS NULL OR k.origin_key = ?6)
              ORDER BY k.id DESC LIMIT ?5"
        )
    };
}

pub(crate) const LIST: &str = list!("WHERE TRUE");
pub(crate) const OPEN: &str = list!("INDEXED BY task_open WHERE k.state IN ('queued', 'running')");
pub(crate) const ENDED: &str = list!(
    "INDEXED BY task_ended
     WHERE k.state IN ('succeeded', 'failed', 'cancelled', 'timed_out', 'lost') AND k.state = ?4"
);

impl StoreReader {
    /// One task, if it is within reach.
    pub async fn task(&self, id: TaskId, reach: TaskReach) -> Result<Option<TaskRow>> {
        self.read(move |sql| Ok(by_id(sql, id)?.filter(|task| reaches(&reach, task)))).await
    }

    /// Tasks, the newest first, without their texts, files and results.
    pub async fn tasks(&self, filter: TaskFilter, limit: u32) -> Result<Vec<TaskRow>> {
        self.read(move |sql| {
            let list = match (filter.open, filter.state) {
                (false, None) => LIST,
                (false, Some(state)) if state.has_ended() => ENDED,
                _ => OPEN,
            };
            let before = filter.before.map_or(i64::MAX, |id| id.0);
            let (reach, state) = (&filter.reach, filter.state.map(TaskState::name));
            let values = params![before, reach.owner(), filter.open, state, limit, reach.origin()];
            sql.all_legible(list, values, task)
        })
        .await
    }

    /// The files that were sent with the result of a task.
    pub async fn task_files(&self, id: TaskId) -> Result<Vec<OutgoingFile>> {
        self.read(move |sql| {
            let (key, mut files) = (TextKey::task(id), Vec::new());
            let part = concat!("SELECT ", out_columns!(), " FROM outbox o WHERE o.part_key = ?1");
            for n in 0.. {
                let Some(row) = sql.one(part, [key.file(n).as_str()], out)? else { break };
                files.extend(row.media);
            }
            Ok(files)
        })
        .await
    }

    /// Whether a task of this source has not ended.
    pub async fn has_open_task(&self, source: TaskSource) -> Result<bool> {
        self.read(move |sql| {
            let open = "SELECT 1 FROM task WHERE state IN ('queued', 'running') AND source = ?1 LIMIT 1";
            Ok(sql.one(open, [source.name()], |_| Ok(()))?.is_some())
        })
        .await
    }

    /// How many tasks have not ended.
    pub async fn open_tasks(&self) -> Result<u64> {
        self.read(|sql| {
            let open = "SELECT count(*) FROM task WHERE state IN ('queued', 'running')";
            Ok(sql.one(open, [], |row| row.get::<_, i64>(0))?.map_or(0, nat))
        })
        .await
    }
}

/// Whether a task is within reach.
pub(crate) fn reaches(reach: &TaskReach, task: &TaskRow) -> bool {
    reach.owner().is_none_or(|owner| task.order.owner.id.as_str() == owner)
        && reach
            .origin()
            .is_none_or(|origin| task.order.origin.as_ref().is_some_and(|key| key.as_str() == origin))
}

/// One task.
pub(crate) fn by_id(sql: &Sql<'_>, id: TaskId) -> Outcome<Option<TaskRow>> {
    sql.one(concat!("SELECT ", task_columns!(whole), " FROM task k WHERE k.id = ?1"), [id.0], task)
}

/// What a turn of this session works on, if that is a task.
pub(crate) fn of_session(sql: &Sql<'_>, session: &SessionKey) -> Outcome<Option<TurnTask>> {
    let task = "SELECT id, title, origin_key, delivers, limit_ms FROM task WHERE key = ?1";
    sql.one(task, [session.as_str()], |row| {
        Ok(TurnTask {
            id: TaskId(row.get(0)?),
            title: row.get(1)?,
            origin: maybe_parsed(row, 2)?,
            delivers: row.get(3)?,
            limit: Duration::from_millis(nat(row.get(4)?)),
        })
    })
}

fn task(row: &Row<'_>) -> rusqlite::Result<TaskRow> {
    let result_state = row.get::<_, Option<String>>(22)?.and_then(|state| state.parse::<OutboxState>().ok());
    let order = TaskOrder {
        owner: sender(row, [2, 3, 4, 5])?,
        origin: maybe_parsed(row, 6)?,
        address: parsed(row, 7)?,
        delivers: row.get(8)?,
        reply_to: row.get(9)?,
        source: TaskSource::named(row.get_ref(10)?.as_str()?).unwrap_or(TaskSource::Chat),
        title: row.get(11)?,
        text: row.get(12)?,
        attachments: row.get::<_, Option<String>>(13)?.map_or_else(Vec::new, |json| attachments(&json)),
        limit: Duration::from_millis(nat(row.get(25)?)),
        retry_of: row.get::<_, Option<i64>>(17)?.map(TaskId),
    };
    Ok(TaskRow {
        id: TaskId(row.get(0)?),
        session: parsed(row, 1)?,
        order,
        state: TaskState::named(row.get_ref(14)?.as_str()?).unwrap_or(TaskState::Failed),
        attempt: small(row, 15)?,
        turn: row.get::<_, Option<i64>>(16)?.map(TurnId),
        progress: Progress { percent: row.get(18)?, line: row.get(19)? },
        progress_out: row.get::<_, Option<i64>>(20)?.map(OutId),
        result_out: row.get::<_, Option<i64>>(21)?.map(OutId).zip(result_state),
        result: row.get(23)?,
        error: maybe_parsed(row, 24)?,
        created: at(row, 26)?,
        started: maybe_at(row, 27)?,
        finished: maybe_at(row, 28)?,
    })
}
