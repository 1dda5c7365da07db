//! What arrives: events as an adapter understood them, and what became of each.

mod raw;

use chrono::{DateTime, Utc};

use crate::address::{Address, Principal};
use crate::id::MessageId;
use crate::key::SessionKey;

pub use raw::RawEvent;

/// Where events come from and in which order: one platform account, one bot, one token. Dedupe and the
/// stored cursor belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The platform's own stable id with the channel in front: `telegram:8123456`, `web:main`.
    pub id: String,
    /// The channel's name.
    pub channel: &'static str,
    /// The account as the config names it.
    pub account: String,
}

/// One event of a platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The platform's own id, unique within the source. A redelivery has the same one.
    pub id: String,
    /// What happened.
    pub kind: EventKind,
    /// Who did it.
    pub principal: Principal,
    /// What kind of being that is.
    pub sender_kind: SenderKind,
    /// The platform's ids of the sender's roles in this place, where it has such a thing.
    pub roles: Vec<String>,
    /// Where an answer goes.
    pub address: Address,
    /// Which conversation it belongs to.
    pub conversation: Conversation,
    /// Whether it speaks to us: a direct message, a mention, a reply to the bot or a command.
    pub addressed: bool,
    /// Whose words it passes on, where they are not the sender's own. No command is read from them.
    pub forward: Option<Forward>,
    /// Whether its first line can be a command: see [`command::of`](crate::command::of).
    pub first_line: FirstLine,
    /// What was said, without the mention of the bot and without the bot's name behind a command. What is no
    /// text but can be told in words (a place, a contact, a poll) is told in words. The target of a hidden link stands
    /// behind its label, see [`Link::beside`].
    pub text: String,
    /// Links whose target the text does not show.
    pub links: Vec<Link>,
    /// How the sender is shown. Display data: never an identity.
    pub sender: Option<String>,
    /// What an answer to this event refers to: the platform's id of the message or, where it is none (a slash
    /// command), the adapter's own handle. Opaque to everyone else, and never logged.
    pub platform_message: Option<String>,
    /// What it replies to.
    pub quote: Option<Quote>,
    /// The platform's id of the album it is one piece of: all pieces make one turn.
    pub album: Option<String>,
    /// Files that came with it, not yet fetched.
    pub attachments: Vec<Attachment>,
    /// When the platform says it was sent. Never used for resets: those follow our time of acceptance.
    pub sent_at: Option<DateTime<Utc>>,
}

/// What kind of being an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SenderKind {
    /// A person with an account of their own.
    #[default]
    Person,
    /// Another program.
    Bot,
    /// A chat that speaks for itself: an anonymous admin, a channel. It has no person's rights.
    Chat,
}

impl SenderKind {
    /// Every one.
    pub const ALL: [SenderKind; 3] = [SenderKind::Person, SenderKind::Bot, SenderKind::Chat];

    /// The one with this name.
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

/// Somebody by a stable id, with how they are shown. Two people may be shown alike; no two have the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Who.
    pub id: Principal,
    /// What kind of being.
    pub kind: SenderKind,
    /// Display data: never an identity.
    pub name: Option<String>,
}

/// Where words come from that somebody passes on, as far as the platform tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// What kind of source it is.
    pub kind: ForwardKind,
    /// The source's stable id; `None` where the platform keeps it back.
    pub id: Option<Principal>,
    /// How the source is shown: display data.
    pub name: Option<String>,
}

/// What kind of source forwarded words have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ForwardKind {
    /// A person.
    Person,
    /// Another program, also one that wrote in the sender's name.
    Bot,
    /// A group that spoke for itself.
    Chat,
    /// A channel.
    Channel,
    /// Somebody whose account the platform does not name.
    Hidden,
    /// The platform does not say.
    Unknown,
}

impl ForwardKind {
    /// Every one.
    pub const ALL: [ForwardKind; 6] = [
        ForwardKind::Person,
        ForwardKind::Bot,
        ForwardKind::Chat,
        ForwardKind::Channel,
        ForwardKind::Hidden,
        ForwardKind::Unknown,
    ];

    /// The one with this name.
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

/// How the first line of a message is written, as far as it decides whether a command is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FirstLine {
    /// As plain words of the message itself.
    Plain,
    /// The first word is plain; behind it something is marked as code, as a quote, as hidden or as a link.
    PlainWord,
    /// Marked from its first word on, or it is no text of its own but the caption of a file.
    Shown,
}

/// A link whose target the text does not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The words that carry the link.
    pub label: String,
    /// Where it leads, as the platform states it.
    pub url: String,
}

/// The longest target that is spelled out in a text, in characters. The whole one is in the link.
const LONGEST_TARGET: usize = 2000;

impl Link {
    /// What stands behind the label in a text that is to show the target: ` (https://example.com/)`. Whatever could
    /// end the bracket or the line is percent-encoded.
    pub fn beside(&self) -> String {
        let mut shown = String::from(" (");
        for c in self.url.chars().take(LONGEST_TARGET) {
            match c {
                '!'..='~' if !matches!(c, '(' | ')' | '<' | '>' | '"' | '`') => shown.push(c),
                _ => {
                    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                        shown.push_str(&format!("%{byte:02X}"));
                    }
                }
            }
        }
        shown.push(')');
        shown
    }
}

/// What happened on the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// Somebody said something.
    Message,
    /// An earlier message, named by the event's `platform_message`, says something else now.
    Edit,
    /// Somebody put marks on a message, or took some back.
    Reaction {
        /// The platform's id of the message.
        target: String,
        /// The marks that are new.
        added: Vec<String>,
        /// The marks that are gone.
        removed: Vec<String>,
    },
    /// Somebody pressed a button; the event's text is the button's data.
    Button {
        /// The platform's id of the message that carries the button.
        target: Option<String>,
    },
    /// Somebody sent what no agent can take: a game, or something of a kind that this version does not know.
    Unreadable {
        /// The platform's name for it.
        kind: String,
        /// Whether its sender is told so.
        told: bool,
        /// The event as it arrived, where this version does not know its kind: kept as a dead letter.
        raw: Option<RawEvent>,
    },
    /// An event of which not even its sender or its chat could be read. Kept as a dead letter.
    Undecodable(RawEvent),
    /// The chat has another id from now on.
    Moved {
        /// The new id.
        to: String,
    },
    /// Something known that no agent and no rule has a use for, by the platform's name for it. It is counted, not
    /// stored.
    Other(String),
}

/// In which way something was said, as it is stored and as agents see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum InputKind {
    /// As a message.
    #[default]
    Message,
    /// As a new text of an earlier message that an agent has seen already.
    Edit,
    /// With a button.
    Button,
    /// With a mark on a message.
    Reaction,
}

impl InputKind {
    /// Every one.
    pub const ALL: [InputKind; 4] =
        [InputKind::Message, InputKind::Edit, InputKind::Button, InputKind::Reaction];

    /// The one with this name.
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
        }
    }
}

/// The message that another one replies to. Data of third parties: never read for commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The platform's id of that message.
    pub message: Option<String>,
    /// The stable id of its sender, where the platform gives it.
    pub id: Option<Principal>,
    /// How its sender is shown.
    pub sender: Option<String>,
    /// What it says, or the piece that was quoted.
    pub text: String,
    /// Links whose target that text does not show.
    pub links: Vec<Link>,
    /// Files of that message, not yet fetched.
    pub attachments: Vec<Attachment>,
    /// Whether we said it.
    pub ours: bool,
}

impl Quote {
    /// A text that somebody or something said, and nothing else known of it.
    pub fn of(text: impl Into<String>) -> Self {
        Self {
            message: None,
            id: None,
            sender: None,
            text: text.into(),
            links: Vec::new(),
            attachments: Vec::new(),
            ours: false,
        }
    }
}

/// The conversation an event belongs to, in the platform's terms. Its chat names the conversation and may differ
/// from the address's, which names where to send: of a private chat some platforms give both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversation {
    /// A private chat with one person.
    Dm {
        /// The chat's id, in most platforms the person's.
        chat: String,
        /// The part of it that this is in, where a private chat has parts.
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
    /// A named part of a group that lasts.
    Topic {
        /// The group's id.
        chat: String,
        /// The topic's id.
        thread: String,
    },
    /// A side conversation under a message.
    Thread {
        /// The chat's id.
        chat: String,
        /// The thread's id.
        thread: String,
    },
}

impl Conversation {
    /// Whether only one person is in it.
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

/// A file that came with a message, as a reference. Its bytes are fetched after the acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What the platform needs to hand the file out.
    pub reference: String,
    /// The platform's own id of the content, the same whenever the same file is sent; `None` where it has none.
    /// Comes from the platform alone, never from a sender.
    pub unique: Option<String>,
    /// How it is shown.
    pub kind: FileKind,
    /// The file's name, as its sender chose it: display data.
    pub name: Option<String>,
    /// The media type, as the platform states it.
    pub mime: Option<String>,
    /// The size in bytes, as the platform states it.
    pub size: Option<u64>,
}

/// How a file is shown in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FileKind {
    /// A picture.
    Photo,
    /// A file as it is.
    #[default]
    Document,
    /// Something spoken.
    Voice,
    /// Music.
    Audio,
    /// A film.
    Video,
    /// A film without sound that plays by itself.
    Animation,
    /// A sticker.
    Sticker,
}

impl FileKind {
    /// Every one.
    pub const ALL: [FileKind; 7] = [
        FileKind::Photo,
        FileKind::Document,
        FileKind::Voice,
        FileKind::Audio,
        FileKind::Video,
        FileKind::Animation,
        FileKind::Sticker,
    ];

    /// The one with this name.
    pub fn named(name: &str) -> Option<FileKind> {
        FileKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The name in the database and for agents.
    pub fn name(self) -> &'static str {
        match self {
            FileKind::Photo => "photo",
            FileKind::Document => "document",
            FileKind::Voice => "voice",
            FileKind::Audio => "audio",
            FileKind::Video => "video",
            FileKind::Animation => "animation",
            FileKind::Sticker => "sticker",
        }
    }
}

/// How far a source has been read, in the platform's own terms. Opaque to everyone but its adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// What became of one event. Every one of these means that the adapter may acknowledge it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Stored; an answer will follow.
    Accepted {
        /// The id to speak about it.
        message: MessageId,
        /// The conversation it joined.
        session: SessionKey,
    },
    /// Known already, with the same content; nothing was stored.
    Duplicate {
        /// The id it got the first time.
        message: MessageId,
        /// The conversation it joined then.
        session: SessionKey,
    },
    /// The id is known already, with other content; nothing was stored.
    Conflict {
        /// The id of the event that was first.
        message: MessageId,
    },
    /// Taken into an earlier message, which still waits (an edit), or kept as quiet context: no answer of its
    /// own will follow.
    Noted,
    /// Stored as refused; the person was told, where there is something to tell.
    Refused {
        /// The id to speak about it.
        message: MessageId,
        /// Why.
        reason: Refusal,
    },
    /// Its sender may not speak here; counted, not stored.
    Denied,
    /// Nothing that an agent could take; counted, not stored.
    Ignored,
    /// Not readable; kept as a dead letter, for the operator.
    DeadLetter,
}

/// Why a message was stored and not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The sender, the chat or the account sends more per minute than the operator allows.
    RateLimited,
    /// The session has as many waiting messages as it may.
    SessionFull,
    /// A hook dropped it.
    Hook,
    /// It waited longer than `queue.max_age`.
    TooOld,
    /// It was longer than `queue.max_text`.
    TooLong,
    /// Its sender was shut out while it waited.
    Revoked,
    /// Its sender is a stranger and got a code to show to an admin.
    Pairing,
    /// Its sender has said as much today as one person may.
    Quota,
    /// Nothing that an agent could take.
    Unreadable,
    /// Nobody who wrote what was to run once more may still speak.
    AuthorRevoked,
}

impl Refusal {
    /// Every one.
    pub const ALL: [Refusal; 10] = [
        Refusal::RateLimited,
        Refusal::SessionFull,
        Refusal::Hook,
        Refusal::TooOld,
        Refusal::TooLong,
        Refusal::Revoked,
        Refusal::Pairing,
        Refusal::Quota,
        Refusal::Unreadable,
        Refusal::AuthorRevoked,
    ];

    /// The one with this name.
    pub fn named(name: &str) -> Option<Refusal> {
        Refusal::ALL.into_iter().find(|refusal| refusal.name() == name)
    }

    /// The name in the database, in the API and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Refusal::RateLimited => "rate_limited",
            Refusal::SessionFull => "session_full",
            Refusal::Hook => "hook",
            Refusal::TooOld => "too_old",
            Refusal::TooLong => "too_long",
            Refusal::Revoked => "revoked",
            Refusal::Pairing => "pairing",
            Refusal::Quota => "quota",
            Refusal::Unreadable => "unreadable",
            Refusal::AuthorRevoked => "author_revoked",
        }
    }

    /// Whether the person hears of it: somebody who was shut out does not, a hook speaks for itself, and a
    /// stranger gets the code instead.
    pub fn is_told(self) -> bool {
        !matches!(self, Refusal::Revoked | Refusal::Hook | Refusal::Pairing)
    }

    /// The sentence for the person, with what to do next.
    pub fn sentence(self) -> &'static str {
        match self {
            Refusal::RateLimited => {
                "You are sending faster than I may take it. Please wait a minute and say it again."
            }
            Refusal::SessionFull => {
                "Too many messages are waiting here already, so I did not take this one. \
                 Wait for an answer, or send /stop to clear them."
            }
            Refusal::Hook | Refusal::Revoked | Refusal::Pairing => "This message was not passed on.",
            Refusal::Quota => {
                "You have sent as many messages today as one person may. Please go on tomorrow; /status shows the count."
            }
            Refusal::Unreadable => {
                "I cannot read this kind of message. Please send it as text, a picture or a file."
            }
            Refusal::AuthorRevoked => {
                "I did not run the last message again: the person who wrote it may not speak here any more."
            }
            Refusal::TooOld => {
                "This message waited too long to be answered. Please send it again if it still matters."
            }
            Refusal::TooLong => "This message is too long. Please send it in smaller pieces.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beside(url: &str) -> String {
        Link { label: "this".into(), url: url.into() }.beside()
    }

    #[test]
    fn a_links_target_is_shown_as_it_is() {
        assert_eq!(beside("https://e.com/p?a=1&b=%20#c"), " (https://e.com/p?a=1&b=%20#c)");
    }

    #[test]
    fn a_links_target_can_end_neither_its_bracket_nor_its_line() {
        assert_eq!(
            beside("https://e.com/a) \n{\"files\":[]}\u{202e}"),
            " (https://e.com/a%29%20%0A{%22files%22:[]}%E2%80%AE)"
        );
        assert!(beside(&"é".repeat(9000)).len() <= LONGEST_TARGET * 6 + 3);
    }
}
