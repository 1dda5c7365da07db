//! Chats looked at, their members, their pins, their topics.

use serde_json::{Map, Value, json};

use crate::access::Wish;
use crate::answer::{Answer, Done, Refusal};
use crate::chat::{Kind, Standing, gifts};
use crate::params::Params;
use crate::world::World;

pub fn get(world: &mut World, bot: i64, params: &Params) -> Answer {
    let id = world.named_chat(params)?;
    let chat = world.admits(bot, id, Wish::Read)?;
    let mut full = world.chat_json(bot, id);
    full["accent_color_id"] = json!(u8::try_from(id.rem_euclid(7)).unwrap_or_default());
    full["max_reaction_count"] = json!(11);
    full["accepted_gift_types"] = gifts();
    if let Some(username) = full.get("username").cloned() {
        full["active_usernames"] = json!([username]);
    }
    if chat.kind != Kind::Private {
        full["permissions"] = permissions();
    }
    if let Some(linked) = chat.linked {
        full["linked_chat_id"] = json!(linked);
    }
    if let Some(pinned) = chat.pinned.last().and_then(|pinned| chat.messages.get(pinned)) {
        full["pinned_message"] = pinned.as_reply();
    }
    if let Some(reactions) = &chat.reactions {
        full["available_reactions"] =
            reactions.iter().map(|emoji| json!({"type": "emoji", "emoji": emoji})).collect();
    }
    Ok(Done::with(&full))
}

pub fn member(world: &mut World, bot: i64, params: &Params) -> Answer {
    let id = world.named_chat(params)?;
    let user = params.int("user_id").unwrap_or_default();
    let chat = world.admits(bot, id, Wish::Read)?;
    if !world.people.contains_key(&user) {
        return Err(Refusal::bad("invalid user_id specified"));
    }
    let standing = chat.standing(user).unwrap_or(Standing::Left);
    Ok(Done::with(&member_json(world, user, standing)))
}

pub fn count(world: &mut World, bot: i64, params: &Params) -> Answer {
    let id = world.named_chat(params)?;
    let chat = world.admits(bot, id, Wish::Read)?;
    Ok(Done::with(&chat.members.values().filter(|standing| standing.is_in()).count()))
}

pub fn administrators(world: &mut World, bot: i64, params: &Params) -> Answer {
    let id = world.named_chat(params)?;
    let chat = world.admits(bot, id, Wish::Read)?;
    if chat.kind == Kind::Private {
        return Err(Refusal::bad("there are no administrators in the private chat"));
    }
    let admins = chat.members.iter().filter(|(_, standing)| standing.is_admin());
    let mut admins: Vec<(i64, Standing)> = admins.map(|(id, standing)| (*id, *standing)).collect();
    admins.sort_by_key(|(id, standing)| (*standing != Standing::Creator, *id));
    let admins: Vec<Value> =
        admins.into_iter().map(|(id, standing)| member_json(world, id, standing)).collect();
    Ok(Done::with(&admins))
}

pub fn leave(world: &mut World, bot: i64, params: &Params) -> Answer {
    let id = world.named_chat(params)?;
    world.admits(bot, id, Wish::Write)?;
    if id > 0 {
        return Err(Refusal::bad("chat member status can't be changed in private chats"));
    }
    world.stand(bot, id, bot, Standing::Left);
    Ok(Done::yes())
}

pub fn pin(world: &mut World, bot: i64, params: &Params) -> Answer {
    let chat = world.named_chat(params)?;
    let id = params.int("message_id").unwrap_or_default();
    let opened = world.admits(bot, chat, Wish::Write)?;
    let Some(message) = opened.messages.get(&id) else {
        return Err(Refusal::bad("message to pin not found"));
    };
    if chat < 0 && !opened.standing(bot).is_some_and(Standing::is_admin) {
        return Err(Refusal::bad("not enough rights to manage pinned messages in the chat"));
    }
    let pinned = message.as_reply();
    if let Some(opened) = world.chat_mut(bot, chat) {
        opened.pinned.retain(|known| *known != id);
        opened.pinned.push(id);
    }
    let content = Map::from_iter([("pinned_message".to_owned(), pinned)]);
    world.put(crate::compose::Envelope { bot, chat, from: bot, content, ..Default::default() });
    Ok(Done { message: Some(id), ..Done::yes() })
}

pub fn unpin(world: &mut World, bot: i64, params: &Params) -> Answer {
    let chat = world.named_chat(params)?;
    let wanted = params.int("message_id");
    let opened = world.admits(bot, chat, Wish::Write)?;
    let id = wanted.or(opened.pinned.last().copied()).filter(|id| opened.pinned.contains(id));
    let id = id.ok_or_else(|| Refusal::bad("message to unpin not found"))?;
    if let Some(opened) = world.chat_mut(bot, chat) {
        opened.pinned.retain(|known| *known != id);
    }
    Ok(Done { message: Some(id), ..Done::yes() })
}

pub fn unpin_all(world: &mut World, bot: i64, params: &Params) -> Answer {
    let chat = world.named_chat(params)?;
    world.admits(bot, chat, Wish::Write)?;
    if let Some(opened) = world.chat_mut(bot, chat) {
        opened.pinned.clear();
    }
    Ok(Done::yes())
}

pub fn create_topic(world: &mut World, bot: i64, params: &Params) -> Answer {
    let chat = world.named_chat(params)?;
    let name = params.text("name").unwrap_or_default();
    let opened = world.admits(bot, chat, Wish::Write)?;
    if !opened.forum {
        return Err(Refusal::bad("the chat is not a forum"));
    }
    if !opened.standing(bot).is_some_and(Standing::is_admin) {
        return Err(Refusal::bad("not enough rights to create a topic"));
    }
    if name.is_empty() || name.chars().count() > 128 {
        return Err(Refusal::bad("TOPIC_TITLE_EMPTY"));
    }
    let id = world.open_topic(bot, chat, bot, &name);
    let topic = json!({"message_thread_id": id, "name": name, "icon_color": TOPIC_COLOR});
    Ok(Done { message: Some(id), ..Done::with(&topic) })
}

/// The first of the colors that a topic can have.
pub(crate) const TOPIC_COLOR: u32 = 7_322_096;

/// A `ChatMember` of any kind.
pub(crate) fn member_json(world: &World, user: i64, standing: Standing) -> Value {
    let mut member = json!({"status": standing.name(), "user": world.user(user)});
    match standing {
        Standing::Creator => member["is_anonymous"] = json!(false),
        Standing::Kicked => member["until_date"] = json!(0),
        Standing::Administrator => {
            let rights = [
                "can_be_edited",
                "can_manage_chat",
                "can_change_info",
                "can_delete_messages",
                "can_invite_users",
                "can_restrict_members",
                "can_pin_messages",
                "can_promote_members",
                "can_manage_video_chats",
                "can_post_stories",
                "can_edit_stories",
                "can_delete_stories",
                "is_anonymous",
                "can_manage_topics",
                "can_post_messages",
                "can_edit_messages",
                "can_manage_direct_messages",
                "can_manage_tags",
            ];
            for right in rights {
                member[right] = json!(!["can_be_edited", "is_anonymous"].contains(&right));
            }
        }
        Standing::Member | Standing::Left => {}
    }
    member
}

fn permissions() -> Value {
    let rights = [
        "can_send_messages",
        "can_send_audios",
        "can_send_documents",
        "can_send_photos",
        "can_send_videos",
        "can_send_video_notes",
        "can_send_voice_notes",
        "can_send_polls",
        "can_send_other_messages",
        "can_add_web_page_previews",
        "can_change_info",
        "can_invite_users",
        "can_pin_messages",
        "can_manage_topics",
    ];
    rights.iter().map(|right| ((*right).to_owned(), json!(true))).collect::<Map<_, _>>().into()
}
