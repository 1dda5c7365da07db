//! Events that could not be read, as they arrived.

use super::{Conversation, Event, EventKind, FirstLine, SenderKind, Source};
use crate::address::{Address, AddressError, Principal};

/// An event as it arrived, kept because this version could not read it.
#[derive(Clone, PartialEq, Eq)]
pub struct RawEvent {
    /// The platform's name for what it is, or `unknown`: a plain word, safe as a label.
    pub kind: String,
    /// What could not be read, for the log: names of fields, never what they hold.
    pub reason: String,
    /// The bytes, as they arrived. They may hold what people said: never logged.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for RawEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawEvent({}: {}, {} bytes)", self.kind, self.reason, self.body.len())
    }
}

impl RawEvent {
    /// A name for an event that has no readable id of its own: the same whenever the same bytes are brought again.
    pub fn name(&self) -> String {
        let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        format!("raw:{:016x}", self.body.iter().fold(0xcbf2_9ce4_8422_2325, fnv))
    }
}

impl Event {
    /// An event of which nothing could be read but its id, or not even that. Its sender and its place are stand-ins
    /// that no rule asks.
    pub fn undecodable(source: &Source, id: Option<String>, raw: RawEvent) -> Result<Event, AddressError> {
        Ok(Event {
            id: id.unwrap_or_else(|| raw.name()),
            kind: EventKind::Undecodable(raw),
            principal: Principal::new(source.channel, Some(&source.account), "0")?,
            sender_kind: SenderKind::Chat,
            roles: Vec::new(),
            address: Address::new(source.channel, Some(&source.account), "0", None)?,
            conversation: Conversation::Group { chat: "0".to_owned() },
            addressed: false,
            forward: None,
            first_line: FirstLine::Shown,
            text: String::new(),
            links: Vec::new(),
            sender: None,
            platform_message: None,
            quote: None,
            album: None,
            attachments: Vec::new(),
            sent_at: None,
        })
    }
}
