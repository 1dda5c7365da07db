//! Events that name no sender: those that could not be read, and deletions by id.

use serde_json::Value;

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

    /// The body without its values: the names of the fields and what kind of value each has. Empty if it is no JSON. For an
    /// event whose sender is not known, and may be somebody of whom nothing is to be kept.
    pub fn shape(&self) -> Vec<u8> {
        let body: Option<Value> = serde_json::from_slice(&self.body).ok();
        body.map(|body| shape(&body).to_string().into_bytes()).unwrap_or_default()
    }
}

fn shape(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "text".into(),
        Value::Array(elements) => {
            let mut shapes: Vec<Value> = elements.iter().map(shape).collect();
            shapes.dedup();
            Value::Array(shapes)
        }
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
    }
}

impl Event {
    /// The same event, whose contents could not be read: kept as it arrived if its sender may write.
    #[must_use]
    pub fn unreadable(self, raw: RawEvent, notify_sender: bool) -> Event {
        let kind = EventKind::Unreadable { kind: raw.kind.clone(), notify_sender, raw: Some(raw) };
        let bare = Event::new(self.id, kind, self.from, self.address, self.conversation);
        Event {
            addressed: self.addressed,
            platform_message: self.platform_message,
            sent_at: self.sent_at,
            ..bare
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_has_the_names_of_the_fields_and_none_of_their_values() {
        let shape = |body: &str| {
            let raw = RawEvent { kind: "x".into(), reason: "y".into(), body: body.as_bytes().to_vec() };
            String::from_utf8(raw.shape()).unwrap()
        };
        let body =
            r#"{"text":"secret","at":7,"on":true,"none":null,"files":[{"name":"secret"},{"name":"b"},1]}"#;
        let shown: Value = serde_json::from_str(&shape(body)).unwrap();
        let expected = serde_json::json!({
            "text": "text", "at": "number", "on": "bool", "none": null, "files": [{"name": "text"}, "number"],
        });
        assert_eq!(shown, expected);
        assert_eq!([shape("secret"), shape("")], ["", ""]);
        assert_eq!(
            shape(&format!("{}1{}", "[".repeat(5000), "]".repeat(5000))),
            "",
            "nor does it recurse without end"
        );
    }
}
