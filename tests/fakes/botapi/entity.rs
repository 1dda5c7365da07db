//! Entities: what is special about pieces of a text, in UTF-16 units.

use serde_json::{Map, Value, json};

use crate::{address, link};

/// The server keeps so many and forgets the rest.
pub const MOST: usize = 100;

/// What kind of piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Blockquote,
    ExpandableBlockquote,
    Pre,
    Code,
    TextLink,
    TextMention,
    Mention,
    Hashtag,
    Cashtag,
    BotCommand,
    Url,
    Email,
    Bold,
    Italic,
    Underline,
    Strikethrough,
    Spoiler,
    CustomEmoji,
}

impl Kind {
    /// Its `type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blockquote => "blockquote",
            Self::ExpandableBlockquote => "expandable_blockquote",
            Self::Pre => "pre",
            Self::Code => "code",
            Self::TextLink => "text_link",
            Self::TextMention => "text_mention",
            Self::Mention => "mention",
            Self::Hashtag => "hashtag",
            Self::Cashtag => "cashtag",
            Self::BotCommand => "bot_command",
            Self::Url => "url",
            Self::Email => "email",
            Self::Bold => "bold",
            Self::Italic => "italic",
            Self::Underline => "underline",
            Self::Strikethrough => "strikethrough",
            Self::Spoiler => "spoiler",
            Self::CustomEmoji => "custom_emoji",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [
            Self::Blockquote,
            Self::ExpandableBlockquote,
            Self::Pre,
            Self::Code,
            Self::TextLink,
            Self::TextMention,
            Self::Bold,
            Self::Italic,
            Self::Underline,
            Self::Strikethrough,
            Self::Spoiler,
            Self::CustomEmoji,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }

    /// The field that carries its argument.
    fn argument(self) -> Option<&'static str> {
        match self {
            Self::Pre => Some("language"),
            Self::TextLink => Some("url"),
            Self::CustomEmoji => Some("custom_emoji_id"),
            _ => None,
        }
    }
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// What it is.
    pub kind: Kind,
    /// Where it begins, in UTF-16 units.
    pub offset: usize,
    /// How long it is, in UTF-16 units.
    pub length: usize,
    /// A language, an address, an emoji's id, a user's id.
    pub argument: Option<String>,
}

/// A text with its entities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Formatted {
    /// Plain text.
    pub text: String,
    /// In order; the outer one first.
    pub entities: Vec<Entity>,
}

impl Formatted {
    /// Outer before inner, front to back.
    pub fn sort(&mut self) {
        self.entities.sort_by_key(|entity| (entity.offset, usize::MAX - entity.length, entity.kind));
    }

    /// Adds an `entities` parameter.
    pub fn mark(&mut self, entities: &[Value]) {
        for entity in entities {
            let number = |name: &str| entity[name].as_u64().and_then(|number| usize::try_from(number).ok());
            let kind = entity["type"].as_str().and_then(Kind::from_name);
            let (Some(kind), Some(offset), Some(length)) = (kind, number("offset"), number("length")) else {
                continue;
            };
            let argument = match kind {
                Kind::TextMention => entity["user"]["id"].as_i64().map(|id| id.to_string()),
                Kind::TextLink => match link::target(entity["url"].as_str().unwrap_or_default()) {
                    Some((Kind::TextLink, url)) => Some(url),
                    _ => continue,
                },
                kind => kind.argument().and_then(|name| entity[name].as_str().map(str::to_owned)),
            };
            self.entities.push(Entity { kind, offset, length, argument });
        }
        self.sort();
    }

    /// The entities as the platform writes them; `user` writes a mentioned user.
    pub fn to_json(&self, user: impl Fn(i64) -> Value) -> Vec<Value> {
        let written = |entity: &Entity| {
            let mut fields = Map::new();
            fields.insert("type".to_owned(), entity.kind.name().into());
            fields.insert("offset".to_owned(), entity.offset.into());
            fields.insert("length".to_owned(), entity.length.into());
            if let Some(argument) = &entity.argument {
                match entity.kind {
                    Kind::TextMention => {
                        fields.insert("user".to_owned(), user(argument.parse().unwrap_or_default()));
                    }
                    kind => {
                        kind.argument().map(|name| fields.insert(name.to_owned(), json!(argument)));
                    }
                }
            }
            Value::Object(fields)
        };
        self.entities.iter().take(MOST).map(written).collect()
    }
}

/// The length of a text in UTF-16 units.
pub fn utf16(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Finds commands, mentions, addresses and tags, except where something else stands already.
pub fn detect(formatted: &mut Formatted) {
    let text = &formatted.text;
    if !text.bytes().any(|byte| b"/@.#$".contains(&byte)) {
        return;
    }
    let closed: Vec<(usize, usize)> = formatted
        .entities
        .iter()
        .filter(|entity| {
            matches!(
                entity.kind,
                Kind::Pre | Kind::Code | Kind::TextLink | Kind::TextMention | Kind::CustomEmoji
            )
        })
        .map(|entity| (entity.offset, entity.offset + entity.length))
        .collect();
    let is_free = |entity: &Entity| {
        closed.iter().all(|(from, to)| entity.offset + entity.length <= *from || entity.offset >= *to)
    };
    let mut found: Vec<Entity> = Vec::new();
    for (kind, range) in address::find(text) {
        let (offset, length) = (utf16(&text[..range.start]), utf16(&text[range]));
        let entity = Entity { kind, offset, length, argument: None };
        let apart = |other: &Entity| offset + length <= other.offset || offset >= other.offset + other.length;
        if is_free(&entity) && found.iter().all(apart) {
            found.push(entity);
        }
    }
    let (mut offset, mut byte) = (0, 0);
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        if let Some((kind, from, to)) = classify(bare) {
            let start = offset + utf16(&bare[..from]);
            let length = utf16(&bare[from..to]);
            let entity = Entity { kind, offset: start, length, argument: None };
            if is_free(&entity) {
                found.push(entity);
            }
        }
        offset += utf16(word);
        byte += word.len();
    }
    debug_assert_eq!(byte, text.len());
    formatted.entities.extend(found);
    formatted.sort();
}

/// What a word is, and which part of it.
fn classify(word: &str) -> Option<(Kind, usize, usize)> {
    let start = word.find(|c: char| !"([{<«\"'“”,".contains(c))?;
    let bare = &word[start..];
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let run = |text: &str, wanted: &dyn Fn(char) -> bool| text.find(|c| !wanted(c)).unwrap_or(text.len());
    match bare.chars().next()? {
        '/' => {
            let name = run(&bare[1..], &is_name);
            let mut end = 1 + name;
            if bare[end..].starts_with('@') {
                let owner = run(&bare[end + 1..], &is_name);
                end += if owner >= 3 { 1 + owner } else { 0 };
            }
            let whole = bare[end..].chars().next().is_none_or(|next| next != '/' && !is_name(next));
            ((1..=64).contains(&name) && whole).then_some((Kind::BotCommand, start, start + end))
        }
        '@' => {
            let name = run(&bare[1..], &is_name);
            (3..=32).contains(&name).then_some((Kind::Mention, start, start + 1 + name))
        }
        '#' => {
            let name = run(&bare[1..], &|c| c.is_alphanumeric() || c == '_');
            let letters = bare[1..1 + name].chars().any(|c| !c.is_numeric());
            letters.then_some((Kind::Hashtag, start, start + 1 + name))
        }
        '$' => {
            let name = run(&bare[1..], &|c| c.is_ascii_uppercase());
            (1..=8).contains(&name).then_some((Kind::Cashtag, start, start + 1 + name))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Kind, usize, usize)> {
        let mut formatted = Formatted { text: text.to_owned(), entities: Vec::new() };
        detect(&mut formatted);
        formatted.entities.iter().map(|entity| (entity.kind, entity.offset, entity.length)).collect()
    }

    #[test]
    fn commands_mentions_and_addresses_are_found() {
        assert_eq!(found("/start"), [(Kind::BotCommand, 0, 6)]);
        assert_eq!(found("/new@frontdesk_bot now"), [(Kind::BotCommand, 0, 18)]);
        assert_eq!(found("👍 @anna, look"), [(Kind::Mention, 3, 5)]);
        assert_eq!(found("see https://a.example/x?y=1."), [(Kind::Url, 4, 23)]);
        assert_eq!(
            found("(mail a@b.com) #tag $USD"),
            [(Kind::Email, 6, 7), (Kind::Hashtag, 15, 4), (Kind::Cashtag, 20, 4)]
        );
    }

    #[test]
    fn what_only_looks_like_one_is_not() {
        assert_eq!(found("/usr/bin and 1/2 and a@b and #1 and v1.2 and e.g. this"), []);
    }

    #[test]
    fn nothing_is_found_inside_of_code() {
        let mut formatted = crate::html::parse("<code>/start</code> /stop").unwrap();
        detect(&mut formatted);
        let kinds: Vec<_> = formatted.entities.iter().map(|entity| (entity.kind, entity.offset)).collect();
        assert_eq!(kinds, [(Kind::Code, 0), (Kind::BotCommand, 7)]);
    }
}
