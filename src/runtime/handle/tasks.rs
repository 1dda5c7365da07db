//! Background tasks, for the API, the command line and the tool of agents.

use std::time::Duration;

use frontdesk_core::access::{Action, Context, Decision, Requester};
use frontdesk_core::account::NoSuchChannel;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::id::TaskId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Attachment, Sender, SenderKind};
use frontdesk_core::task::{TaskSource, title_of};
use frontdesk_core::visible::is_visible;
use frontdesk_store::row::{Author, NewTask, TaskOrder, TaskReach, TaskRow};

use super::{GatewayError, GatewayHandle, TaskError};
use crate::budgets::BudgetPlace;
use crate::settings::Settings;
use crate::tasks;

/// A task as a client hands it over.
#[derive(Debug, Clone)]
pub struct TaskRequest {
    /// Who hands it over. It runs with their permissions.
    pub owner: Principal,
    /// Whether the client may administer the gateway: then the result may go to any chat.
    pub operator: bool,
    /// By what it is handed over.
    pub source: TaskSource,
    /// The same for every repetition of one request, and different for all others; `None` if it is not repeated.
    pub key: Option<String>,
    /// The text that its agent gets.
    pub text: String,
    /// Files that come with it, stored already.
    pub files: Vec<Attachment>,
    /// Its title; `None` for the beginning of the text.
    pub title: Option<String>,
    /// The agent that works on it; `None` for the one that answers in its chat.
    pub agent: Option<String>,
    /// Where its result goes.
    pub place: TaskPlace,
    /// How long it may take; `None` for the configured limit.
    pub limit: Option<Duration>,
}

/// Where the result of a task goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskPlace {
    /// To nobody: the result waits to be fetched.
    Nowhere,
    /// This chat.
    Chat(Address),
    /// The chat of this session, whose conversation learns of it as well.
    Session(SessionKey),
}

/// Where a task belongs.
struct Destination {
    agent: String,
    address: Address,
    /// The session that gets the result as context, and whose clients see it.
    origin: Option<SessionKey>,
    delivers: bool,
}

impl GatewayHandle {
    /// The tasks that somebody may see, cancel and run again: their own, and as an admin all.
    pub fn task_reach(&self, who: &Principal) -> TaskReach {
        match self.authorize(Requester::person(who), Context::Dm, Action::Administer) {
            Decision::Allow => TaskReach::All,
            Decision::Pair | Decision::Deny(_) => TaskReach::Own(who.clone()),
        }
    }

    /// One task.
    pub async fn task(&self, id: TaskId, reach: TaskReach) -> Result<TaskRow, GatewayError> {
        tasks::task(&self.0, id, reach).await
    }

    /// Stores a task, which begins when the limits allow it. A repetition of a request returns the first task.
    pub async fn submit_task(&self, request: TaskRequest) -> Result<TaskRow, GatewayError> {
        let settings = self.0.settings();
        let (text, most) = (request.text.trim().to_owned(), settings.config.queue.max_text);
        if !is_visible(&text) {
            return Err(GatewayError::Invalid("the text is empty: write what the agent is to do".to_owned()));
        }
        if text.len() > most {
            return Err(GatewayError::Invalid(format!(
                "the text has more than {most} bytes (queue.max_text)"
            )));
        }
        let config = &settings.config.tasks;
        let (limit, longest) =
            (request.limit.unwrap_or_else(|| config.limit()), config.longest(request.operator));
        if limit < Duration::from_secs(1) || limit > longest {
            let longest = longest.as_secs();
            return Err(GatewayError::Invalid(format!("the time limit must be 1 to {longest} seconds")));
        }
        let Destination { agent, address, origin, delivers } = self.destination(&settings, &request).await?;
        let place = BudgetPlace { agent: &agent, chat: origin.as_ref(), address: &address };
        let now = self.0.time.wall();
        let budgets = self.0.limiting_budgets(&settings, &place, &request.owner, now);
        let task = NewTask {
            agent,
            account: address.account().clone(),
            order: TaskOrder {
                owner: Sender::new(request.owner, SenderKind::Person),
                origin,
                address,
                delivers,
                reply_to: None,
                source: request.source,
                title: title_of(request.title.as_deref().filter(|title| is_visible(title)).unwrap_or(&text)),
                text,
                attachments: request.files,
                limit,
                retry_of: None,
            },
            request: request.key,
            open: config.open(),
            budgets,
        };
        tasks::hand_over(&self.0, task).await
    }

    /// Cancels a task and returns it. One that is cancelled already stays as it is.
    pub async fn cancel_task(
        &self,
        id: TaskId,
        reach: TaskReach,
        author: Author,
    ) -> Result<TaskRow, GatewayError> {
        tasks::cancel(&self.0, id, reach, author).await
    }

    /// Runs an ended task again as a new task, in its owner's name, and returns the new one. `key` is the same for every
    /// repetition of one request.
    pub async fn retry_task(
        &self,
        id: TaskId,
        reach: TaskReach,
        key: Option<String>,
    ) -> Result<TaskRow, GatewayError> {
        tasks::retry(&self.0, id, reach, key).await
    }

    /// Where a task belongs, if its owner may have its result sent there.
    async fn destination(
        &self,
        settings: &Settings,
        request: &TaskRequest,
    ) -> Result<Destination, GatewayError> {
        let owner = &request.owner;
        let agent_at = |address: &Address| match &request.agent {
            Some(agent) => agent.clone(),
            None => self.0.agent_at(settings, address).to_owned(),
        };
        let destination = match &request.place {
            TaskPlace::Nowhere => {
                let address = Address::at(owner.account(), owner.id(), None)
                    .map_err(|error| GatewayError::Invalid(error.to_string()))?;
                Destination { agent: agent_at(&address), address, origin: None, delivers: false }
            }
            TaskPlace::Chat(address) => {
                let is_theirs = self.permitted(settings, request, address)?;
                // Readers of such a channel fetch what was sent by session.
                let origin = match self.0.is_read_by_session(address) && is_theirs {
                    true => Some(self.session_at(address)?),
                    false => None,
                };
                Destination { agent: agent_at(address), address: address.clone(), origin, delivers: true }
            }
            TaskPlace::Session(session) => {
                // Who may not write on that platform does not learn which sessions there are.
                if !request.operator && session.account() != owner.account() {
                    return Err(TaskError::NotAllowed.into());
                }
                let address = self.known(session).await?.address;
                let is_theirs = self.permitted(settings, request, &address)?;
                let origin = is_theirs.then(|| session.clone());
                let agent = request.agent.clone().unwrap_or_else(|| session.agent().to_owned());
                Destination { agent, address, origin, delivers: true }
            }
        };
        if settings.agents.contains_key(&destination.agent) {
            return Ok(destination);
        }
        let known: Vec<&str> = settings.agents.keys().map(String::as_str).collect();
        let (agent, known) = (&destination.agent, known.join(", "));
        Err(GatewayError::Invalid(format!("there is no agent {agent:?}; there are: {known}")))
    }

    /// Whether the owner of a task may write in a chat themselves. An operator may have results sent to others as well.
    fn permitted(
        &self,
        settings: &Settings,
        request: &TaskRequest,
        address: &Address,
    ) -> Result<bool, GatewayError> {
        if self.0.adapters.at(address).is_none() {
            let unknown = NoSuchChannel::new(address.account(), self.0.adapters.ids());
            return Err(GatewayError::Invalid(unknown.to_string()));
        }
        let is_theirs = self.0.may_write_at(settings, Requester::person(&request.owner), address);
        match is_theirs || request.operator {
            true => Ok(is_theirs),
            false => Err(TaskError::NotAllowed.into()),
        }
    }
}
