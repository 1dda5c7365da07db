//! Where a forwarded message comes from.

use crate::address::Principal;

/// The original author of a forwarded message, as far as the platform names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// The kind of author.
    pub kind: ForwardKind,
    /// The author's stable id; `None` where the platform withholds it.
    pub id: Option<Principal>,
    /// The author's display name.
    pub name: Option<String>,
}

/// The kind of author that a forwarded message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ForwardKind {
    /// A person.
    Person,
    /// Another program, including one that wrote in the sender's name.
    Bot,
    /// A group that posted in its own name.
    Chat,
    /// A channel.
    Channel,
    /// An author whose account the platform does not name.
    Hidden,
    /// The platform does not say.
    Unknown,
}

impl ForwardKind {
    /// All variants.
    pub const ALL: [ForwardKind; 6] = [
        ForwardKind::Person,
        ForwardKind::Bot,
        ForwardKind::Chat,
        ForwardKind::Channel,
        ForwardKind::Hidden,
        ForwardKind::Unknown,
    ];

    /// The kind with this name.
    pub fn named(name: &str) -> Option<ForwardKind> {
        ForwardKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The name in the database and for agents.
    pub fn name(self) -> &'static str {
        match self {
            ForwardKind::Person => "person",
            ForwardKind::Bot => "bot",
            ForwardKind::Chat => "chat",
            ForwardKind::Channel => "channel",
            ForwardKind::Hidden => "hidden",
            ForwardKind::Unknown => "unknown",
        }
    }
}
