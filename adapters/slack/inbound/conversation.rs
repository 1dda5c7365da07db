//! Where an event belongs, and where an answer to it goes.

use frontdesk_core::address::Address;
use frontdesk_core::message::Conversation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::field::Unread;

/// What counts as one conversation in a private chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DmSessions {
    /// What Slack shows as one: a thread, and the top of the chat if the app has no agent view.
    #[default]
    Auto,
    /// The whole chat.
    Chat,
    /// Each thread, and each message at the top opens one.
    Thread,
}

/// The kind of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Private,
    /// A private chat of several people.
    Several,
    Channel,
}

impl Kind {
    /// By `channel_type`; without one by the id, whose first letter says it.
    pub(crate) fn of(channel_type: Option<&str>, channel: &str) -> Kind {
        match channel_type {
            Some("im" | "app_home") => Kind::Private,
            Some("mpim") => Kind::Several,
            None if channel.starts_with('D') => Kind::Private,
            _ => Kind::Channel,
        }
    }

    /// Its name in `channel_type`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Private => "im",
            Kind::Several => "mpim",
            Kind::Channel => "channel",
        }
    }
}

/// A conversation and the address of its answers.
pub(super) struct Place {
    pub address: Address,
    pub conversation: Conversation,
}

/// The conversation in this channel, or in this thread of it. A private chat is named by its person, its address by the
/// channel.
pub(super) fn place(
    app: &App,
    kind: Kind,
    channel: &str,
    thread: Option<&str>,
    person: &str,
) -> Result<Place, Unread> {
    let chat = channel.to_owned();
    let conversation = match (kind, thread.map(str::to_owned)) {
        (Kind::Private, _) if app.dm_sessions == DmSessions::Chat => {
            Conversation::Dm { chat: person.to_owned(), thread: None }
        }
        (Kind::Private, thread) => Conversation::Dm { chat: person.to_owned(), thread },
        (_, Some(thread)) => Conversation::Thread { chat, thread },
        (Kind::Several, None) => Conversation::Group { chat },
        (Kind::Channel, None) => Conversation::Channel { chat },
    };
    Ok(Place { address: app.address(channel, thread)?, conversation })
}

/// The place of an event that has none.
pub(super) fn unknown(app: &App) -> Result<Place, Unread> {
    place(app, Kind::Several, "0", None, "0")
}
