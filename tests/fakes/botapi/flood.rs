//! Flood control: how often a bot may post before it has to wait.

use std::collections::{HashMap, VecDeque};

use serde::Deserialize;

/// So many in any stretch of so much time.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Rate {
    /// How many.
    pub many: usize,
    /// In how many milliseconds.
    pub per_ms: i64,
}

/// The limits in force; none by default.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// For each chat.
    pub chat: Option<Rate>,
    /// For each group or channel, besides.
    pub group: Option<Rate>,
    /// For each bot.
    pub bot: Option<Rate>,
}

impl Limits {
    /// What the platform's FAQ says: one a second in a chat with short bursts (here three at once), 20 a minute in a
    /// group, 30 a second for a bot.
    pub fn real() -> Self {
        Self {
            chat: Some(Rate { many: 3, per_ms: 3000 }),
            group: Some(Rate { many: 20, per_ms: 60_000 }),
            bot: Some(Rate { many: 30, per_ms: 1000 }),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bucket {
    Chat(i64, i64),
    Group(i64, i64),
    Bot(i64),
}

/// Counts what was posted.
#[derive(Debug, Default)]
pub struct Flood {
    limits: Limits,
    /// When the last posts came, as many as the limit looks back on.
    posts: HashMap<Bucket, VecDeque<i64>>,
}

impl Flood {
    /// New limits, and everything counted is forgotten.
    pub fn set(&mut self, limits: Limits) {
        *self = Self { limits, posts: HashMap::new() };
    }

    /// Counts a post, or says how many seconds to wait.
    pub fn post(&mut self, bot: i64, chat: i64, now_ms: i64) -> Result<(), u32> {
        let Limits { chat: in_chat, group, bot: of_bot } = self.limits;
        let group = group.filter(|_| chat < 0);
        let buckets = [
            (Bucket::Chat(bot, chat), in_chat),
            (Bucket::Group(bot, chat), group),
            (Bucket::Bot(bot), of_bot),
        ];
        let mut longest_ms = 0;
        for (bucket, rate) in buckets {
            let Some(rate) = rate else { continue };
            let posts = self.posts.entry(bucket).or_default();
            while posts.front().is_some_and(|at| at + rate.per_ms <= now_ms) {
                posts.pop_front();
            }
            if posts.len() >= rate.many {
                let oldest = posts.front().copied().unwrap_or(now_ms);
                longest_ms = longest_ms.max(oldest + rate.per_ms - now_ms);
            }
        }
        if longest_ms > 0 {
            return Err(u32::try_from((longest_ms + 999) / 1000).unwrap_or(1));
        }
        for (bucket, rate) in buckets {
            if rate.is_some() {
                self.posts.entry(bucket).or_default().push_back(now_ms);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn real() -> Flood {
        let mut flood = Flood::default();
        flood.set(Limits::real());
        flood
    }

    #[test]
    fn nothing_is_counted_unless_it_is_asked_for() {
        let mut flood = Flood::default();
        assert!((0..1000).all(|_| flood.post(1, 42, 0).is_ok()));
    }

    #[test]
    fn a_chat_bears_a_burst_and_then_one_a_second() {
        let mut flood = real();
        assert!((0..3).all(|_| flood.post(1, 42, 0).is_ok()));
        assert_eq!(flood.post(1, 42, 100), Err(3));
        assert_eq!(flood.post(1, 43, 100), Ok(()), "another chat has its own");
        assert!((3..20).all(|second| flood.post(1, 42, second * 1000).is_ok()));
    }

    #[test]
    fn a_group_bears_twenty_a_minute() {
        let mut flood = real();
        assert!((0..20).all(|second| flood.post(1, -5, second * 1000).is_ok()));
        assert_eq!(flood.post(1, -5, 20_000), Err(40));
        assert_eq!(flood.post(1, -5, 60_000), Ok(()));
    }

    #[test]
    fn a_bot_bears_thirty_a_second() {
        let mut flood = real();
        assert!((0..30).all(|chat| flood.post(1, chat + 1, 0).is_ok()));
        assert_eq!(flood.post(1, 99, 0), Err(1));
        assert_eq!(flood.post(2, 99, 0), Ok(()));
    }
}
