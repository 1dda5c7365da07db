//! Flood control: how often a bot may post before it has to wait.

use std::collections::{HashMap, VecDeque};

use serde::Deserialize;

/// At most `many` posts within any `per_ms` milliseconds.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Rate {
    many: usize,
    per_ms: i64,
}

/// The limits in force; none by default.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    chat: Option<Rate>,
    /// For each group or channel, besides that for each chat.
    group: Option<Rate>,
    bot: Option<Rate>,
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

    pub fn are_none(&self) -> bool {
        self.chat.is_none() && self.group.is_none() && self.bot.is_none()
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
pub struct Limiter {
    limits: Limits,
    /// When the last posts came, as many as the limit looks back on.
    posts: HashMap<Bucket, VecDeque<i64>>,
}

impl Limiter {
    /// Sets limits, and forgets everything that was counted.
    pub fn set(&mut self, limits: Limits) {
        *self = Self { limits, posts: HashMap::new() };
    }

    /// Counts a post, or returns how many seconds to wait.
    pub fn post(&mut self, bot: i64, chat: i64, now_ms: i64) -> Result<(), u32> {
        let buckets = [
            (Bucket::Chat(bot, chat), self.limits.chat),
            (Bucket::Group(bot, chat), self.limits.group.filter(|_| chat < 0)),
            (Bucket::Bot(bot), self.limits.bot),
        ];
        let limited = || buckets.iter().filter_map(|(bucket, rate)| Some((*bucket, (*rate)?)));
        let mut wait_ms = 0;
        for (bucket, rate) in limited() {
            let posts = self.posts.entry(bucket).or_default();
            posts.retain(|at| at + rate.per_ms > now_ms);
            if posts.len() >= rate.many {
                wait_ms = wait_ms.max(posts[0] + rate.per_ms - now_ms);
            }
        }
        if wait_ms > 0 {
            return Err(u32::try_from((wait_ms + 999) / 1000).unwrap_or(1));
        }
        for (bucket, _) in limited() {
            self.posts.entry(bucket).or_default().push_back(now_ms);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_a_group_and_a_bot_have_limits_of_their_own() {
        let mut limiter = Limiter::default();
        assert!((0..1000).all(|_| limiter.post(1, 42, 0).is_ok()), "there are none unless they are set");
        limiter.set(Limits::real());
        assert!((0..3).all(|_| limiter.post(1, 42, 0).is_ok()));
        assert_eq!(limiter.post(1, 42, 100), Err(3));
        assert_eq!(limiter.post(1, 43, 100), Ok(()), "another chat has its own");
        assert!((3..20).all(|second| limiter.post(1, 42, second * 1000).is_ok()));
        assert!((20..40).all(|second| limiter.post(1, -5, second * 1000).is_ok()));
        assert_eq!((limiter.post(1, -5, 40_000), limiter.post(1, -5, 80_000)), (Err(40), Ok(())));
        assert!((0..30).all(|chat| limiter.post(2, chat + 1, 0).is_ok()));
        assert_eq!((limiter.post(2, 99, 0), limiter.post(3, 99, 0)), (Err(1), Ok(())));
    }
}
