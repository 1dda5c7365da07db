//! Telegram: what it allows, and how text is written on it.

use std::time::Duration;

use frontdesk_core::profile::{Flow, Limit, Pacing, Profile, ReceiptRule, Unit};

pub mod markup;

/// What Telegram can do.
pub fn profile() -> Profile {
    Profile {
        channel: "telegram",
        // Bot API, sendMessage: 1 to 4096 characters "after entities parsing", counted in UTF-16 (Bot API,
        // MessageEntity). We count the tags too and stay below, since servers differ in what they parse.
        limit: Limit { max: 4000, unit: Unit::Utf16 },
        dialect: &markup::DIALECT,
        // Not in the Bot API: edits of one message faster than this are answered with 429 in practice.
        flow: Flow::Edits { every: Duration::from_millis(800) },
        // Bot API, sendMessage: answers with the sent Message and its id.
        receipt: ReceiptRule::Platform,
        // Bot API, sendChatAction: the status is set for 5 seconds or less.
        typing: Some(Duration::from_secs(4)),
        // Bot API, sendMessage: `message_thread_id`, forum topics.
        threads: true,
        // Bot API, sendDocument and its siblings.
        media: true,
        // Bot API, sendMessage: `reply_markup`, InlineKeyboardMarkup.
        buttons: true,
        // Bot API: no method takes a key by which a repeated send would be known.
        idempotent: false,
        // Bot FAQ, "My bot is hitting limits": one message a second in a chat, about 30 a second in all.
        pacing: Pacing {
            per_chat: Some(Duration::from_secs(1)),
            per_account: Some(Duration::from_nanos(1_000_000_000 / 30)),
        },
        // Bot API, getUpdates: a long poll of 50 s answers at its end, even with nothing; two may be lost.
        patience: Some(Duration::from_secs(120)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_profile_can_be_right() {
        frontdesk_kit::facts::check(&profile());
    }

    #[test]
    fn typing_is_repeated_before_telegram_lets_it_lapse() {
        assert!(profile().typing.unwrap() < Duration::from_secs(5));
    }

    #[test]
    fn a_part_is_shorter_than_the_longest_message_of_the_bot_api() {
        let limit = profile().limit;
        assert_eq!(limit.unit, Unit::Utf16);
        assert!(limit.max <= 4096);
    }
}
