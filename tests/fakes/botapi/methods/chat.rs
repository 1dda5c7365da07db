//! Chats looked at, their members, their pinned messages, their topics.

use frontdesk_fakes::Params;
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Done, Refusal};
use crate::chat::{Kind, Standing, all, gifts};
use crate::message::NewMessage;
use crate::permission::Access;
use crate::world::World;

/// The first of the colors that a topic can have.
pub const TOPIC_COLOR: u32 = 7_322_096;
const PERMISSIONS: &str = "can_send_messages can_send_audios can_send_documents can_send_photos can_send_videos \
                           can_send_video_notes can_send_voice_notes can_send_polls can_send_other_messages \
                           can_add_web_page_previews can_change_info can_invite_users can_pin_messages \
                           can_manage_topics";
const ADMIN_RIGHTS: &str = "can_manage_chat can_change_info can_delete_messages can_invite_users \
                            can_restrict_members can_pin_messages can_promote_members can_manage_video_chats \
                            can_post_stories can_edit_stories can_delete_stories can_manage_topics \
                            can_post_messages can_edit_messages can_manage_direct_messages can_manage_tags";

pub fn get(world: &mut World, bot: i64, params: &Params) -> Answer {
    let id = world.named_chat(params)?;
    let chat = world.access(bot, id, Access::Read)?;
    let mut full = world.chat_json(bot, id);
    full["accent_color_id"] = json!(id.rem_euclid(7));
    full["max_reaction_count"] = json!(11);
    full["accepted_gift_types"] = gifts();
    if let Some(username) = full.get("username").cloned() {
        full["active_usernames"] = json!([username]);
    }
    if chat.kind != Kind::Private {
        full["permissions"] = Value::Object(all(PERMISSIONS, true));
    }
    if let Some(linked) = chat.linked {
        full["linked_chat_id"] = json!(linked);
    }
    if let Some(pinned) = chat.pinned.last().and_then(|pinned| chat.messages.get(pinned)) {
        full["pinned_message"] = pinned.as_reply();
    }
    Ok(Done::with(&full))
}

pub fn member(world: &mut World, bot: i64, params: &Params) -> Answer {
    let id = world.named_chat(params)?;
    let user = params.int("user_id").unwrap_or_default();
    let chat = world.access(bot, id, Access::Read)?;
    if !world.people.contains_key(&user) {
        return Err(Refusal::bad("invalid user_id specified"));
    }
    Ok(Done::with(&member_json(world, user, chat.standing(user).unwrap_or(Standing::Left))))
}

pub fn member_count(world: &mut World, bot: i64, params: &Params) -> Answer {
    let id = world.named_chat(params)?;
    let chat = world.access(bot, id, Access::Read)?;
    let members = match chat.kind {
        Kind::Private => 2,
        _ => chat.members.values().filter(|standing| standing.is_in()).count(),
    };
    Ok(Done::with(&json!(members)))
}

pub fn administrators(world: &mut World, bot: i64, params: &Params) -> Answer {
    let id = world.named_chat(params)?;
    let chat = world.access(bot, id, Access::Read)?;
    if chat.kind == Kind::Private {
        return Err(Refusal::bad("there are no administrators in the private chat"));
    }
    let admins = chat.members.iter().filter(|(_, standing)| standing.is_admin());
    let mut admins: Vec<(i64, Standing)> = admins.map(|(id, standing)| (*id, *standing)).collect();
    admins.sort_by_key(|(id, standing)| (*standing != Standing::Creator, *id));
    let admins = admins.into_iter().map(|(id, standing)| member_json(world, id, standing));
    Ok(Done::with(&admins.collect::<Vec<_>>()))
}

pub fn leave(world: &mut World, bot: i64, params: &Params) -> Answer {
    let id = world.named_chat(params)?;
    world.access(bot, id, Access::Write)?;
    if id > 0 {
        return Err(Refusal::bad("chat member status can't be changed in private chats"));
    }
    world.stand(bot, id, bot, Standing::Left);
    Ok(Done::yes())
}

pub fn pin(world: &mut World, bot: i64, params: &Params) -> Answer {
    let id = world.named_chat(params)?;
    let message_id = params.int("message_id").unwrap_or_default();
    let chat = world.access(bot, id, Access::Write)?;
    let message = chat.messages.get(&message_id).ok_or_else(|| Refusal::bad("message to pin not found"))?;
    if id < 0 && !chat.is_admin(bot) {
        return Err(Refusal::bad("not enough rights to manage pinned messages in the chat"));
    }
    let content = Map::from_iter([("pinned_message".to_owned(), message.as_reply())]);
    if let Some(chat) = world.chat_mut(bot, id) {
        chat.pinned.retain(|known| *known != message_id);
        chat.pinned.push(message_id);
    }
    world.put(NewMessage { bot, chat: id, from: bot, content, ..NewMessage::default() });
    Ok(Done::yes_about(message_id))
}

pub fn unpin(world: &mut World, bot: i64, params: &Params) -> Answer {
    let id = world.named_chat(params)?;
    let pinned = &world.access(bot, id, Access::Write)?.pinned;
    let wanted = params.int("message_id").or(pinned.last().copied()).filter(|wanted| pinned.contains(wanted));
    let wanted = wanted.ok_or_else(|| Refusal::bad("message to unpin not found"))?;
    if let Some(chat) = world.chat_mut(bot, id) {
        chat.pinned.retain(|known| *known != wanted);
    }
    Ok(Done::yes_about(wanted))
}

pub fn create_topic(world: &mut World, bot: i64, params: &Params) -> Answer {
    let id = world.named_chat(params)?;
    let name = params.text("name").unwrap_or_default();
    let chat = world.access(bot, id, Access::Write)?;
    if !chat.forum {
        return Err(Refusal::bad("the chat is not a forum"));
    }
    if !chat.is_admin(bot) {
        return Err(Refusal::bad("not enough rights to create a topic"));
    }
    if name.is_empty() || name.chars().count() > 128 {
        return Err(Refusal::bad("TOPIC_TITLE_EMPTY"));
    }
    let thread = world.open_topic(bot, id, bot, &name);
    let topic = json!({"message_thread_id": thread, "name": name, "icon_color": TOPIC_COLOR});
    Ok(Done { message: Some(thread), ..Done::with(&topic) })
}

/// A `ChatMember` of any kind.
pub fn member_json(world: &World, user: i64, standing: Standing) -> Value {
    let mut member =
        Map::from_iter([("status".to_owned(), json!(standing)), ("user".to_owned(), world.user(user))]);
    match standing {
        Standing::Creator => member.extend(all("is_anonymous", false)),
        Standing::Kicked => drop(member.insert("until_date".to_owned(), 0.into())),
        Standing::Administrator => {
            member.extend(all(ADMIN_RIGHTS, true));
            member.extend(all("can_be_edited is_anonymous", false));
        }
        Standing::Member | Standing::Left => {}
    }
    Value::Object(member)
}
