//! `/background`, `/tasks` and `/cancel`: work is handed over, listed, run again and cancelled.

use chrono::{DateTime, Utc};
use frontdesk_core::access::Action;
use frontdesk_core::id::TaskId;
use frontdesk_core::key::Scope;
use frontdesk_core::span;
use frontdesk_core::task::{TaskSource, TaskState, title_of};
use frontdesk_core::visible::quoted_label;
use frontdesk_store::StoreError;
use frontdesk_store::row::{
    Author, CommandEffect, CommandFacts, InboundRow, MovedToTask, NewTask, TaskFilter, TaskFound, TaskOrder,
    TaskReach, TaskRow, TaskSubmitted,
};

use super::Plan;
use crate::shared::Shared;
use crate::tasks;

/// Tasks in one reply: as many as a phone shows without scrolling.
const LISTED: u32 = 10;

/// Hands over a text, or the answer under way.
pub(super) fn plan(shared: &Shared, row: &InboundRow, text: Option<String>) -> Plan {
    let (settings, now) = (shared.settings(), shared.time.wall());
    let text_of = text.clone().unwrap_or_default();
    let task = Box::new(NewTask {
        agent: row.session.agent().to_owned(),
        account: row.own_session().account().clone(),
        order: TaskOrder {
            // An answer that moves here keeps its own author.
            owner: row.from.clone(),
            origin: Some(row.session.clone()),
            address: row.address.clone(),
            delivers: true,
            reply_to: row.platform_message.clone(),
            source: TaskSource::Chat,
            title: title_of(&text_of),
            text: text_of,
            attachments: row.attachments.clone(),
            limit: settings.config.tasks.limit(),
            retry_of: None,
        },
        // Its effect is in the transaction that ends the command.
        request: None,
        open: settings.config.tasks.open(),
        // The gate has checked them already, and the claim of the task's turn checks them again.
        budgets: Vec::new(),
    });
    match text {
        Some(_) => {
            let title = task.order.title.clone();
            Plan::new(CommandEffect::Submit(task), move |facts| match facts {
                CommandFacts::Submitted(submitted) => told(submitted, &title, now),
                _ => String::new(),
            })
        }
        None => {
            let any = shared.may_for_all(&settings, row, Action::Moderate);
            Plan::new(CommandEffect::MoveToTask { task, any }, move |facts| moved(facts, now))
        }
    }
}

/// What the chat is told of an answer that was to go on in the background.
fn moved(facts: &CommandFacts, now: DateTime<Utc>) -> String {
    let CommandFacts::MovedToTask(moved) = facts else { return String::new() };
    match moved {
        MovedToTask::Moved(submitted, _) => return told(submitted, "the answer under way", now),
        MovedToTask::HasActed => {
            "The agent has already begun to act, so I cannot move this answer to the background."
        }
        MovedToTask::OfOthers => {
            "Only the person who asked for this answer, a moderator or an admin can move it to the background."
        }
        MovedToTask::OfSeveral => {
            "Several people asked for this answer, so I cannot move it to the background."
        }
        MovedToTask::Nothing => "No answer is under way. Send `/background` and what to work on.",
    }
    .to_owned()
}

/// What the chat is told of a submission.
fn told(submitted: &TaskSubmitted, title: &str, now: DateTime<Utc>) -> String {
    match submitted {
        TaskSubmitted::Stored(task) | TaskSubmitted::Known(task) => {
            format!(
                "⏳ Background task: {} ({task})\nThe result comes here. `/cancel {task}` stops it.",
                quoted_label(title)
            )
        }
        TaskSubmitted::PersonFull => {
            "You have too many open background tasks. /tasks lists them, and `/cancel` with an id ends one."
                .to_owned()
        }
        TaskSubmitted::Full => {
            "Too many background tasks are open at the moment. Please try again later.".to_owned()
        }
        TaskSubmitted::OverBudget(used_up) => used_up.sentence(now),
    }
}

/// Whose tasks a person may see and stop.
fn reach(shared: &Shared, row: &InboundRow) -> TaskReach {
    match shared.still_may(&shared.settings(), row, Action::Administer) {
        true => TaskReach::All,
        false => TaskReach::Own(row.from.id.clone()),
    }
}

/// Lists the person's tasks. Others read along in a group, so there only the tasks are listed that were handed over there.
pub(super) async fn list(shared: &Shared, row: &InboundRow) -> Result<Plan, StoreError> {
    let person = row.from.id.clone();
    let reach = match row.session.scope() {
        Scope::Dm => TaskReach::Own(person),
        _ => TaskReach::OwnInChat(person, row.session.clone()),
    };
    let filter = TaskFilter { reach, state: None, open: false, before: None };
    let tasks = shared.store.tasks(filter, LISTED).await?;
    if tasks.is_empty() {
        return Ok(Plan::say("You have no background tasks. Send `/background` and what to work on."));
    }
    let now = shared.time.wall();
    let lines: Vec<String> = tasks.iter().map(|task| line(task, now)).collect();
    Ok(Plan::say(format!(
        "{}\n\n`/cancel` with an id stops a task, and `/tasks retry` with an id runs one again.",
        lines.join("\n")
    )))
}

/// The open tasks that this chat has handed over, one line each.
pub(super) async fn open(shared: &Shared, row: &InboundRow) -> Result<Vec<String>, StoreError> {
    let reach = TaskReach::Chat(row.session.clone());
    let tasks =
        shared.store.tasks(TaskFilter { reach, state: None, open: true, before: None }, LISTED).await?;
    let now = shared.time.wall();
    let heading = (!tasks.is_empty()).then(|| "Background tasks of this chat:".to_owned());
    Ok(heading.into_iter().chain(tasks.iter().map(|task| line(task, now))).collect())
}

/// The open tasks of everybody, for admins. Others may read along, so it names owners and shows no words of theirs.
pub(super) async fn of_everybody(shared: &Shared) -> Result<String, StoreError> {
    let filter = TaskFilter { reach: TaskReach::All, state: None, open: true, before: None };
    let (tasks, open) = (shared.store.tasks(filter, LISTED).await?, shared.store.open_tasks().await?);
    if tasks.is_empty() {
        return Ok("There are no background tasks under way.".to_owned());
    }
    let now = shared.time.wall();
    let line = |task: &TaskRow| {
        let owner = quoted_label(task.order.owner.id.as_str());
        format!("- {}, {}, of {owner}: {}", task.id, span::relative(task.created, now), state(task.state))
    };
    let lines: Vec<String> = tasks.iter().map(line).collect();
    let more = match open.saturating_sub(tasks.len() as u64) {
        0 => String::new(),
        more => format!("\nand {more} more. On the machine, `frontdesk tasks` lists all."),
    };
    Ok(format!("{}{more}\n\n`/cancel` with an id stops a task.", lines.join("\n")))
}

fn line(task: &TaskRow, now: DateTime<Utc>) -> String {
    let (title, progress) = (quoted_label(&task.order.title), task.progress.shown());
    let state = match task.state {
        TaskState::Running if !progress.is_empty() => quoted_label(&progress),
        other => state(other).to_owned(),
    };
    format!("- {}, {}: {title} {state}", task.id, span::relative(task.created, now))
}

fn state(state: TaskState) -> &'static str {
    match state {
        TaskState::Queued => "waits to begin",
        TaskState::Running => "is running",
        TaskState::Waiting => "waits for an answer",
        TaskState::Succeeded => "is done",
        TaskState::Cancelled => "was cancelled",
        TaskState::Failed => "has failed",
        TaskState::TimedOut => "took too long",
        TaskState::Lost => "was cut off",
    }
}

pub(super) fn cancel(shared: &Shared, row: &InboundRow, task: TaskId) -> Plan {
    let author = Author { name: row.from.id.to_string(), via: "chat" };
    let effect = CommandEffect::CancelTask { task, reach: reach(shared, row), author };
    Plan::new(effect, move |facts| match facts {
        CommandFacts::TaskCancelled(TaskFound::Done(_)) => format!("I have cancelled {task}."),
        CommandFacts::TaskCancelled(TaskFound::NotNow(_)) => format!("{task} has already ended."),
        _ => unknown(task),
    })
}

pub(super) async fn retry(shared: &Shared, row: &InboundRow, task: TaskId) -> Result<Plan, StoreError> {
    let (open, reach) = (shared.settings().config.tasks.open(), reach(shared, row));
    let now = shared.time.wall();
    let agent = tasks::successor(shared, task, reach.clone()).await?;
    let effect = CommandEffect::RetryTask { task, reach, agent, open };
    Ok(Plan::new(effect, move |facts| match facts {
        CommandFacts::TaskRetried(TaskFound::Done(submitted)) => {
            told(submitted, &format!("{task} once more"), now)
        }
        CommandFacts::TaskRetried(TaskFound::NotNow(_)) => {
            format!("{task} has not ended yet. `/cancel {task}` stops it.")
        }
        _ => unknown(task),
    }))
}

fn unknown(task: TaskId) -> String {
    format!("You have no background task {task}. /tasks lists yours.")
}
