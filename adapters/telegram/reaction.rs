//! Reactions of the bot: to a message that waits, and those that its agent wants.

use frontdesk_core::reaction::normalized;
use teloxide_core::payloads::SetMessageReaction;
use teloxide_core::types::{ChatId, MessageId, ReactionType};

/// The emoji that a bot can react with (Bot API, ReactionTypeEmoji).
const EMOJI: &str = "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤\u{200d}🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 \
                     🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨\u{200d}💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 \
                     😘 💊 🙊 😎 👾 🤷\u{200d}♂ 🤷 🤷\u{200d}♀ 😡";

/// The emoji as Telegram writes it; `None` if it is no reaction. The list has none of them with a selector.
pub(crate) fn of(emoji: &str) -> Option<&'static str> {
    let emoji = normalized(emoji);
    EMOJI.split(' ').find(|known| *known == emoji)
}

/// The call that reacts to a message with this emoji, or takes the reaction back. What is not in the list goes out as it is:
/// Telegram may know more by now, and says what is wrong.
pub(crate) fn call(chat: ChatId, message: MessageId, emoji: Option<&str>) -> SetMessageReaction {
    let mut call = SetMessageReaction::new(chat, message);
    let reaction = emoji.map(|emoji| ReactionType::Emoji { emoji: of(emoji).unwrap_or(emoji).to_owned() });
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
