//! Texts and whatever else is sent without a file.

use serde_json::{Map, Value, json};

use super::post;
use crate::access::Wish;
use crate::answer::{Answer, Done, Refusal};
use crate::chat::Message;
use crate::params::Params;
use crate::world::World;

const ACTIONS: [&str; 11] = [
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
];

pub fn message(world: &mut World, bot: i64, params: &Params) -> Answer {
    let formatted = post::text(world, params)?;
    let mut content = Map::new();
    world.write_text(&formatted, "text", &mut content);
    post::post(world, bot, params, content)
}

/// A draft is shown while an answer grows, and leaves no message.
pub fn draft(world: &mut World, bot: i64, params: &Params) -> Answer {
    let chat = world.named_chat(params)?;
    let source = params.text("text").unwrap_or_default();
    let formatted = world.format(&source, params.text("parse_mode").as_deref(), params.json("entities")?)?;
    let opened = world.admits(bot, chat, Wish::Write)?;
    post::topic(opened, params)?;
    if chat < 0 {
        return Err(Refusal::bad("PEER_ID_INVALID"));
    }
    if params.int("draft_id").unwrap_or_default() == 0 {
        return Err(Refusal::bad("RANDOM_ID_INVALID"));
    }
    if formatted.text.chars().count() > post::TEXT {
        return Err(Refusal::bad("message is too long"));
    }
    Ok(Done::yes())
}

pub fn action(world: &mut World, bot: i64, params: &Params) -> Answer {
    let chat = world.named_chat(params)?;
    post::topic(world.admits(bot, chat, Wish::Write)?, params)?;
    let action = params.text("action").unwrap_or_default().to_lowercase();
    if ACTIONS.contains(&action.as_str()) {
        Ok(Done::yes())
    } else {
        Err(Refusal::bad("wrong parameter action in request"))
    }
}

pub fn location(world: &mut World, bot: i64, params: &Params) -> Answer {
    let number = |name: &str| {
        let text = params.text(name).ok_or_else(|| Refusal::bad(format!("{name} is empty")))?;
        text.parse::<f64>().map_err(|_| Refusal::bad(format!("{name} is invalid")))
    };
    let location = json!({"latitude": number("latitude")?, "longitude": number("longitude")?});
    post::post(world, bot, params, Map::from_iter([("location".to_owned(), location)]))
}

pub fn contact(world: &mut World, bot: i64, params: &Params) -> Answer {
    let phone = params.text("phone_number").ok_or_else(|| Refusal::bad("phone_number is empty"))?;
    let contact = json!({"phone_number": phone, "first_name": params.text("first_name").unwrap_or_default()});
    post::post(world, bot, params, Map::from_iter([("contact".to_owned(), contact)]))
}

pub fn forward(world: &mut World, bot: i64, params: &Params) -> Answer {
    let original = original(world, bot, params, "message to forward not found")?;
    let value = original.value();
    let mut content = carried(&value);
    let origin = match value.get("forward_origin") {
        Some(origin) => origin.clone(),
        None => json!({"type": "user", "date": original.date, "sender_user": world.user(original.from)}),
    };
    content.insert("forward_origin".to_owned(), origin);
    post::post(world, bot, params, content)
}

pub fn copy(world: &mut World, bot: i64, params: &Params) -> Answer {
    let content = carried(&original(world, bot, params, "message to copy not found")?.value());
    let done = post::post(world, bot, params, content)?;
    let id = done.message.unwrap_or_default();
    Ok(Done::message(id, json!({"message_id": id}).to_string()))
}

fn original(world: &World, bot: i64, params: &Params, missing: &str) -> Result<Message, Refusal> {
    let from = params.int("from_chat_id").ok_or_else(|| Refusal::bad("chat not found"))?;
    let chat = world.admits(bot, from, Wish::Read)?;
    let id = params.int("message_id").unwrap_or_default();
    chat.messages.get(&id).cloned().ok_or_else(|| Refusal::bad(missing))
}

/// The part of a message that travels with it.
fn carried(message: &Value) -> Map<String, Value> {
    let kept = [
        "text",
        "entities",
        "caption",
        "caption_entities",
        "photo",
        "document",
        "audio",
        "video",
        "voice",
        "animation",
        "sticker",
        "video_note",
        "location",
        "contact",
        "poll",
    ];
    let fields = kept.iter().filter_map(|name| Some(((*name).to_owned(), message.get(*name)?.clone())));
    fields.collect()
}
