//! The states that rows go through, and the reasons they carry: types here, names in the database and in the API.

use std::fmt;
use std::str::FromStr;

use frontdesk_core::id::{MessageId, TaskId, TurnId};
use frontdesk_core::message::Refusal;
use frontdesk_core::notice::Failure;
use frontdesk_core::queue_mode::QueueMode;
use frontdesk_core::reset::Reasons;

/// A text from the database that names nothing that this version knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what}")]
pub struct UnknownName {
    what: &'static str,
    text: String,
}

/// An enum whose variants have one name each.
macro_rules! names {
    ($what:literal, $(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// All variants.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The name in the database and in the API.
            pub fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, UnknownName> {
                let found = Self::ALL.iter().copied().find(|known| known.name() == text);
                found.ok_or_else(|| UnknownName { what: $what, text: text.to_owned() })
            }
        }
    };
}

names! {
    "disposition",
    /// What a stored message is for.
    RowDisposition {
        /// The agent.
        Turn = "turn",
        /// The gateway itself.
        Command = "command",
        /// A question: it is a pressed button.
        Answer = "answer",
        /// Nobody: it is only known.
        Refused = "refused",
    }
}

names! {
    "state of a message",
    /// The state of a stored message.
    MessageState {
        /// It waits for its turn.
        Waiting = "waiting",
        /// A turn has taken it.
        InTurn = "in_turn",
        /// It is answered.
        Answered = "answered",
        /// It was refused.
        Refused = "refused",
        /// Another message took its place.
        Superseded = "superseded",
        /// Somebody stopped it.
        Cancelled = "cancelled",
        /// It could not be answered, and will not be.
        Dead = "dead",
    }
}

names! {
    "state of a turn",
    /// The state of a turn.
    TurnState {
        /// It was given back and will run again.
        Queued = "queued",
        /// It runs.
        Running = "running",
        /// It ended with an answer.
        Done = "done",
        /// It was cut off after its agent had acted, so that it is not run again.
        Interrupted = "interrupted",
        /// Somebody stopped it.
        Cancelled = "cancelled",
        /// A newer message took its place.
        Superseded = "superseded",
        /// It was refused before its agent saw it.
        Refused = "refused",
        /// It failed for good.
        Dead = "dead",
    }
}

/// Why a message or its turn is in its state, or what an epoch command did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It was refused.
    Refused(Refusal),
    /// Its turn failed.
    Failed(Failure),
    /// Its turn was cut off after the agent had acted.
    Interrupted,
    /// The event could not be stored as it is.
    Unstorable,
    /// `/new` or `/resume`: the epoch that the conversation was in before.
    FromEpoch(u64),
    /// `/resume`: there is no such epoch.
    NoSuchEpoch,
    /// An edit: the earlier message still waited and has the new text now.
    MergedInto(MessageId),
    /// An edit: the earlier message says this already.
    Unchanged,
    /// A message or an edit that arrived after a newer version of the same message.
    Outdated,
    /// The author has deleted the message, so that no version of it is answered any more.
    Deleted,
    /// An edit that the configuration ignores: its message had been taken, or is too old.
    EditIgnored,
    /// An edit that the agent gets as context with the next message.
    EditNoted,
    /// `/retry`: the turn whose messages run once more.
    Retries(TurnId),
    /// `/background` without a text: the message goes on as this task.
    MovedTo(TaskId),
    /// `/queue MODE TEXT`: the message waits in this mode, whatever that of its session is.
    Queued(QueueMode),
    /// `/compact`: the agent compacts its context, and is told nothing.
    Compacts,
    /// An admin addressed the bot in a group that is not served: nothing of the text is kept, and the answer says how
    /// to change that.
    NotServed,
}

/// The reasons that are a name and nothing else.
const PLAIN: [(Reason, &str); 10] = [
    (Reason::Interrupted, "interrupted"),
    (Reason::Unstorable, "poison"),
    (Reason::NoSuchEpoch, "missing"),
    (Reason::Unchanged, "unchanged"),
    (Reason::Outdated, "outdated"),
    (Reason::Deleted, "deleted"),
    (Reason::EditIgnored, "edit_ignored"),
    (Reason::EditNoted, "edit_noted"),
    (Reason::Compacts, "compact"),
    (Reason::NotServed, "not_served"),
];

/// The text form in the database and in the API: a name, with a number after a colon where there is one.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Refused(refusal) => f.write_str(refusal.name()),
            Reason::Failed(failure) => f.write_str(failure.name()),
            Reason::FromEpoch(epoch) => write!(f, "from:{epoch}"),
            Reason::MergedInto(message) => write!(f, "into:{message}"),
            Reason::Retries(turn) => write!(f, "retry:{turn}"),
            Reason::MovedTo(task) => write!(f, "task:{task}"),
            Reason::Queued(mode) => write!(f, "queue:{}", mode.name()),
            Reason::Interrupted
            | Reason::Unstorable
            | Reason::NoSuchEpoch
            | Reason::Unchanged
            | Reason::Outdated
            | Reason::Deleted
            | Reason::EditIgnored
            | Reason::EditNoted
            | Reason::Compacts
            | Reason::NotServed => {
                let name = PLAIN.iter().find(|(reason, _)| reason == self).map_or("", |(_, name)| name);
                f.write_str(name)
            }
        }
    }
}

impl FromStr for Reason {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let plain = || PLAIN.iter().find(|(_, name)| *name == text).map(|(reason, _)| *reason);
        let refused = || Refusal::named(text).map(Reason::Refused);
        let failed = || Failure::named(text).map(Reason::Failed);
        let found = match text.split_once(':') {
            Some(("from", epoch)) => epoch.parse().ok().map(Reason::FromEpoch),
            Some(("into", message)) => message.parse().ok().map(Reason::MergedInto),
            Some(("task", task)) => task.parse().ok().map(Reason::MovedTo),
            Some(("queue", mode)) => QueueMode::named(mode).map(Reason::Queued),
            Some(("retry", turn)) => turn.parse().ok().map(Reason::Retries),
            _ => plain().or_else(refused).or_else(failed),
        };
        found.ok_or_else(|| UnknownName { what: "reason", text: text.to_owned() })
    }
}

/// Why an epoch began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochReason {
    /// The conversation began with it.
    First,
    /// By the reset rule.
    Rule(Reasons),
    /// By `/new`.
    New,
    /// By the API or the command line.
    Api,
    /// The conversation was erased.
    Erased,
    /// A run of a job begins a conversation of its own.
    Job,
}

/// The text form in the database and in the API: `first`, `daily`, `idle`, `daily,idle`, `new`, `api`, `erased`, `job`.
impl fmt::Display for EpochReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EpochReason::First => f.write_str("first"),
            EpochReason::Rule(reasons) => f.write_str(&reasons.names().collect::<Vec<_>>().join(",")),
            EpochReason::New => f.write_str("new"),
            EpochReason::Api => f.write_str("api"),
            EpochReason::Erased => f.write_str("erased"),
            EpochReason::Job => f.write_str("job"),
        }
    }
}

impl FromStr for EpochReason {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let rule = |daily, idle| EpochReason::Rule(Reasons { daily, idle });
        Ok(match text {
            "first" => EpochReason::First,
            "daily" => rule(true, false),
            "idle" => rule(false, true),
            "daily,idle" => rule(true, true),
            "new" => EpochReason::New,
            "api" => EpochReason::Api,
            "erased" => EpochReason::Erased,
            "job" => EpochReason::Job,
            _ => return Err(UnknownName { what: "reason of an epoch", text: text.to_owned() }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for state in MessageState::ALL {
            assert_eq!(state.name().parse(), Ok(*state));
        }
        for state in TurnState::ALL {
            assert_eq!(state.name().parse(), Ok(*state));
        }
        for purpose in RowDisposition::ALL {
            assert_eq!(purpose.name().parse(), Ok(*purpose));
        }
        assert!("nothing".parse::<TurnState>().is_err());
    }

    #[test]
    fn every_reason_reads_back() {
        let numbered = [
            Reason::FromEpoch(3),
            Reason::MergedInto(MessageId(7)),
            Reason::Retries(TurnId(42)),
            Reason::MovedTo(TaskId(12)),
        ];
        let texts: Vec<String> = numbered.iter().map(Reason::to_string).collect();
        assert_eq!(texts, ["from:3", "into:m7", "retry:t42", "task:b12"]);
        let refused = Refusal::ALL.into_iter().map(Reason::Refused);
        let failed = Failure::ALL.into_iter().map(Reason::Failed);
        let plain = PLAIN.into_iter().map(|(reason, _)| reason);
        let plain = plain.chain(QueueMode::ALL.into_iter().map(Reason::Queued));
        for reason in numbered.into_iter().chain(refused).chain(failed).chain(plain) {
            assert_eq!(reason.to_string().parse(), Ok(reason));
        }
        for text in ["queue:later", "from:", "from:m3", "into:7", "retry:m1", "task:12", "", "gone"] {
            assert!(text.parse::<Reason>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_reason_of_an_epoch_reads_back() {
        let rule = |daily, idle| EpochReason::Rule(Reasons { daily, idle });
        for reason in [
            EpochReason::First,
            EpochReason::New,
            EpochReason::Api,
            EpochReason::Erased,
            EpochReason::Job,
            rule(true, true),
            rule(true, false),
            rule(false, true),
        ] {
            assert_eq!(reason.to_string().parse(), Ok(reason));
        }
        assert!("".parse::<EpochReason>().is_err());
    }
}
