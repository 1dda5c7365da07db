//! Rate limits: a token bucket per key, in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use frontdesk_core::port::Mono;

use crate::config::Rate;

/// Maximum number of keys in memory. Beyond it the buckets that are nearly full are removed first: a flood of addresses
/// gains a few requests each and blocks nobody else.
const MAX_KEYS: usize = 16_384;

/// Token buckets of one rate. A bucket is stored as the time at which it will be full again.
pub(crate) struct RateLimiter<K> {
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
    /// Buckets of this rate. A rate of 0 limits nothing.
    pub(crate) fn new(rate: Rate) -> Self {
        let bucket_rate = (rate.per_minute > 0).then(|| {
            let interval = Duration::from_secs(60) / rate.per_minute;
            let burst = if rate.burst == 0 { rate.per_minute } else { rate.burst };
            BucketRate { interval, depth: interval.saturating_mul(burst) }
        });
        Self { rate: bucket_rate, full_at: Mutex::new(HashMap::new()) }
    }

    /// Buckets of `burst` requests that get one back after each `interval`.
    pub(crate) fn with_interval(interval: Duration, burst: u32) -> Self {
        let rate = Some(BucketRate { interval, depth: interval.saturating_mul(burst) });
        Self { rate, full_at: Mutex::new(HashMap::new()) }
    }

    /// Takes one request from a bucket. An error is the time to wait.
    pub(crate) fn take(&self, key: &K, now: Mono) -> Result<(), Duration> {
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

/// The address that counts as one client: an IPv4 address, or the /64 network of one IPv6 customer.
pub(crate) fn client_network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono(Duration::from_secs(1000 + seconds))
    }

    #[test]
    fn a_bucket_allows_its_burst_and_then_its_rate() {
        let buckets = RateLimiter::new(Rate { per_minute: 60, burst: 3 });
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
        let buckets = RateLimiter::new(Rate { per_minute: 0, burst: 0 });
        assert!((0..10_000).all(|_| buckets.take(&1, at(0)).is_ok()));
        assert_eq!(buckets.len(), 0);
    }

    #[test]
    fn a_flood_of_keys_uses_bounded_memory_and_blocks_nobody() {
        let buckets = RateLimiter::new(Rate { per_minute: 10, burst: 10 });
        for key in 0..200_000 {
            assert_eq!(buckets.take(&key, at(0)), Ok(()), "{key}");
            assert!(buckets.len() <= MAX_KEYS);
        }
    }

    #[test]
    fn the_busiest_key_stays_limited_through_a_flood() {
        let buckets = RateLimiter::new(Rate { per_minute: 10, burst: 10 });
        while buckets.take(&0, at(0)).is_ok() {}
        for key in 1..100_000 {
            assert_eq!(buckets.take(&key, at(0)), Ok(()));
        }
        assert!(buckets.take(&0, at(0)).is_err());
    }

    #[test]
    fn one_ipv6_customer_is_one_client_network() {
        let ip = |text: &str| client_network(text.parse().unwrap());
        assert_eq!(ip("2001:db8:1:2:3::4"), ip("2001:db8:1:2:ffff::1"));
        assert_ne!(ip("2001:db8:1:2::1"), ip("2001:db8:1:3::1"));
        assert_eq!(ip("::ffff:10.0.0.1"), ip("10.0.0.1"));
        assert_ne!(ip("10.0.0.1"), ip("10.0.0.2"));
    }
}
