//! What people do in their apps and operators do with bots and guilds, as the control port takes it.

mod interact;
mod people;

pub use people::{Said, Written};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::gateway::Order;
use crate::guild::{Channel, Role, User, kind};
use crate::id::Id;
use crate::limits::{Forced, Numbers};
use crate::message::Shown;
use crate::permission::Overwrite;
use crate::session::intent;
use crate::world::World;

/// Why an action is impossible.
pub type Impossible = String;

/// What an action led to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// The channel.
    pub channel_id: Id,
    /// The message that it made or is about.
    pub message_id: Id,
}

/// An action: the path names it, the body is what it needs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Bot { id: Id, token: String, name: String },
    User { id: Id, name: String },
    Guild { id: Id, name: String, owner: Id },
    Channel { id: Id, guild: Id, name: String, kind: Option<u8>, needs_tag: Option<bool> },
    Role { id: Id, guild: Id, name: String, permissions: Option<String>, bot: Option<Id> },
    Member { guild: Id, user: Id, roles: Option<Vec<Id>>, nick: Option<String> },
    Permit { channel: Id, target: Id, allow: Option<String>, deny: Option<String> },
    Part { guild: Id, user: Id },
    Outage { guild: Id, on: bool },
    Block { user: Id, on: bool },
    DeleteChannel { channel: Id },
    Say(Box<Said>),
    Edit { channel: Id, message: Id, content: String },
    Embed { channel: Id, message: Id, embeds: Vec<Value> },
    Delete { channel: Id, message: Id },
    Purge { channel: Id, messages: Vec<Id> },
    React { channel: Id, message: Id, user: Id, emoji: String },
    Unreact { channel: Id, message: Id, user: Id, emoji: String },
    Thread { channel: Id, user: Id, name: String, message: Option<Id>, content: Option<String> },
    Archive { channel: Id, archived: bool, locked: Option<bool> },
    Press { channel: Id, message: Id, user: Id, button: String, values: Option<Vec<String>> },
    Slash { user: Id, channel: Option<Id>, name: String, options: Option<Value> },
    Complete { user: Id, channel: Option<Id>, name: String, options: Value },
    Submit { interaction: Id, fields: Value },
    Interaction { id: Id },
    Dm { user: Id },
    Disconnect { code: Option<u16> },
    Reconnect {},
    Invalidate { resumable: bool },
    Frame { text: String },
    Commands { change: Map<String, Value> },
    ForgetSessions {},
    Deaf { on: bool },
    Unacknowledged { on: bool },
    Unconfirmed { on: bool },
    ResumedAt { url: Option<String> },
    Heartbeat { interval_ms: i64 },
    Window { seconds: i64 },
    Grant { intents: u64 },
    Budget { identifies: usize },
    Token { token: String },
    Endpoint { url: Option<String> },
    CodeGrant { on: bool },
    Emoji { guild: Id, id: Id, name: String },
    Again {},
    Sessions {},
    Limits(Numbers),
    TooMany(Forced),
}

impl World {
    /// Carries out an action from the control port. `number` is that of the event in the journal, 0 if no bot is told.
    pub fn perform(&mut self, action: &str, body: Value) -> Result<Value, Impossible> {
        let action = serde_json::from_value(json!({action: body})).map_err(|error| error.to_string())?;
        self.told = 0;
        let mut done = self.carry_out(action)?;
        if let Some(done) = done.as_object_mut() {
            done.insert("number".to_owned(), json!(self.told));
        }
        Ok(done)
    }

    fn carry_out(&mut self, action: Action) -> Result<Value, Impossible> {
        let sent = match action {
            Action::Say(said) => self.say(*said)?,
            Action::Edit { channel, message, content } => self.edit(channel, message, &content)?,
            Action::Embed { channel, message, embeds } => self.embed(channel, message, embeds)?,
            Action::Delete { channel, message } => self.withdraw(channel, message)?,
            Action::Purge { channel, messages } => self.purge(channel, &messages)?,
            Action::React { channel, message, user, emoji } => {
                self.reacts(channel, message, user, &emoji, true)?
            }
            Action::Unreact { channel, message, user, emoji } => {
                self.reacts(channel, message, user, &emoji, false)?
            }
            Action::Thread { channel, user, name, message, content } => {
                self.opens_thread(channel, user, &name, message, content)?
            }
            Action::Press { channel, message, user, button, values } => {
                let id = self.press(channel, message, user, &button, values)?;
                return Ok(json!({"interaction": id}));
            }
            Action::Slash { user, channel, name, options } => {
                let id = self.slash(user, channel, &name, options.unwrap_or_default(), false)?;
                return Ok(json!({"interaction": id}));
            }
            Action::Complete { user, channel, name, options } => {
                return Ok(json!({"interaction": self.slash(user, channel, &name, options, true)?}));
            }
            Action::Submit { interaction, fields } => {
                return Ok(json!({"interaction": self.submit(interaction, &fields)?}));
            }
            Action::Interaction { id } => return self.look_at(id),
            Action::Dm { user } => {
                let bot = self.bots.first().ok_or("there is no bot")?.id;
                Sent { channel_id: self.direct(bot, user), message_id: Id::default() }
            }
            Action::Sessions {} => return Ok(self.sessions()),
            other => return self.arrange(other).map(|()| Value::Bool(true)),
        };
        Ok(json!(sent))
    }

    /// Actions that change what is there.
    fn arrange(&mut self, action: Action) -> Result<(), Impossible> {
        match action {
            Action::Bot { id, token, name } => self.add_bot(id, &token, &name),
            Action::User { id, name } => self.add_user(id, &name),
            Action::Guild { id, name, owner } => self.add_guild(id, &name, owner),
            Action::Channel { id, guild, name, kind, needs_tag } => {
                self.add_channel(guild, id, kind.unwrap_or(kind::TEXT), &name)?;
                self.channel_mut(id).map_err(|refusal| refusal.message)?.needs_tag =
                    needs_tag.unwrap_or_default();
            }
            Action::Role { id, guild, name, permissions, bot } => {
                let permissions = bits(permissions.as_deref())?;
                let known = self.guilds.get_mut(&guild).ok_or("no such guild")?;
                known.roles.retain(|role| role.id != id);
                let role = Role { id, name, permissions, bot };
                let json = json!({"guild_id": guild, "role": role.to_json(known.roles.len())});
                known.roles.push(role);
                let members: Vec<Id> = known.members.keys().copied().collect();
                for member in members {
                    self.dispatch(member, "GUILD_ROLE_CREATE", intent::GUILDS, guild, &json);
                }
            }
            Action::Member { guild, user, roles, nick } => {
                self.join(guild, user);
                let member = self.guilds.get_mut(&guild).and_then(|guild| guild.members.get_mut(&user));
                let member = member.ok_or("no such guild")?;
                (member.roles, member.nick) = (roles.unwrap_or_default(), nick);
            }
            Action::Permit { channel, target, allow, deny } => {
                self.permit(channel, target, bits(allow.as_deref())?, bits(deny.as_deref())?)?;
            }
            Action::Emoji { guild, id, name } => {
                self.guilds.get_mut(&guild).ok_or("no such guild")?.emojis.push((id, name));
            }
            Action::Part { guild, user } => self.part(guild, user)?,
            Action::Outage { guild, on } => self.outage(guild, on)?,
            Action::Block { user, on } => self.users.get_mut(&user).ok_or("no such user")?.blocks = on,
            Action::DeleteChannel { channel } => self.delete_channel(channel),
            Action::Archive { channel, archived, locked } => self.change_thread(channel, |thread| {
                (thread.archived, thread.locked) = (archived, locked.unwrap_or(thread.locked));
            }),
            other => return self.operate(other),
        }
        Ok(())
    }

    /// Actions on connections, bots and limits.
    fn operate(&mut self, action: Action) -> Result<(), Impossible> {
        let first = self.bots.first_mut().ok_or("there is no bot")?;
        match action {
            Action::Disconnect { code: Some(code) } => self.gateway.order(&Order::Close(code)),
            Action::Disconnect { code: None } => self.gateway.order(&Order::Drop),
            Action::Reconnect {} => self.gateway.order(&Order::Reconnect),
            Action::Invalidate { resumable } => self.gateway.order(&Order::Invalidate { resumable }),
            Action::Frame { text } => self.gateway.order(&Order::Send(text)),
            Action::Commands { change } => {
                let commands = first.commands.iter_mut().filter_map(|(_, command)| command.as_object_mut());
                commands.for_each(|command| command.extend(change.clone()));
            }
            Action::ForgetSessions {} => first.sessions.retain(|session| session.connection.is_some()),
            Action::Deaf { on } => self.gateway.deaf = on,
            Action::Unacknowledged { on } => self.gateway.unacknowledged = on,
            Action::Unconfirmed { on } => self.gateway.unconfirmed = on,
            Action::ResumedAt { url } => self.gateway.resumed_at = url,
            Action::Heartbeat { interval_ms } => self.gateway.interval_ms = interval_ms,
            Action::Window { seconds } => self.gateway.window_ms = seconds * 1000,
            Action::Grant { intents } => first.granted = intents & intent::PRIVILEGED,
            Action::Budget { identifies } => first.budget = identifies,
            Action::Token { token } => first.token = token,
            Action::Endpoint { url } => first.endpoint = url,
            Action::CodeGrant { on } => first.code_grant = on,
            Action::Again {} => {
                let repeated = first.sessions.last_mut().is_some_and(crate::session::Session::repeat);
                return repeated.then_some(()).ok_or_else(|| "no message was delivered".to_owned());
            }
            Action::Limits(numbers) => self.limits.set(Some(numbers)),
            Action::TooMany(forced) => self.limits.force(forced),
            other => return Err(format!("{other:?} is not arranged here")),
        }
        Ok(())
    }

    pub fn add_user(&mut self, id: Id, name: &str) {
        self.users.insert(id, User { id, name: name.to_owned(), is_bot: false, blocks: false });
    }

    /// Adds a channel to a guild and tells the bots of it.
    pub fn add_channel(&mut self, guild: Id, id: Id, kind: u8, name: &str) -> Result<(), Impossible> {
        self.guilds.get(&guild).ok_or("no such guild")?;
        let channel = Channel::new(id, kind, Some(guild), name);
        let json = channel.to_json();
        self.channels.insert(id, channel);
        self.tell(id, "CHANNEL_CREATE", (intent::GUILDS, intent::GUILDS), &json);
        Ok(())
    }

    /// Changes what a role or a member may do in a channel.
    pub fn permit(&mut self, channel: Id, target: Id, allow: u64, deny: u64) -> Result<(), Impossible> {
        let member = self.users.contains_key(&target);
        let known = self.channel_mut(channel).map_err(|refusal| refusal.message)?;
        known.overwrites.retain(|overwrite| overwrite.target != target);
        known.overwrites.push(Overwrite { target, member, allow, deny });
        let json = known.to_json();
        self.tell(channel, "CHANNEL_UPDATE", (intent::GUILDS, intent::GUILDS), &json);
        Ok(())
    }

    fn part(&mut self, guild: Id, user: Id) -> Result<(), Impossible> {
        let known = self.guilds.get_mut(&guild).ok_or("no such guild")?;
        known.members.remove(&user).ok_or("no such member")?;
        self.dispatch(user, "GUILD_DELETE", intent::GUILDS, guild, &json!({"id": guild}));
        Ok(())
    }

    fn outage(&mut self, id: Id, on: bool) -> Result<(), Impossible> {
        self.guilds.get_mut(&id).ok_or("no such guild")?.outage = on;
        let bots: Vec<Id> = self.bots.iter().map(|bot| bot.id).collect();
        for bot in bots {
            let event = if on { "GUILD_DELETE" } else { "GUILD_CREATE" };
            let data = self.guild_create(id, bot);
            self.dispatch(bot, event, intent::GUILDS, id, &data);
        }
        Ok(())
    }

    /// What a channel shows now.
    pub fn shows(&self, channel: Id) -> Vec<Shown> {
        let messages = self.channels.get(&channel).map(|channel| channel.messages.values());
        messages.into_iter().flatten().map(crate::message::Message::shown).collect()
    }

    /// The sessions of the first bot, when each IDENTIFY came, and how many sockets are open.
    fn sessions(&self) -> Value {
        let sessions = self.bots.first().map(|bot| bot.sessions.as_slice()).unwrap_or_default();
        let sessions: Vec<Value> = sessions
            .iter()
            .map(|session| {
                let connected = session.connection.is_some();
                json!({"id": session.id, "seq": session.seq, "intents": session.intents, "connected": connected})
            })
            .collect();
        let begun = self.bots.first().map(|bot| bot.identified.as_slice()).unwrap_or_default();
        json!({
            "sessions": sessions, "connections": self.gateway.connections(),
            "opened": self.gateway.opened(), "identified": begun.len(), "begun": begun,
        })
    }
}

/// Permissions are texts of numbers, as everywhere on Discord.
fn bits(text: Option<&str>) -> Result<u64, Impossible> {
    text.unwrap_or("0").parse().map_err(|_| "permissions are a number in a text".to_owned())
}
