//! The methods of the Bot API.

pub(crate) mod callback;
pub(crate) mod chat;
mod edit;
mod file;
mod group;
pub(crate) mod media;
mod menu;
mod post;
pub(crate) mod reaction;
mod send;
pub(crate) mod updates;
pub(crate) mod webhook;

use serde_json::{Value, json};

use crate::answer::{Answer, Done, Refusal};
use crate::params::Params;
use crate::world::World;

/// What carries a method out.
pub type Method = fn(&mut World, i64, &Params) -> Answer;

/// A method by its name in any case: how the documentation spells it, and what carries it out. `getUpdates` waits
/// and is not among them.
pub fn find(name: &str) -> Option<(&'static str, Method)> {
    let table: &[(&'static str, Method)] = &[
        ("sendMessage", send::message),
        ("editMessageText", edit::text),
        ("deleteMessage", edit::delete),
        ("sendChatAction", send::action),
        ("sendMessageDraft", send::draft),
        ("setMessageReaction", reaction::set),
        ("answerCallbackQuery", callback::answer),
        ("getMe", get_me),
        ("getFile", file::get),
        ("editMessageCaption", edit::caption),
        ("editMessageReplyMarkup", edit::markup),
        ("deleteMessages", edit::delete_many),
        ("sendPhoto", media::photo),
        ("sendDocument", media::document),
        ("sendAudio", media::audio),
        ("sendVideo", media::video),
        ("sendVoice", media::voice),
        ("sendAnimation", media::animation),
        ("sendSticker", media::sticker),
        ("sendVideoNote", media::video_note),
        ("sendMediaGroup", group::send),
        ("sendLocation", send::location),
        ("sendContact", send::contact),
        ("forwardMessage", send::forward),
        ("copyMessage", send::copy),
        ("pinChatMessage", chat::pin),
        ("unpinChatMessage", chat::unpin),
        ("unpinAllChatMessages", chat::unpin_all),
        ("getChat", chat::get),
        ("getChatMember", chat::member),
        ("getChatMemberCount", chat::count),
        ("getChatAdministrators", chat::administrators),
        ("leaveChat", chat::leave),
        ("createForumTopic", chat::create_topic),
        ("setMyCommands", menu::set),
        ("getMyCommands", menu::get),
        ("deleteMyCommands", menu::delete),
        ("setWebhook", webhook::set),
        ("deleteWebhook", webhook::delete),
        ("getWebhookInfo", webhook::info),
        ("logOut", log_out),
        ("close", close),
    ];
    table.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).copied()
}

/// Whether flood control counts it.
pub fn counts(method: &str) -> bool {
    let free = ["sendChatAction", "sendMessageDraft"];
    let counted = ["send", "edit", "forward", "copy"];
    counted.iter().any(|start| method.starts_with(start)) && !free.contains(&method)
}

fn get_me(world: &mut World, bot: i64, _: &Params) -> Answer {
    let mut me = world.user(bot);
    let known = world.bots.get(&bot).ok_or_else(|| Refusal::new(401, "Unauthorized"))?;
    if let (Some(me), Value::Object(abilities)) = (me.as_object_mut(), known.abilities()) {
        me.extend(abilities);
    }
    Ok(Done::with(&me))
}

/// The token stays good: there is only one server to log in to.
fn log_out(_: &mut World, _: i64, _: &Params) -> Answer {
    Ok(Done::yes())
}

fn close(_: &mut World, _: i64, _: &Params) -> Answer {
    Ok(Done::yes())
}

/// The menu of a message: checked, and only if it belongs to the message itself.
fn inline_keyboard(params: &Params) -> Result<Option<Value>, Refusal> {
    let Some(markup) = params.json("reply_markup")? else { return Ok(None) };
    if !markup.is_object() {
        return Err(Refusal::bad("object expected as reply markup"));
    }
    let Some(rows) = markup["inline_keyboard"].as_array() else { return Ok(None) };
    for button in rows.iter().filter_map(Value::as_array).flatten() {
        if button["text"].as_str().is_none_or(str::is_empty) {
            return Err(Refusal::bad(
                "can't parse inline keyboard button: Field \"text\" must be of type String",
            ));
        }
        if let Some(data) = button["callback_data"].as_str()
            && !(1..=64).contains(&data.len())
        {
            return Err(Refusal::bad("BUTTON_DATA_INVALID"));
        }
        if button.as_object().is_some_and(|fields| fields.len() < 2) {
            return Err(Refusal::bad(
                "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
            ));
        }
    }
    let empty = rows.iter().all(|row| row.as_array().is_none_or(Vec::is_empty));
    Ok((!empty).then(|| json!({"inline_keyboard": rows})))
}
