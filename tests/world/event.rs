//! Builders for the events that the fake platform delivers.

use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::message::{
    Attachment, Conversation, Event, EventKind, FileKind, FirstLine, Forward, ForwardKind, Link, Quote,
    RawEvent, Sender, SenderKind,
};

use crate::platform::CHANNEL;

/// An event to be delivered. The platform gives it its number.
#[derive(Debug, Clone)]
pub struct TestEvent(pub(crate) Event);

/// A private message.
pub fn message_from(person: &str, text: &str) -> TestEvent {
    let principal = Principal::new(CHANNEL, None, person).unwrap();
    let from =
        Sender { name: Some(format!("name of {person}")), ..Sender::new(principal, SenderKind::Person) };
    let address = Address::new(CHANNEL, None, person, None).unwrap();
    let conversation = Conversation::Dm { chat: person.to_owned(), thread: None };
    TestEvent(Event {
        addressed: true,
        first_line: FirstLine::Plain,
        text: text.to_owned(),
        ..Event::new("", EventKind::Message, from, address, conversation)
    })
}

/// An event that the adapter cannot decode.
pub fn undecodable(kind: &str, body: &[u8]) -> TestEvent {
    TestEvent(Event { kind: EventKind::Undecodable(raw(kind, body)), ..message_from("0", "").0 })
}

fn raw(kind: &str, body: &[u8]) -> RawEvent {
    RawEvent { kind: kind.to_owned(), reason: "a field".to_owned(), body: body.to_vec() }
}

impl TestEvent {
    /// The same event on another account.
    pub(crate) fn on(mut self, account: &AccountId) -> Self {
        let Event { address, from, .. } = &mut self.0;
        if address.account() != account {
            *address = Address::at(account, address.chat(), address.thread()).unwrap();
            from.id = Principal::at(account, from.id.id()).unwrap();
        }
        self
    }

    /// In a group, and not addressed to the bot.
    #[must_use]
    pub fn unaddressed_in(self, chat: &str) -> Self {
        let here = self.in_group(chat);
        TestEvent(Event { addressed: false, ..here.0 })
    }

    /// In a group, addressed to the bot.
    #[must_use]
    pub fn in_group(self, chat: &str) -> Self {
        let address = Address::new(CHANNEL, None, chat, None).unwrap();
        TestEvent(Event { address, conversation: Conversation::Group { chat: chat.to_owned() }, ..self.0 })
    }

    /// In a topic of a group, addressed to the bot.
    #[must_use]
    pub fn in_topic(self, chat: &str, thread: &str) -> Self {
        let address = Address::new(CHANNEL, None, chat, Some(thread)).unwrap();
        let conversation = Conversation::Topic { chat: chat.to_owned(), thread: thread.to_owned() };
        TestEvent(Event { address, conversation, ..self.0 })
    }

    /// In a thread of a group.
    #[must_use]
    pub fn in_thread(self, chat: &str, thread: &str) -> Self {
        let address = Address::new(CHANNEL, None, chat, Some(thread)).unwrap();
        let conversation = Conversation::Thread { chat: chat.to_owned(), thread: thread.to_owned() };
        TestEvent(Event { address, conversation, ..self.0 })
    }

    /// With this platform id.
    #[must_use]
    pub fn named(self, message: &str) -> Self {
        TestEvent(Event { platform_message: Some(message.to_owned()), ..self.0 })
    }

    /// From this kind of sender.
    #[must_use]
    pub fn by(mut self, sender_kind: SenderKind) -> Self {
        self.0.from.kind = sender_kind;
        self
    }

    /// From a sender with this role.
    #[must_use]
    pub fn with_role(mut self, role: &str) -> Self {
        self.0.from.roles.push(role.to_owned());
        self
    }

    /// From a sender with this display name.
    #[must_use]
    pub fn shown_as(mut self, name: &str) -> Self {
        self.0.from.name = Some(name.to_owned());
        self
    }

    /// As a forwarded message whose source is hidden.
    #[must_use]
    pub fn forwarded(self) -> Self {
        self.forwarded_from(ForwardKind::Hidden, None)
    }

    /// As a message forwarded from such a source.
    #[must_use]
    pub fn forwarded_from(self, kind: ForwardKind, id: Option<&str>) -> Self {
        let id = id.map(|id| Principal::new(CHANNEL, None, id).unwrap());
        let forward = Some(Forward { kind, id, name: Some("somewhere".to_owned()) });
        TestEvent(Event { forward, ..self.0 })
    }

    /// With a first line of this kind.
    #[must_use]
    pub fn with_first_line(self, first_line: FirstLine) -> Self {
        TestEvent(Event { first_line, ..self.0 })
    }

    /// From a client that is connected, and for nobody else.
    #[must_use]
    pub fn while_connected(mut self) -> Self {
        self.0.while_connected = true;
        self
    }

    /// With a link whose address is not in the text.
    #[must_use]
    pub fn with_link(mut self, label: &str, url: &str) -> Self {
        self.0.links.push(Link { label: label.to_owned(), url: url.to_owned() });
        self
    }

    /// As an edit of this message.
    #[must_use]
    pub fn editing(self, message: &str) -> Self {
        let named = self.named(message);
        TestEvent(Event { kind: EventKind::Edit, ..named.0 })
    }

    /// As a press of a button under this message.
    #[must_use]
    pub fn pressed_under(self, message: &str) -> Self {
        TestEvent(Event { kind: EventKind::Button { target: Some(message.to_owned()) }, ..self.0 })
    }

    /// As a reaction to this message; the text is the emoji.
    #[must_use]
    pub fn reacting_to(self, message: &str) -> Self {
        let added = vec![self.0.text.clone()];
        let kind = EventKind::Reaction { target: message.to_owned(), added, removed: Vec::new() };
        TestEvent(Event { kind, text: String::new(), ..self.0 })
    }

    /// As a message of a kind that no agent can receive.
    #[must_use]
    pub fn unreadable(self) -> Self {
        TestEvent(Event {
            kind: EventKind::Unreadable { kind: "game".to_owned(), notify_sender: true, raw: None },
            text: String::new(),
            ..self.0
        })
    }

    /// As a message of a kind that the adapter does not know.
    #[must_use]
    pub fn of_unknown_kind(self, kind: &str, body: &[u8]) -> Self {
        let raw = Some(raw(kind, body));
        TestEvent(Event {
            kind: EventKind::Unreadable { kind: kind.to_owned(), notify_sender: true, raw },
            ..self.0
        })
    }

    /// As part of this album.
    #[must_use]
    pub fn of_album(self, album: &str) -> Self {
        TestEvent(Event { album: Some(album.to_owned()), ..self.0 })
    }

    /// As a reply to a message with this text.
    #[must_use]
    pub fn replying_to(self, words: &str) -> Self {
        let quote = Quote { sender: Some("somebody".to_owned()), ..Quote::of(words) };
        TestEvent(Event { quote: Some(quote), ..self.0 })
    }

    /// As a reply to this message of the bot.
    #[must_use]
    pub fn replying_to_bot(self, message: &str) -> Self {
        let quote = Quote { message: Some(message.to_owned()), ours: true, ..Quote::of("a question") };
        TestEvent(Event { quote: Some(quote), ..self.0 })
    }

    /// As a reply to a message with a photo.
    #[must_use]
    pub fn replying_to_file(self, message: &str, reference: &str) -> Self {
        self.replying_to_kind(message, reference, FileKind::Photo)
    }

    /// As a reply to a message with such a file.
    #[must_use]
    pub fn replying_to_kind(self, message: &str, reference: &str, kind: FileKind) -> Self {
        let file = Attachment {
            reference: reference.to_owned(),
            unique: None,
            kind,
            name: None,
            mime: None,
            size: None,
            seconds: None,
            kept: None,
        };
        let quote =
            Quote { message: Some(message.to_owned()), attachments: vec![file], ..Quote::of("[photo]") };
        TestEvent(Event { quote: Some(quote), ..self.0 })
    }

    /// With a file.
    #[must_use]
    pub fn with_file(mut self, reference: &str, kind: FileKind) -> Self {
        let (reference, name) = (reference.to_owned(), Some(format!("{reference}.bin")));
        self.0.attachments.push(Attachment {
            reference,
            unique: None,
            kind,
            name,
            mime: None,
            size: None,
            seconds: None,
            kept: None,
        });
        self
    }

    /// With this content id and size for the last file.
    #[must_use]
    pub fn known_as(mut self, unique: Option<&str>, size: u64) -> Self {
        if let Some(file) = self.0.attachments.last_mut() {
            (file.unique, file.size) = (unique.map(str::to_owned), Some(size));
        }
        self
    }

    /// With this length of the last file, in seconds.
    #[must_use]
    pub fn lasting(mut self, seconds: u64) -> Self {
        if let Some(file) = self.0.attachments.last_mut() {
            file.seconds = Some(seconds);
        }
        self
    }

    /// As the notice that the chat has another id from now on.
    #[must_use]
    pub fn moves_to(self, chat: &str) -> Self {
        TestEvent(Event { kind: EventKind::Moved { to: chat.to_owned() }, ..self.0 })
    }
}
