//! What a message contains: its text, and what can be described in words.

use frontdesk_core::message::{Attachment, FirstLine, Link};
use frontdesk_kit::json::{FieldError, Fields};

use super::attachment;
use super::mention::{self, Mentioned};
use super::{Bot, Places};

/// The maximum length of a field of somebody's data in a description, in characters.
const PIECE: usize = 200;

/// The text and the files of a message.
#[derive(Debug)]
pub(super) struct Content {
    pub text: String,
    pub links: Vec<Link>,
    pub files: Vec<Attachment>,
    pub first_line: FirstLine,
}

impl Content {
    /// Whether there is nothing that an agent could take.
    pub(super) fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && self.files.is_empty()
    }
}

/// What a message contains. Embeds are read only where a program has written them: those of people are previews of
/// links.
pub(super) fn of(
    bot: &Bot,
    places: &Places,
    message: &Fields<'_>,
    by_program: bool,
) -> Result<Content, FieldError> {
    let files = attachment::of(message)?;
    written(bot, places, message, files, by_program)
}

/// What a forwarded message contains. Its files are looked up in the message that forwards it.
pub(super) fn of_snapshot(
    bot: &Bot,
    places: &Places,
    snapshot: &Fields<'_>,
    channel: &str,
    message: &str,
) -> Result<Content, FieldError> {
    let files = attachment::within(snapshot, channel, message)?;
    written(bot, places, snapshot, files, true)
}

fn written(
    bot: &Bot,
    places: &Places,
    message: &Fields<'_>,
    files: Vec<Attachment>,
    by_program: bool,
) -> Result<Content, FieldError> {
    let text: String = message.get("content")?.unwrap_or_default();
    let mut people = mentioned(message)?;
    let text = match places.mentioned_role(&text) {
        Some(role) => {
            people.push(Mentioned { id: bot.id.clone(), name: role.name.clone() });
            text.replace(&role.written(), &format!("<@{}>", bot.id))
        }
        None => text,
    };
    let readable = mention::readable(&bot.id, &text, &people);
    // A command stands alone: what has a file beside it is its caption.
    let first_line =
        if files.is_empty() { mention::first_line(&readable.text) } else { FirstLine::Formatted };
    let mut pieces = vec![readable.text];
    pieces.extend(stickers(message)?);
    pieces.extend(poll(message)?);
    if by_program {
        pieces.extend(embeds(message)?);
    }
    pieces.extend(displayed(message));
    pieces.retain(|piece| !piece.is_empty());
    Ok(Content { text: pieces.join("\n"), links: readable.links, files, first_line })
}

/// Everybody that a message mentions, by the names that people see.
fn mentioned(message: &Fields<'_>) -> Result<Vec<Mentioned>, FieldError> {
    let users: Vec<Fields<'_>> = message.list("mentions")?;
    let people = users.iter().filter_map(|user| {
        let member: Option<Fields<'_>> = user.maybe("member");
        Some(Mentioned { id: user.maybe("id")?, name: super::person::name(user, member.as_ref())? })
    });
    Ok(people.collect())
}

/// Whether a message mentions the bot or its own role.
pub(super) fn mentions(bot: &Bot, places: &Places, message: &Fields<'_>) -> Result<bool, FieldError> {
    let users: Vec<Fields<'_>> = message.list("mentions")?;
    let text: String = message.get("content")?.unwrap_or_default();
    let is_named = users.iter().any(|user| user.maybe::<String>("id").as_deref() == Some(bot.id.as_str()));
    Ok(is_named || places.mentioned_role(&text).is_some())
}

fn stickers(message: &Fields<'_>) -> Result<Vec<String>, FieldError> {
    let stickers: Vec<Fields<'_>> = message.list("sticker_items")?;
    let named = stickers.iter().filter_map(|sticker| sticker.maybe::<String>("name"));
    Ok(named.map(|name| format!("[Sticker: {}]", line(&name))).collect())
}

fn poll(message: &Fields<'_>) -> Result<Option<String>, FieldError> {
    let Some(poll) = message.get::<Fields<'_>>("poll")? else { return Ok(None) };
    let text = |media: Option<Fields<'_>>| media.and_then(|media| media.maybe::<String>("text"));
    let question = text(poll.maybe("question")).unwrap_or_default();
    let answers: Vec<Fields<'_>> = poll.list("answers")?;
    let answers: Vec<String> = answers
        .iter()
        .filter_map(|answer| text(answer.maybe("poll_media")))
        .map(|answer| line(&answer))
        .collect();
    Ok(Some(format!("[Poll: {} {}]", line(&question), answers.join(" / "))))
}

/// The texts of embeds, which programs write in place of a message.
fn embeds(message: &Fields<'_>) -> Result<Vec<String>, FieldError> {
    let embeds: Vec<Fields<'_>> = message.list("embeds")?;
    let mut texts = Vec::new();
    for embed in &embeds {
        let mut pieces: Vec<String> =
            ["title", "description"].iter().filter_map(|name| embed.maybe(name)).collect();
        for field in embed.list::<Fields<'_>>("fields").unwrap_or_default() {
            let part = |name| field.maybe::<String>(name).unwrap_or_default();
            pieces.push(format!("{}: {}", part("name"), part("value")));
        }
        pieces.retain(|piece| !piece.trim().is_empty());
        texts.push(pieces.join("\n"));
    }
    Ok(texts)
}

/// The texts of components (`TextDisplay`, 10), which newer messages consist of; they may be in containers and sections.
fn displayed(message: &Fields<'_>) -> Vec<String> {
    /// Components are at most this deep in each other.
    const DEEPEST: usize = 5;
    fn texts(component: &Fields<'_>, left: usize, found: &mut Vec<String>) {
        if component.maybe::<u64>("type") == Some(10) {
            found.extend(component.maybe::<String>("content"));
        }
        if left > 0 {
            let inner: Vec<Fields<'_>> = component.list("components").unwrap_or_default();
            inner.iter().for_each(|inner| texts(inner, left - 1, found));
        }
    }
    let mut found = Vec::new();
    let components: Vec<Fields<'_>> = message.list("components").unwrap_or_default();
    components.iter().for_each(|component| texts(component, DEEPEST, &mut found));
    found
}

/// Somebody's data on one line, shortened.
fn line(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(PIECE).collect()
}
