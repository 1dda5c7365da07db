//! Telegram's objects, as far as our rules need them. All other fields may be missing or have any value.

use chrono::{DateTime, Utc};

use frontdesk_kit::json::{FieldError, Fields};

/// A person or a bot.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub id: i64,
    pub is_bot: bool,
    /// The display name.
    pub name: Option<String>,
}

/// The kind of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChatKind {
    Private,
    Group,
    Channel,
}

/// A chat.
#[derive(Debug, Clone)]
pub(super) struct Chat {
    pub id: i64,
    /// `None` if Telegram gives an unknown type.
    pub kind: Option<ChatKind>,
    /// The display name.
    pub name: Option<String>,
}

/// A message. Its content is read from its fields on request.
#[derive(Debug, Clone)]
pub(super) struct Message<'a> {
    pub id: i64,
    pub chat: Chat,
    /// The topic that contains it.
    pub topic: Option<i64>,
    pub from: Option<User>,
    /// The chat in whose name it was sent. `from` is then a placeholder.
    pub sender_chat: Option<Chat>,
    pub date: Option<DateTime<Utc>>,
    pub edit_date: Option<DateTime<Utc>>,
    pub fields: Fields<'a>,
}

/// A formatted range of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entity {
    pub kind: EntityKind,
    /// In UTF-16 units.
    pub offset: usize,
    pub length: usize,
}

/// The kind of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntityKind {
    Mention,
    TextMention(i64),
    BotCommand,
    /// A link that does not show its target.
    TextLink(String),
    /// Code, a quote, a spoiler or strikethrough: not the sender's plain text. Unknown kinds count as formatting as
    /// well.
    Formatting,
}

impl EntityKind {
    /// Whether text with this entity does not count as plain text.
    pub(super) fn is_formatting(&self) -> bool {
        matches!(self, EntityKind::Formatting | EntityKind::TextLink(_) | EntityKind::TextMention(_))
    }
}

/// Entities that do not change the meaning of the text.
const PLAIN: [&str; 9] =
    ["hashtag", "cashtag", "url", "email", "phone_number", "bold", "italic", "underline", "custom_emoji"];

impl User {
    fn of(fields: &Fields<'_>) -> Result<Self, FieldError> {
        let part = |name| fields.maybe::<String>(name).unwrap_or_default();
        let full = format!("{} {}", part("first_name"), part("last_name")).trim().to_owned();
        let username = || fields.maybe::<String>("username").map(|name| format!("@{name}"));
        let name = if full.is_empty() { username() } else { Some(full) };
        Ok(Self { id: fields.need("id")?, is_bot: fields.need("is_bot")?, name })
    }
}

impl Chat {
    fn of(fields: &Fields<'_>) -> Result<Self, FieldError> {
        let kind = match fields.maybe::<String>("type").as_deref() {
            Some("private") => Some(ChatKind::Private),
            Some("group" | "supergroup") => Some(ChatKind::Group),
            Some("channel") => Some(ChatKind::Channel),
            _ => None,
        };
        let title: Option<String> = fields.maybe("title");
        let username = || fields.maybe::<String>("username").map(|name| format!("@{name}"));
        Ok(Self { id: fields.need("id")?, kind, name: title.or_else(username) })
    }
}

/// A user in a field.
pub(super) fn user(of: &Fields<'_>, name: &str) -> Result<Option<User>, FieldError> {
    of.get::<Fields<'_>>(name)?.as_ref().map(User::of).transpose()
}

/// A chat in a field.
pub(super) fn chat(of: &Fields<'_>, name: &str) -> Result<Option<Chat>, FieldError> {
    of.get::<Fields<'_>>(name)?.as_ref().map(Chat::of).transpose()
}

/// The topic of a message. In groups without topics, replies have a thread id as well; those are not topics.
pub(super) fn topic(message: &Fields<'_>) -> Result<Option<i64>, FieldError> {
    match message.get("is_topic_message")? {
        Some(true) => message.need("message_thread_id").map(Some),
        _ => Ok(None),
    }
}

/// A time in a field. Only for display.
pub(super) fn date(of: &Fields<'_>, name: &str) -> Option<DateTime<Utc>> {
    of.maybe(name).and_then(|seconds| DateTime::from_timestamp(seconds, 0))
}

impl<'a> Message<'a> {
    pub(super) fn of(fields: Fields<'a>) -> Result<Self, FieldError> {
        let chat = chat(&fields, "chat")?.ok_or_else(|| fields.field_error("chat"))?;
        Ok(Self {
            id: fields.need("message_id")?,
            chat,
            topic: topic(&fields)?,
            from: user(&fields, "from")?,
            sender_chat: self::chat(&fields, "sender_chat")?,
            date: date(&fields, "date"),
            edit_date: date(&fields, "edit_date"),
            fields,
        })
    }
}

/// The entities of a text that a rule uses.
pub(super) fn entities(of: &Fields<'_>, name: &str) -> Result<Vec<Entity>, FieldError> {
    let mut known = Vec::new();
    for entity in of.list::<Fields<'_>>(name)? {
        let kind = match entity.need::<String>("type")?.as_str() {
            "mention" => EntityKind::Mention,
            "bot_command" => EntityKind::BotCommand,
            "text_mention" => EntityKind::TextMention(entity.need::<Fields<'_>>("user")?.need("id")?),
            "text_link" => entity.maybe("url").map_or(EntityKind::Formatting, EntityKind::TextLink),
            plain if PLAIN.contains(&plain) => continue,
            _ => EntityKind::Formatting,
        };
        if kind == EntityKind::Formatting {
            // If its position cannot be read, it gets a position that fits no text.
            let units = |name| entity.maybe(name).and_then(|units: u64| usize::try_from(units).ok());
            let (offset, length) = (units("offset").unwrap_or(0), units("length").unwrap_or(usize::MAX));
            known.push(Entity { kind, offset, length });
            continue;
        }
        let units = |name| match usize::try_from(entity.need::<u64>(name)?) {
            Ok(units) => Ok(units),
            Err(_) => Err(entity.field_error(name)),
        };
        known.push(Entity { kind, offset: units("offset")?, length: units("length")? });
    }
    Ok(known)
}

/// The texts in a list of objects. Only for display: elements of another type are left out.
pub(super) fn texts_of(of: &Fields<'_>, list: &str, name: &str) -> Result<Vec<String>, FieldError> {
    let elements: Vec<Fields<'_>> = of.list(list)?;
    Ok(elements.iter().filter_map(|element| element.maybe(name)).collect())
}
