//! The tool for background tasks. It sees what its own chat has handed over, and changes only tasks of the people whose
//! messages the turn answers.

use frontdesk_core::id::{IdError, TaskId};
use frontdesk_core::key::Scope;
use frontdesk_core::message::{Sender, SenderKind};
use frontdesk_core::task::{TaskSource, cause, title_of};
use frontdesk_core::visible::is_visible;
use frontdesk_store::row::{NewTask, Reason, TaskFilter, TaskOrder, TaskReach, TaskRow};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Caller;
use super::own_chat::bounded;
use crate::budgets::BudgetPlace;
use crate::error::GatewayError;
use crate::tasks;

/// How many tasks are listed.
const LISTED: u32 = 20;
/// How much of a result a model is shown, in bytes.
const RESULT: usize = 16 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tasks {
    #[serde(default)]
    action: Action,
    id: Option<String>,
    text: Option<String>,
    title: Option<String>,
}

#[derive(Deserialize, Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
enum Action {
    #[default]
    List,
    Show,
    Submit,
    Cancel,
    Retry,
}

impl Caller<'_> {
    pub(super) async fn background_tasks(&self, id: &str, asked: Tasks) -> Result<String, GatewayError> {
        match asked.action {
            Action::List => self.list_tasks().await,
            Action::Show => Ok(shown(&self.task_of_chat(&asked).await?, true).to_string()),
            Action::Submit => self.submit_task(id, &asked).await,
            Action::Cancel => {
                let task = self.own_task(&asked).await?;
                let reach = TaskReach::Own(task.order.owner.id);
                let cancelled = tasks::cancel(self.shared, task.id, reach, self.author()).await?;
                Ok(format!("{} is cancelled.", cancelled.id))
            }
            Action::Retry => {
                let task = self.own_task(&asked).await?;
                self.count_task().await?;
                let (reach, key) = (TaskReach::Own(task.order.owner.id), Some(self.key(id)));
                let again = tasks::retry(self.shared, task.id, reach, key).await?;
                Ok(handed_over(again.id, again.order.delivers))
            }
        }
    }

    async fn list_tasks(&self) -> Result<String, GatewayError> {
        let filter = TaskFilter { reach: self.tasks_of_chat(), state: None, open: false, before: None };
        let tasks = self.shared.store.tasks(filter, LISTED).await?;
        Ok(tasks.iter().map(|task| shown(task, false)).collect::<Value>().to_string())
    }

    async fn submit_task(&self, id: &str, asked: &Tasks) -> Result<String, GatewayError> {
        let text = asked.text.as_deref().unwrap_or_default();
        if !is_visible(text) {
            return Err(GatewayError::Invalid("text: write what to do".to_owned()));
        }
        let parent = self.count_task().await?;
        let text = bounded(text)?.trim().to_owned();
        let title = asked.title.as_deref().filter(|title| is_visible(title)).map(bounded).transpose()?;
        let settings = self.shared.settings();
        let config = &settings.config.tasks;
        let (owner, chat) = (self.owner()?.clone(), Some(&self.turn.chat));
        let place = BudgetPlace { agent: self.session.agent(), chat, address: &self.turn.address };
        let now = self.shared.time.wall();
        let budgets = self.shared.limiting_budgets(&settings, &place, &owner.id, now);
        let task = NewTask {
            agent: self.session.agent().to_owned(),
            account: self.session.account().clone(),
            order: TaskOrder {
                owner,
                origin: match &parent {
                    Some(parent) => parent.order.origin.clone(),
                    None => Some(self.turn.chat.clone()),
                },
                address: self.turn.address.clone(),
                delivers: parent.is_none_or(|parent| parent.order.delivers),
                reply_to: None,
                source: TaskSource::Agent,
                title: title_of(title.as_deref().unwrap_or(&text)),
                text,
                attachments: Vec::new(),
                limit: config.limit(),
                retry_of: None,
            },
            request: Some(self.key(id)),
            open: config.open(),
            budgets,
        };
        let task = tasks::hand_over(self.shared, task).await?;
        Ok(handed_over(task.id, task.order.delivers))
    }

    /// Counts a task that the turn hands over, so that tasks cannot multiply: a task that an agent has handed over hands
    /// over none. Returns the task that the turn itself works on.
    async fn count_task(&self) -> Result<Option<TaskRow>, GatewayError> {
        let parent = self.own_parent().await?;
        if parent.as_ref().is_some_and(|parent| parent.order.source == TaskSource::Agent) {
            let why = "a background task that an agent has handed over cannot hand over further ones";
            return Err(GatewayError::Invalid(why.to_owned()));
        }
        match self.turn.may_hand_over() {
            true => Ok(parent),
            false => Err(GatewayError::Invalid("this answer has handed over too many tasks".to_owned())),
        }
    }

    /// The task that the turn works on.
    async fn own_parent(&self) -> Result<Option<TaskRow>, GatewayError> {
        let Ok(id) = self.session.id().parse() else { return Ok(None) };
        match self.session.scope() {
            Scope::Task => Ok(self.shared.store.task(TaskId(id), TaskReach::All).await?),
            _ => Ok(None),
        }
    }

    /// In whose name the turn hands over a task: that of the first person whose message it answers.
    pub(super) fn owner(&self) -> Result<&Sender, GatewayError> {
        let people = &self.turn.people;
        let person = people.iter().find(|sender| sender.kind == SenderKind::Person).or(people.first());
        person.ok_or_else(|| GatewayError::Invalid("no person takes part in this answer".to_owned()))
    }

    fn tasks_of_chat(&self) -> TaskReach {
        TaskReach::Chat(self.turn.chat.clone())
    }

    /// The named task, if this chat has handed it over.
    async fn task_of_chat(&self, asked: &Tasks) -> Result<TaskRow, GatewayError> {
        let id = asked.id.as_deref().ok_or_else(|| GatewayError::Invalid("id is missing".to_owned()))?;
        let id = id.trim().parse().map_err(|error: IdError| GatewayError::Invalid(error.to_string()))?;
        tasks::task(self.shared, id, self.tasks_of_chat()).await
    }

    /// The same, if it is also a task of somebody whose message the turn answers: only they and admins change it.
    async fn own_task(&self, asked: &Tasks) -> Result<TaskRow, GatewayError> {
        let task = self.task_of_chat(asked).await?;
        let is_own = self.turn.people.iter().any(|sender| sender.id == task.order.owner.id);
        match is_own || self.is_for_admin() {
            true => Ok(task),
            false => Err(GatewayError::Invalid(format!(
                "{} is somebody else's task: they and admins can change it, with /cancel or /tasks retry",
                task.id
            ))),
        }
    }
}

fn handed_over(task: TaskId, delivers: bool) -> String {
    match delivers {
        true => format!("Background task {task} is handed over. Its result comes to this chat by itself."),
        false => format!("Background task {task} is handed over."),
    }
}

/// A task as a model reads it.
fn shown(task: &TaskRow, whole: bool) -> Value {
    let mut shown = json!({
        "id": task.id.to_string(),
        "title": task.order.title,
        "state": task.state.name(),
        "progress": task.progress.shown(),
        "created": task.created.to_rfc3339(),
        "ended": task.finished.map(|at| at.to_rfc3339()),
    });
    if !whole {
        return shown;
    }
    let result = task.result.as_deref().filter(|_| task.state.has_ended()).unwrap_or_default();
    shown["text"] = task.order.text.as_str().into();
    shown["result"] = result[..result.floor_char_boundary(RESULT)].into();
    let failure = match task.error {
        Some(Reason::Failed(failure)) => Some(failure),
        _ => None,
    };
    shown["why"] = cause(task.state, failure, task.order.limit).into();
    shown
}
