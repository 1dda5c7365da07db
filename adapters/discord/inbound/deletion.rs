//! Deleted messages. Discord names only their ids, so the authors of the latest messages are remembered.

use std::collections::{HashMap, VecDeque};

use frontdesk_core::address::Address;
use frontdesk_core::message::{Conversation, Event, EventKind, Sender};
use frontdesk_kit::json::Fields;

/// Number of messages that are remembered. A deletion matters only while its message waits for an answer.
const REMEMBERED: usize = 2000;

/// The authors and the chats of the latest messages.
#[derive(Debug, Default)]
pub(crate) struct Authors {
    messages: HashMap<String, (Sender, Address, Conversation)>,
    order: VecDeque<String>,
}

impl Authors {
    /// Remembers the message of an event.
    pub(crate) fn remember(&mut self, event: &Event) {
        let Some(message) = event.platform_message.clone().filter(|_| event.kind == EventKind::Message)
        else {
            return;
        };
        let author = (event.from.clone(), event.address.clone(), event.conversation.clone());
        if self.messages.insert(message.clone(), author).is_none() {
            self.order.push_back(message);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.messages.remove(&oldest);
        }
    }

    /// The events of a dispatch that names deleted messages. Those that are not remembered have been answered, or were
    /// received by an earlier process.
    pub(crate) fn deleted(&self, name: &str, data: &Fields<'_>) -> Vec<Event> {
        let ids: Vec<String> = match name {
            "MESSAGE_DELETE" => data.maybe("id").into_iter().collect(),
            "MESSAGE_DELETE_BULK" => data.list("ids").unwrap_or_default(),
            _ => Vec::new(),
        };
        let known = ids.into_iter().filter_map(|id| {
            let (from, address, conversation) = self.messages.get(&id)?.clone();
            let event = Event::new(format!("{id}/deleted"), EventKind::Deleted, from, address, conversation);
            Some(Event { platform_message: Some(id), ..event })
        });
        known.collect()
    }
}
