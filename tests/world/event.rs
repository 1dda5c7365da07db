//! Everything that can happen on the platform, said in a line.

use frontdesk_core::address::{Address, Principal};
use frontdesk_core::message::{
    Attachment, Conversation, Event, EventKind, FileKind, FirstLine, Forward, ForwardKind, Link, Quote,
    RawEvent, SenderKind,
};

use crate::platform::CHANNEL;

/// An event that has not happened yet. Its number is given by the platform.
#[derive(Debug, Clone)]
pub struct Happening(pub(crate) Event);

/// Somebody writes in private.
pub fn said(person: &str, text: &str) -> Happening {
    Happening(Event {
        id: String::new(),
        kind: EventKind::Message,
        principal: Principal::new(CHANNEL, None, person).unwrap(),
        sender_kind: SenderKind::Person,
        roles: Vec::new(),
        address: Address::new(CHANNEL, None, person, None).unwrap(),
        conversation: Conversation::Dm { chat: person.to_owned(), thread: None },
        addressed: true,
        forward: None,
        first_line: FirstLine::Plain,
        text: text.to_owned(),
        links: Vec::new(),
        sender: Some(format!("name of {person}")),
        platform_message: None,
        quote: None,
        album: None,
        attachments: Vec::new(),
        sent_at: None,
    })
}

/// Something happens that the adapter cannot read at all.
pub fn undecodable(kind: &str, body: &[u8]) -> Happening {
    Happening(Event { kind: EventKind::Undecodable(raw(kind, body)), ..said("0", "").0 })
}

fn raw(kind: &str, body: &[u8]) -> RawEvent {
    RawEvent { kind: kind.to_owned(), reason: "a field".to_owned(), body: body.to_vec() }
}

impl Happening {
    /// In a group, and not to us.
    #[must_use]
    pub fn overheard_in(self, chat: &str) -> Self {
        let here = self.in_group(chat);
        Happening(Event { addressed: false, ..here.0 })
    }

    /// In a group, to us.
    #[must_use]
    pub fn in_group(self, chat: &str) -> Self {
        let address = Address::new(CHANNEL, None, chat, None).unwrap();
        Happening(Event { address, conversation: Conversation::Group { chat: chat.to_owned() }, ..self.0 })
    }

    /// In a topic of a group, to us.
    #[must_use]
    pub fn in_topic(self, chat: &str, thread: &str) -> Self {
        let address = Address::new(CHANNEL, None, chat, Some(thread)).unwrap();
        let conversation = Conversation::Topic { chat: chat.to_owned(), thread: thread.to_owned() };
        Happening(Event { address, conversation, ..self.0 })
    }

    /// Under the platform's id of a message.
    #[must_use]
    pub fn named(self, message: &str) -> Self {
        Happening(Event { platform_message: Some(message.to_owned()), ..self.0 })
    }

    /// Not by a person.
    #[must_use]
    pub fn by(self, sender_kind: SenderKind) -> Self {
        Happening(Event { sender_kind, ..self.0 })
    }

    /// By somebody with this role.
    #[must_use]
    pub fn with_role(mut self, role: &str) -> Self {
        self.0.roles.push(role.to_owned());
        self
    }

    /// Under a name that anybody may take.
    #[must_use]
    pub fn shown_as(self, name: &str) -> Self {
        Happening(Event { sender: Some(name.to_owned()), ..self.0 })
    }

    /// As somebody else's words.
    #[must_use]
    pub fn forwarded(self) -> Self {
        self.forwarded_from(ForwardKind::Hidden, None)
    }

    /// As the words of such a source.
    #[must_use]
    pub fn forwarded_from(self, kind: ForwardKind, id: Option<&str>) -> Self {
        let id = id.map(|id| Principal::new(CHANNEL, None, id).unwrap());
        let forward = Some(Forward { kind, id, name: Some("somewhere".to_owned()) });
        Happening(Event { forward, ..self.0 })
    }

    /// Written this way.
    #[must_use]
    pub fn written(self, first_line: FirstLine) -> Self {
        Happening(Event { first_line, ..self.0 })
    }

    /// With a link that the text does not show.
    #[must_use]
    pub fn with_link(mut self, label: &str, url: &str) -> Self {
        self.0.links.push(Link { label: label.to_owned(), url: url.to_owned() });
        self
    }

    /// As the new text of an earlier message.
    #[must_use]
    pub fn instead_of(self, message: &str) -> Self {
        let named = self.named(message);
        Happening(Event { kind: EventKind::Edit, ..named.0 })
    }

    /// By pressing a button under a message.
    #[must_use]
    pub fn pressed_under(self, message: &str) -> Self {
        Happening(Event { kind: EventKind::Button { target: Some(message.to_owned()) }, ..self.0 })
    }

    /// As a mark on a message; the text is the mark.
    #[must_use]
    pub fn put_on(self, message: &str) -> Self {
        let added = vec![self.0.text.clone()];
        let kind = EventKind::Reaction { target: message.to_owned(), added, removed: Vec::new() };
        Happening(Event { kind, text: String::new(), ..self.0 })
    }

    /// As something that no agent can take.
    #[must_use]
    pub fn unreadable(self) -> Self {
        Happening(Event {
            kind: EventKind::Unreadable { kind: "game".to_owned(), told: true, raw: None },
            text: String::new(),
            ..self.0
        })
    }

    /// As something of a kind that the adapter does not know.
    #[must_use]
    pub fn of_unknown_kind(self, kind: &str, body: &[u8]) -> Self {
        let raw = Some(raw(kind, body));
        Happening(Event { kind: EventKind::Unreadable { kind: kind.to_owned(), told: true, raw }, ..self.0 })
    }

    /// As a piece of an album.
    #[must_use]
    pub fn of_album(self, album: &str) -> Self {
        Happening(Event { album: Some(album.to_owned()), ..self.0 })
    }

    /// In reply to these words.
    #[must_use]
    pub fn replying_to(self, words: &str) -> Self {
        let quote = Quote { sender: Some("somebody".to_owned()), ..Quote::of(words) };
        Happening(Event { quote: Some(quote), ..self.0 })
    }

    /// In reply to a message with a file.
    #[must_use]
    pub fn replying_to_file(self, message: &str, reference: &str) -> Self {
        let file = Attachment {
            reference: reference.to_owned(),
            unique: None,
            kind: FileKind::Photo,
            name: None,
            mime: None,
            size: None,
        };
        let quote =
            Quote { message: Some(message.to_owned()), attachments: vec![file], ..Quote::of("[photo]") };
        Happening(Event { quote: Some(quote), ..self.0 })
    }

    /// With a file.
    #[must_use]
    pub fn with_file(mut self, reference: &str, kind: FileKind) -> Self {
        let (reference, name) = (reference.to_owned(), Some(format!("{reference}.bin")));
        self.0.attachments.push(Attachment { reference, unique: None, kind, name, mime: None, size: None });
        self
    }

    /// Which the platform knows under this id of its content, with so many bytes.
    #[must_use]
    pub fn known_as(mut self, unique: Option<&str>, size: u64) -> Self {
        if let Some(file) = self.0.attachments.last_mut() {
            (file.unique, file.size) = (unique.map(str::to_owned), Some(size));
        }
        self
    }

    /// The chat has another id from now on.
    #[must_use]
    pub fn moves_to(self, chat: &str) -> Self {
        Happening(Event { kind: EventKind::Moved { to: chat.to_owned() }, ..self.0 })
    }
}
