//! The methods of the Bot API.

pub mod chat;
mod commands;
mod edit;
mod media;
pub mod reactions;
mod send;
pub mod updates;
pub mod webhook;

use frontdesk_fakes::Params;
use serde_json::Value;

use crate::actions::buttons::QUERY_LIFETIME_MS;
use crate::answer::{Answer, Done, Refusal};
use crate::entity::utf16;
use crate::world::World;

pub type Step = fn(&mut World, i64, &Params) -> Answer;

/// How a method is carried out.
#[derive(Clone, Copy)]
pub enum Run {
    Step(Step),
    /// `getUpdates`, which waits.
    Poll,
}

#[derive(Clone, Copy)]
pub struct Method {
    /// The name as the documentation spells it.
    pub name: &'static str,
    pub run: Run,
}

const STEPS: &[(&str, Step)] = &[
    ("answerCallbackQuery", answer_callback_query),
    ("createForumTopic", chat::create_topic),
    ("deleteMessage", edit::delete),
    ("deleteMessages", edit::delete_many),
    ("deleteMyCommands", commands::delete),
    ("deleteWebhook", webhook::delete),
    ("editMessageCaption", edit::caption),
    ("editMessageReplyMarkup", edit::markup),
    ("editMessageText", edit::text),
    ("getChat", chat::get),
    ("getChatAdministrators", chat::administrators),
    ("getChatMember", chat::member),
    ("getChatMemberCount", chat::member_count),
    ("getFile", media::get_file),
    ("getMe", get_me),
    ("getMyCommands", commands::get),
    ("getWebhookInfo", webhook::info),
    ("leaveChat", chat::leave),
    ("pinChatMessage", chat::pin),
    ("sendAnimation", media::send_animation),
    ("sendAudio", media::send_audio),
    ("sendChatAction", send::action),
    ("sendDocument", media::send_document),
    ("sendMediaGroup", media::send_group),
    ("sendMessage", send::message),
    ("sendMessageDraft", send::draft),
    ("sendPhoto", media::send_photo),
    ("sendSticker", media::send_sticker),
    ("sendVideo", media::send_video),
    ("sendVideoNote", media::send_video_note),
    ("sendVoice", media::send_voice),
    ("setMessageReaction", reactions::set),
    ("setMyCommands", commands::set),
    ("setWebhook", webhook::set),
    ("unpinChatMessage", chat::unpin),
];

/// A method by its name in any case.
pub fn find(name: &str) -> Option<Method> {
    if name.eq_ignore_ascii_case("getUpdates") {
        return Some(Method { name: "getUpdates", run: Run::Poll });
    }
    let (name, step) = STEPS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(Method { name, run: Run::Step(*step) })
}

/// Whether flood control counts it.
pub fn is_limited(method: &str) -> bool {
    (method.starts_with("send") || method.starts_with("edit"))
        && !["sendChatAction", "sendMessageDraft"].contains(&method)
}

fn get_me(world: &mut World, bot: i64, _: &Params) -> Answer {
    let mut me = world.user(bot);
    let known = world.bots.get(&bot).ok_or_else(Refusal::unauthorized)?;
    if let (Some(me), Value::Object(abilities)) = (me.as_object_mut(), known.abilities()) {
        me.extend(abilities);
    }
    Ok(Done::with(&me))
}

fn answer_callback_query(world: &mut World, bot: i64, params: &Params) -> Answer {
    let now = world.now_ms();
    if params.text("text").is_some_and(|text| utf16(&text) > 200) {
        return Err(Refusal::bad("MESSAGE_TOO_LONG"));
    }
    let id = params.text("callback_query_id").unwrap_or_default();
    let press =
        world.presses.get_mut(&id).filter(|press| press.bot == bot && now - press.at <= QUERY_LIFETIME_MS);
    let too_old = "query is too old and response timeout expired or query ID is invalid";
    let press = press.ok_or_else(|| Refusal::bad(too_old))?;
    press.answer = Some(Value::Object(params.fields.clone()));
    Ok(Done::yes())
}
