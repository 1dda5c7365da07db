//! Who sent a message.

use crate::address::Principal;

/// The kind of account that an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SenderKind {
    /// A person with an account of their own.
    #[default]
    Person,
    /// Another program.
    Bot,
    /// A chat that posts in its own name: an anonymous admin, a channel. It has no person's rights.
    Chat,
}

impl SenderKind {
    /// All variants.
    pub const ALL: [SenderKind; 3] = [SenderKind::Person, SenderKind::Bot, SenderKind::Chat];

    /// The kind with this name.
    pub fn named(name: &str) -> Option<SenderKind> {
        SenderKind::ALL.into_iter().find(|sender_kind| sender_kind.name() == name)
    }

    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            SenderKind::Person => "person",
            SenderKind::Bot => "bot",
            SenderKind::Chat => "chat",
        }
    }
}

/// A sender: a stable id and a display name. Two senders may have the same display name; no two have the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The stable id.
    pub id: Principal,
    /// The kind of account.
    pub kind: SenderKind,
    /// The display name. Never used to identify anybody.
    pub name: Option<String>,
    /// The platform's ids of the sender's roles in this conversation, on platforms that have roles; and of the teams and user
    /// groups that the configuration names those they belong to, as it writes them (`team:T1`).
    pub roles: Vec<String>,
}

impl Sender {
    /// A sender of whom nothing but the id and the kind of account is known.
    pub fn new(id: Principal, kind: SenderKind) -> Self {
        Self { id, kind, name: None, roles: Vec::new() }
    }
}
