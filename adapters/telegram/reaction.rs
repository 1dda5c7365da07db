//! The reaction of the bot to a message that waits.

use teloxide_core::payloads::SetMessageReaction;
use teloxide_core::types::{ChatId, MessageId, ReactionType};

/// The emoji that a bot can react with (Bot API, ReactionTypeEmoji).
const EMOJI: &str = "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤\u{200d}🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 \
                     🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨\u{200d}💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 \
                     😘 💊 🙊 😎 👾 🤷\u{200d}♂ 🤷 🤷\u{200d}♀ 😡";

/// The emoji as Telegram writes it, without the character that keyboards add; `None` if it is no reaction.
pub(crate) fn of(emoji: &str) -> Option<&'static str> {
    let bare = emoji.trim().replace('\u{fe0f}', "");
    EMOJI.split(' ').find(|known| *known == bare)
}

/// The call that reacts to a message with this emoji, or takes the reaction back.
pub(crate) fn call(chat: ChatId, message: MessageId, emoji: Option<&str>) -> SetMessageReaction {
    let mut call = SetMessageReaction::new(chat, message);
    let reaction = emoji.and_then(of).map(|emoji| ReactionType::Emoji { emoji: emoji.to_owned() });
    call.reaction = Some(reaction.into_iter().collect());
    call
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_of_the_list_is_a_reaction_however_a_keyboard_writes_it() {
        assert_eq!(EMOJI.split(' ').count(), 73);
        for (typed, sent) in
            [("👀", "👀"), (" 👍 ", "👍"), ("❤\u{fe0f}", "❤"), ("❤\u{fe0f}\u{200d}🔥", "❤\u{200d}🔥")]
        {
            assert_eq!(of(typed), Some(sent));
        }
        for wrong in ["", "🦊", "👀👀", "ok", "👀 👍"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
