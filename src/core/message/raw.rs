//! Events that name no sender: those that could not be read, and deletions by id.

use super::{Conversation, Event, EventKind, Sender, SenderKind, Source};
use crate::address::{Address, AddressError, Principal};

/// An event as it arrived, kept because this version could not read it.
#[derive(Clone, PartialEq, Eq)]
pub struct RawEvent {
    /// The platform's name for the kind of event, or `unknown`. A plain word that is safe as a metric label.
    pub kind: String,
    /// What could not be read, for the log: names of fields, never their values.
    pub reason: String,
    /// The bytes as they arrived. They may contain message texts, so they are never logged.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for RawEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawEvent({}: {}, {} bytes)", self.kind, self.reason, self.body.len())
    }
}

impl RawEvent {
    /// An event id for an event that has no readable id of its own. A redelivery of the same bytes gets the same id.
    pub fn name(&self) -> String {
        let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        format!("raw:{:016x}", self.body.iter().fold(0xcbf2_9ce4_8422_2325, fnv))
    }
}

impl Event {
    /// An event of which at most the id could be read.
    pub fn undecodable(source: &Source, id: Option<String>, raw: RawEvent) -> Result<Event, AddressError> {
        let id = id.unwrap_or_else(|| raw.name());
        Event::without_sender(source, id, EventKind::Undecodable(raw))
    }

    /// An event that says of an earlier message only that it was deleted: [`EventKind::DeletedById`].
    pub fn deleted_by_id(source: &Source, message: String) -> Result<Event, AddressError> {
        let event = Event::without_sender(source, format!("{message}/deleted"), EventKind::DeletedById)?;
        Ok(Event { platform_message: Some(message), ..event })
    }

    /// An event whose sender and conversation are placeholders that no rule looks at.
    fn without_sender(source: &Source, id: String, kind: EventKind) -> Result<Event, AddressError> {
        let from = Sender::new(Principal::at(&source.account, "0")?, SenderKind::Chat);
        let address = Address::at(&source.account, "0", None)?;
        let conversation = Conversation::Group { chat: "0".to_owned() };
        Ok(Event::new(id, kind, from, address, conversation))
    }
}
