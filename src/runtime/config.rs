//! The runtime's part of the configuration file.

mod budget;
mod delivery;
mod heartbeat;
mod job;
mod jobs;
mod joined;
mod limits;
mod media;
mod rules;
mod tasks;
mod watchdog;

use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) use budget::priced;
pub use budget::{Budgets, DayBudget, Price};
pub use delivery::{Ambiguous, BroadcastList, Delivery};
use frontdesk_core::config::ConfigError;
pub use frontdesk_core::config::{Assignment, Chat, Rate, Role, Routing, Sharing};
pub use frontdesk_core::queue_mode::QueueMode;
pub use frontdesk_core::quiet::QuietHours;
pub use frontdesk_core::reset::{ResetMode, ResetOverride};
pub use heartbeat::{ActiveHours, Heartbeat};
pub(crate) use job::checked;
pub use job::{FieldError, JobChange, JobDraft, JobMode, JobSchedule, JobTarget, JobTargetTable};
pub(crate) use jobs::NO_SECRET;
pub use jobs::{ConfiguredJob, Cron};
pub use joined::JoinedSessions;
pub use limits::Limits;
pub use media::Media;
pub use rules::ResetRules;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
pub use tasks::Tasks;
pub use watchdog::Watchdog;

/// Everything the runtime can be told. Every field has a default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// Conversations.
    pub sessions: Sessions,
    /// Messages that wait for an answer.
    pub queue: Queue,
    /// How many messages one person, one chat and one account may send, and how much they may use.
    pub limits: Limits,
    /// Turns: the runs of agents.
    pub turns: Turns,
    /// Background tasks.
    pub tasks: Tasks,
    /// Scheduled jobs: whether they run, and how many there may be.
    pub cron: Cron,
    /// Scheduled jobs: each is one `[[jobs]]`. Others can be made while the gateway runs.
    pub jobs: Vec<ConfiguredJob>,
    /// The delivery of outgoing messages.
    pub delivery: Delivery,
    /// What the agent looks at by itself, at intervals.
    pub heartbeat: Heartbeat,
    /// What counts as wrong with the gateway itself, and who is told.
    pub watchdog: Watchdog,
    /// Lists of chats for `frontdesk broadcast` and `POST /api/broadcast`, by name.
    pub broadcast: BTreeMap<String, BroadcastList>,
    /// Files that people send and files that agents send.
    pub media: Media,
    /// How long data is kept in the database.
    pub storage: Storage,
    /// Prices of models for a million tokens, by the names under which agents report the models. Where an agent reports no
    /// cost, it is computed from them.
    pub prices: BTreeMap<String, Price>,
    /// Roles, by name: what agents are given in the chats and for the people that have one.
    pub roles: BTreeMap<String, Role>,
}

/// Conversations.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Sessions {
    /// When a new conversation starts by itself.
    pub reset: Reset,
    /// Chats that share one conversation: each list names their sessions (`frontdesk sessions` shows them), and the first
    /// one is that of all. An answer goes to the chat that asked.
    pub shared: Vec<Vec<String>>,
}

/// When a new conversation starts by itself. A narrower level wins, field by field: chat, channel, scope, then these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Reset {
    /// What starts a new conversation: `idle` (time without a message), `daily` (an hour of the day), `both` (whichever
    /// comes first) or `none`.
    pub mode: ResetMode,
    /// With `idle` and `both`: minutes without a message after which the next message starts a new conversation.
    pub idle_minutes: u32,
    /// With `daily` and `both`: the hour, 0 to 23, after which the first message of the day starts a new conversation.
    pub hour: u8,
    /// The IANA time zone of that hour, such as `Europe/Berlin`. Unset means the machine's.
    pub timezone: Option<String>,
    /// With `daily` and `both`: minutes for which the person must have been silent before the new day starts a new
    /// conversation, so that it does not cut through one. 0 means that it does not wait; at most 720.
    pub quiet_minutes: u32,
    /// Whether the chat is told that a new conversation started, why, and how to return to the previous one.
    pub notify: bool,
    /// Other rules for a kind of chat: `dm`, `group`, `channel`, `topic`, `thread`, `member`.
    pub scope: BTreeMap<String, ResetOverride>,
    /// Other rules for one channel, by its name.
    pub channel: BTreeMap<String, ResetOverride>,
}

impl Default for Reset {
    fn default() -> Self {
        Self {
            mode: ResetMode::Idle,
            idle_minutes: 1440,
            hour: 4,
            timezone: None,
            quiet_minutes: 0,
            notify: true,
            scope: BTreeMap::new(),
            channel: BTreeMap::new(),
        }
    }
}

/// Messages that wait for an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Queue {
    /// What happens to messages that arrive while the agent is answering: `followup` answers them one by one,
    /// `collect` answers all of them in one turn, `steer` lets the agent take them into its answer where it can, and
    /// `interrupt` stops the answer. A channel and a chat can have their own (`queue_mode`), and people can choose one
    /// for their chat with `/queue MODE`.
    pub mode: QueueMode,
    /// What happens to an edit of a message that does not wait any more: `turn` answers it as a message of its own, `note`
    /// gives it to the agent with the next message, `ignore` drops it. An edit of a message that waits changes it.
    pub edits: LateEdits,
    /// Minutes after a message from which edits of it are ignored once it does not wait any more. Unset means never.
    pub edit_max_age_minutes: Option<u64>,
    /// With `collect`: how many milliseconds to wait for another message before the waiting ones are answered.
    pub debounce_ms: u64,
    /// Maximum number of messages that wait in one session; further ones are refused, and the sender is told.
    pub per_session: u32,
    /// Maximum number of messages that wait in all sessions; further ones are not accepted, so the platform keeps them
    /// and delivers them later.
    pub global: u64,
    /// Maximum minutes that a message waits; after that it is refused, and the sender is told. Unset means no limit.
    pub max_age_minutes: Option<u64>,
    /// Maximum size of a message's text, in bytes; a longer one is refused, and the sender is told.
    pub max_text: usize,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            mode: QueueMode::Followup,
            edits: LateEdits::Turn,
            edit_max_age_minutes: None,
            debounce_ms: 0,
            per_session: 32,
            global: 10_000,
            max_age_minutes: None,
            max_text: 256 * 1024,
        }
    }
}

/// What happens to an edit of a message that does not wait any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LateEdits {
    /// It is a message of its own.
    Turn,
    /// The agent gets it with the next message.
    Note,
    /// Nothing.
    Ignore,
}

/// Turns: the runs of agents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Turns {
    /// Maximum number of turns that run at once.
    pub max: usize,
    /// Seconds without any output of the agent after which a turn is stopped.
    pub progress_timeout_seconds: u64,
    /// Maximum seconds that a turn may take.
    pub hard_limit_seconds: u64,
    /// Seconds that running turns have to end when the gateway stops.
    pub drain_seconds: u64,
    /// Milliseconds after the start of a turn at which "typing" is shown.
    pub typing_after_ms: u64,
    /// Maximum number of times that a turn is started if its agent or the gateway dies during it.
    pub max_attempts: u32,
    /// Maximum size of an answer, in bytes; the rest is cut off, and the answer says so.
    pub max_answer: usize,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            max: 64,
            progress_timeout_seconds: 120,
            hard_limit_seconds: 1800,
            drain_seconds: 5,
            typing_after_ms: 400,
            max_attempts: 2,
            max_answer: 1024 * 1024,
        }
    }
}

/// How many days rows are kept, and how large the write-ahead log may grow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Storage {
    /// Days that outgoing messages are kept after they were delivered or given up.
    pub outbox_days: u32,
    /// Days that refused messages are kept; at least 8, so that a late redelivery is still recognised.
    pub refused_days: u32,
    /// Days that events which could not be read are kept.
    pub dead_letter_days: u32,
    /// Days that messages and their answers are kept.
    pub history_days: u32,
    /// Days that entries of the audit are kept.
    pub audit_days: u32,
    /// The size of the database's write-ahead log, in megabytes, from which `/health` reports `degraded`; at least 64.
    /// The log grows while another program keeps a read transaction open.
    pub wal_warn_mb: u32,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            outbox_days: 14,
            refused_days: 8,
            dead_letter_days: 30,
            history_days: 365,
            audit_days: 365,
            wal_warn_mb: 256,
        }
    }
}

/// Ten years: longer waits are mistakes, and would not fit the calendar.
const MAX_HOURS: u64 = 10 * 365 * 24;
/// A hundred years.
const MAX_DAYS: u32 = 36_500;
/// A week.
const MAX_TURN_SECONDS: u64 = 7 * 24 * 3600;

impl Config {
    /// Checks what the types cannot say.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |path: &str, problem: &str| Err(ConfigError::new(path, problem));
        for (path, is_zero) in [
            ("queue.per_session", self.queue.per_session == 0),
            ("queue.global", self.queue.global == 0),
            ("turns.max", self.turns.max == 0),
            ("turns.max_attempts", self.turns.max_attempts == 0),
        ] {
            if is_zero {
                return wrong(path, "must be at least 1");
            }
        }
        for (path, seconds) in [
            ("turns.progress_timeout_seconds", self.turns.progress_timeout_seconds),
            ("turns.hard_limit_seconds", self.turns.hard_limit_seconds),
        ] {
            if !(1..=MAX_TURN_SECONDS).contains(&seconds) {
                return wrong(path, "must be between 1 and 604800 (a week)");
            }
        }
        if self.turns.drain_seconds > 3600 {
            return wrong("turns.drain_seconds", "must be at most 3600 (an hour)");
        }
        for (path, ms) in [
            ("turns.typing_after_ms", self.turns.typing_after_ms),
            ("queue.debounce_ms", self.queue.debounce_ms),
        ] {
            if ms > 3_600_000 {
                return wrong(path, "must be at most 3600000 (an hour)");
            }
        }
        for (path, age) in [
            ("queue.max_age_minutes", self.queue.max_age_minutes),
            ("queue.edit_max_age_minutes", self.queue.edit_max_age_minutes),
        ] {
            if age.is_some_and(|age| !(1..=MAX_HOURS * 60).contains(&age)) {
                return wrong(path, "must be between 1 and 5256000 (ten years); leave it out for ever");
            }
        }
        self.delivery.check()?;
        self.broadcast.iter().try_for_each(|(name, list)| list.check(name))?;
        self.media.check()?;
        self.tasks.check()?;
        self.heartbeat.check()?;
        self.watchdog.check()?;
        jobs::check(&self.cron, &self.jobs)?;
        self.limits.check()?;
        self.prices.iter().try_for_each(|(model, price)| price.check(model))?;
        let kept = &self.storage;
        let days =
            [kept.outbox_days, kept.refused_days, kept.dead_letter_days, kept.history_days, kept.audit_days];
        if days.iter().any(|days| *days > MAX_DAYS) {
            return wrong("storage", "rows are kept at most 36500 days (a hundred years)");
        }
        if kept.wal_warn_mb < 64 {
            return wrong("storage.wal_warn_mb", "must be at least 64: a smaller log is normal");
        }
        if self.storage.refused_days < 8 || self.storage.history_days < 8 {
            return wrong(
                "storage",
                "messages are kept at least 8 days, so that a late redelivery is still recognised",
            );
        }
        Ok(())
    }
}

impl Turns {
    /// The longest silence of a running turn.
    pub fn progress_timeout(&self) -> Duration {
        Duration::from_secs(self.progress_timeout_seconds)
    }

    /// The longest turn.
    pub fn hard_limit(&self) -> Duration {
        Duration::from_secs(self.hard_limit_seconds)
    }
}
