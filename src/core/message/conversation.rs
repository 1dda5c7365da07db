//! The conversation that an event belongs to.

/// The conversation that an event belongs to, in the platform's terms. The chat here identifies the conversation; the
/// chat of an [`Address`](crate::address::Address) says where to send. They differ on platforms that have two ids for
/// a private chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversation {
    /// A private chat with one person.
    Dm {
        /// The chat's id; on most platforms the person's id.
        chat: String,
        /// The thread within it, on platforms whose private chats have threads.
        thread: Option<String>,
    },
    /// A chat of several people.
    Group {
        /// The chat's id.
        chat: String,
    },
    /// A channel of a server or a workspace.
    Channel {
        /// The channel's id.
        chat: String,
    },
    /// A permanent, named topic of a group.
    Topic {
        /// The group's id.
        chat: String,
        /// The topic's id.
        thread: String,
    },
    /// A thread under a message.
    Thread {
        /// The chat's id.
        chat: String,
        /// The thread's id.
        thread: String,
    },
}

impl Conversation {
    /// Whether only one person takes part.
    pub fn is_private(&self) -> bool {
        matches!(self, Conversation::Dm { .. })
    }

    /// The chat's id.
    pub fn chat(&self) -> &str {
        match self {
            Conversation::Dm { chat, .. }
            | Conversation::Group { chat }
            | Conversation::Channel { chat }
            | Conversation::Topic { chat, .. }
            | Conversation::Thread { chat, .. } => chat,
        }
    }

    /// The thread's or topic's id.
    pub fn thread(&self) -> Option<&str> {
        match self {
            Conversation::Topic { thread, .. } | Conversation::Thread { thread, .. } => Some(thread),
            Conversation::Dm { thread, .. } => thread.as_deref(),
            Conversation::Group { .. } | Conversation::Channel { .. } => None,
        }
    }
}
