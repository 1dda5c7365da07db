//! How often messages are sent and edited in each chat, which Telegram counts together.
//!
//! An edit that shows an unfinished answer is not sent if it could keep a message from being sent: a part of what a chat
//! tolerates is left for messages and for the last edit. After a refusal such edits are half as frequent for a while.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_core::delivery::{Bucket, SendError};
use frontdesk_core::port::{Clock, Mono};

use crate::config::Settings;

/// A chat tolerates so many messages at once, if the average is kept.
const BURST: u32 = 3;
/// Edits may use so many of them.
const EDITS: usize = 2;
/// The number of messages over which a group's average is taken: 20 a minute.
const IN_GROUP: u32 = 20;
/// Edits may use so many of them.
const EDITS_IN_GROUP: usize = 15;
/// How long edits are half as frequent after a refusal.
const CAUTION: Duration = Duration::from_secs(120);
/// If messages to so many chats are refused at the same time, it is the bot's own limit that was reached.
const CHATS: usize = 3;
/// Number of chats from which idle ones are forgotten.
const MOST: usize = 1024;

/// The requests of one bot.
pub(crate) struct Pace {
    clock: Arc<dyn Clock>,
    per_chat: Duration,
    per_group: Duration,
    chats: Mutex<HashMap<i64, Sent>>,
}

/// What was sent to one chat.
#[derive(Debug, Default)]
struct Sent {
    /// When messages were sent or edited, the latest last.
    at: VecDeque<Mono>,
    refused: Option<Refused>,
}

/// A refusal for speed.
#[derive(Debug, Clone, Copy)]
struct Refused {
    at: Mono,
    until: Mono,
}

impl Sent {
    fn count(&self, since: Duration, now: Mono) -> usize {
        self.at.iter().rev().take_while(|at| now.since(**at) < since).count()
    }

    fn is_idle(&self, now: Mono) -> bool {
        self.at.back().is_none_or(|at| now.since(*at) > CAUTION)
            && self.refused.is_none_or(|refused| now.since(refused.at) > CAUTION)
    }
}

impl Pace {
    pub(crate) fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            per_chat: Duration::from_millis(settings.per_chat_ms),
            per_group: Duration::from_millis(settings.per_group_ms),
            chats: Mutex::default(),
        }
    }

    fn chats(&self) -> MutexGuard<'_, HashMap<i64, Sent>> {
        self.chats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an edit of an unfinished answer may be sent now. The chat's messages do not wait for it.
    pub(crate) fn check_edit(&self, chat: i64) -> Result<(), SendError> {
        let now = self.clock.mono();
        let chats = self.chats();
        let Some(sent) = chats.get(&chat) else { return Ok(()) };
        let is_careful = sent.refused.is_some_and(|refused| now.since(refused.at) < CAUTION);
        let most = |edits: usize| if is_careful { edits / 2 } else { edits };
        let in_group = chat < 0 && sent.count(self.per_group * IN_GROUP, now) >= most(EDITS_IN_GROUP);
        match in_group || sent.count(self.per_chat * BURST, now) >= most(EDITS) {
            true => {
                let detail = "the chat's rate is left for messages".into();
                Err(SendError::Later { after: None, scope: Bucket::Chat, detail })
            }
            false => Ok(()),
        }
    }

    /// Counts a message or an edit that Telegram has accepted.
    pub(crate) fn sent(&self, chat: i64) {
        let (now, mut chats) = (self.clock.mono(), self.chats());
        let sent = entry(&mut chats, chat, now);
        sent.at.push_back(now);
        if sent.at.len() > IN_GROUP as usize {
            sent.at.pop_front();
        }
    }

    /// Notes a refusal for speed, and returns whom it concerns. Telegram does not say that.
    pub(crate) fn refused(&self, chat: i64, after: Duration) -> Bucket {
        let (now, mut chats) = (self.clock.mono(), self.chats());
        entry(&mut chats, chat, now).refused = Some(Refused { at: now, until: now + after });
        let waiting = chats.values().filter(|sent| sent.refused.is_some_and(|refused| refused.until > now));
        if waiting.count() >= CHATS { Bucket::Account } else { Bucket::Chat }
    }
}

fn entry(chats: &mut HashMap<i64, Sent>, chat: i64, now: Mono) -> &mut Sent {
    if chats.len() >= MOST {
        chats.retain(|_, sent| !sent.is_idle(now));
    }
    chats.entry(chat).or_default()
}
