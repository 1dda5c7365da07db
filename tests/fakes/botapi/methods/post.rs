//! What every post has in common: the chat, the topic, the reply, the menu.

use serde_json::{Map, Value};

use super::inline_keyboard;
use crate::access::Wish;
use crate::answer::{Answer, Done, Refusal};
use crate::chat::{Chat, Kind};
use crate::compose::{Envelope, GENERAL};
use crate::entity::Formatted;
use crate::params::Params;
use crate::world::World;

/// The longest text, in code points after the marks were read.
pub const TEXT: usize = 4096;
/// The longest caption, counted the same way.
pub const CAPTION: usize = 1024;

/// Puts `content` into the chat that the request names.
pub fn post(world: &mut World, bot: i64, params: &Params, mut content: Map<String, Value>) -> Answer {
    let mut envelope = address(world, bot, params)?;
    if let Some(markup) = inline_keyboard(params)? {
        content.insert("reply_markup".to_owned(), markup);
    }
    envelope.content = content;
    let (id, json) = world.put(envelope);
    Ok(Done::message(id, json))
}

/// Where a post goes; refused if it may not.
pub fn address(world: &World, bot: i64, params: &Params) -> Result<Envelope, Refusal> {
    let id = world.named_chat(params)?;
    let chat = world.admits(bot, id, Wish::Write)?;
    let mut thread = topic(chat, params)?;
    let (reply_to, quote) = reply(chat, params)?;
    if let (None, Some(replied)) = (thread, reply_to) {
        thread = chat.messages.get(&replied).and_then(|message| message.thread);
    }
    Ok(Envelope { bot, chat: id, from: bot, thread, reply_to, quote, ..Envelope::default() })
}

/// The topic that is asked for. Where there are none the server does not care.
pub fn topic(chat: &Chat, params: &Params) -> Result<Option<i64>, Refusal> {
    let Some(topic) = params.int("message_thread_id").filter(|topic| *topic != 0) else { return Ok(None) };
    if !chat.forum && chat.kind != Kind::Private {
        return Ok(None);
    }
    if topic == GENERAL || !chat.topics.contains_key(&topic) {
        return Err(Refusal::bad("message thread not found"));
    }
    Ok(Some(topic))
}

fn reply(chat: &Chat, params: &Params) -> Result<(Option<i64>, Option<String>), Refusal> {
    let parameters = params.json("reply_parameters")?.unwrap_or_default();
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let wanted = number(&parameters["message_id"]).or_else(|| params.int("reply_to_message_id"));
    let Some(wanted) = wanted.filter(|id| *id != 0) else { return Ok((None, None)) };
    let lenient = parameters["allow_sending_without_reply"].as_bool().unwrap_or_default()
        || params.flag("allow_sending_without_reply");
    let Some(message) = chat.messages.get(&wanted) else {
        return match lenient {
            true => Ok((None, None)),
            false => Err(Refusal::bad("message to be replied not found")),
        };
    };
    let quote = parameters["quote"].as_str().map(str::to_owned);
    if let Some(words) = &quote {
        let value = message.value();
        let text = value["text"].as_str().or_else(|| value["caption"].as_str()).unwrap_or_default();
        if !text.contains(words.as_str()) {
            return Err(Refusal::bad("QUOTE_TEXT_INVALID"));
        }
    }
    Ok((Some(wanted), quote))
}

/// The text of a message, within its limit.
pub fn text(world: &World, params: &Params) -> Result<Formatted, Refusal> {
    let source = params.text("text").unwrap_or_default();
    if source.is_empty() {
        return Err(Refusal::bad("message text is empty"));
    }
    let formatted = world.format(&source, params.text("parse_mode").as_deref(), params.json("entities")?)?;
    if formatted.is_empty() {
        return Err(Refusal::bad("text must be non-empty"));
    }
    if formatted.text.chars().count() > TEXT {
        return Err(Refusal::bad("message is too long"));
    }
    Ok(formatted)
}

/// The caption of a file, within its limit; it may be empty.
pub fn caption(world: &World, params: &Params) -> Result<Formatted, Refusal> {
    let source = params.text("caption").unwrap_or_default();
    let entities = params.json("caption_entities")?;
    let formatted = world.format(&source, params.text("parse_mode").as_deref(), entities)?;
    if formatted.text.chars().count() > CAPTION {
        return Err(Refusal::bad("message caption is too long"));
    }
    Ok(formatted)
}
