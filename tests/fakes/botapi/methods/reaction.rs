//! Reactions of a bot.

use crate::access::Wish;
use crate::answer::{Answer, Done, Refusal};
use crate::params::Params;
use crate::world::World;

/// The emoji that can be a reaction.
pub const EMOJI: &str = "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 \
                         🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 \
                         😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡";

/// Whether it can be a reaction; a variation selector makes no difference.
pub fn is_reaction(emoji: &str) -> bool {
    let bare = emoji.replace('\u{fe0f}', "");
    !bare.is_empty() && EMOJI.split(' ').any(|known| known == bare)
}

pub fn set(world: &mut World, bot: i64, params: &Params) -> Answer {
    let chat = world.named_chat(params)?;
    let id = params.int("message_id").unwrap_or_default();
    let opened = world.admits(bot, chat, Wish::Write)?;
    if !opened.messages.contains_key(&id) {
        return Err(Refusal::bad("message to react not found"));
    }
    let wanted = params.json("reaction")?.unwrap_or_default();
    let wanted = wanted.as_array().cloned().unwrap_or_default();
    if wanted.len() > 1 {
        return Err(Refusal::bad("REACTIONS_TOO_MANY"));
    }
    for reaction in &wanted {
        let emoji = reaction["emoji"].as_str().unwrap_or_default();
        let allowed = |list: &Vec<String>| list.iter().any(|known| known == emoji);
        if reaction["type"] != "emoji"
            || !is_reaction(emoji)
            || !opened.reactions.as_ref().is_none_or(allowed)
        {
            return Err(Refusal::bad("REACTION_INVALID"));
        }
    }
    if let Some(message) = world.chat_mut(bot, chat).and_then(|chat| chat.messages.get_mut(&id)) {
        match wanted.is_empty() {
            true => message.reactions.remove(&bot),
            false => message.reactions.insert(bot, wanted),
        };
    }
    Ok(Done { message: Some(id), ..Done::yes() })
}
