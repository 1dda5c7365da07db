//! Interactions: what somebody asked of a bot with a command or a button, and how it has answered.

use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::Refusal;
use crate::id::Id;
use crate::world::World;

/// The time for the first answer.
const FIRST_MS: i64 = 3000;
/// The time that the token works.
const TOKEN_MS: i64 = 15 * 60 * 1000;

/// Kinds of interactions.
pub mod kind {
    pub const COMMAND: u8 = 2;
    pub const COMPONENT: u8 = 3;
    pub const AUTOCOMPLETE: u8 = 4;
    pub const MODAL: u8 = 5;
}

/// What the person sees of an interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The bot has still time to answer.
    Waiting,
    /// The bot did not answer in time.
    Failed,
    /// "The bot is thinking".
    Thinking,
    /// It was answered, or nothing more needs to be shown.
    Answered,
}

#[derive(Debug, Clone)]
pub struct Interaction {
    pub id: Id,
    pub token: String,
    pub bot: Id,
    pub kind: u8,
    pub user: Id,
    pub channel: Id,
    /// The message whose button was pressed.
    pub message: Option<Id>,
    /// The name of the command.
    pub command: Option<String>,
    /// The type and the body of the first answer.
    pub answer: Option<(u64, Value)>,
    /// Whether a deferred answer still waits for its text.
    pub thinking: bool,
    /// The message that `@original` means.
    pub original: Option<Id>,
    /// Every message of its answer.
    pub messages: Vec<Id>,
}

impl Interaction {
    fn is_late(&self, now_ms: i64, within_ms: i64) -> bool {
        now_ms - self.id.ms() > within_ms
    }

    pub fn state(&self, now_ms: i64) -> State {
        match &self.answer {
            None if self.is_late(now_ms, FIRST_MS) => State::Failed,
            None => State::Waiting,
            // The client gives up with the token.
            Some(_) if self.thinking && self.is_late(now_ms, TOKEN_MS) => State::Failed,
            Some(_) if self.thinking => State::Thinking,
            Some(_) => State::Answered,
        }
    }
}

impl World {
    /// The interaction that a first answer is for.
    pub fn unanswered(&self, id: Id, token: &str) -> Result<&Interaction, Refusal> {
        let known = self.interactions.get(&id).filter(|known| known.token == token);
        let known = known.filter(|known| known.answer.is_some() || !known.is_late(self.now_ms(), FIRST_MS));
        let known = known.ok_or_else(|| Refusal::unknown(10062, "interaction"))?;
        match known.answer {
            Some(_) => Err(Refusal::new(400, 40060, "Interaction has already been acknowledged.")),
            None => Ok(known),
        }
    }

    /// The answered interaction with this token.
    pub fn by_token(&self, application: Id, token: &str) -> Result<&Interaction, Refusal> {
        let has = |known: &&Interaction| known.token == token && known.bot == application;
        let known = self.interactions.values().find(has);
        let known = known.ok_or_else(|| Refusal::unknown(10015, "Webhook"))?;
        if known.is_late(self.now_ms(), TOKEN_MS) {
            return Err(Refusal::new(401, 50027, "Invalid Webhook Token"));
        }
        known.answer.as_ref().map(|_| known).ok_or_else(|| Refusal::unknown(10015, "Webhook"))
    }

    /// Sends a bot what somebody did. `data` is what they did it with.
    pub fn interact(&mut self, mut new: Interaction, data: &Value) -> Id {
        new.id = self.new_id();
        new.token = format!("{:032x}{:016x}", self.common.random.number(), self.common.random.number());
        let mut json = json!({
            "id": new.id, "application_id": new.bot, "type": new.kind, "token": new.token, "version": 1, "data": data,
            "channel_id": new.channel, "locale": "en-US", "attachment_size_limit": 10_485_760, "entitlements": [],
            "app_permissions": self.may(new.channel, new.bot).min(i64::MAX.unsigned_abs()).to_string(), "context": 1,
            "authorizing_integration_owners": {"1": new.user},
        });
        let channel = self.channels.get(&new.channel);
        json["channel"] = channel.map(|channel| self.channel_json(channel)).unwrap_or_default();
        let guild = channel.and_then(|channel| channel.guild).and_then(|guild| self.guilds.get(&guild));
        if let Some(guild) = guild {
            let mut member =
                guild.members.get(&new.user).map(crate::guild::Member::to_json).unwrap_or_default();
            member["user"] = self.user_json(new.user);
            member["permissions"] =
                self.may(new.channel, new.user).min(i64::MAX.unsigned_abs()).to_string().into();
            json["member"] = member;
            json["guild_id"] = json!(guild.id);
            json["guild"] = json!({"id": guild.id, "locale": "en-US", "features": []});
            json["guild_locale"] = json!("en-US");
            json["context"] = json!(0);
            json["authorizing_integration_owners"] = json!({"0": guild.id});
        } else {
            json["user"] = self.user_json(new.user);
        }
        if let Some(message) = new.message.and_then(|id| self.message(new.channel, id).ok()) {
            json["message"] = self.message_json(message);
        }
        let (id, bot, channel) = (new.id, new.bot, new.channel);
        self.interactions.insert(id, new);
        if self.bot(bot).is_some_and(|bot| bot.endpoint.is_some()) {
            return id;
        }
        self.dispatch(bot, "INTERACTION_CREATE", 0, channel, &json);
        id
    }

    /// How the messages of an answer name the interaction.
    pub fn interaction_metadata(&self, interaction: &Interaction) -> Value {
        let guild = self.channels.get(&interaction.channel).and_then(|channel| channel.guild);
        let owners = guild.map_or_else(|| json!({"1": interaction.user}), |guild| json!({"0": guild}));
        let mut json = json!({
            "id": interaction.id, "type": interaction.kind, "user": self.user_json(interaction.user),
            "authorizing_integration_owners": owners,
        });
        if let Some(name) = &interaction.command {
            json["name"] = json!(name);
        }
        if let Some(message) = interaction.message {
            json["interacted_message_id"] = json!(message);
        }
        json
    }
}
