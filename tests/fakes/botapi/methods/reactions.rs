//! Reactions of a bot.

use frontdesk_fakes::Params;

use crate::answer::{Answer, Done, Refusal};
use crate::permission::Access;
use crate::world::World;

/// The emoji that can be a reaction.
const EMOJI: &str = "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 \
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
    if !world.access(bot, chat, Access::Write)?.messages.contains_key(&id) {
        return Err(Refusal::bad("message to react not found"));
    }
    let wanted = params.json("reaction")?.unwrap_or_default();
    let wanted = wanted.as_array().cloned().unwrap_or_default();
    if wanted.len() > 1 {
        return Err(Refusal::bad("REACTIONS_TOO_MANY"));
    }
    for reaction in &wanted {
        if reaction["type"] != "emoji" || !is_reaction(reaction["emoji"].as_str().unwrap_or_default()) {
            return Err(Refusal::bad("REACTION_INVALID"));
        }
    }
    if let Some(message) = world.chat_mut(bot, chat).and_then(|chat| chat.messages.get_mut(&id)) {
        message.reactions.insert(bot, wanted);
    }
    Ok(Done::yes_about(id))
}
