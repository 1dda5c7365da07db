//! What chats are told about jobs besides their results.

use chrono::{DateTime, Utc};

use super::JobId;
use crate::budget::{NearlyUsedUp, UsedUp};
use crate::count::counted;
use crate::markup::followed_by;
use crate::notice::Failure;
use crate::task;

/// Number of failed runs in a row after which a job is disabled.
pub const DISABLED_AFTER: u32 = 5;

/// Something about a job that its chat, or an admin, is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobNotice<'j> {
    /// A run has failed for good.
    Failed {
        /// Why.
        why: RunFailure,
        /// What the agent had said until then, in Markdown.
        said: &'j str,
        /// What that means for the job.
        then: AfterFailure,
    },
    /// Scheduled times have passed without a run.
    Missed {
        /// How many.
        count: usize,
        /// Whether there are more than that.
        or_more: bool,
        /// Whether a run makes up for them.
        made_up: bool,
    },
    /// A run was skipped because a budget is used up.
    UsedUp {
        /// Which.
        budget: UsedUp,
        /// The time of the notice.
        at: DateTime<Utc>,
    },
    /// A run has used a budget up to its warning.
    NearlyUsedUp {
        /// Which.
        budget: NearlyUsedUp,
        /// The time of the notice.
        at: DateTime<Utc>,
    },
    /// It was paused because its owner may not write any more where its results go.
    Revoked,
    /// It was disabled because it has failed too often.
    Disabled,
    /// It was disabled because its schedule cannot be read.
    Unreadable,
    /// The web server that gets its results does not take one.
    Undelivered {
        /// Why, in a few words.
        why: &'j str,
    },
}

/// What the failure of a run means for its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// It runs again at its next time.
    GoesOn,
    /// It had no other run, and is disabled.
    RanOnce,
    /// It has failed too often in a row, and is disabled.
    Disabled {
        /// How often.
        failures: u32,
    },
}

/// Why a run has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunFailure {
    /// Its turn has failed.
    Turn(Failure),
    /// It was cut off after its agent had acted.
    CutOff,
    /// Its agent has ended with an error, which is its text.
    Reported,
    /// A hook or a limit refused it, so no agent worked on it.
    Refused,
}

impl RunFailure {
    /// One sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            RunFailure::Turn(failure) => task::sentence(failure),
            RunFailure::CutOff => "It was cut off after it had started to act, so this run is not repeated.",
            RunFailure::Reported => "The agent reported an error.",
            RunFailure::Refused => "A hook or a limit refused it.",
        }
    }
}

impl JobNotice<'_> {
    /// The message, in Markdown.
    pub fn text(&self, job: &JobId) -> String {
        match self {
            JobNotice::Failed { why, said, then } => {
                let mut text = format!("❌ Scheduled job `{job}` failed. {}", why.sentence());
                match then {
                    AfterFailure::GoesOn => {}
                    AfterFailure::RanOnce => text.push_str(" It was to run once, so it is disabled now."),
                    AfterFailure::Disabled { failures } => {
                        let why = format!(
                            " It has failed {failures} times in a row, so it is disabled until somebody resumes it."
                        );
                        text.push_str(&why);
                    }
                }
                match said.trim() {
                    "" => text,
                    said => followed_by(&followed_by(&text, "The agent had said until then:"), said),
                }
            }
            JobNotice::Missed { count, or_more, made_up } => {
                let runs = counted(u64::try_from(*count).unwrap_or(u64::MAX), "run");
                let more = if *or_more { "more than " } else { "" };
                let then = if *made_up { " One run makes up for that now." } else { "" };
                format!(
                    "⏰ Scheduled job `{job}` has missed {more}{runs}, because I was not running or the clock has changed.{then}"
                )
            }
            JobNotice::UsedUp { budget, at } => {
                format!("⏸ Scheduled job `{job}` did not run. {}", budget.sentence_of_job(*at))
            }
            JobNotice::NearlyUsedUp { budget, at } => {
                format!("⚠️ Scheduled job `{job}`: {}", budget.sentence_of_job(*at))
            }
            JobNotice::Revoked => format!(
                "⏸ Scheduled job `{job}` is paused: its owner has lost access. An admin can resume it with `frontdesk cron \
                 resume {job}` once the owner has access again."
            ),
            JobNotice::Disabled => format!(
                "⏸ Scheduled job `{job}` is disabled after too many failures. An admin can resume it with `frontdesk cron \
                 resume {job}`."
            ),
            JobNotice::Unreadable => format!(
                "⏸ Scheduled job `{job}` is disabled: its schedule cannot be read any more. The log says why. Add the job again \
                 under another id."
            ),
            JobNotice::Undelivered { why } => {
                format!(
                    "⚠️ A result of scheduled job `{job}` could not be delivered to its web server: {why}."
                )
            }
        }
    }
}
