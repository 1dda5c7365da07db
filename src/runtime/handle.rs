//! The handle of a running gateway for the API, the library and the command line.

mod access;
mod activity;
mod asks;
mod budgets;
mod callbacks;
mod charts;
mod events;
mod files;
mod groups;
mod jobs;
mod reload;
mod send;
mod start;
mod tasks;
mod tokens;
mod tools;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use frontdesk_core::access::{Action, Context, Decision, Requester};
use frontdesk_core::address::Address;
use frontdesk_core::delivery::Ending;
use frontdesk_core::failover::Failover;
use frontdesk_core::id::{MessageId, OutId, TurnId};
use frontdesk_core::key::{Scope, SessionKey};
use frontdesk_core::port::Clock;
use frontdesk_store::row::{
    Author, EpochReason, InboundRow, OutboxRow, OutboxState, SessionChange, SessionRow, SpentRow, Stopped,
    Totals,
};
use frontdesk_store::{StoreError, StoreReader};

use crate::adapters::{Account, Login};
pub use crate::error::{GatewayError, JobFault, TaskError};
use crate::session_status::SessionStatus;
use crate::shared::Shared;
use crate::voice::ActiveTranscriber;
use crate::{health, media};

pub use access::{AccessEntry, AccessView, Switched};
pub use budgets::BudgetView;
pub use events::{EventRequest, EventStored, EventTarget};
pub use files::OpenFile;
pub use groups::{GroupList, GroupView};
pub use jobs::JobRequest;
pub use reload::AgentLoad;
pub use send::{Broadcast, SendRequest};
pub use tasks::{TaskPlace, TaskRequest};

/// A handle; clones share the gateway.
#[derive(Clone)]
pub struct GatewayHandle(pub(crate) Arc<Shared>);

/// What the health says while the configuration file cannot be used.
const CONFIG_ERROR: &str = "the configuration file is wrong, so the previous configuration stays in use; `frontdesk \
                            status` shows the error";

/// The health of the gateway.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Health {
    /// Problems, one sentence each; empty if the gateway is healthy.
    pub degraded: Vec<String>,
}

/// One agent, as the status shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentState {
    /// Its name.
    pub name: String,
    /// Number of its running turns.
    pub running: usize,
    /// Why it cannot answer.
    pub problem: Option<String>,
    /// The models or agents that may answer for it; `None` if it answers alone.
    pub failover: Option<Failover>,
}

/// The status of the gateway.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// When it started.
    pub started: DateTime<Utc>,
    /// Its boot id.
    pub boot: String,
    /// Accounts.
    pub accounts: Vec<Account>,
    /// Agents.
    pub agents: Vec<AgentState>,
    /// Problems of the configuration, such as a channel whose token is empty.
    pub unconfigured: Vec<String>,
    /// Why the configuration file cannot be used, with file, line and reason; `None` if it is in use.
    pub config_error: Option<String>,
    /// Counts of rows.
    pub totals: Totals,
    /// Number of background tasks that have not ended.
    pub tasks: u64,
    /// Number of scheduled jobs, whatever their state.
    pub jobs: u64,
    /// When the next run of a job is due.
    pub next_run: Option<DateTime<Utc>>,
    /// What the watchdog's last check has found wrong, one text each.
    pub faults: Vec<String>,
    /// What each agent has used today, by name.
    pub today: Vec<SpentRow>,
    /// Health.
    pub health: Health,
}

impl Status {
    /// Every problem, one sentence each. Includes, beyond [`Health`], accounts that are not ready, agents that cannot
    /// answer and what the watchdog has found.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.health.degraded.clone();
        for account in self.accounts.iter().filter(|account| !account.ready && account.stopped.is_none()) {
            let id = &account.id;
            problems.push(match (account.refused, &account.error) {
                (true, _) => {
                    format!("{id}: token refused; put the right one into the configuration and run `frontdesk config reload`")
                }
                (false, Some(error)) => format!("{id} is not connected: {error}"),
                (false, None) => format!("{id} is not connected yet"),
            });
        }
        let agents = self.agents.iter().filter_map(|agent| Some((&agent.name, agent.problem.as_ref()?)));
        problems.extend(agents.map(|(name, problem)| format!("agent {name} cannot answer: {problem}")));
        problems.extend(self.unconfigured.iter().cloned());
        problems.extend(self.faults.iter().cloned());
        problems.extend(self.config_error.iter().flat_map(|error| error.lines()).map(str::to_owned));
        problems
    }
}

impl GatewayHandle {
    /// The database, to read lists and histories. Whoever has this handle changes nothing past the runtime.
    pub fn store(&self) -> &StoreReader {
        &self.0.store
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        self.0.time.clock()
    }

    /// Whether a requester may do something, by the rule that messages and commands are subject to as well.
    pub fn authorize(&self, who: Requester<'_>, context: Context<'_>, action: Action) -> Decision {
        self.0.authorize(&self.0.settings(), who, context, action)
    }

    /// The status of the gateway.
    pub async fn status(&self) -> Result<Status, GatewayError> {
        let totals = self.0.store.totals().await?;
        let settings = self.0.settings();
        let today = self.0.spent_today(&settings).await?;
        let agents = settings.agents.iter().map(|(name, entry)| AgentState {
            name: name.clone(),
            running: self.0.work.turns.running_in(name),
            problem: entry.agent.problem(),
            failover: entry.agent.failover(None),
        });
        let agents = agents.collect();
        let voice = settings.voice.as_ref().and_then(ActiveTranscriber::problem);
        let of_jobs = self.0.work.jobs.problems.borrow().clone();
        let unreachable = self.0.unreachable_chats(&settings);
        let (jobs, next_run) = self.0.store.job_totals().await?;
        let tasks = self.0.store.open_tasks().await?;
        Ok(Status {
            started: self.0.process.started,
            boot: self.0.process.boot.clone(),
            accounts: self.accounts(),
            agents,
            unconfigured: settings
                .problems
                .iter()
                .cloned()
                .chain(voice)
                .chain(of_jobs)
                .chain(unreachable)
                .collect(),
            config_error: self.0.process.config_error.borrow().clone(),
            totals,
            tasks,
            jobs,
            next_run,
            faults: self.0.last_check.found(),
            today,
            health: self.health(),
        })
    }

    /// The state of a session and of its current conversation; `None` if there is no such session.
    pub async fn session_status(&self, session: &SessionKey) -> Result<Option<SessionStatus>, GatewayError> {
        // Who writes next in a private chat is not known here.
        let role = self.0.role_of(&self.0.settings(), session, std::iter::empty::<&InboundRow>());
        Ok(self.0.session_status(session, role.as_deref()).await?)
    }

    /// When the process started.
    pub fn started(&self) -> DateTime<Utc> {
        self.0.process.started
    }

    /// The names of the agents.
    pub fn agents(&self) -> Vec<String> {
        self.0.settings().agents.keys().cloned().collect()
    }

    /// The health of the gateway. Never depends on a platform, and never waits for the database.
    pub fn health(&self) -> Health {
        let waiting = self.0.store.waiting();
        let settings = self.0.settings();
        let full = (waiting >= settings.config.queue.global)
            .then(|| format!("the queue is full: {waiting} messages wait, and new ones are not taken"));
        let stopping = self.0.process.closing.is_cancelled().then(|| "shutting down".to_owned());
        let log = health::log_excess(&self.0.store, settings.config.storage.wal_warn_mb);
        // Everybody may read this, so it does not quote the file.
        let config = self.0.process.config_error.borrow().is_some().then(|| CONFIG_ERROR.to_owned());
        let unfinished = self.0.process.reload_unfinished.borrow();
        let unfinished = unfinished.iter().map(|what| format!("the configuration is in use, but {what}"));
        let degraded = [self.0.health.fault(), full, log, config, stopping].into_iter().flatten();
        Health { degraded: degraded.chain(unfinished).collect() }
    }

    /// The configuration in use, without secrets.
    pub fn shown_config(&self) -> Arc<serde_json::Value> {
        self.0.settings().shown.clone()
    }

    /// The state of every account.
    pub fn accounts(&self) -> Vec<Account> {
        self.0.adapters.list()
    }

    /// The session of messages from this address, by the current routing. Only for channels in which an address is a
    /// conversation with one person (the web).
    pub fn session_at(&self, address: &Address) -> Result<SessionKey, GatewayError> {
        self.session_with(self.0.agent_at(&self.0.settings(), address), address)
    }

    /// The session of messages from this address to this agent, on the same channels.
    pub fn session_with(&self, agent: &str, address: &Address) -> Result<SessionKey, GatewayError> {
        let own = SessionKey::at(agent, address.account(), Scope::Dm, address.chat(), None, None)
            .map_err(|error| GatewayError::Invalid(error.to_string()))?;
        Ok(self.0.joined(&self.0.settings(), own).session)
    }

    /// Why a stored part is not sent, if its account cannot send it; `None` for a part that waits for nothing but its turn.
    pub fn why_it_waits(&self, row: &OutboxRow) -> Option<String> {
        let account = row.address.account();
        if row.state != OutboxState::Queued {
            return None;
        }
        match self.0.adapters.get(account) {
            None => Some(format!("{account} is not in the configuration, so the message waits until it is")),
            Some(connection) if connection.login() == Login::Another => Some(format!(
                "{account} has the token of another bot, so the message waits until that bot has connected"
            )),
            Some(_) => None,
        }
    }

    /// Why a turn failed, for the owner: the agent's error may quote what it was asked. Known only for the latest turns,
    /// and not after a restart.
    pub fn why_failed(&self, turn: TurnId) -> Option<String> {
        self.0.work.failures.of(turn)
    }

    /// Begins a new epoch and returns it. A running turn continues, and its answer is still sent.
    pub async fn reset(&self, session: &SessionKey, author: &Author) -> Result<u64, GatewayError> {
        let (shared, session, author) = (self.0.clone(), session.clone(), author.clone());
        self.to_its_end(async move {
            let epoch = shared.store.reset(&session, EpochReason::Api, &author, shared.time.wall()).await?;
            let epoch = epoch.ok_or_else(|| GatewayError::NotFound(format!("session {session}")))?;
            shared.conversation_changed(&session);
            Ok(epoch)
        })
        .await
    }

    /// Changes how a session is listed.
    pub async fn list_session_as(
        &self,
        session: &SessionKey,
        change: SessionChange,
    ) -> Result<(), GatewayError> {
        match self.0.store.list_session_as(session, change, self.0.time.wall()).await? {
            true => Ok(()),
            false => Err(GatewayError::NotFound(format!("session {session}"))),
        }
    }

    /// Cancels the running turn and the waiting messages; returns how many there were of each.
    pub async fn cancel(
        &self,
        session: &SessionKey,
        author: &Author,
    ) -> Result<(usize, usize), GatewayError> {
        let SessionRow { key, address, .. } = self.known(session).await?;
        let (shared, author) = (self.0.clone(), author.clone());
        self.to_its_end(async move {
            let stopped = shared.store.cancel(&key, &author, shared.time.wall()).await?;
            let counts = (stopped.running.len(), stopped.waiting.len());
            shared.stopped(&key, &address, stopped, Ending::Cancelled).await;
            Ok(counts)
        })
        .await
    }

    /// Cancels one message whose sender no longer waits for its answer. A turn that answers others too runs on.
    pub async fn cancel_message(&self, message: MessageId) -> Result<bool, GatewayError> {
        let shared = self.0.clone();
        self.to_its_end(async move {
            let stopped = shared.store.cancel_message(message, shared.time.wall()).await?;
            let Some(stopped) = stopped else { return Ok(false) };
            let ended = match stopped.turn {
                Some(turn) => Stopped { running: vec![turn], waiting: Vec::new() },
                None => Stopped { running: Vec::new(), waiting: vec![message] },
            };
            shared.stopped(&stopped.session, &stopped.address, ended, Ending::Cancelled).await;
            Ok(true)
        })
        .await
    }

    /// Cancels everything and erases the session's messages. Its epoch numbers are never used again.
    pub async fn erase(&self, session: &SessionKey, author: &Author) -> Result<(), GatewayError> {
        let SessionRow { key, address, epoch, .. } = self.known(session).await?;
        let (shared, author) = (self.0.clone(), author.clone());
        self.to_its_end(async move {
            let files = shared.store.session_files(&key).await?;
            let erased = shared.store.erase(&key, &author, shared.time.wall()).await?;
            if erased.is_some() {
                shared.conversation_changed(&key);
            }
            shared.stopped(&key, &address, erased.unwrap_or_default(), Ending::Cancelled).await;
            // Files that another session names are kept.
            media::sweep::delete_unused(shared.media_files(), files).await?;
            if let Some(entry) = shared.settings().agents.get(key.agent()) {
                entry.agent.forget(&key, epoch).await;
            }
            Ok(())
        })
        .await
    }

    /// Queues a dead or unknown part again.
    pub async fn retry_part(&self, id: OutId, author: &Author) -> Result<(), GatewayError> {
        let (shared, author) = (self.0.clone(), author.clone());
        self.to_its_end(async move {
            let address = shared.store.part_retried(id, &author, shared.time.wall()).await?;
            moved(&shared, id, address, ("sent again", "dead or unknown")).await
        })
        .await
    }

    /// Gives a part up.
    pub async fn drop_part(&self, id: OutId, author: &Author) -> Result<(), GatewayError> {
        let (shared, author) = (self.0.clone(), author.clone());
        self.to_its_end(async move {
            let address = shared.store.part_dropped(id, &author, shared.time.wall()).await?;
            // If it was a question, that ends.
            shared.work.asks.note_change();
            moved(&shared, id, address, ("dropped", "queued, dead or unknown")).await
        })
        .await
    }

    /// Deletes one dead letter, or all of them; returns how many there were.
    pub async fn drop_dead_letters(&self, id: Option<i64>, author: &Author) -> Result<u64, GatewayError> {
        Ok(self.0.store.dead_letters_dropped(id, author, self.0.time.wall()).await?)
    }

    /// Runs an operation that continues if the caller disconnects, because running and waiting turns must be told of what
    /// was stored.
    async fn to_its_end<T: Send + 'static>(
        &self,
        operation: impl Future<Output = Result<T, GatewayError>> + Send + 'static,
    ) -> Result<T, GatewayError> {
        self.finished(operation, StoreError::Closed.into()).await
    }

    /// Runs an operation that continues if the caller disconnects. `ended` is the error if the gateway ends first.
    pub async fn finished<T: Send + 'static, E: Send + 'static>(
        &self,
        operation: impl Future<Output = Result<T, E>> + Send + 'static,
        ended: E,
    ) -> Result<T, E> {
        self.0.work.finished(operation, ended).await
    }

    async fn known(&self, session: &SessionKey) -> Result<SessionRow, GatewayError> {
        let row = self.0.store.session(session).await?;
        row.ok_or_else(|| GatewayError::NotFound(format!("session {session}")))
    }
}

/// Wakes the delivery to the address of a changed part. Without one the error names the state that forbids the change.
async fn moved(
    shared: &Shared,
    id: OutId,
    address: Option<Address>,
    (done, states): (&str, &str),
) -> Result<(), GatewayError> {
    if let Some(address) = address {
        shared.work.outbox.wake(&address);
        return Ok(());
    }
    Err(GatewayError::NotFound(match shared.store.part_state(id).await? {
        None => format!("message {id}"),
        Some(state) => {
            let state = state.name();
            format!("message {id} that can be {done}: it is {state}, and only one that is {states} can be")
        }
    }))
}
