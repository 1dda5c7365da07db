//! The kind of conversation or work that a session belongs to.

use std::fmt;
use std::str::FromStr;

use super::KeyError;
use crate::segment::shown;

/// The kind of conversation or work that a session belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// One person, alone with the agent.
    Dm,
    /// A group chat, shared by its members.
    Group,
    /// A channel of a server or workspace.
    Channel,
    /// A forum topic inside a chat; the key ends in the topic's id.
    Topic,
    /// A thread inside a chat; the key ends in the thread's id.
    Thread,
    /// One person's own conversation inside a group: `member:{chat}:{thread or empty}:{person}`.
    Member,
    /// A background task.
    Task,
    /// A scheduled job.
    Job,
    /// The heartbeat.
    Heartbeat,
    /// Events of another system.
    Event,
}

impl Scope {
    /// Every scope, in the order in which messages list them.
    pub const ALL: [Scope; 10] = [
        Scope::Dm,
        Scope::Group,
        Scope::Channel,
        Scope::Topic,
        Scope::Thread,
        Scope::Member,
        Scope::Task,
        Scope::Job,
        Scope::Heartbeat,
        Scope::Event,
    ];

    /// The scope's name in a key.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Dm => "dm",
            Scope::Group => "group",
            Scope::Channel => "channel",
            Scope::Topic => "topic",
            Scope::Thread => "thread",
            Scope::Member => "member",
            Scope::Task => "task",
            Scope::Job => "job",
            Scope::Heartbeat => "heartbeat",
            Scope::Event => "event",
        }
    }

    /// The rest of a key after the channel, for this scope.
    pub(super) fn form(self) -> &'static str {
        match self {
            Scope::Dm => "dm:{id}",
            Scope::Group => "group:{id}",
            Scope::Channel => "channel:{id}",
            Scope::Topic => "topic:{chat}:{topic}",
            Scope::Thread => "thread:{chat}:{thread}",
            Scope::Member => "member:{chat}:{thread or nothing}:{person}",
            Scope::Task => "task:{id}",
            Scope::Job => "job:{id}",
            Scope::Heartbeat => "heartbeat:{id}",
            Scope::Event => "event:{id}",
        }
    }

    /// Whether several people share its sessions.
    pub fn is_shared(self) -> bool {
        matches!(self, Scope::Group | Scope::Channel | Scope::Topic | Scope::Thread)
    }

    /// Whether it is a session of a scheduled job; the heartbeat is one.
    pub fn is_of_job(self) -> bool {
        matches!(self, Scope::Job | Scope::Heartbeat)
    }

    /// Whether its sessions are no conversations with people: nobody writes in them, and what comes of them is sent to a
    /// chat elsewhere.
    pub fn is_background(self) -> bool {
        matches!(self, Scope::Task | Scope::Job | Scope::Heartbeat | Scope::Event)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Scope::ALL
            .into_iter()
            .find(|scope| scope.name() == text)
            .ok_or_else(|| KeyError::Scope { given: shown(text) })
    }
}
