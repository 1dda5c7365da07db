//! The state of the server: bots, people, guilds, channels, files, interactions, and what the kit keeps.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::body::Bytes;
use frontdesk_fakes::{Clock, Common};
use serde_json::{Value, json};

use crate::answer::Refusal;
use crate::gateway::Gateway;
use crate::guild::{Channel, Guild, Member, User, kind};
use crate::id::{Id, Ids};
use crate::interaction::Interaction;
use crate::limits::Limits;
use crate::message::Message;
use crate::permission;
use crate::session::{Bot, intent};

/// A file on the CDN.
#[derive(Debug, Clone)]
pub struct File {
    pub bytes: Bytes,
    pub content_type: String,
}

#[derive(Debug)]
pub struct World {
    pub common: Common<Id>,
    /// Where the server listens.
    pub address: String,
    ids: Ids,
    pub bots: Vec<Bot>,
    pub users: BTreeMap<Id, User>,
    pub guilds: BTreeMap<Id, Guild>,
    pub channels: BTreeMap<Id, Channel>,
    /// Files by channel and attachment.
    pub files: HashMap<(Id, Id), File>,
    /// Nonces by author: the message, whose id says when it was sent.
    pub nonces: HashMap<(Id, String), (Id, Id)>,
    pub interactions: BTreeMap<Id, Interaction>,
    pub gateway: Gateway,
    pub limits: Limits,
    /// The number in the journal of the last event that a bot was told of.
    pub told: i64,
}

impl World {
    pub fn new(clock: Arc<Clock>, seed: u64) -> Self {
        Self {
            common: Common::new(clock, seed),
            address: String::new(),
            ids: Ids::default(),
            bots: Vec::new(),
            users: BTreeMap::new(),
            guilds: BTreeMap::new(),
            channels: BTreeMap::new(),
            files: HashMap::new(),
            nonces: HashMap::new(),
            interactions: BTreeMap::new(),
            gateway: Gateway::default(),
            limits: Limits::default(),
            told: 0,
        }
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.common.clock.now_ms()
    }

    /// A new id.
    pub fn new_id(&mut self) -> Id {
        let now = self.now_ms();
        self.ids.next(now)
    }

    pub fn bot(&mut self, id: Id) -> Option<&mut Bot> {
        self.bots.iter_mut().find(|bot| bot.id == id)
    }

    /// Registers a bot, which joins every guild.
    pub fn add_bot(&mut self, id: Id, token: &str, name: &str) {
        self.users.insert(id, User { id, name: name.to_owned(), is_bot: true, blocks: false });
        self.bots.push(Bot::new(id, token));
        let guilds: Vec<Id> = self.guilds.keys().copied().collect();
        guilds.into_iter().for_each(|guild| self.join(guild, id));
    }

    /// Adds a guild. Every bot joins it.
    pub fn add_guild(&mut self, id: Id, name: &str, owner: Id) {
        self.guilds.insert(id, Guild::new(id, name, owner));
        let bots: Vec<Id> = self.bots.iter().map(|bot| bot.id).collect();
        bots.into_iter().for_each(|bot| self.join(id, bot));
    }

    /// Somebody joins a guild; a bot is told of it.
    pub fn join(&mut self, guild: Id, user: Id) {
        if let Some(guild) = self.guilds.get_mut(&guild) {
            guild.members.entry(user).or_insert_with(Member::default);
        }
        let created = self.guild_create(guild, user);
        self.dispatch(user, "GUILD_CREATE", intent::GUILDS, guild, &created);
    }

    /// The private chat between a bot and a person, made if there is none.
    pub fn direct(&mut self, bot: Id, user: Id) -> Id {
        let between = Some((bot, user));
        if let Some(known) = self.channels.values().find(|channel| channel.between == between) {
            return known.id;
        }
        let id = self.new_id();
        self.channels.insert(id, Channel { between, ..Channel::new(id, kind::DM, None, "") });
        id
    }

    pub fn channel(&self, id: Id) -> Result<&Channel, Refusal> {
        self.channels.get(&id).ok_or_else(|| Refusal::unknown(10003, "Channel"))
    }

    pub fn channel_mut(&mut self, id: Id) -> Result<&mut Channel, Refusal> {
        self.channels.get_mut(&id).ok_or_else(|| Refusal::unknown(10003, "Channel"))
    }

    pub fn message(&self, channel: Id, message: Id) -> Result<&Message, Refusal> {
        let found = self.channel(channel)?.messages.get(&message);
        found.ok_or_else(|| Refusal::unknown(10008, "Message"))
    }

    /// What somebody may do in a channel or a thread.
    pub fn may(&self, channel: Id, user: Id) -> u64 {
        let Some(channel) = self.channels.get(&channel) else { return 0 };
        if let Some((bot, person)) = channel.between {
            return if [bot, person].contains(&user) { u64::MAX } else { 0 };
        }
        let parent = channel.parent.and_then(|parent| self.channels.get(&parent)).unwrap_or(channel);
        let guild = channel.guild.and_then(|guild| self.guilds.get(&guild));
        guild.map_or(0, |guild| permission::of(guild, parent, user))
    }

    /// Refuses what somebody may not do.
    pub fn needs(&self, channel: Id, user: Id, permission: u64) -> Result<(), Refusal> {
        self.channel(channel)?;
        match self.may(channel, user) {
            may if may & permission::VIEW_CHANNEL == 0 => Err(Refusal::no_access()),
            may if may & permission != permission => Err(Refusal::no_permission()),
            _ => Ok(()),
        }
    }

    pub fn user_json(&self, id: Id) -> Value {
        match self.users.get(&id) {
            Some(user) => user.to_json(),
            None => json!({"id": id, "username": "unknown", "discriminator": "0", "avatar": null}),
        }
    }

    /// A channel as this bot sees it.
    pub fn channel_json(&self, channel: &Channel) -> Value {
        let mut json = channel.to_json();
        if let Some((_, person)) = channel.between {
            json["recipients"] = json!([self.user_json(person)]);
        }
        json
    }

    /// A guild as it is dispatched to a bot that joins or identifies.
    pub fn guild_create(&self, id: Id, bot: Id) -> Value {
        let Some(guild) = self.guilds.get(&id) else { return Value::Null };
        if guild.outage {
            return json!({"id": id, "unavailable": true});
        }
        let mut json = guild.to_json();
        let visible = |channel: &&Channel| {
            channel.guild == Some(id) && self.may(channel.id, bot) & permission::VIEW_CHANNEL != 0
        };
        let of_kind = |is_thread: bool| -> Vec<Value> {
            let channels = self.channels.values().filter(visible);
            let wanted =
                channels.filter(|channel| channel.thread.is_some() == is_thread && !channel.is_archived());
            wanted.map(Channel::to_json).collect()
        };
        let mut own = guild.members.get(&bot).map(Member::to_json).unwrap_or_default();
        own["user"] = self.user_json(bot);
        for (name, value) in [
            ("channels", json!(of_kind(false))),
            ("threads", json!(of_kind(true))),
            ("members", json!([own])),
            ("member_count", json!(guild.members.len())),
            ("joined_at", json!("2020-09-13T12:26:40.000000+00:00")),
            ("large", json!(false)),
            ("unavailable", json!(false)),
        ] {
            json[name] = value;
        }
        for empty in
            ["presences", "voice_states", "stage_instances", "guild_scheduled_events", "soundboard_sounds"]
        {
            json[empty] = json!([]);
        }
        json
    }

    /// Tells one bot of an event, in each session whose intents cover it (0: in every session).
    pub fn dispatch(&mut self, bot: Id, event: &str, wanted: u64, about: Id, data: &Value) {
        let (now, window) = (self.now_ms(), self.gateway.window_ms);
        let Some(bot) = self.bots.iter_mut().find(|known| known.id == bot) else { return };
        bot.sessions.retain(|session| session.is_alive(now, window));
        let number = bot.next_event;
        let mut heard = false;
        for session in bot.sessions.iter_mut().filter(|session| wanted == 0 || session.intents & wanted != 0)
        {
            heard = true;
            let hidden = session.intents & intent::MESSAGE_CONTENT == 0
                && wanted == intent::GUILD_MESSAGES
                && Message::is_private_to_people(data, bot.id);
            if hidden {
                session.push(event, &Message::without_content(data), number);
            } else {
                session.push(event, data, number);
            }
        }
        if heard {
            bot.next_event += 1;
            self.told = number;
            self.common.journal.arrived(bot.id, number, about, now);
        }
    }

    /// Tells every bot that sees a channel. The first intent is for guilds, the second for private chats.
    pub fn tell(&mut self, channel: Id, event: &str, intents: (u64, u64), data: &Value) {
        let private = self.channels.get(&channel).is_some_and(|channel| channel.between.is_some());
        let wanted = if private { intents.1 } else { intents.0 };
        let bots: Vec<Id> = self.bots.iter().map(|bot| bot.id).collect();
        for bot in bots {
            if self.may(channel, bot) & permission::VIEW_CHANNEL != 0 {
                self.dispatch(bot, event, wanted, channel, data);
            }
        }
    }
}
