//! Tasks are submitted, and get one of the places for tasks that run.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Principal;
use frontdesk_core::delivery::Ending;
use frontdesk_core::id::TaskId;
use frontdesk_core::key::{Scope, SessionKey};
use rusqlite::params;

use crate::fault::{Fault, Outcome};
use crate::finish::cancel;
use crate::ids::Table;
use crate::message::{attachments, inbound, inbound_columns, stored, stored_roles};
use crate::queue::WorkClass;
use crate::row::{
    InboundRow, MovedToTask, NewTask, Reason, Stopped, TaskOrder, TaskPlaces, TaskSubmitted, TurnState,
    digest,
};
use crate::sql::{ms, parsed};
use crate::task::show_state;
use crate::turn::{OpenTurn, turn_columns};
use crate::tx::Tx;
use crate::{Result, Store, spend};

/// The source of the messages by which tasks enter their sessions.
const SOURCE: &str = "task";

impl Store {
    /// Stores a task. It begins when it gets a place: [`Store::place_tasks`].
    pub async fn submit_task(&self, task: NewTask, now: DateTime<Utc>) -> Result<TaskSubmitted> {
        self.write(WorkClass::Requests, move |tx| submit(tx, &task, now)).await
    }

    /// Gives tasks that wait a place, the oldest first, as long as there are places. Tasks of other accounts than these neither
    /// get nor take one, because they cannot run. Returns the sessions of those that got one: their lanes are to be woken.
    pub async fn place_tasks(
        &self,
        places: TaskPlaces,
        accounts: BTreeSet<AccountId>,
        now: DateTime<Utc>,
    ) -> Result<Vec<SessionKey>> {
        self.write(WorkClass::Sweep, move |tx| place(tx, places, &accounts, now)).await
    }
}

pub(crate) fn submit(tx: &Tx<'_>, task: &NewTask, now: DateTime<Utc>) -> Outcome<TaskSubmitted> {
    if let Some(request) = &task.request {
        let known = "SELECT id FROM task WHERE request = ?1";
        if let Some(known) = tx.one(known, [request], |row| row.get(0).map(TaskId))? {
            return Ok(TaskSubmitted::Known(known));
        }
    }
    let open = |owner: Option<&str>| {
        let open =
            "SELECT count(*) FROM task WHERE state IN ('queued', 'running') AND (?1 IS NULL OR owner = ?1)";
        tx.one(open, [owner], |row| row.get::<_, u32>(0)).map(Option::unwrap_or_default)
    };
    if open(None)? >= task.open.total {
        return Ok(TaskSubmitted::Full);
    }
    if open(Some(task.order.owner.id.as_str()))? >= task.open.per_person {
        return Ok(TaskSubmitted::PersonFull);
    }
    for budget in &task.budgets {
        if let Some(used_up) = spend::used_up(tx, budget)? {
            return Ok(TaskSubmitted::OverBudget(used_up));
        }
    }
    let id = TaskId(tx.new_id(Table::Task)?);
    let key = SessionKey::at(&task.agent, &task.account, Scope::Task, &id.0.to_string(), None, None)
        .map_err(|error| Fault::Bad(error.to_string()))?;
    tx.run(
        "INSERT INTO task (id, key, owner, owner_kind, owner_roles, owner_name, origin_key, address, delivers, reply_to,
                           source, request, title, body, attachments, state, limit_ms, retry_of, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 'queued', ?16, ?17, ?18)",
        params![
            id.0,
            key.as_str(),
            task.order.owner.id.as_str(),
            task.order.owner.kind.name(),
            stored_roles(&task.order.owner.roles),
            task.order.owner.name,
            task.order.origin.as_ref().map(SessionKey::as_str),
            task.order.address.as_str(),
            task.order.delivers,
            task.order.reply_to,
            task.order.source.name(),
            task.request,
            task.order.title,
            task.order.text,
            stored(&task.order.attachments),
            i64::try_from(task.order.limit.as_millis()).unwrap_or(i64::MAX),
            task.order.retry_of.map(|task| task.0),
            ms(now),
        ],
    )?;
    show_state(tx, id, now)?;
    Ok(TaskSubmitted::Stored(id))
}

/// Stops the answer under way in a command's session and makes a task of its messages. The task keeps who asked for the
/// answer, and where it goes. A turn that has acted cannot begin again elsewhere.
/// Without `any` it moves only what the command's sender has asked for.
pub(crate) fn move_here(
    tx: &Tx<'_>,
    command: &InboundRow,
    task: &NewTask,
    any: bool,
    now: DateTime<Utc>,
) -> Outcome<MovedToTask> {
    let open = concat!(
        "SELECT ",
        turn_columns!(),
        " FROM turn t WHERE t.key = ?1 AND t.state IN ('queued', 'running') AND t.kind <> 'compact' ORDER BY t.id"
    );
    let Some(turn) = OpenTurn::find(tx, open, [command.session.as_str()])? else {
        return Ok(MovedToTask::Nothing);
    };
    if turn.messages.first().is_none_or(|first| *first > command.id) {
        return Ok(MovedToTask::Nothing);
    }
    let said = concat!("SELECT ", inbound_columns!(), " FROM inbound i WHERE i.turn_id = ?1 ORDER BY i.id");
    let said = tx.all(said, [turn.id.0], inbound)?;
    let answers = answered_messages(tx, &said)?;
    let people: BTreeSet<&Principal> = said.iter().chain(&answers).map(|row| &row.from.id).collect();
    if !any && people.iter().any(|person| **person != command.from.id) {
        return Ok(MovedToTask::OfOthers);
    }
    let (Some(first), 1) = (said.first(), people.len()) else { return Ok(MovedToTask::OfSeveral) };
    if turn.acted.is_some() {
        return Ok(MovedToTask::HasActed);
    }
    let texts: Vec<&str> =
        answers.iter().map(|row| row.text.as_str()).filter(|text| !text.is_empty()).collect();
    let text = texts.join("\n\n");
    let order = TaskOrder {
        owner: first.from.clone(),
        address: turn.address.clone(),
        reply_to: turn.reply_to.clone(),
        title: frontdesk_core::task::title_of(&text),
        text,
        attachments: answers.iter().flat_map(|row| row.attachments.clone()).collect(),
        ..task.order.clone()
    };
    let task = NewTask { account: turn.address.account().clone(), order, ..task.clone() };
    let submitted = submit(tx, &task, now)?;
    let mut stopped = Stopped::default();
    if let TaskSubmitted::Stored(id) = submitted {
        cancel(tx, &turn, Ending::MovedTo(id), Some(Reason::MovedTo(id)), now)?;
        match turn.state {
            TurnState::Running => stopped.running.push(turn.id),
            _ => stopped.waiting.extend(&turn.messages),
        }
    }
    Ok(MovedToTask::Moved(submitted, stopped))
}

/// The messages that a turn with these rows answers: a `/retry` stands for those that it runs again.
fn answered_messages(tx: &Tx<'_>, said: &[InboundRow]) -> Outcome<Vec<InboundRow>> {
    let mut answers = Vec::new();
    for row in said {
        if row.replays.is_empty() {
            answers.push(row.clone());
        }
        for replayed in &row.replays {
            let statement = concat!("SELECT ", inbound_columns!(), " FROM inbound i WHERE i.id = ?1");
            answers.extend(tx.one(statement, [replayed.0], inbound)?);
        }
    }
    Ok(answers)
}

/// The places that are taken, in all, by person and by chat.
#[derive(Default)]
struct Taken {
    total: u32,
    of_person: HashMap<String, u32>,
    of_chat: HashMap<String, u32>,
}

impl Taken {
    fn add(&mut self, owner: String, chat: String) {
        self.total += 1;
        *self.of_person.entry(owner).or_default() += 1;
        *self.of_chat.entry(chat).or_default() += 1;
    }
}

/// Those that have all the places they may have, as a JSON list.
fn full(taken: &HashMap<String, u32>, most: u32) -> String {
    let full: Vec<&String> = taken.iter().filter(|(_, n)| **n >= most).map(|(who, _)| who).collect();
    serde_json::json!(full).to_string()
}

/// Reads only the tasks that get a place, however many wait: this runs each time that a task ends, on the thread that
/// stores people's messages.
fn place(
    tx: &Tx<'_>,
    places: TaskPlaces,
    accounts: &BTreeSet<AccountId>,
    now: DateTime<Utc>,
) -> Outcome<Vec<SessionKey>> {
    let placed = "SELECT key, owner, address FROM task INDEXED BY task_placed
                  WHERE state IN ('queued', 'running') AND placed_at IS NOT NULL AND coalesce(not_before, 0) <= ?1";
    let placed = tx.all_legible(placed, [ms(now)], |row| {
        Ok((parsed::<SessionKey>(row, 0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    let mut taken = Taken::default();
    for (_, owner, chat) in placed.into_iter().filter(|(key, ..)| accounts.contains(key.account())) {
        taken.add(owner, chat);
    }
    let (mut sessions, mut last) = (Vec::new(), 0);
    while taken.total < places.total {
        let next = "SELECT id, key, owner, address FROM task INDEXED BY task_waiting
                    WHERE state = 'queued' AND placed_at IS NULL AND id > ?1 AND coalesce(not_before, 0) <= ?2
                      AND owner NOT IN (SELECT value FROM json_each(?3))
                      AND address NOT IN (SELECT value FROM json_each(?4))
                    ORDER BY id LIMIT 1";
        let full_people = full(&taken.of_person, places.per_person);
        let full_chats = full(&taken.of_chat, places.per_chat);
        let next = tx.one(next, params![last, ms(now), full_people, full_chats], |row| {
            let key = row.get::<_, String>(1)?.parse::<SessionKey>();
            Ok((row.get::<_, i64>(0)?, key, row.get::<_, String>(2)?, row.get::<_, String>(3)?))
        })?;
        let Some((id, key, owner, chat)) = next else { break };
        last = id;
        // One whose session cannot be read keeps no other one from running.
        let Some(key) = key.ok().filter(|key| accounts.contains(key.account())) else { continue };
        enter(tx, TaskId(id), &key, now)?;
        taken.add(owner, chat);
        sessions.push(key);
    }
    Ok(sessions)
}

/// The task becomes the first message of its session, which waits for its turn like any other.
fn enter(tx: &Tx<'_>, task: TaskId, key: &SessionKey, now: DateTime<Utc>) -> Outcome<()> {
    let (body, files): (String, Option<String>) = tx
        .one("SELECT body, attachments FROM task WHERE id = ?1", [task.0], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .ok_or_else(|| Fault::Bad(format!("there is no task {task}")))?;
    tx.run(
        "INSERT INTO session (key, address, epoch, last_epoch, seq, created_at)
         SELECT ?1, address, 1, 1, 0, ?2 FROM task WHERE id = ?3",
        params![key.as_str(), ms(now), task.0],
    )?;
    tx.run("UPDATE counter SET n = n + 1 WHERE name = 'sessions'", [])?;
    tx.run(
        "INSERT INTO epoch (key, n, started_at, reason) VALUES (?1, 1, ?2, 'first')",
        params![key.as_str(), ms(now)],
    )?;
    let id = tx.new_id(Table::Inbound)?;
    tx.run(
        "INSERT INTO inbound (id, source, event_id, key, epoch, principal, address, sender, sender_kind, roles,
                              platform_message, received_at, disposition, state, digest, body, attachments)
         SELECT ?1, ?2, ?3, key, 1, owner, address, owner_name, owner_kind, owner_roles, reply_to, ?4, 'turn', 'waiting', ?5,
                body, ?6
         FROM task WHERE id = ?7",
        params![
            id,
            SOURCE,
            task.to_string(),
            ms(now),
            digest(&body),
            files.filter(|files| !attachments(files).is_empty()),
            task.0
        ],
    )?;
    tx.run("UPDATE task SET placed_at = ?2 WHERE id = ?1", params![task.0, ms(now)])?;
    tx.queued(1);
    Ok(())
}
