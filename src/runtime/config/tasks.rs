//! Background tasks.

use std::time::Duration;

use frontdesk_core::config::ConfigError;
use frontdesk_store::row::{OpenTasks, TaskPlaces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest that a task may take, in minutes: a week.
const LONGEST: u64 = 7 * 24 * 60;

/// Background tasks: work that people hand over with `/background`, the API or the command line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Tasks {
    /// Maximum number of tasks that run at once.
    pub max_running: u32,
    /// Maximum number of one person's tasks that run at once.
    pub per_person: u32,
    /// Maximum number of tasks for one chat that run at once.
    pub per_chat: u32,
    /// Maximum number of tasks that wait or run; further ones are refused.
    pub max_open: u32,
    /// Maximum number of one person's tasks that wait or run; further ones are refused.
    pub max_open_per_person: u32,
    /// Maximum minutes that a task may take, unless it was submitted with another limit.
    pub time_limit_minutes: u64,
    /// Seconds between two updates of the message that shows a task's progress.
    pub progress_seconds: u64,
}

impl Default for Tasks {
    fn default() -> Self {
        Self {
            max_running: 4,
            per_person: 2,
            per_chat: 2,
            max_open: 1000,
            max_open_per_person: 50,
            time_limit_minutes: 120,
            progress_seconds: 5,
        }
    }
}

impl Tasks {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (path, value) in [
            ("tasks.max_running", self.max_running),
            ("tasks.per_person", self.per_person),
            ("tasks.per_chat", self.per_chat),
            ("tasks.max_open", self.max_open),
            ("tasks.max_open_per_person", self.max_open_per_person),
        ] {
            if value == 0 {
                return Err(ConfigError::new(path, "must be at least 1"));
            }
        }
        if !(1..=LONGEST).contains(&self.time_limit_minutes) {
            return Err(ConfigError::new("tasks.time_limit_minutes", "must be between 1 and 10080 (a week)"));
        }
        if !(1..=3600).contains(&self.progress_seconds) {
            return Err(ConfigError::new("tasks.progress_seconds", "must be between 1 and 3600 (an hour)"));
        }
        Ok(())
    }

    /// How many tasks may run at once.
    pub(crate) fn places(&self) -> TaskPlaces {
        TaskPlaces { total: self.max_running, per_person: self.per_person, per_chat: self.per_chat }
    }

    /// How many tasks may be open.
    pub(crate) fn open(&self) -> OpenTasks {
        OpenTasks { total: self.max_open, per_person: self.max_open_per_person }
    }

    /// How long a task may take that was submitted without a limit of its own.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(self.time_limit_minutes * 60)
    }

    /// How long a task may take that is submitted with a limit of its own: by an operator a week, by others as long as any.
    pub(crate) fn longest(&self, operator: bool) -> Duration {
        if operator { Duration::from_secs(LONGEST * 60) } else { self.limit() }
    }

    /// The pause between two updates of a task's progress.
    pub(crate) fn progress_every(&self) -> Duration {
        Duration::from_secs(self.progress_seconds)
    }
}
