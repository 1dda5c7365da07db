//! What later events leave out: which channels are private chats of several people, and in which thread a message stands.

use std::collections::{HashMap, HashSet};

use frontdesk_core::message::{Conversation, Event, EventKind};

use crate::inbound::{self, App, Kind};

/// The maximum number of messages that are remembered is twice this.
const MANY: usize = 5000;

/// The channels and threads that were seen, for the events that name only a message.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Private chats of several people.
    several: HashSet<String>,
    /// The threads of messages, by their channels and times: of the last ones, and of those before.
    threads: HashMap<(String, String), String>,
    older: HashMap<(String, String), String>,
}

impl Places {
    pub(crate) fn note_several(&mut self, channel: &str) {
        if !self.several.contains(channel) {
            self.several.insert(channel.to_owned());
        }
    }

    /// A message stands in this thread.
    pub(crate) fn note_thread(&mut self, channel: &str, ts: &str, thread: &str) {
        if self.threads.len() >= MANY {
            self.older = std::mem::take(&mut self.threads);
        }
        self.threads.insert((channel.to_owned(), ts.to_owned()), thread.to_owned());
    }

    fn thread(&self, channel: &str, ts: &str) -> Option<&str> {
        let place = (channel.to_owned(), ts.to_owned());
        self.threads.get(&place).or_else(|| self.older.get(&place)).map(String::as_str)
    }

    /// Remembers the place of a message, and adds what is known to a reaction or a pressed button.
    pub(crate) fn complete(&mut self, app: &App, event: Event) -> Event {
        let chat = event.address.chat();
        let thread = event.address.thread();
        let thread = match &event.kind {
            EventKind::Message => {
                if let Conversation::Group { chat } = &event.conversation {
                    self.note_several(chat);
                }
                if let (Some(ts), Some(thread)) = (&event.platform_message, thread) {
                    self.note_thread(chat, ts, thread);
                }
                return event;
            }
            EventKind::Reaction { target, .. } => self.thread(chat, target),
            EventKind::Button { .. } => thread,
            _ => return event,
        };
        let kind = if self.several.contains(chat) { Kind::Several } else { Kind::of(None, chat) };
        let thread = thread.map(str::to_owned);
        inbound::at(app, event, kind, thread.as_deref())
    }
}
