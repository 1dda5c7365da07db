//! Entities: what is special about pieces of a text, in UTF-16 units.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::{name_of, named};
use crate::{address, link};

/// Maximum number of entities that the server keeps of a message.
const MOST: usize = 100;

/// What kind of piece, in the order in which entities of the same place stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// The field that carries its argument.
    fn argument(self) -> Option<&'static str> {
        match self {
            Self::Pre => Some("language"),
            Self::TextLink => Some("url"),
            Self::CustomEmoji => Some("custom_emoji_id"),
            _ => None,
        }
    }

    /// Whether the server finds it by itself; a bot cannot set it.
    fn is_found(self) -> bool {
        use Kind::{BotCommand, Cashtag, Email, Hashtag, Mention, Url};
        matches!(self, Mention | Hashtag | Cashtag | BotCommand | Url | Email)
    }

    /// Whether the server finds nothing inside of it.
    fn is_closed(self) -> bool {
        matches!(self, Self::Pre | Self::Code | Self::TextLink | Self::TextMention | Self::CustomEmoji)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    pub kind: Kind,
    /// In UTF-16 units.
    pub offset: usize,
    /// In UTF-16 units.
    pub length: usize,
    /// A language, an address, an emoji's id, a user's id.
    pub argument: Option<String>,
}

impl Entity {
    fn end(&self) -> usize {
        self.offset + self.length
    }

    fn is_apart_from(&self, other: &Self) -> bool {
        self.end() <= other.offset || self.offset >= other.end()
    }
}

/// A text with its entities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Formatted {
    pub text: String,
    /// In order; the outer one first.
    pub entities: Vec<Entity>,
}

impl Formatted {
    pub fn sort(&mut self) {
        self.entities.sort_by_key(|entity| (entity.offset, usize::MAX - entity.length, entity.kind));
    }

    /// Adds the entities of a request's `entities` parameter.
    pub fn mark(&mut self, entities: &[Value]) {
        for entity in entities {
            let number = |name: &str| entity[name].as_u64().and_then(|number| usize::try_from(number).ok());
            let kind = entity["type"].as_str().and_then(named::<Kind>).filter(|kind| !kind.is_found());
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
            let (offset, length) = (entity.offset, entity.length);
            let mut fields = json!({"type": name_of(entity.kind), "offset": offset, "length": length});
            if let Some(argument) = &entity.argument {
                match entity.kind.argument() {
                    Some(name) => fields[name] = json!(argument),
                    None if entity.kind == Kind::TextMention => {
                        fields["user"] = user(argument.parse().unwrap_or_default());
                    }
                    None => {}
                }
            }
            fields
        };
        self.entities.iter().take(MOST).map(written).collect()
    }
}

/// The length of a text in UTF-16 units.
pub fn utf16(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Finds commands, mentions, addresses and tags, except inside of links and code.
pub fn detect(formatted: &mut Formatted) {
    let text = &formatted.text;
    if !text.bytes().any(|byte| b"/@.#$".contains(&byte)) {
        return;
    }
    let closed: Vec<&Entity> = formatted.entities.iter().filter(|entity| entity.kind.is_closed()).collect();
    let entity = |kind, start: usize, end: usize| {
        let (offset, length) = (utf16(&text[..start]), utf16(&text[start..end]));
        let entity = Entity { kind, offset, length, argument: None };
        Some(entity).filter(|entity| closed.iter().all(|other| entity.is_apart_from(other)))
    };
    let mut found: Vec<Entity> = Vec::new();
    for (kind, range) in address::find(text) {
        let address = entity(kind, range.start, range.end);
        found.extend(address.filter(|address| found.iter().all(|other| address.is_apart_from(other))));
    }
    let mut at = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        if let Some((kind, start, end)) = classify(word.trim_end()) {
            found.extend(entity(kind, at + start, at + end));
        }
        at += word.len();
    }
    formatted.entities.extend(found);
    formatted.sort();
}

/// What a word is, and which part of it.
fn classify(word: &str) -> Option<(Kind, usize, usize)> {
    let start = word.find(|c: char| !"([{<«\"'“”,".contains(c))?;
    let bare = &word[start..];
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let run = |text: &str, wanted: &dyn Fn(char) -> bool| text.find(|c| !wanted(c)).unwrap_or(text.len());
    let sign = bare.chars().next().filter(|sign| "/@#$".contains(*sign))?;
    let rest = &bare[1..];
    let (kind, length, fits) = match sign {
        '/' => {
            let name = run(rest, &is_name);
            let owner = rest[name..].strip_prefix('@').map_or(0, |owner| run(owner, &is_name));
            let length = if owner >= 3 { name + 1 + owner } else { name };
            let ends = rest[length..].chars().next().is_none_or(|next| next != '/' && !is_name(next));
            (Kind::BotCommand, length, (1..=64).contains(&name) && ends)
        }
        '@' => {
            let name = run(rest, &is_name);
            (Kind::Mention, name, (3..=32).contains(&name))
        }
        '#' => {
            let name = run(rest, &|c| c.is_alphanumeric() || c == '_');
            (Kind::Hashtag, name, rest[..name].chars().any(|c| !c.is_numeric()))
        }
        _ => {
            let name = run(rest, &|c| c.is_ascii_uppercase());
            (Kind::Cashtag, name, (1..=8).contains(&name))
        }
    };
    fits.then_some((kind, start, start + 1 + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_mentions_and_addresses_are_found_outside_of_code() {
        use Kind::{BotCommand, Cashtag, Code, Email, Hashtag, Mention, Url};
        for (source, expected) in [
            ("/new@frontdesk_bot now", vec![(BotCommand, 0, 18)]),
            ("👍 @anna, look", vec![(Mention, 3, 5)]),
            ("see https://a.example/x?y=1.", vec![(Url, 4, 23)]),
            ("(mail a@b.com) #tag $USD", vec![(Email, 6, 7), (Hashtag, 15, 4), (Cashtag, 20, 4)]),
            ("/usr/bin and 1/2 and a@b and #1 and v1.2 and e.g. this", vec![]),
            ("<code>/start</code> /stop", vec![(Code, 0, 6), (BotCommand, 7, 5)]),
        ] {
            let mut formatted = crate::html::parse(source).unwrap();
            detect(&mut formatted);
            let found = formatted.entities.iter().map(|entity| (entity.kind, entity.offset, entity.length));
            assert_eq!(found.collect::<Vec<_>>(), expected, "{source}");
        }
    }
}
