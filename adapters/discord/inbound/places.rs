//! What is known about channels and about the bot's own roles. A message in a thread names the thread and not its parent, so the
//! parent has to be known. In each server the bot has a role of its own with its name, which Discord offers beside the bot to those
//! who mention it.

use std::collections::HashMap;

use frontdesk_kit::json::Fields;
use serenity::model::channel::ChannelType;

/// How the mention of a role begins.
const ROLE: &str = "<@&";

/// The channels and the guilds that are known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    bot: String,
    channels: HashMap<String, Known>,
    /// The guilds whose roles are known, each with the bot's own role there.
    roles: HashMap<String, Option<Role>>,
}

/// The role that Discord has made for the bot.
#[derive(Debug, Clone)]
pub(super) struct Role {
    id: String,
    pub name: String,
}

impl Role {
    /// How a text mentions it.
    pub(super) fn written(&self) -> String {
        format!("<@&{}>", self.id)
    }
}

/// What has to be looked up before a dispatch is parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The channel of the dispatch.
    pub channel: String,
    /// Its guild, if the guild's roles are not known.
    pub guild: Option<String>,
}

#[derive(Debug, Clone)]
struct Known {
    /// The channel of a thread.
    parent: Option<String>,
    /// Whether a thread can be opened on its messages.
    has_threads: bool,
}

impl Places {
    /// Nothing is known yet to this bot.
    pub(crate) fn of(bot: &str) -> Self {
        Self { bot: bot.to_owned(), ..Self::default() }
    }

    /// Learns from a dispatch.
    pub(crate) fn learn(&mut self, name: &str, data: &Fields<'_>) {
        match name {
            "GUILD_CREATE" => {
                let both =
                    ["channels", "threads"].map(|list| data.list::<Fields<'_>>(list).unwrap_or_default());
                both.iter().flatten().for_each(|channel| self.add(channel));
                if let (Some(guild), Ok(roles)) = (data.maybe::<String>("id"), data.list("roles")) {
                    self.add_roles(&guild, &roles);
                }
            }
            "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE" => {
                let role = data.maybe::<Fields<'_>>("role").and_then(|role| self.own(&role));
                if let (Some(guild), Some(role)) = (data.maybe::<String>("guild_id"), role) {
                    self.roles.insert(guild, Some(role));
                }
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

    /// Adds all roles of a guild.
    pub(crate) fn add_roles(&mut self, guild: &str, roles: &[Fields<'_>]) {
        let own = roles.iter().find_map(|role| self.own(role));
        self.roles.insert(guild.to_owned(), own);
    }

    fn own(&self, role: &Fields<'_>) -> Option<Role> {
        let bot = role.maybe::<Fields<'_>>("tags")?.maybe::<String>("bot_id")?;
        let (id, name) = (role.maybe("id")?, role.maybe("name")?);
        (bot == self.bot).then_some(Role { id, name })
    }

    /// What has to be looked up before a dispatch is parsed: its channel, or the roles that it may mention.
    pub(crate) fn missing(&self, name: &str, data: &Fields<'_>) -> Option<Missing> {
        let asked = matches!(
            name,
            "MESSAGE_CREATE" | "MESSAGE_UPDATE" | "MESSAGE_REACTION_ADD" | "MESSAGE_REACTION_REMOVE"
        );
        let guild = data.maybe::<String>("guild_id").filter(|_| asked)?;
        let channel: String = data.maybe("channel_id")?;
        let guild = Some(guild).filter(|guild| mentions_roles(data) && !self.knows_roles(guild));
        (guild.is_some() || !self.is_known(&channel)).then_some(Missing { channel, guild })
    }

    /// Whether the roles of a guild are known.
    pub(crate) fn knows_roles(&self, guild: &str) -> bool {
        self.roles.contains_key(guild)
    }

    /// The bot's own role that a text mentions.
    pub(super) fn mentioned_role(&self, text: &str) -> Option<&Role> {
        let roles = || self.roles.values().flatten();
        text.contains(ROLE).then(roles)?.find(|role| text.contains(&role.written()))
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

/// Whether a message mentions a role.
pub(crate) fn mentions_roles(message: &Fields<'_>) -> bool {
    message.maybe::<String>("content").is_some_and(|text| text.contains(ROLE))
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
        let guild = r#"{"id":"9","roles":[],"channels":[{"id":"5","type":0,"parent_id":"4"}],"threads":[{"id":"6","type":11,"parent_id":"5"}]}"#;
        places.learn("GUILD_CREATE", &fields(guild));
        assert_eq!((places.parent("5"), places.parent("6")), (None, Some("5")), "a category is no parent");
        places.learn("THREAD_CREATE", &fields(r#"{"id":"7","type":12,"parent_id":"5"}"#));
        places.learn("THREAD_DELETE", &fields(r#"{"id":"6","type":11,"parent_id":"5"}"#));
        assert_eq!((places.parent("6"), places.parent("7")), (None, Some("5")));
        let missing = |raw: &str| places.missing("MESSAGE_CREATE", &fields(raw));
        assert_eq!(missing(r#"{"channel_id":"7","guild_id":"9"}"#), None);
        let channel =
            |guild: Option<&str>| Some(Missing { channel: "8".to_owned(), guild: guild.map(str::to_owned) });
        assert_eq!(missing(r#"{"channel_id":"8","guild_id":"9"}"#), channel(None));
        assert_eq!(missing(r#"{"channel_id":"8","guild_id":"9","content":"<@&3>"}"#), channel(None), "known");
        assert_eq!(missing(r#"{"channel_id":"8","guild_id":"1","content":"<@&3>"}"#), channel(Some("1")));
        assert_eq!(missing(r#"{"channel_id":"8"}"#), None, "a private chat is no thread");
    }
}
