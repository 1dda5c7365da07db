//! The heartbeat: when it runs, which files its agent gets, and which chat is told.

use std::path::PathBuf;

use chrono_tz::Tz;
use frontdesk_core::address::Address;
use frontdesk_core::config::ConfigError;
use frontdesk_core::hours::Hours;
use frontdesk_core::zone::parse_zone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The heartbeat: at intervals the agent reads a file and tells a chat what needs attention. Without the file there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Heartbeat {
    /// Whether the agent gets the two files: one at each heartbeat, the other after each start of the gateway.
    pub enabled: bool,
    /// Minutes between two heartbeats.
    pub minutes: u64,
    /// The file that the agent is given. Unset means `HEARTBEAT.md` in the home folder or, if that is `~/.frontdesk`, in `~`.
    pub file: Option<PathBuf>,
    /// The file that the agent is given once after each start of the gateway. Unset means `BOOT.md` in the home folder or, if
    /// that is `~/.frontdesk`, in `~`. Without the file nothing happens.
    pub boot_file: Option<PathBuf>,
    /// The chat that is told what needs attention, such as `telegram:123456789`. Unset means the first of the chats that
    /// the watchdog tells.
    pub to: Option<String>,
    /// The agent that gets the files. Unset means the one that answers in the chat `to`.
    pub agent: Option<String>,
    /// The hours in which heartbeats run. One that is due outside of them runs when they begin.
    pub active: ActiveHours,
    /// Whether a heartbeat is skipped while the file says the same as at the last one, so that an idle day costs no tokens.
    pub skip_unchanged: bool,
}

/// A part of each day. It may go over midnight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ActiveHours {
    /// When they begin, such as `08:00`.
    pub from: String,
    /// When they end, such as `22:00`; `24:00` is the end of the day.
    pub to: String,
    /// The IANA time zone, such as `Europe/Berlin`. Unset means that of `sessions.reset.timezone`, else the machine's.
    pub timezone: Option<String>,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self {
            enabled: true,
            minutes: 15,
            file: None,
            boot_file: None,
            to: None,
            agent: None,
            active: ActiveHours::default(),
            skip_unchanged: false,
        }
    }
}

impl Default for ActiveHours {
    fn default() -> Self {
        Self { from: "00:00".to_owned(), to: "24:00".to_owned(), timezone: None }
    }
}

impl Heartbeat {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !(1..=1440).contains(&self.minutes) {
            return Err(ConfigError::new("heartbeat.minutes", "must be between 1 and 1440 (a day)"));
        }
        if let Some(Err(error)) = self.to.as_deref().map(str::parse::<Address>) {
            return Err(ConfigError::new("heartbeat.to", error.to_string()));
        }
        self.active.hours(Tz::UTC).map(drop).map_err(|error| error.under("heartbeat.active"))
    }

    /// The hours in which heartbeats run; `None` if they are wrong, which the check has found before. `zone` is that of hours
    /// that name none.
    pub(crate) fn hours(&self, zone: Tz) -> Option<Hours> {
        self.active.hours(zone).ok()
    }

    /// The configured chat.
    pub(crate) fn chat(&self) -> Option<Address> {
        self.to.as_deref()?.parse().ok()
    }
}

impl ActiveHours {
    fn hours(&self, zone: Tz) -> Result<Hours, ConfigError> {
        let zone = match &self.timezone {
            Some(name) => {
                parse_zone(name).map_err(|error| ConfigError::new("timezone", error.to_string()))?
            }
            None => zone,
        };
        Hours::parse(&self.from, &self.to, zone).map_err(|error| ConfigError::new("", error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn active_hours_end_at_24_00_at_the_latest_and_an_error_names_the_key() {
        let until = |to: &str| {
            let active = ActiveHours { from: "08:00".to_owned(), to: to.to_owned(), timezone: None };
            Heartbeat { active, ..Heartbeat::default() }.check().map_err(|error| error.to_string())
        };
        assert_eq!((until("24:00"), until("23:59")), (Ok(()), Ok(())));
        for end in ["24:30", "24:01", "25:00"] {
            let error = until(end).unwrap_err();
            assert!(
                error.starts_with(&format!("heartbeat.active: {end:?} is not an end of hours")),
                "{error}"
            );
        }
    }
}
