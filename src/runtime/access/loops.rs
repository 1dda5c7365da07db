//! Two programs that answer each other never stop by themselves.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use frontdesk_core::address::Address;
use frontdesk_core::port::Mono;

/// So many messages of programs are taken from one chat within [`WINDOW`].
const MOST: u32 = 20;
/// In which they are counted.
const WINDOW: Duration = Duration::from_secs(60);
/// How long programs are not heard there after one too many.
const SILENCE: Duration = Duration::from_secs(60);

/// What programs have said lately, by chat.
#[derive(Default)]
pub(crate) struct Loops(Mutex<HashMap<Address, Heard>>);

struct Heard {
    since: Mono,
    count: u32,
    silent_until: Mono,
}

impl Loops {
    /// Counts a program's message; `false` where it must not be answered.
    pub(crate) fn allows(&self, chat: &Address, now: Mono) -> bool {
        let mut chats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = chats.entry(chat.clone()).or_insert(Heard {
            since: now,
            count: 0,
            silent_until: Mono::default(),
        });
        if now < heard.silent_until {
            return false;
        }
        if now.since(heard.since) >= WINDOW {
            (heard.since, heard.count) = (now, 0);
        }
        heard.count += 1;
        if heard.count > MOST {
            heard.silent_until = now + SILENCE;
            tracing::warn!(%chat, "programs talk in a loop here; they are not heard for a minute");
        }
        heard.count <= MOST
    }

    /// Forgets chats that have been quiet.
    pub(crate) fn sweep(&self, now: Mono) {
        let mut chats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        chats.retain(|_, heard| now < heard.silent_until || now.since(heard.since) < WINDOW);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_twenty_in_a_minute_there_is_a_minute_of_silence() {
        let loops = Loops::default();
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
