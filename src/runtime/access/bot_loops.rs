//! Stops conversations between programs: two bots that answer each other never stop by themselves.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::port::Mono;

/// Maximum number of messages from bots that are accepted in one chat within [`WINDOW`].
const MOST: u32 = 20;
const WINDOW: Duration = Duration::from_secs(60);
/// How long bots are ignored in a chat that has exceeded the maximum.
const SILENCE: Duration = Duration::from_secs(60);

/// Recent messages from bots, by chat.
#[derive(Default)]
pub(crate) struct BotLoops(Mutex<HashMap<Address, BotMessages>>);

struct BotMessages {
    since: Mono,
    count: u32,
    silent_until: Mono,
}

impl BotLoops {
    /// Counts a bot's message; `false` if it must be ignored.
    pub(crate) fn allows(&self, chat: &Address, now: Mono) -> bool {
        let mut chats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = chats.entry(chat.clone()).or_insert(BotMessages {
            since: now,
            count: 0,
            silent_until: Mono::default(),
        });
        if now < sent.silent_until {
            return false;
        }
        if now.since(sent.since) >= WINDOW {
            (sent.since, sent.count) = (now, 0);
        }
        sent.count += 1;
        if sent.count > MOST {
            sent.silent_until = now + SILENCE;
            tracing::warn!(%chat, "bots answer each other in this chat; they are ignored for a minute");
        }
        sent.count <= MOST
    }

    /// Forgets chats that have been quiet.
    pub(crate) fn sweep(&self, now: Mono) {
        let mut chats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        chats.retain(|_, sent| now < sent.silent_until || now.since(sent.since) < WINDOW);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_twenty_messages_in_a_minute_bots_are_ignored_for_a_minute() {
        let loops = BotLoops::default();
        let chat: Address = "telegram:-1".parse().unwrap();
        let at = |seconds| Mono(Duration::from_secs(seconds));
        assert!((0..20).all(|n| loops.allows(&chat, at(100 + n))));
        assert!(!loops.allows(&chat, at(121)));
        assert!(!loops.allows(&chat, at(180)), "the silence is not over");
        assert!(loops.allows(&chat, at(181)));
        assert!(loops.allows(&"telegram:-2".parse().unwrap(), at(121)), "another chat is not silenced");
        loops.sweep(at(1000));
        assert!(loops.0.lock().unwrap().is_empty());
    }
}
