//! One event of a platform.

use chrono::{DateTime, Utc};

use super::{Attachment, Conversation, Forward, Link, Quote, RawEvent, Sender};
use crate::address::Address;

/// One event of a platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The platform's own id, unique within the source. A redelivery has the same id.
    pub id: String,
    /// The kind of event.
    pub kind: EventKind,
    /// The sender: the person or program that caused the event.
    pub from: Sender,
    /// The address to which an answer is sent.
    pub address: Address,
    /// The agent that the sender has chosen, where the platform lets people choose; `None` for the one that the
    /// configuration names. Each agent has a session of its own in the conversation.
    pub agent: Option<String>,
    /// The conversation it belongs to.
    pub conversation: Conversation,
    /// Whether it is meant for the bot: a direct message, a mention, a reply to the bot or a command.
    pub addressed: bool,
    /// The original author, if it is a forwarded message. Forwarded text is never parsed for commands.
    pub forward: Option<Forward>,
    /// Whether its first line can be a command: see [`command::of`](crate::command::of).
    pub first_line: FirstLine,
    /// The text, without the mention of the bot and without the bot's name after a command. Content that is not text
    /// but can be described in words (a location, a contact, a poll) is described in words. The target of a hidden
    /// link follows its label, see [`Link::beside`].
    pub text: String,
    /// Links whose target the text does not show.
    pub links: Vec<Link>,
    /// What an answer to this event refers to: the platform's id of the message or, where there is no message (a slash
    /// command), a handle of the adapter's own. Only the adapter interprets it, and it is never logged.
    pub platform_message: Option<String>,
    /// The message it replies to.
    pub quote: Option<Quote>,
    /// The platform's id of the album (media group) that it belongs to: all messages of an album make one turn.
    pub album: Option<String>,
    /// Files that came with it, not yet fetched.
    pub attachments: Vec<Attachment>,
    /// Whether the answer is only for a client that is connected now: if the gateway ends before it has answered, the
    /// message is cancelled, because nobody would read the answer.
    pub while_connected: bool,
    /// When the platform says it was sent. Never used for resets, which follow our own time of acceptance.
    pub sent_at: Option<DateTime<Utc>>,
}

impl Event {
    /// An event without content, which is not addressed to the bot and cannot be a command. The caller sets what differs.
    pub fn new(
        id: impl Into<String>,
        kind: EventKind,
        from: Sender,
        address: Address,
        conversation: Conversation,
    ) -> Self {
        Self {
            id: id.into(),
            kind,
            from,
            address,
            agent: None,
            conversation,
            addressed: false,
            forward: None,
            first_line: FirstLine::Formatted,
            text: String::new(),
            links: Vec::new(),
            platform_message: None,
            quote: None,
            album: None,
            attachments: Vec::new(),
            while_connected: false,
            sent_at: None,
        }
    }
}

/// How the first line of a message is formatted, as far as that decides whether it can be a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FirstLine {
    /// The whole line is plain text.
    Plain,
    /// The first word is plain text; after it, something is formatted as code, as a quote, as a spoiler or as a link.
    PlainFirstWord,
    /// The first word is formatted, or the text is the caption of a file: never a command.
    Formatted,
}

/// What happened on the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// A new message.
    Message,
    /// A new version of an earlier message, which the event's `platform_message` names.
    Edit,
    /// The author has deleted an earlier message, which the event's `platform_message` names. A message that still waits is
    /// not answered then.
    Deleted,
    /// An earlier message was deleted, on a platform that names neither its author nor its chat. The event's
    /// `platform_message` is its id, which no other message of the source has. A message that still waits is not answered
    /// then.
    DeletedById,
    /// Somebody added reactions to a message or removed some.
    Reaction {
        /// The platform's id of the message.
        target: String,
        /// The reactions that were added.
        added: Vec<String>,
        /// The reactions that were removed.
        removed: Vec<String>,
    },
    /// Somebody pressed a button; the event's text is the button's data.
    Button {
        /// The platform's id of the message that carries the button.
        target: Option<String>,
    },
    /// A message that no agent can take: a game, or a kind of message that this version does not know.
    Unreadable {
        /// The platform's name for this kind of message.
        kind: String,
        /// Whether the sender gets a notice about it.
        notify_sender: bool,
        /// The event as it arrived, if this version does not know its kind or cannot read its contents: kept as a dead
        /// letter if the sender may write.
        raw: Option<RawEvent>,
    },
    /// An event whose sender or chat could not be read. Kept as a dead letter without its values.
    Undecodable(RawEvent),
    /// The chat has a new id.
    Moved {
        /// The new id.
        to: String,
    },
    /// A known kind of event that nothing here uses, by the platform's name for it. It is counted and not stored.
    Other(String),
}

impl EventKind {
    /// How the text of such an event was given.
    pub fn input_kind(&self) -> InputKind {
        match self {
            // A deletion is the last change of a message.
            EventKind::Edit | EventKind::Deleted => InputKind::Edit,
            EventKind::Button { .. } => InputKind::Button,
            EventKind::Reaction { .. } => InputKind::Reaction,
            EventKind::Message
            | EventKind::DeletedById
            | EventKind::Unreadable { .. }
            | EventKind::Undecodable(_)
            | EventKind::Moved { .. }
            | EventKind::Other(_) => InputKind::Message,
        }
    }
}

/// How a text was given, as it is stored and as agents see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum InputKind {
    /// A message.
    #[default]
    Message,
    /// A new version of an earlier message that an agent has seen already.
    Edit,
    /// A pressed button.
    Button,
    /// A reaction to a message.
    Reaction,
    /// What has come of a background task of the sender. Nobody has written it in the chat.
    Task,
}

impl InputKind {
    /// All variants.
    pub const ALL: [InputKind; 5] =
        [InputKind::Message, InputKind::Edit, InputKind::Button, InputKind::Reaction, InputKind::Task];

    /// The kind with this name.
    pub fn named(name: &str) -> Option<InputKind> {
        InputKind::ALL.into_iter().find(|input_kind| input_kind.name() == name)
    }

    /// The name in the database and for agents.
    pub fn name(self) -> &'static str {
        match self {
            InputKind::Message => "message",
            InputKind::Edit => "edit",
            InputKind::Button => "button",
            InputKind::Reaction => "reaction",
            InputKind::Task => "task",
        }
    }
}
