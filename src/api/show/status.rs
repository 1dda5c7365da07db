//! The state of the gateway, its accounts and its agents.

use frontdesk_core::failover::{self, CandidateState};
use frontdesk_core::token::TokenScope;
use frontdesk_runtime as runtime;
use frontdesk_store::row::{self, SpentRow};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Timestamp, escaped, maybe};

/// Whether the process is healthy. A platform that is down does not count.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Health {
    #[schemars(extend("enum" = ["ok", "degraded"]))]
    pub(crate) status: &'static str,
    /// What is wrong, one sentence each.
    pub(crate) reasons: Vec<String>,
    pub(crate) version: &'static str,
}

/// Whether every account is connected.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Readiness {
    pub(crate) ready: bool,
    pub(crate) accounts: Vec<ReadyAccount>,
}

/// An account: with a token all of it, without one only whether it is ready.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum ReadyAccount {
    Whole(Account),
    Public(PublicAccount),
}

/// The account of a bot or a login on a platform.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Account {
    channel: String,
    account: String,
    ready: bool,
    /// `ready`, `not ready`, `token refused` or `stopped by NAME`.
    state: String,
    /// When `ready` last changed.
    since: Timestamp,
    /// When the platform was last heard from.
    last_heard: Option<Timestamp>,
    /// The last error of its connection.
    error: Option<String>,
}

/// An account as callers without a token see it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PublicAccount {
    channel: String,
    account: String,
    ready: bool,
}

impl From<&runtime::Account> for Account {
    fn from(account: &runtime::Account) -> Self {
        Self {
            channel: account.id.channel().to_owned(),
            account: account.id.name().to_owned(),
            ready: account.ready,
            state: match &account.stopped {
                Some(by) => format!("stopped by {}", escaped(by)),
                None if account.ready => "ready".to_owned(),
                None if account.refused => "token refused".to_owned(),
                None => "not ready".to_owned(),
            },
            since: account.since.into(),
            last_heard: maybe(account.last_heard),
            error: account.error.clone(),
        }
    }
}

impl From<&runtime::Account> for PublicAccount {
    fn from(account: &runtime::Account) -> Self {
        let (channel, name) = (account.id.channel().to_owned(), account.id.name().to_owned());
        Self { channel, account: name, ready: account.ready }
    }
}

/// The status of the gateway with its counts.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct GatewayStatus {
    #[schemars(extend("enum" = ["ok", "degraded"]))]
    status: &'static str,
    /// What is wrong, one sentence each.
    reasons: Vec<String>,
    version: &'static str,
    started: Timestamp,
    /// The id of this start of the process.
    boot: String,
    accounts: Vec<Account>,
    agents: Vec<AgentStatus>,
    totals: Totals,
    /// Number of background tasks that have not ended.
    tasks: u64,
    /// Number of scheduled jobs, whatever their state.
    jobs: u64,
    /// When the next run of a job is due.
    next_run: Option<Timestamp>,
    /// What each agent has used today.
    today: Vec<Spent>,
    /// Number of open pairing requests.
    pairing: usize,
    /// Number of clients that are connected now.
    clients: usize,
    caller: StatusCaller,
}

/// Who asks.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StatusCaller {
    /// The person for whom the token stands.
    pub(crate) token: String,
    #[schemars(extend("enum" = TokenScope::ALL.map(TokenScope::name)))]
    pub(crate) scope: &'static str,
}

/// One agent.
#[derive(Debug, Serialize, JsonSchema)]
struct AgentStatus {
    name: String,
    /// Number of its running turns.
    running: usize,
    /// Why it cannot answer.
    problem: Option<String>,
    failover: Option<Failover>,
}

/// Counts of rows.
#[derive(Debug, Serialize, JsonSchema)]
struct Totals {
    sessions: u64,
    waiting: u64,
    running: u64,
    asks: u64,
    outbox: u64,
    dead_parts: u64,
    dead_letters: u64,
    dead_letters_deleted: u64,
    oldest_waiting: Option<Timestamp>,
    oldest_part: Option<Timestamp>,
}

/// Turns, tokens and cost of one agent on one day.
#[derive(Debug, Serialize, JsonSchema)]
struct Spent {
    agent: String,
    turns: u64,
    input_tokens: u64,
    output_tokens: u64,
    /// In millionths of the currency in which the agent counts.
    cost_micro: u64,
}

impl GatewayStatus {
    /// `counts`: open pairing requests, and connected clients.
    pub(crate) fn new(status: &runtime::Status, counts: (usize, usize), caller: StatusCaller) -> Self {
        let (pairing, clients) = counts;
        let agent = |agent: &runtime::AgentState| AgentStatus {
            name: agent.name.clone(),
            running: agent.running,
            problem: agent.problem.clone(),
            failover: agent.failover.as_ref().map(Failover::from),
        };
        let problems = status.problems();
        Self {
            status: if problems.is_empty() { "ok" } else { "degraded" },
            reasons: problems,
            version: env!("CARGO_PKG_VERSION"),
            started: status.started.into(),
            boot: status.boot.clone(),
            accounts: status.accounts.iter().map(Account::from).collect(),
            agents: status.agents.iter().map(agent).collect(),
            totals: (&status.totals).into(),
            tasks: status.tasks,
            jobs: status.jobs,
            next_run: maybe(status.next_run),
            today: status.today.iter().map(Spent::from).collect(),
            pairing,
            clients,
            caller,
        }
    }
}

impl From<&row::Totals> for Totals {
    fn from(totals: &row::Totals) -> Self {
        Self {
            sessions: totals.sessions,
            waiting: totals.waiting,
            running: totals.running,
            asks: totals.asks,
            outbox: totals.outbox,
            dead_parts: totals.dead_parts,
            dead_letters: totals.dead_letters,
            dead_letters_deleted: totals.dead_letters_deleted,
            oldest_waiting: maybe(totals.oldest_waiting),
            oldest_part: maybe(totals.oldest_part),
        }
    }
}

impl From<&SpentRow> for Spent {
    fn from(row: &SpentRow) -> Self {
        Self {
            agent: row.subject.clone(),
            turns: row.spent.turns,
            input_tokens: row.spent.input,
            output_tokens: row.spent.output,
            cost_micro: row.spent.cost_micro,
        }
    }
}

/// The models or agents that may answer, in their order, and the one that does.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Failover {
    answering: Option<String>,
    candidates: Vec<Candidate>,
}

/// A model or an agent that may answer.
#[derive(Debug, Serialize, JsonSchema)]
struct Candidate {
    name: String,
    /// The name with the host of the provider.
    place: String,
    /// `working`, `paused` or `probing`.
    state: &'static str,
    /// How it failed.
    reason: Option<String>,
    retry_in_seconds: Option<u64>,
    /// Number of pauses since the start.
    pauses: u64,
}

impl From<&failover::Failover> for Failover {
    fn from(failover: &failover::Failover) -> Self {
        let candidate = |candidate: &failover::Candidate| {
            let (why, left) = match &candidate.state {
                CandidateState::Working => (None, None),
                CandidateState::Paused { why, left } => (Some(why), Some(left.as_secs())),
                CandidateState::Probing { why } => (Some(why), None),
            };
            Candidate {
                name: candidate.name.clone(),
                place: candidate.place.clone(),
                state: candidate.state.name(),
                reason: why.cloned(),
                retry_in_seconds: left,
                pauses: candidate.pauses,
            }
        };
        Self {
            answering: failover.answering().map(|candidate| candidate.name.clone()),
            candidates: failover.candidates.iter().map(candidate).collect(),
        }
    }
}
