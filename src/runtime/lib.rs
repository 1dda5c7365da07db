//! The running gateway: accepts messages, runs turns, sends answers. It names no platform and no agent.

mod access;
mod access_change;
mod active_agents;
mod activity;
mod adapters;
mod albums;
mod announcer;
mod ask_deadlines;
mod asks;
mod budgets;
mod client_tools;
mod code_fence;
mod commands;
pub mod config;
mod error;
mod failures;
mod flow;
mod gate;
pub mod handle;
mod health;
mod heartbeat;
mod hooks;
mod inbound;
mod instructions;
mod jobs;
mod lanes;
mod last_check;
mod limits;
mod logins;
mod marking;
mod media;
mod minutes;
mod open_questions;
mod operators;
mod outbox;
mod process;
mod random;
mod recent_events;
mod reload;
mod renderer;
mod reported;
mod running;
mod running_turns;
mod scheduler;
mod sending;
mod session_status;
mod settings;
mod setup;
mod shared;
mod signed_post;
mod sweep;
mod task_changes;
mod tasks;
mod time;
mod tools;
mod turn;
mod unreadable;
mod voice;
mod waiting_marks;
mod watchdog;
mod work;

pub use access::{AllowedAction, AllowedGroup, ConfiguredAccess};
pub use activity::{Activity, Step};
pub use adapters::Account;
pub use client_tools::ClientOffer;
pub use config::Config;
pub use handle::{
    AccessEntry, AccessView, AgentLoad, AgentState, Broadcast, BudgetView, EventRequest, EventStored,
    EventTarget, GatewayError, GatewayHandle, GroupList, GroupView, Health, JobFault, JobRequest, OpenFile,
    SendRequest, Status, Switched, TaskError, TaskPlace, TaskRequest,
};
pub use media::{Described, IncomingFile, MediaError, UploadError};
pub use process::{Lifecycle, ToolEndpoints};
pub use reload::{Next, NextAgent, Part, ReloadError, TakenOver};
pub use running::Running;
pub use session_status::{OptionStatus, SessionStatus};
pub use signed_post::{next_attempt, signed_post};
pub use tools::tool_names;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use chrono_tz::Tz;
use frontdesk_core::access::ChannelAccess;
use frontdesk_core::account::AccountId;
use frontdesk_core::address::Principal;
use frontdesk_core::hook::Hook;
use frontdesk_core::id::BootId;
use frontdesk_core::port::{Adapter, Agent, Clock, WebhookSender};
use frontdesk_core::profile::Profile;
use frontdesk_core::voice::Transcriber;
use frontdesk_store::row::Scope;

/// Checks an id before something is granted to it; the error is one sentence for the admin. Each platform's ids have
/// their own form.
pub type GrantRule = Arc<dyn Fn(&Principal, &Scope) -> Result<(), String> + Send + Sync>;

/// Everything that a gateway is built from.
pub struct Setup {
    /// The configuration.
    pub config: Config,
    /// The database file.
    pub database: PathBuf,
    /// Identifies this run of the process.
    pub boot: BootId,
    /// The machine's time zone, for rules that name none.
    pub timezone: Tz,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The agents, by name.
    pub agents: BTreeMap<String, AgentEntry>,
    /// The agent of chats that name none.
    pub default_agent: String,
    /// What transcribes recordings, if something is set up.
    pub transcriber: Option<Arc<dyn Transcriber>>,
    /// One per account of a platform.
    pub adapters: Vec<Arc<dyn Adapter>>,
    /// The profile of every channel that an account can be configured for. What is written for a channel without one waits, in the
    /// form in which it will be sent.
    pub channels: Vec<Profile>,
    /// The media folder; created if it is missing.
    pub media: PathBuf,
    /// The random secret from which pairing codes are derived, kept outside of the database. After a change, codes that
    /// were sent before are invalid.
    pub secret: [u8; 32],
    /// Where messages go, by account.
    pub routing: BTreeMap<AccountId, config::Routing>,
    /// Who may write, by account.
    pub access: BTreeMap<AccountId, ChannelAccess>,
    /// Problems of the configuration, one sentence each, for the status.
    pub problems: Vec<String>,
    /// Checked before an admin grants anything, in a chat or through the API.
    pub grant_rule: GrantRule,
    /// The configuration without secrets, which hooks are given.
    pub shown: serde_json::Value,
    /// The operator's hooks.
    pub hooks: Vec<Arc<dyn Hook>>,
    /// The operator of the gateway, in whose name jobs of the configuration run that name nobody else.
    pub operator: Principal,
    /// Folders in which `HEARTBEAT.md` and `BOOT.md` are looked for if the configuration names no file. The first that
    /// exists is used.
    pub instructions: Vec<PathBuf>,
    /// Posts the results of jobs to web servers.
    pub webhooks: Arc<dyn WebhookSender>,
    /// Whether the program does what [`GatewayHandle::lifecycle`] reports. If not, admins are told that another program
    /// runs this gateway.
    pub obeys_admins: bool,
    /// Where the programs of agents find the tools, if a server serves them. Turns of an earlier process go on at once.
    pub tool_endpoints: Option<ToolEndpoints>,
}

/// One agent.
#[derive(Clone)]
pub struct AgentEntry {
    /// The agent.
    pub agent: Arc<dyn Agent>,
    /// How many of its turns may run at once.
    pub max_turns: Option<usize>,
}

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] frontdesk_core::config::ConfigError),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] frontdesk_store::OpenError),
    /// The database failed during the start.
    #[error(transparent)]
    Store(#[from] frontdesk_store::StoreError),
    /// The media folder cannot be used.
    #[error("the folder for files cannot be used: {0}")]
    Media(std::io::Error),
}
