//! What Frontdesk itself says to people: one plain sentence each, with the next step.

use crate::address::Principal;
use crate::message::Refusal;
use crate::pairing::MASK;
use crate::prompt::inert;
use crate::reset::Reasons;

/// Something about the service that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The conversation began anew by itself.
    Reset {
        /// Why.
        reasons: Reasons,
        /// The epoch that ended.
        previous: u64,
    },
    /// A message was stored and will not be answered.
    Refused(Refusal),
    /// The turn failed for good.
    Failed(Failure),
    /// The gateway or the agent died in the middle, after the agent had done something.
    Interrupted {
        /// What it had said until then, in Markdown.
        so_far: String,
    },
    /// A part of an answer could not be delivered.
    Gap,
    /// An answer waited for its platform longer than it may.
    Stale,
    /// A stranger's code; it is put in when this is sent.
    Code {
        /// The person's own id on the platform, by which they can be let in without a code.
        id: String,
    },
    /// A stranger who has a code has written again.
    CodeStands {
        /// For how many minutes it is good.
        minutes: i64,
    },
    /// For an admin: somebody asks to be let in. Never says the code.
    Asked {
        /// How the person is shown.
        shown: Option<String>,
        /// Their id with its platform.
        who: Principal,
    },
    /// Somebody was let in.
    Admitted,
    /// A file was not fetched: its sender has sent as many bytes today as one person may.
    FilesOfTheDay,
    /// A file was not fetched: as many are kept as may be.
    FilesFull,
}

/// Why a turn failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The agent reported an error.
    Agent,
    /// It died, twice.
    Crashed,
    /// It showed no sign of life for too long.
    Silent,
    /// It took longer than a turn may.
    TooLong,
    /// It cannot be started.
    Unavailable,
    /// The gateway could not keep or read what was needed; also a poisoned event.
    Internal,
}

impl Failure {
    /// The name in the database and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Failure::Agent => "agent_failed",
            Failure::Crashed => "agent_crashed",
            Failure::Silent => "agent_silent",
            Failure::TooLong => "time_limit",
            Failure::Unavailable => "agent_unavailable",
            Failure::Internal => "internal",
        }
    }

    /// The failure with this name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [
            Failure::Agent,
            Failure::Crashed,
            Failure::Silent,
            Failure::TooLong,
            Failure::Unavailable,
            Failure::Internal,
        ];
        all.into_iter().find(|failure| failure.name() == name)
    }

    /// The sentence for the person.
    pub fn sentence(self) -> &'static str {
        match self {
            Failure::Agent => "The agent could not answer this. Send /retry to try again.",
            Failure::Crashed => "The agent stopped in the middle, twice. Send /retry to try again.",
            Failure::Silent => {
                "The agent has not been heard from for too long, so I stopped it. Send /retry to try again."
            }
            Failure::TooLong => "This took longer than it may, so I stopped it. Send /retry to try again.",
            Failure::Unavailable => "The agent is not available right now. Send /retry in a while.",
            Failure::Internal => "Something went wrong on our side. Send /retry to try again.",
        }
    }
}

impl Notice {
    /// What stands behind the words of an answer that was cut off.
    pub const INTERRUPTED: &str = "\n\n(interrupted, /retry)";

    /// The kind, as it stands in the part's key.
    pub fn kind(&self) -> &'static str {
        match self {
            Notice::Reset { .. } => "reset",
            Notice::Refused(_) => "refused",
            Notice::Failed(_) => "failed",
            Notice::Interrupted { .. } => "interrupted",
            Notice::Gap => "gap",
            Notice::Stale => "stale",
            Notice::Code { .. } => "code",
            Notice::CodeStands { .. } => "code_stands",
            Notice::Asked { .. } => "asked",
            Notice::Admitted => "admitted",
            Notice::FilesOfTheDay => "files_of_the_day",
            Notice::FilesFull => "files_full",
        }
    }

    /// The text, in Markdown.
    pub fn text(&self) -> String {
        match self {
            Notice::Reset { reasons, previous } => format!(
                "New conversation ({}). Send `/resume {previous}` to go back to the last one.",
                because(*reasons)
            ),
            Notice::Refused(reason) => reason.sentence().to_owned(),
            Notice::Failed(failure) => failure.sentence().to_owned(),
            Notice::Interrupted { so_far } if so_far.trim().is_empty() => {
                "I was interrupted after the agent had begun to act. Send /retry to run it again.".to_owned()
            }
            Notice::Interrupted { so_far } => format!("{so_far}{}", Self::INTERRUPTED),
            Notice::Gap => "A part of an answer could not be delivered here.".to_owned(),
            Notice::Stale => {
                "An answer waited too long for its delivery and was not sent. Send /retry if it still matters."
                    .to_owned()
            }
            Notice::Code { id } => format!(
                "I do not know you yet. Your code is `{MASK}`. Give it to the person who runs this bot within an \
                 hour, and then write to me again. Your id here is `{id}`."
            ),
            Notice::CodeStands { minutes } => {
                let time = if *minutes == 1 { "1 minute".to_owned() } else { format!("{minutes} minutes") };
                format!(
                    "Your code above is good for another {time}: give it to the person who runs this bot. Until \
                     they have let you in I keep nothing of what you write and do not answer."
                )
            }
            Notice::Asked { shown, who } => format!(
                "{} asks to be let in (`{who}`). If you know them, ask them for their code and send \
                 `/gateway pair CODE`.",
                shown.as_deref().map_or_else(|| "Somebody".to_owned(), quoted)
            ),
            Notice::FilesOfTheDay => "You have sent as many files today as one person may, so I did not fetch the last one. \
                                      Please send it again tomorrow, or write what matters as text."
                .to_owned(),
            Notice::FilesFull => "There is no room for more files here, so I did not fetch the last one. Please tell \
                                  whoever runs this gateway, or write what matters as text."
                .to_owned(),
            Notice::Admitted => {
                "You may write to me now. What you wrote before was not kept: please send it again.".to_owned()
            }
        }
    }
}

/// A name that a stranger chose, so that it shows as nothing but a name.
fn quoted(name: &str) -> String {
    format!("`{}`", inert(name).replace('`', "'"))
}

/// The reasons in words.
fn because(reasons: Reasons) -> &'static str {
    match (reasons.daily, reasons.idle) {
        (true, true) => "a new day has begun, after a long silence",
        (true, false) => "a new day has begun",
        (false, _) => "after a long silence",
    }
}
