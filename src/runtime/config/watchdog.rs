//! The watchdog: what counts as wrong with the gateway, and who is told.

use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use frontdesk_core::address::Address;
use frontdesk_core::config::ConfigError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest span of the watchdog, in minutes: a week.
const LONGEST: u64 = 7 * 24 * 60;

/// The watchdog, which tells people once when something is wrong with the gateway itself, and once when it is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Watchdog {
    /// Whether the gateway watches itself.
    pub enabled: bool,
    /// The chats that are told, such as `telegram:123456789`. Empty means the chat `main` of the page and the private
    /// chats of all admins.
    pub notify: Vec<String>,
    /// Minutes between two checks.
    pub check_minutes: u64,
    /// Hours until people are told again of something that is still wrong.
    pub remind_hours: u64,
    /// Minutes without a completed heartbeat after which people are told, but at least twice `heartbeat.minutes`. With
    /// `heartbeat.enabled = false` nobody is told.
    pub heartbeat_minutes: u64,
    /// Minutes that an account may be without contact to its platform.
    pub deaf_minutes: u64,
    /// Minutes that a message of a person may wait for its answer to begin.
    pub waiting_minutes: u64,
    /// Minutes that an outgoing message may wait to be delivered.
    pub delivery_minutes: u64,
    /// Megabytes that must be free on the disk of the home folder; 0 for no limit.
    pub disk_mb: u64,
    /// Milliseconds that a commit to the database may take; 0 for no limit.
    pub commit_ms: u64,
    /// A file that is written after each check, unless the check could not write to the database. `frontdesk doctor --probe`
    /// sees by its age that the gateway is dead. Unset means `last-check` in the home folder.
    pub file: Option<PathBuf>,
}

impl Default for Watchdog {
    fn default() -> Self {
        Self {
            enabled: true,
            notify: Vec::new(),
            check_minutes: 5,
            remind_hours: 6,
            heartbeat_minutes: 30,
            deaf_minutes: 15,
            waiting_minutes: 60,
            delivery_minutes: 15,
            disk_mb: 500,
            commit_ms: 2000,
            file: None,
        }
    }
}

impl Watchdog {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (path, minutes) in [
            ("watchdog.check_minutes", self.check_minutes),
            ("watchdog.remind_hours", self.remind_hours),
            ("watchdog.heartbeat_minutes", self.heartbeat_minutes),
            ("watchdog.deaf_minutes", self.deaf_minutes),
            ("watchdog.waiting_minutes", self.waiting_minutes),
            ("watchdog.delivery_minutes", self.delivery_minutes),
        ] {
            if !(1..=LONGEST).contains(&minutes) {
                return Err(ConfigError::new(path, "must be between 1 and 10080"));
            }
        }
        for (n, chat) in self.notify.iter().enumerate() {
            if let Err(error) = chat.parse::<Address>() {
                return Err(ConfigError::new(format!("watchdog.notify[{n}]"), error.to_string()));
            }
        }
        Ok(())
    }

    /// The chats that are told, if they are configured.
    pub(crate) fn chats(&self) -> Vec<Address> {
        self.notify.iter().filter_map(|chat| chat.parse().ok()).collect()
    }

    pub(crate) fn check_every(&self) -> Duration {
        Duration::from_secs(self.check_minutes * 60)
    }

    pub(crate) fn remind_after(&self) -> TimeDelta {
        TimeDelta::hours(i64::try_from(self.remind_hours).unwrap_or(i64::MAX >> 24))
    }

    pub(crate) fn deaf_after(&self) -> TimeDelta {
        minutes(self.deaf_minutes)
    }

    pub(crate) fn waiting_after(&self) -> TimeDelta {
        minutes(self.waiting_minutes)
    }

    pub(crate) fn delivered_within(&self) -> TimeDelta {
        minutes(self.delivery_minutes)
    }
}

fn minutes(minutes: u64) -> TimeDelta {
    TimeDelta::minutes(i64::try_from(minutes.min(LONGEST)).unwrap_or_default())
}
