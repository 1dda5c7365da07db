//! Session reset policy: decides when a conversation starts a new epoch.
//!
//! A pure rule that compares instants. Local hours are never compared with each other, because clocks are changed.
//! Stored sessions do not change by themselves; the gate asks for every message.

mod day;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::segment::shown;
use crate::zone::{ZoneError, parse_zone};
use day::Day;

/// What starts a new conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResetMode {
    /// Nothing: only a person starts a new conversation.
    None,
    /// Inactivity.
    Idle,
    /// An hour of the day, in the policy's time zone.
    Daily,
    /// Both of them.
    Both,
}

impl ResetMode {
    /// The name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            ResetMode::None => "none",
            ResetMode::Idle => "idle",
            ResetMode::Daily => "daily",
            ResetMode::Both => "both",
        }
    }

    /// Whether inactivity counts.
    pub fn idle(self) -> bool {
        matches!(self, ResetMode::Idle | ResetMode::Both)
    }

    /// Whether the hour of the day counts.
    pub fn daily(self) -> bool {
        matches!(self, ResetMode::Daily | ResetMode::Both)
    }
}

impl fmt::Display for ResetMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ResetMode {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        [ResetMode::None, ResetMode::Idle, ResetMode::Daily, ResetMode::Both]
            .into_iter()
            .find(|mode| mode.name() == text)
            .ok_or_else(|| PolicyError::Mode { given: shown(text) })
    }
}

/// When a session starts a new epoch, and whether its chat gets a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResetPolicy {
    mode: ResetMode,
    idle_minutes: u32,
    hour: u8,
    zone: Tz,
    notify: bool,
    quiet_minutes: u32,
}

/// The fields of a reset rule that a narrower level sets; the others are inherited.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ResetOverride {
    /// See `sessions.reset.mode`.
    pub mode: Option<ResetMode>,
    /// See `sessions.reset.idle_minutes`.
    pub idle_minutes: Option<u32>,
    /// See `sessions.reset.hour`.
    pub hour: Option<u8>,
    /// See `sessions.reset.timezone`. In a chat's table it is the time zone of the people there.
    pub timezone: Option<String>,
    /// See `sessions.reset.quiet_minutes`.
    pub quiet_minutes: Option<u32>,
    /// See `sessions.reset.notify`.
    pub notify: Option<bool>,
}

impl ResetPolicy {
    /// The longest inactivity that can be configured: ten years of 365 days.
    pub const MAX_IDLE_MINUTES: u32 = 10 * 365 * 24 * 60;
    /// The longest time for which a conversation can hold back the daily reset: half a day, so that every day has an hour
    /// for it.
    pub const MAX_QUIET_MINUTES: u32 = 12 * 60;

    /// Creates a policy. `hour` must be 0 to 23 and `idle_minutes` 1 to [`Self::MAX_IDLE_MINUTES`] in every mode, so
    /// that a narrower level that only changes the mode cannot activate an invalid number.
    pub fn new(
        mode: ResetMode,
        idle_minutes: u32,
        hour: u8,
        zone: Tz,
        notify: bool,
    ) -> Result<ResetPolicy, PolicyError> {
        if hour > 23 {
            return Err(PolicyError::Hour { given: hour });
        }
        if !(1..=Self::MAX_IDLE_MINUTES).contains(&idle_minutes) {
            return Err(PolicyError::IdleMinutes { given: idle_minutes });
        }
        Ok(ResetPolicy { mode, idle_minutes, hour, zone, notify, quiet_minutes: 0 })
    }

    /// This policy with a daily reset that waits until the person has been silent for so many minutes, at most
    /// [`Self::MAX_QUIET_MINUTES`].
    pub fn waiting_for_quiet(self, quiet_minutes: u32) -> Result<ResetPolicy, PolicyError> {
        match quiet_minutes {
            0..=Self::MAX_QUIET_MINUTES => Ok(ResetPolicy { quiet_minutes, ..self }),
            given => Err(PolicyError::QuietMinutes { given }),
        }
    }

    /// This policy in another time zone.
    pub fn in_zone(self, zone: Tz) -> ResetPolicy {
        ResetPolicy { zone, ..self }
    }

    /// This policy with a narrower level applied. Levels are applied in the order scope, channel, chat.
    pub fn with(&self, narrower: &ResetOverride) -> Result<ResetPolicy, PolicyError> {
        ResetPolicy::new(
            narrower.mode.unwrap_or(self.mode),
            narrower.idle_minutes.unwrap_or(self.idle_minutes),
            narrower.hour.unwrap_or(self.hour),
            narrower.timezone.as_deref().map_or(Ok(self.zone), parse_zone)?,
            narrower.notify.unwrap_or(self.notify),
        )?
        .waiting_for_quiet(narrower.quiet_minutes.unwrap_or(self.quiet_minutes))
    }

    /// What starts a new conversation.
    pub fn mode(&self) -> ResetMode {
        self.mode
    }

    /// Minutes of inactivity after which it is stale, if the mode includes inactivity.
    pub fn idle_minutes(&self) -> u32 {
        self.idle_minutes
    }

    /// The hour of the day at which it becomes stale, if the mode includes it.
    pub fn hour(&self) -> u8 {
        self.hour
    }

    /// The time zone of the hour.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Minutes of silence for which the daily reset waits.
    pub fn quiet_minutes(&self) -> u32 {
        self.quiet_minutes
    }

    /// Whether the chat gets a notice that a new conversation began.
    pub fn notify(&self) -> bool {
        self.notify
    }

    /// Whether a message accepted at `now` starts a new epoch, and why. `last_activity` is when the session's last
    /// message from a person was accepted. Both are compared in whole milliseconds.
    pub fn due(&self, last_activity: DateTime<Utc>, now: DateTime<Utc>) -> Reasons {
        self.due_after(last_activity, false, now).reasons
    }

    /// The same for a session whose daily reset may be held back already.
    pub fn due_after(&self, last_activity: DateTime<Utc>, held_back: bool, now: DateTime<Utc>) -> Due {
        let (last, now) = (last_activity.timestamp_millis(), now.timestamp_millis());
        // If the clock went back, no time has passed and no boundary lies between.
        if now <= last {
            return Due { reasons: Reasons::default(), held_back: held_back && self.mode.daily() };
        }
        let day_ended = || last < self.day().previous(now.div_euclid(1000)) * 1000;
        let daily = self.mode.daily() && (held_back || day_ended());
        let is_quiet = now - last >= i64::from(self.quiet_minutes) * 60_000;
        let idle = self.mode.idle() && now - last > self.idle_ms();
        let reasons = Reasons { daily: daily && is_quiet, idle };
        Due { reasons, held_back: daily && !reasons.any() }
    }

    /// The last boundary at or before `now`; `None` if the mode has none or it is outside of chrono's range.
    pub fn previous_boundary(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let seconds = self.mode.daily().then(|| self.day().previous(now.timestamp()))?;
        DateTime::from_timestamp(seconds, 0)
    }

    /// The first boundary after `now`; `None` if the mode has none or it is outside of chrono's range.
    pub fn next_boundary(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let seconds = self.mode.daily().then(|| self.day().next(now.timestamp()))?;
        DateTime::from_timestamp(seconds, 0)
    }

    /// The last instant at which the session is not idle yet; `None` if the mode does not include inactivity, or if it
    /// is outside of chrono's range.
    pub fn idle_deadline(&self, last_activity: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let last = self.mode.idle().then(|| last_activity.timestamp_millis())?;
        DateTime::from_timestamp_millis(last + self.idle_ms())
    }

    fn idle_ms(&self) -> i64 {
        i64::from(self.idle_minutes) * 60_000
    }

    fn day(&self) -> Day {
        Day { zone: self.zone, hour: i64::from(self.hour) * 3600 }
    }
}

/// What the rule says about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Due {
    /// Why it starts a new epoch.
    pub reasons: Reasons,
    /// Whether a daily reset would be due and waits until the person is silent.
    pub held_back: bool,
}

/// Why a conversation starts a new epoch: no reason, one or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reasons {
    /// A daily boundary has passed since the last activity.
    pub daily: bool,
    /// The inactivity was longer than allowed.
    pub idle: bool,
}

impl Reasons {
    /// Whether there is any reason.
    pub fn any(self) -> bool {
        self.daily || self.idle
    }

    /// The names of the reasons, `daily` first.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [("daily", self.daily), ("idle", self.idle)]
            .into_iter()
            .filter(|(_, holds)| *holds)
            .map(|(name, _)| name)
    }
}

/// Why a reset policy is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not an hour of the day.
    #[error("reset hour {given} does not exist: use 0 (midnight) to 23")]
    Hour {
        /// What was given.
        given: u8,
    },
    /// Zero minutes, or too many.
    #[error(
        "idle_minutes = {given} is out of range: use 1 to {max}, or mode = \"none\" to never start anew",
        max = ResetPolicy::MAX_IDLE_MINUTES
    )]
    IdleMinutes {
        /// What was given.
        given: u32,
    },
    /// Too many minutes.
    #[error(
        "quiet_minutes = {given} is out of range: use 0 (never wait) to {max}",
        max = ResetPolicy::MAX_QUIET_MINUTES
    )]
    QuietMinutes {
        /// What was given.
        given: u32,
    },
    /// Not a mode.
    #[error("reset mode {given:?} does not exist: use none, idle, daily or both")]
    Mode {
        /// What was given.
        given: String,
    },
    /// Not the name of a zone.
    #[error(transparent)]
    Zone(#[from] ZoneError),
}

#[cfg(test)]
mod tests;
