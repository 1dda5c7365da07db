//! Rate limits: by method and workspace, and for posts by channel.

use std::collections::{HashMap, VecDeque};

/// Counts requests.
#[derive(Debug, Default)]
pub struct Limiter {
    /// Whether there are limits at all.
    pub on: bool,
    calls: HashMap<(String, String), VecDeque<i64>>,
}

impl Limiter {
    /// Counts a call, of which at most `many` may be made in `per_ms`, or returns how many seconds to wait.
    pub fn count(&mut self, who: &str, what: &str, many: usize, per_ms: i64, now: i64) -> Result<(), u32> {
        if !self.on {
            return Ok(());
        }
        let calls = self.calls.entry((who.to_owned(), what.to_owned())).or_default();
        calls.retain(|at| at + per_ms > now);
        match calls.front().filter(|_| calls.len() >= many) {
            Some(first) => Err(u32::try_from((first + per_ms - now + 999) / 1000).unwrap_or(1)),
            None => {
                calls.push_back(now);
                Ok(())
            }
        }
    }
}
