//! The one rate limiter, for messages, requests and sends: a token bucket per key, in bounded memory.
//!
//! A bucket is one number, the time at which it will be full again (GCRA).

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::port::Mono;

/// Maximum number of keys in memory. Beyond it the buckets that are nearly full are removed first: a flood of addresses
/// gains a few requests each and blocks nobody else.
const MAX_KEYS: usize = 16_384;

/// Token buckets of one rate.
pub struct RateLimiter<K> {
    rate: Option<BucketRate>,
    full_at: Mutex<HashMap<K, Mono>>,
}

struct BucketRate {
    /// The time that one request costs.
    interval: Duration,
    /// How far ahead of now a bucket may be drawn.
    depth: Duration,
}

impl<K: Hash + Eq + Clone> RateLimiter<K> {
    /// Buckets of this many requests per minute in the long run, and `burst` at once; a burst of 0 is as many as
    /// `per_minute`. A rate of 0 limits nothing.
    pub fn per_minute(per_minute: u32, burst: u32) -> Self {
        if per_minute == 0 {
            return Self { rate: None, full_at: Mutex::default() };
        }
        let burst = if burst == 0 { per_minute } else { burst };
        Self::every(Duration::from_secs(60) / per_minute, burst)
    }

    /// Buckets of `burst` requests that get one back after each `interval`.
    pub fn every(interval: Duration, burst: u32) -> Self {
        let rate = Some(BucketRate { interval, depth: interval.saturating_mul(burst) });
        Self { rate, full_at: Mutex::default() }
    }

    /// Takes one request from a bucket. An error is the time to wait.
    pub fn take(&self, key: &K, now: Mono) -> Result<(), Duration> {
        let Some(rate) = &self.rate else { return Ok(()) };
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let next = full_at.get(key).copied().unwrap_or(now).max(now) + rate.interval;
        let drawn = next.since(now);
        if drawn > rate.depth {
            return Err(drawn - rate.depth);
        }
        if full_at.len() >= MAX_KEYS && !full_at.contains_key(key) {
            evict(&mut full_at, now);
        }
        full_at.insert(key.clone(), next);
        Ok(())
    }

    /// Forgets every bucket that is full again.
    pub fn sweep(&self, now: Mono) {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, at| *at > now);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.full_at.lock().unwrap().len()
    }
}

/// Removes full buckets; if that frees less than half, also the half of the rest that will be full soonest. Removing
/// half at once keeps the cost of a flood at a few steps per key.
fn evict<K: Hash + Eq>(full_at: &mut HashMap<K, Mono>, now: Mono) {
    full_at.retain(|_, at| *at > now);
    if full_at.len() < MAX_KEYS / 2 {
        return;
    }
    let mut times: Vec<Mono> = full_at.values().copied().collect();
    let middle = times.len() / 2;
    let (_, median, _) = times.select_nth_unstable(middle);
    let median = *median;
    full_at.retain(|_, at| *at > median);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono(Duration::from_secs(1000 + seconds))
    }

    #[test]
    fn a_bucket_allows_its_burst_and_then_its_rate() {
        let buckets = RateLimiter::per_minute(60, 3);
        let granted = (0..5).filter(|_| buckets.take(&1, at(0)).is_ok()).count();
        assert_eq!(granted, 3);
        assert_eq!(buckets.take(&1, at(0)), Err(Duration::from_secs(1)));
        assert_eq!(buckets.take(&2, at(0)), Ok(()), "another key has its own bucket");
        assert_eq!(buckets.take(&1, at(1)), Ok(()));
        assert!(buckets.take(&1, at(1)).is_err());
        assert_eq!((0..9).filter(|_| buckets.take(&1, at(3600)).is_ok()).count(), 3, "it never holds more");
    }

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        let buckets = RateLimiter::per_minute(0, 0);
        assert!((0..10_000).all(|_| buckets.take(&1, at(0)).is_ok()));
        assert_eq!(buckets.len(), 0);
    }

    #[test]
    fn what_is_full_again_is_forgotten() {
        let buckets = RateLimiter::every(Duration::from_secs(3), 1);
        assert_eq!((buckets.take(&1, at(0)), buckets.take(&2, at(2))), (Ok(()), Ok(())));
        assert_eq!(buckets.take(&2, at(4)), Err(Duration::from_secs(1)));
        buckets.sweep(at(3));
        assert_eq!((buckets.len(), buckets.take(&2, at(5))), (1, Ok(())));
    }

    #[test]
    fn a_flood_of_keys_uses_bounded_memory_and_blocks_nobody() {
        let buckets = RateLimiter::per_minute(10, 10);
        for key in 0..200_000 {
            assert_eq!(buckets.take(&key, at(0)), Ok(()), "{key}");
            assert!(buckets.len() <= MAX_KEYS);
        }
    }

    #[test]
    fn the_busiest_key_stays_limited_through_a_flood() {
        let buckets = RateLimiter::per_minute(10, 10);
        while buckets.take(&0, at(0)).is_ok() {}
        for key in 1..100_000 {
            assert_eq!(buckets.take(&key, at(0)), Ok(()));
        }
        assert!(buckets.take(&0, at(0)).is_err());
    }
}
