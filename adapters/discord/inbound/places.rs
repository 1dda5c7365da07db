//! What is known about channels. A message in a thread names the thread and not its parent, so the parent has to be known.

use std::collections::HashMap;

use frontdesk_kit::json::Fields;
use serenity::model::channel::ChannelType;

/// The channels that are known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    channels: HashMap<String, Known>,
}

#[derive(Debug, Clone)]
struct Known {
    /// The channel of a thread.
    parent: Option<String>,
    /// Whether a thread can be opened on its messages.
    has_threads: bool,
}

impl Places {
    /// Learns from a dispatch.
    pub(crate) fn learn(&mut self, name: &str, data: &Fields<'_>) {
        match name {
            "GUILD_CREATE" => {
                let both =
                    ["channels", "threads"].map(|list| data.list::<Fields<'_>>(list).unwrap_or_default());
                both.iter().flatten().for_each(|channel| self.add(channel));
            }
            "THREAD_LIST_SYNC" => {
                data.list("threads").unwrap_or_default().iter().for_each(|thread| self.add(thread));
            }
            "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "THREAD_CREATE" | "THREAD_UPDATE" => self.add(data),
            // What waits for a look-up of this channel was sent before, so it can be read first.
            "INTERACTION_CREATE" => {
                let channel = data.maybe::<Fields<'_>>("channel").filter(|channel| channel.has("type"));
                channel.iter().for_each(|channel| self.add(channel));
            }
            "CHANNEL_DELETE" | "THREAD_DELETE" => {
                data.maybe::<String>("id").map(|id| self.channels.remove(&id));
            }
            _ => {}
        }
    }

    /// Adds a channel object.
    pub(crate) fn add(&mut self, channel: &Fields<'_>) {
        if let Some(id) = channel.maybe::<String>("id") {
            let has_threads = matches!(kind(channel), Some(ChannelType::Text | ChannelType::News));
            self.channels.insert(id, Known { parent: parent(channel), has_threads });
        }
    }

    /// The channel of a dispatch that has to be looked up before the dispatch is parsed.
    pub(crate) fn missing(&self, name: &str, data: &Fields<'_>) -> Option<String> {
        let asked = matches!(
            name,
            "MESSAGE_CREATE" | "MESSAGE_UPDATE" | "MESSAGE_REACTION_ADD" | "MESSAGE_REACTION_REMOVE"
        );
        let channel = data.maybe::<String>("channel_id").filter(|_| asked && data.has("guild_id"))?;
        (!self.is_known(&channel)).then_some(channel)
    }

    /// Whether it is known what a channel is.
    pub(crate) fn is_known(&self, channel: &str) -> bool {
        self.channels.contains_key(channel)
    }

    /// The parent of a thread; `None` if it is another channel or not known.
    pub(super) fn parent(&self, channel: &str) -> Option<&str> {
        self.channels.get(channel)?.parent.as_deref()
    }

    /// Whether a thread can be opened on a message of this channel.
    pub(super) fn has_threads(&self, channel: &str) -> bool {
        self.channels.get(channel).is_some_and(|known| known.has_threads)
    }
}

/// The parent that a channel object names, if it is a thread. Other channels have a category there.
pub(super) fn parent(channel: &Fields<'_>) -> Option<String> {
    let is_thread = matches!(
        kind(channel),
        Some(ChannelType::NewsThread | ChannelType::PublicThread | ChannelType::PrivateThread)
    );
    channel.maybe("parent_id").filter(|_| is_thread)
}

fn kind(channel: &Fields<'_>) -> Option<ChannelType> {
    channel.maybe::<u64>("type").and_then(|kind| u8::try_from(kind).ok()).map(ChannelType::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(raw: &str) -> Fields<'_> {
        Fields::of(raw, "").unwrap()
    }

    #[test]
    fn parents_of_threads_are_learnt_and_forgotten() {
        let mut places = Places::default();
        let guild = r#"{"id":"9","channels":[{"id":"5","type":0,"parent_id":"4"}],"threads":[{"id":"6","type":11,"parent_id":"5"}]}"#;
        places.learn("GUILD_CREATE", &fields(guild));
        assert_eq!((places.parent("5"), places.parent("6")), (None, Some("5")), "a category is no parent");
        places.learn("THREAD_CREATE", &fields(r#"{"id":"7","type":12,"parent_id":"5"}"#));
        places.learn("THREAD_DELETE", &fields(r#"{"id":"6","type":11,"parent_id":"5"}"#));
        assert_eq!((places.parent("6"), places.parent("7")), (None, Some("5")));
        let missing = |raw: &str| places.missing("MESSAGE_CREATE", &fields(raw));
        assert_eq!(missing(r#"{"channel_id":"7","guild_id":"9"}"#), None);
        assert_eq!(missing(r#"{"channel_id":"8","guild_id":"9"}"#), Some("8".to_owned()));
        assert_eq!(missing(r#"{"channel_id":"8"}"#), None, "a private chat is no thread");
    }
}
