//! Messages that people write.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Impossible, Sent};
use crate::answer::named;
use crate::chat::Kind as ChatKind;
use crate::file::{Content, Kind as FileKind};
use crate::message::{NewMessage, text_of};
use crate::world::{Place, World};

/// Fields that make a message a service message, which every bot in the chat sees.
const SERVICE: &str = "new_chat_members left_chat_member migrate_to_chat_id migrate_from_chat_id pinned_message \
                       forum_topic_created new_chat_title group_chat_created";

/// A message that somebody writes.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserMessage {
    /// A private chat has the number of the person.
    pub chat: i64,
    pub from: i64,
    /// The bot whose private chat it is; by default the first one.
    pub bot: Option<i64>,
    /// The text, or the caption of what is attached.
    pub text: Option<String>,
    /// How the text is marked up; by default not at all.
    pub parse_mode: Option<String>,
    /// What is attached, as in `{"photo": {"base64": "..."}}`, `{"location": {..}}`, `{"poll": {"question", "options"}}`.
    pub attachment: Map<String, Value>,
    /// An attached file that does not come as JSON.
    #[serde(skip)]
    pub content: Option<(FileKind, Content)>,
    pub album: Option<String>,
    /// The topic.
    pub thread: Option<i64>,
    pub reply_to: Option<i64>,
    /// The words that it quotes of that message.
    pub quote: Option<String>,
    pub forward: Option<Forward>,
    /// The chat that it is written as: an anonymous administrator names the group itself.
    pub as_chat: Option<i64>,
    /// Whether the platform brought it from the linked channel into its group.
    pub automatic: bool,
    /// Fields that are added as they stand.
    pub extra: Map<String, Value>,
}

/// Where a message was forwarded from.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forward {
    /// Somebody who shows their account.
    User(i64),
    /// Somebody who only shows a name.
    Hidden(String),
    /// A group, by an administrator in its name.
    Chat(i64),
    /// A channel and the number of its post.
    Channel(i64, i64),
}

impl World {
    /// Somebody writes a message.
    pub fn write(&mut self, message: UserMessage) -> Result<Sent, Impossible> {
        let bot = message.bot.unwrap_or(self.first_bot);
        if message.from != 0 && !self.people.contains_key(&message.from) {
            return Err(format!("nobody has the id {}", message.from));
        }
        if message.chat > 0 {
            // A person who writes to a bot has started it.
            self.private(bot, message.chat);
        }
        let place = Self::place(bot, message.chat);
        let chat = self.chats.get(&place).ok_or_else(|| format!("no chat {}", message.chat))?;
        if chat.migrated_to.is_some() {
            return Err(format!("chat {} has become a supergroup", message.chat));
        }
        if let Some(topic) = message.thread.filter(|topic| !chat.topics.contains_key(topic)) {
            return Err(format!("no topic {topic} in chat {}", message.chat));
        }
        if let Some(reply) = message.reply_to.filter(|reply| !chat.messages.contains_key(reply)) {
            return Err(format!("no message {reply} in chat {}", message.chat));
        }
        let new = NewMessage {
            bot,
            chat: message.chat,
            from: message.from,
            as_chat: message.as_chat,
            thread: message.thread,
            reply_to: message.reply_to,
            quote: message.quote.clone(),
            content: self.content(message)?,
        };
        Ok(self.publish(new))
    }

    /// Puts a message into its chat and tells the bots that may see it.
    pub fn publish(&mut self, new: NewMessage) -> Sent {
        let place = Self::place(new.bot, new.chat);
        let (message_id, json) = self.put(new);
        let kind = if self.is_channel(place) { "channel_post" } else { "message" };
        let value = if place.1 < 0 { serde_json::from_str(&json).unwrap_or_default() } else { Value::Null };
        Sent { update_id: self.tell_all(place, kind, &json, &value), message_id }
    }

    /// Tells every bot that may see this message.
    pub fn tell_all(&mut self, place: Place, kind: &str, json: &str, message: &Value) -> i64 {
        let author = message["from"]["id"].as_i64().unwrap_or_default();
        let mut bots = self.bots_in(place);
        bots.retain(|bot| *bot != author && self.sees(*bot, place, message));
        self.tell(&bots, kind, json, place.1)
    }

    /// A bot in privacy mode sees in groups what is meant for it, and service messages.
    fn sees(&self, bot: i64, place: Place, message: &Value) -> bool {
        let (Some(known), Some(chat)) = (self.bots.get(&bot), self.chats.get(&place)) else { return false };
        let is_group = matches!(chat.kind, ChatKind::Group | ChatKind::Supergroup);
        if !known.privacy || !is_group || chat.is_admin(bot) {
            return true;
        }
        let name = self.people.get(&bot).and_then(|bot| bot.username.as_deref()).unwrap_or_default();
        let text = text_of(message);
        let command = text.starts_with('/').then(|| text.split_whitespace().next().unwrap_or_default());
        let addressed = match command.and_then(|command| command.split_once('@')) {
            Some((_, owner)) => owner.eq_ignore_ascii_case(name),
            None => command.is_some() && [0, bot].contains(&chat.last_bot),
        };
        addressed
            || text.to_lowercase().contains(&format!("@{}", name.to_lowercase()))
            || message["reply_to_message"]["from"]["id"] == json!(bot)
            || SERVICE.split_whitespace().any(|field| message.get(field).is_some())
    }

    fn content(&mut self, message: UserMessage) -> Result<Map<String, Value>, Impossible> {
        let mut content = Map::new();
        for (name, attached) in message.attachment {
            match named::<FileKind>(&name) {
                Some(kind) => {
                    let file = serde_json::from_value(attached).map_err(|error| error.to_string())?;
                    content.extend(self.files.attach(kind, file));
                }
                None if name == "poll" => drop(content.insert(name, self.poll(&attached))),
                None => drop(content.insert(name, attached)),
            }
        }
        if let Some((kind, file)) = message.content {
            content.extend(self.files.attach(kind, file));
        }
        if let Some(text) = &message.text {
            let formatted = self.format(text, message.parse_mode.as_deref(), None);
            let formatted = formatted.map_err(|refusal| refusal.description)?;
            let field = if content.is_empty() { "text" } else { "caption" };
            self.write_text(&formatted, field, &mut content);
        }
        if let Some(album) = &message.album {
            content.insert("media_group_id".to_owned(), album.as_str().into());
        }
        if let Some(forward) = &message.forward {
            content.insert("forward_origin".to_owned(), self.origin(forward));
        }
        if message.automatic {
            content.insert("is_automatic_forward".to_owned(), true.into());
        }
        content.extend(message.extra);
        if content.is_empty() {
            return Err("a message without a text needs something attached".to_owned());
        }
        Ok(content)
    }

    fn origin(&self, forward: &Forward) -> Value {
        let date = self.now() - 60;
        match forward {
            Forward::User(id) => json!({"type": "user", "date": date, "sender_user": self.user(*id)}),
            Forward::Hidden(name) => json!({"type": "hidden_user", "date": date, "sender_user_name": name}),
            Forward::Chat(id) => json!({"type": "chat", "date": date, "sender_chat": self.chat_json(0, *id)}),
            Forward::Channel(id, message) => {
                json!({"type": "channel", "date": date, "chat": self.chat_json(0, *id), "message_id": message})
            }
        }
    }

    /// A `Poll` with this question and these options.
    fn poll(&mut self, asked: &Value) -> Value {
        let date = self.now();
        let option = |(number, text): (usize, &Value)| {
            json!({
                "text": text, "voter_count": 0, "persistent_id": number.to_string(), "addition_date": date,
            })
        };
        let options = asked["options"].as_array().into_iter().flatten().enumerate().map(option);
        json!({
            "id": format!("5{:017}", self.common.random.below(100_000_000_000_000_000)),
            "question": asked["question"], "options": options.collect::<Vec<_>>(), "total_voter_count": 0,
            "is_closed": false, "is_anonymous": true, "type": "regular", "allows_multiple_answers": false,
            "allows_revoting": false, "members_only": false,
        })
    }
}
