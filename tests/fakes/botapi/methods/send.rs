//! Messages and drafts that a bot sends, and what every post has in common.

use frontdesk_fakes::Params;
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Done, Refusal};
use crate::chat::{Chat, Kind};
use crate::entity::Formatted;
use crate::message::{NewMessage, text_of};
use crate::permission::Access;
use crate::world::World;

const ACTIONS: &str = "typing upload_photo record_video upload_video record_voice upload_voice upload_document \
                       choose_sticker find_location record_video_note upload_video_note";
/// Maximum length of a text, in code points after the markup was read.
const MOST_TEXT: usize = 4096;
/// Maximum length of a caption, counted the same way.
const MOST_CAPTION: usize = 1024;
/// The topic that every forum has; no bot may name it.
const GENERAL: i64 = 1;

pub fn message(world: &mut World, bot: i64, params: &Params) -> Answer {
    let formatted = text(world, params)?;
    let mut content = Map::new();
    world.write_text(&formatted, "text", &mut content);
    post(world, bot, params, content)
}

/// A draft is shown while an answer grows, and leaves no message.
pub fn draft(world: &mut World, bot: i64, params: &Params) -> Answer {
    let chat = world.named_chat(params)?;
    let formatted = formatted(world, params, "text")?;
    topic(world.access(bot, chat, Access::Write)?, params)?;
    if chat < 0 {
        return Err(Refusal::bad("PEER_ID_INVALID"));
    }
    if params.int("draft_id").unwrap_or_default() == 0 {
        return Err(Refusal::bad("RANDOM_ID_INVALID"));
    }
    if formatted.text.chars().count() > MOST_TEXT {
        return Err(Refusal::bad("message is too long"));
    }
    Ok(Done::yes())
}

pub fn action(world: &mut World, bot: i64, params: &Params) -> Answer {
    let chat = world.named_chat(params)?;
    topic(world.access(bot, chat, Access::Write)?, params)?;
    let action = params.text("action").unwrap_or_default().to_lowercase();
    match ACTIONS.split_whitespace().any(|known| known == action) {
        true => Ok(Done::yes()),
        false => Err(Refusal::bad("wrong parameter action in request")),
    }
}

/// Puts `content` into the chat that the request names.
pub fn post(world: &mut World, bot: i64, params: &Params, content: Map<String, Value>) -> Answer {
    let mut new = NewMessage { content, ..target(world, bot, params)? };
    if let Some(markup) = inline_keyboard(params)? {
        new.content.insert("reply_markup".to_owned(), markup);
    }
    let (id, json) = world.put(new);
    Ok(Done::message(id, json))
}

/// Where a post goes; refused if the bot may not post there.
pub fn target(world: &World, bot: i64, params: &Params) -> Result<NewMessage, Refusal> {
    let id = world.named_chat(params)?;
    let chat = world.access(bot, id, Access::Write)?;
    let (reply_to, quote) = reply(chat, params)?;
    let replied = reply_to.and_then(|replied| chat.messages.get(&replied));
    let thread = topic(chat, params)?.or_else(|| replied.and_then(|message| message.thread));
    Ok(NewMessage { bot, chat: id, from: bot, thread, reply_to, quote, ..NewMessage::default() })
}

/// The topic that is asked for. The server ignores it in a chat that has none.
fn topic(chat: &Chat, params: &Params) -> Result<Option<i64>, Refusal> {
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
    let lenient =
        parameters["allow_sending_without_reply"] == true || params.flag("allow_sending_without_reply");
    let message = match chat.messages.get(&wanted) {
        Some(message) => message.value(),
        None if lenient => return Ok((None, None)),
        None => return Err(Refusal::bad("message to be replied not found")),
    };
    let quote = parameters["quote"].as_str().map(str::to_owned);
    if quote.as_ref().is_some_and(|words| !text_of(&message).contains(words.as_str())) {
        return Err(Refusal::bad("QUOTE_TEXT_INVALID"));
    }
    Ok((Some(wanted), quote))
}

/// The text of a message, within its limit.
pub fn text(world: &World, params: &Params) -> Result<Formatted, Refusal> {
    if params.text("text").unwrap_or_default().is_empty() {
        return Err(Refusal::bad("message text is empty"));
    }
    let formatted = formatted(world, params, "text")?;
    if formatted.is_empty() {
        return Err(Refusal::bad("text must be non-empty"));
    }
    if formatted.text.chars().count() > MOST_TEXT {
        return Err(Refusal::bad("message is too long"));
    }
    Ok(formatted)
}

/// The caption of a file, within its limit; it may be empty.
pub fn caption(world: &World, params: &Params) -> Result<Formatted, Refusal> {
    let formatted = formatted(world, params, "caption")?;
    if formatted.text.chars().count() > MOST_CAPTION {
        return Err(Refusal::bad("message caption is too long"));
    }
    Ok(formatted)
}

fn formatted(world: &World, params: &Params, field: &str) -> Result<Formatted, Refusal> {
    let entities = params.json(if field == "text" { "entities" } else { "caption_entities" })?;
    let source = params.text(field).unwrap_or_default();
    world.format(&source, params.text("parse_mode").as_deref(), entities)
}

/// The buttons under a message, if any are asked for.
pub fn inline_keyboard(params: &Params) -> Result<Option<Value>, Refusal> {
    let Some(markup) = params.json("reply_markup")? else { return Ok(None) };
    if !markup.is_object() {
        return Err(Refusal::bad("object expected as reply markup"));
    }
    let Some(rows) = markup["inline_keyboard"].as_array() else { return Ok(None) };
    for button in rows.iter().filter_map(Value::as_array).flatten() {
        let unfit = |reason: &str| Refusal::bad(format!("can't parse inline keyboard button: {reason}"));
        if button["text"].as_str().is_none_or(str::is_empty) {
            return Err(unfit("Field \"text\" must be of type String"));
        }
        if button["callback_data"].as_str().is_some_and(|data| !(1..=64).contains(&data.len())) {
            return Err(Refusal::bad("BUTTON_DATA_INVALID"));
        }
        if button.as_object().is_some_and(|fields| fields.len() < 2) {
            return Err(unfit("Text buttons are unallowed in the inline keyboard"));
        }
    }
    let empty = rows.iter().all(|row| row.as_array().is_none_or(Vec::is_empty));
    Ok((!empty).then(|| json!({"inline_keyboard": rows})))
}
