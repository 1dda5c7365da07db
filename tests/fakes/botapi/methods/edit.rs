//! Messages that a bot changes and deletes.

use frontdesk_fakes::Params;
use serde_json::{Map, Value};

use super::send;
use crate::answer::{Answer, Done, Refusal};
use crate::chat::{Kind, Message};
use crate::entity::Formatted;
use crate::permission::Access;
use crate::world::World;

const SAME: &str = "message is not modified: specified new message content and reply markup are exactly the same as \
                    a current content and reply markup of the message";
const MEDIA: [&str; 6] = ["photo", "document", "audio", "video", "voice", "animation"];
/// How long bots can delete a message, in seconds.
const DELETABLE: i64 = 48 * 3600;

pub fn text(world: &mut World, bot: i64, params: &Params) -> Answer {
    let formatted = send::text(world, params)?;
    let (chat, id, message) = target(world, bot, params)?;
    if !message.fields().contains_key("text") {
        return Err(Refusal::bad("there is no text in the message to edit"));
    }
    change(world, (bot, chat, id), params, Some((&formatted, "text")))
}

pub fn caption(world: &mut World, bot: i64, params: &Params) -> Answer {
    let formatted = send::caption(world, params)?;
    let (chat, id, message) = target(world, bot, params)?;
    let fields = message.fields();
    if !MEDIA.iter().any(|field| fields.contains_key(*field)) {
        return Err(Refusal::bad("there is no caption in the message to edit"));
    }
    change(world, (bot, chat, id), params, Some((&formatted, "caption")))
}

pub fn markup(world: &mut World, bot: i64, params: &Params) -> Answer {
    let (chat, id, _) = target(world, bot, params)?;
    change(world, (bot, chat, id), params, None)
}

/// The message that is to be edited, if the bot may.
fn target(world: &World, bot: i64, params: &Params) -> Result<(i64, i64, Message), Refusal> {
    if params.text("inline_message_id").is_some() {
        return Err(Refusal::bad("MESSAGE_ID_INVALID"));
    }
    let chat = world.named_chat(params)?;
    let id = params.int("message_id").unwrap_or_default();
    if id == 0 {
        return Err(Refusal::bad("message identifier is not specified"));
    }
    let message = world.access(bot, chat, Access::Write)?.messages.get(&id);
    let message = message.ok_or_else(|| Refusal::bad("message to edit not found"))?;
    if message.from != bot {
        return Err(Refusal::bad("message can't be edited"));
    }
    Ok((chat, id, message.clone()))
}

fn change(
    world: &mut World,
    (bot, chat, id): (i64, i64, i64),
    params: &Params,
    text: Option<(&Formatted, &str)>,
) -> Answer {
    let markup = send::inline_keyboard(params)?;
    let mut written = Map::new();
    if let Some((formatted, field)) = text {
        world.write_text(formatted, field, &mut written);
    }
    let now = world.now();
    let mut same = false;
    let json = world.rewrite(World::place(bot, chat), id, |fields| {
        let before = fields.clone();
        if let Some((_, field)) = text {
            fields.remove(field);
            fields.remove(if field == "text" { "entities" } else { "caption_entities" });
            fields.extend(written);
        }
        // Buttons that are not given again are gone.
        match markup {
            Some(markup) => fields.insert("reply_markup".to_owned(), markup),
            None => fields.remove("reply_markup"),
        };
        same = *fields == before;
        if !same {
            fields.insert("edit_date".to_owned(), now.into());
        }
    });
    match json {
        _ if same => Err(Refusal::bad(SAME)),
        Some(json) => Ok(Done::message(id, json)),
        None => Err(Refusal::bad("message to edit not found")),
    }
}

pub fn delete(world: &mut World, bot: i64, params: &Params) -> Answer {
    let id = world.named_chat(params)?;
    let message_id = params.int("message_id").unwrap_or_default();
    let chat = world.access(bot, id, Access::Write)?;
    let message =
        chat.messages.get(&message_id).ok_or_else(|| Refusal::bad("message to delete not found"))?;
    let is_old = world.now() - message.date > DELETABLE;
    let is_own = message.from == bot || chat.kind == Kind::Private;
    if !chat.is_admin(bot) && (is_old || !is_own) {
        return Err(Refusal::bad("message can't be deleted"));
    }
    remove(world, bot, id, message_id);
    Ok(Done::yes_about(message_id))
}

/// Messages that do not exist are ignored.
pub fn delete_many(world: &mut World, bot: i64, params: &Params) -> Answer {
    let chat = world.named_chat(params)?;
    world.access(bot, chat, Access::Write)?;
    let ids = params.json("message_ids")?.unwrap_or_default();
    let ids = ids.as_array().ok_or_else(|| Refusal::bad("message identifiers are not specified"))?;
    for id in ids.iter().filter_map(Value::as_i64) {
        remove(world, bot, chat, id);
    }
    Ok(Done::yes())
}

fn remove(world: &mut World, bot: i64, chat: i64, id: i64) {
    if let Some(chat) = world.chat_mut(bot, chat) {
        chat.messages.remove(&id);
        chat.pinned.retain(|pinned| *pinned != id);
    }
}
