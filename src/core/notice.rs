//! Notices: what Frontdesk itself tells people, in one or two plain sentences with the next step.

use chrono::{DateTime, Utc};

use crate::address::Principal;
use crate::ask::OpenAsk;
use crate::budget::{NearlyUsedUp, UsedUp};
use crate::count::counted;
use crate::delta::{AnswererChange, Compacted};
use crate::markup::closing;
use crate::message::Refusal;
use crate::pairing::MASK;
use crate::reset::Reasons;
use crate::visible::quoted_label;

/// Something about the service that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The reset rule started a new conversation.
    Reset {
        /// The reasons of the reset.
        reasons: Reasons,
        /// The epoch that ended.
        previous: u64,
    },
    /// A message was accepted but will not be answered.
    Refused(Refusal),
    /// A message was refused, or a task did not run, because a budget of the day is used up.
    UsedUp {
        /// The budget.
        budget: UsedUp,
        /// When it was refused.
        at: DateTime<Utc>,
    },
    /// Little is left of a budget of the day.
    NearlyUsedUp {
        /// The budget.
        budget: NearlyUsedUp,
        /// When that was noticed.
        at: DateTime<Utc>,
    },
    /// The turn failed for good.
    Failed(Failure),
    /// A turn was cut off by the death of the gateway or the agent, after a tool had run.
    Interrupted {
        /// The answer so far, in Markdown.
        so_far: String,
    },
    /// A message waits behind a question.
    Behind(OpenAsk),
    /// A message was not accepted because too many wait, behind a question.
    Full(OpenAsk),
    /// The agent did not take a message into the answer under way; it is answered next.
    FollowsUp,
    /// A message that was to interrupt the answer under way waits, because somebody else has asked for that answer.
    NotInterrupted,
    /// Another model or agent has answered than before.
    AnsweredBy(AnswererChange),
    /// A conversation could not be summarized, as `/compact` asked.
    NotCompacted,
    /// The agent has compacted its context by itself.
    Compacted(Compacted),
    /// A part of an answer could not be delivered.
    Gap,
    /// An answer could not be delivered before its time limit.
    Stale,
    /// A pairing code for an unknown sender; the code is inserted when the notice is sent.
    Code {
        /// The sender's id on the platform, with which an admin can also allow them without a code.
        id: String,
    },
    /// An unknown sender who already has a code has written again.
    CodeStands {
        /// Minutes until the code expires.
        minutes: i64,
    },
    /// For admins: somebody asks for access. Never contains the code.
    Asked {
        /// The display name.
        shown: Option<String>,
        /// The stable id.
        who: Principal,
    },
    /// For the person: an admin has allowed them.
    Admitted,
    /// A file was not downloaded because its sender has used up the daily limit.
    FilesOfTheDay,
    /// A file was not downloaded because the media folder is full.
    FilesFull,
}

/// Why a turn failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The agent reported an error.
    Agent,
    /// The agent process died in two attempts.
    Crashed,
    /// The gateway itself was killed in the middle of the turn, too often.
    Killed,
    /// The agent reported nothing for too long.
    Silent,
    /// The turn exceeded its time limit.
    TooLong,
    /// The agent cannot be started.
    Unavailable,
    /// The agent is not in the configuration any more.
    AgentGone,
    /// The gateway could not read or store what the turn needed.
    Internal,
}

impl Failure {
    /// All variants.
    pub const ALL: [Failure; 8] = [
        Failure::Agent,
        Failure::Crashed,
        Failure::Killed,
        Failure::Silent,
        Failure::TooLong,
        Failure::Unavailable,
        Failure::AgentGone,
        Failure::Internal,
    ];

    /// The name in the database, in metrics and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Failure::Agent => "agent_failed",
            Failure::Crashed => "agent_crashed",
            Failure::Killed => "gateway_killed",
            Failure::Silent => "agent_silent",
            Failure::TooLong => "time_limit",
            Failure::Unavailable => "agent_unavailable",
            Failure::AgentGone => "agent_gone",
            Failure::Internal => "internal",
        }
    }

    /// The failure with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.name() == name)
    }

    /// The sentence for the person.
    pub fn sentence(self) -> &'static str {
        match self {
            Failure::Agent => "The agent could not answer. Send /retry to try again.",
            Failure::Crashed => "The agent crashed each time it was tried. Send /retry to try again.",
            Failure::Killed => {
                "The gateway was killed too often while the agent was answering. Send /retry to try again."
            }
            Failure::Silent => {
                "The agent did not respond for too long, so I stopped it. Send /retry to try again."
            }
            Failure::TooLong => "The answer took too long, so I stopped it. Send /retry to try again.",
            Failure::Unavailable => "The agent is not available at the moment. Send /retry in a few minutes.",
            Failure::AgentGone => {
                "The agent that this was for has been removed. Send /retry to ask the one that answers here now."
            }
            Failure::Internal => "Something went wrong in the gateway. Send /retry to try again.",
        }
    }
}

impl Notice {
    /// Appended to an answer that was cut off.
    pub const INTERRUPTED: &str = "\n\n(interrupted, /retry)";

    /// The kind, as it stands in the part's key.
    pub fn kind(&self) -> &'static str {
        match self {
            Notice::Reset { .. } => "reset",
            Notice::Refused(_) | Notice::UsedUp { .. } => "refused",
            Notice::NearlyUsedUp { .. } => "budget",
            Notice::Failed(_) => "failed",
            Notice::Interrupted { .. } => "interrupted",
            Notice::Behind(_) => "behind",
            Notice::Full(_) => "refused",
            Notice::FollowsUp => "follows_up",
            Notice::NotInterrupted => "not_interrupted",
            Notice::AnsweredBy(_) => "answered_by",
            Notice::Compacted(_) => "compacted",
            Notice::NotCompacted => "not_compacted",
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
                "New conversation: {}. Send /resume {previous} to return to the previous one.",
                because(*reasons)
            ),
            Notice::Refused(reason) => reason.sentence().to_owned(),
            Notice::UsedUp { budget, at } => budget.sentence(*at),
            Notice::NearlyUsedUp { budget, at } => budget.sentence(*at),
            Notice::Failed(failure) => failure.sentence().to_owned(),
            Notice::NotCompacted => {
                "The agent could not summarize the conversation. Send /compact to try again.".to_owned()
            }
            Notice::Interrupted { so_far } => interrupted(so_far),
            Notice::Behind(first) => {
                format!("{} Your message comes after that. {}", first.sentence(), stops(first))
            }
            Notice::Full(first) => format!(
                "Too many messages are waiting here, so I did not take this one. {} {}",
                first.sentence(),
                stops(first)
            ),
            Notice::AnsweredBy(change) => answered_by(change),
            Notice::Compacted(done) => compacted(done),
            Notice::FollowsUp => "The agent cannot take this in while it answers. It answers it next.".to_owned(),
            Notice::NotInterrupted => {
                "Somebody else asked for the answer under way, so your message waits until it is complete.".to_owned()
            }
            Notice::Gap => "Part of an answer could not be delivered here.".to_owned(),
            Notice::Stale => {
                "An answer could not be delivered in time and was dropped. Send /retry if you still need it."
                    .to_owned()
            }
            Notice::Code { id } => code(id),
            Notice::CodeStands { minutes } => code_stands(*minutes),
            Notice::Asked { shown, who } => asked(shown.as_deref(), who),
            Notice::FilesOfTheDay => {
                "You have reached today's limit for files, so I did not download the last one. Send it again tomorrow, \
                 or describe it in text."
                    .to_owned()
            }
            Notice::FilesFull => {
                "The storage for files is full, so I did not download the last one. Tell the person who runs this bot, \
                 or describe the file in text."
                    .to_owned()
            }
            Notice::Admitted => {
                "You may write to me now. I did not keep what you wrote before, so please send it again."
                    .to_owned()
            }
        }
    }
}

/// What `/stop` does for somebody whose message waits behind a question. In a group it stops only what they have asked for.
fn stops(first: &OpenAsk) -> &'static str {
    match first.how {
        Some(_) => "/stop ends the question and drops your messages that wait.",
        None => "/stop drops your messages that wait.",
    }
}

fn interrupted(so_far: &str) -> String {
    match so_far.trim().is_empty() {
        true => {
            "The agent was interrupted after it had started to act. Send /retry to run it again.".to_owned()
        }
        false => format!("{so_far}{}{}", closing(so_far), Notice::INTERRUPTED),
    }
}

fn answered_by(change: &AnswererChange) -> String {
    let (before, now) = (quoted_label(&change.before), quoted_label(&change.now));
    match change.is_return {
        true => format!("{now} is available again and has answered."),
        false => format!("{before} is not available at the moment, so {now} has answered."),
    }
}

fn compacted(done: &Compacted) -> String {
    let what = if done.has_summary() { " this summary" } else { " a summary" };
    format!("This conversation has become long, so the agent goes on with{what} of it.{}", done.told())
}

fn code(id: &str) -> String {
    format!(
        "I do not know you yet. Your code is `{MASK}`. Give it to the person who runs this bot within an hour, then \
         write to me again. Your id here is {}.",
        quoted_label(id)
    )
}

fn code_stands(minutes: i64) -> String {
    let time = counted(u64::try_from(minutes).unwrap_or(0), "minute");
    format!(
        "The code above is valid for another {time}: give it to the person who runs this bot. Until you have access, I \
         neither keep nor answer what you write."
    )
}

fn asked(shown: Option<&str>, who: &Principal) -> String {
    format!(
        "{} asks for access ({}). If you know this person, ask them for their code and send `/gateway pair CODE`.",
        shown.map_or_else(|| "Somebody".to_owned(), quoted_label),
        quoted_label(who.as_str())
    )
}

/// The reasons of a reset, in words.
fn because(reasons: Reasons) -> &'static str {
    match (reasons.daily, reasons.idle) {
        (true, true) => "it is a new day, and you had not written for a while",
        (true, false) => "it is a new day",
        (false, _) => "you had not written for a while",
    }
}
