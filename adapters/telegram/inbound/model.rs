//! Telegram's objects, as far as our rules need them. Every other field may be missing or hold anything.

use chrono::{DateTime, Utc};

use super::json::{Fields, Unread};

/// A person or a program.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub id: i64,
    pub is_bot: bool,
    /// Display data.
    pub name: Option<String>,
}

/// What kind of chat it is.
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
    /// `None` where Telegram says something else than it ever has.
    pub kind: Option<ChatKind>,
    /// Display data.
    pub name: Option<String>,
}

/// A message. What it says is read from its fields when somebody asks.
#[derive(Debug, Clone)]
pub(super) struct Message<'a> {
    pub id: i64,
    pub chat: Chat,
    /// The topic that it is in.
    pub topic: Option<i64>,
    pub from: Option<User>,
    /// The chat that speaks for itself; `from` is a stand-in then.
    pub sender_chat: Option<Chat>,
    pub date: Option<DateTime<Utc>>,
    pub edit_date: Option<DateTime<Utc>>,
    pub fields: Fields<'a>,
}

/// A stretch of a text that Telegram has marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entity {
    pub kind: EntityKind,
    /// In UTF-16.
    pub offset: usize,
    pub length: usize,
}

/// What a stretch of text is marked as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntityKind {
    Mention,
    TextMention(i64),
    BotCommand,
    /// A link that does not show where it leads.
    TextLink(String),
    /// Code, a quote, something hidden or struck out: shown rather than said. So is what is marked in a way to come.
    Shown,
}

impl EntityKind {
    /// Whether words that are marked so are shown rather than said.
    pub(super) fn shows(&self) -> bool {
        matches!(self, EntityKind::Shown | EntityKind::TextLink(_) | EntityKind::TextMention(_))
    }
}

/// Marks that change nothing about what is said.
const PLAIN: [&str; 9] =
    ["hashtag", "cashtag", "url", "email", "phone_number", "bold", "italic", "underline", "custom_emoji"];

impl User {
    fn of(fields: &Fields<'_>) -> Result<Self, Unread> {
        let part = |name| fields.maybe::<String>(name).unwrap_or_default();
        let full = format!("{} {}", part("first_name"), part("last_name")).trim().to_owned();
        let username = || fields.maybe::<String>("username").map(|name| format!("@{name}"));
        let name = if full.is_empty() { username() } else { Some(full) };
        Ok(Self { id: fields.need("id")?, is_bot: fields.need("is_bot")?, name })
    }
}

impl Chat {
    fn of(fields: &Fields<'_>) -> Result<Self, Unread> {
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
pub(super) fn user(of: &Fields<'_>, name: &str) -> Result<Option<User>, Unread> {
    of.get::<Fields<'_>>(name)?.as_ref().map(User::of).transpose()
}

/// A chat in a field.
pub(super) fn chat(of: &Fields<'_>, name: &str) -> Result<Option<Chat>, Unread> {
    of.get::<Fields<'_>>(name)?.as_ref().map(Chat::of).transpose()
}

/// The topic that a message is in. Replies make threads of their own in groups without topics; those are none.
pub(super) fn topic(message: &Fields<'_>) -> Result<Option<i64>, Unread> {
    match message.get("is_topic_message")? {
        Some(true) => message.need("message_thread_id").map(Some),
        _ => Ok(None),
    }
}

/// A time in a field: display data.
pub(super) fn date(of: &Fields<'_>, name: &str) -> Option<DateTime<Utc>> {
    of.maybe(name).and_then(|seconds| DateTime::from_timestamp(seconds, 0))
}

impl<'a> Message<'a> {
    pub(super) fn of(fields: Fields<'a>) -> Result<Self, Unread> {
        let chat = chat(&fields, "chat")?.ok_or_else(|| fields.unread("chat"))?;
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

/// The marked stretches of a text that a rule has a use for.
pub(super) fn entities(of: &Fields<'_>, name: &str) -> Result<Vec<Entity>, Unread> {
    let mut known = Vec::new();
    for entity in of.list::<Fields<'_>>(name)? {
        let kind = match entity.need::<String>("type")?.as_str() {
            "mention" => EntityKind::Mention,
            "bot_command" => EntityKind::BotCommand,
            "text_mention" => EntityKind::TextMention(entity.need::<Fields<'_>>("user")?.need("id")?),
            "text_link" => entity.maybe("url").map_or(EntityKind::Shown, EntityKind::TextLink),
            plain if PLAIN.contains(&plain) => continue,
            _ => EntityKind::Shown,
        };
        if kind == EntityKind::Shown {
            // Where its place cannot be read, nobody knows what it marks: a place that fits no text.
            let units = |name| entity.maybe(name).and_then(|units: u64| usize::try_from(units).ok());
            let (offset, length) = (units("offset").unwrap_or(0), units("length").unwrap_or(usize::MAX));
            known.push(Entity { kind, offset, length });
            continue;
        }
        let units = |name| match usize::try_from(entity.need::<u64>(name)?) {
            Ok(units) => Ok(units),
            Err(_) => Err(entity.unread(name)),
        };
        known.push(Entity { kind, offset: units("offset")?, length: units("length")? });
    }
    Ok(known)
}

/// A list whose elements are for display alone: those of another kind are left out.
pub(super) fn texts_of(of: &Fields<'_>, list: &str, name: &str) -> Result<Vec<String>, Unread> {
    let elements: Vec<Fields<'_>> = of.list(list)?;
    Ok(elements.iter().filter_map(|element| element.maybe(name)).collect())
}
