//! How often a key may ask: a token bucket per key, in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use frontdesk_core::port::Mono;

use crate::config::Rate;

/// How many keys are remembered. When there are more, whoever has waited longest is forgotten first: a
/// flood of addresses gains a few tries each and never shuts anybody else out.
const KEYS: usize = 16_384;

/// The buckets of one rule. A bucket is kept as the moment at which it will be full again.
pub(crate) struct Buckets<K> {
    rule: Option<Rule>,
    full_at: Mutex<HashMap<K, Mono>>,
}

struct Rule {
    /// The time that pays for one request.
    each: Duration,
    /// How far ahead of now a bucket may be drawn.
    depth: Duration,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// Buckets of this rate; a rate of 0 limits nothing.
    pub(crate) fn new(rate: Rate) -> Self {
        let rule = (rate.per_minute > 0).then(|| {
            let each = Duration::from_secs(60) / rate.per_minute;
            let burst = if rate.burst == 0 { rate.per_minute } else { rate.burst };
            Rule { each, depth: each.saturating_mul(burst) }
        });
        Self { rule, full_at: Mutex::new(HashMap::new()) }
    }

    /// Buckets that hold so many draws and get one back after each of these spans.
    pub(crate) fn slow(each: Duration, burst: u32) -> Self {
        let rule = Some(Rule { each, depth: each.saturating_mul(burst) });
        Self { rule, full_at: Mutex::new(HashMap::new()) }
    }

    /// Draws one; an error says after how long to ask again.
    pub(crate) fn take(&self, key: &K, now: Mono) -> Result<(), Duration> {
        let Some(rule) = &self.rule else { return Ok(()) };
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let next = full_at.get(key).copied().unwrap_or(now).max(now) + rule.each;
        let drawn = next.since(now);
        if drawn > rule.depth {
            return Err(drawn - rule.depth);
        }
        if full_at.len() >= KEYS && !full_at.contains_key(key) {
            make_room(&mut full_at, now);
        }
        full_at.insert(key.clone(), next);
        Ok(())
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.full_at.lock().unwrap().len()
    }
}

/// Forgets full buckets, and if there are hardly any, the half that will be full soonest. Halving keeps the
/// cost of a flood at a few steps per key.
fn make_room<K: Hash + Eq>(full_at: &mut HashMap<K, Mono>, now: Mono) {
    full_at.retain(|_, at| *at > now);
    if full_at.len() < KEYS / 2 {
        return;
    }
    let mut times: Vec<Mono> = full_at.values().copied().collect();
    let middle = times.len() / 2;
    let (_, median, _) = times.select_nth_unstable(middle);
    let median = *median;
    full_at.retain(|_, at| *at > median);
}

/// What counts as one client: an IPv4 address, or the /64 that one IPv6 customer has.
pub(crate) fn client(ip: IpAddr) -> IpAddr {
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
    fn a_bucket_gives_its_burst_and_then_its_pace() {
        let buckets = Buckets::new(Rate { per_minute: 60, burst: 3 });
        let granted = (0..5).filter(|_| buckets.take(&1, at(0)).is_ok()).count();
        assert_eq!(granted, 3);
        assert_eq!(buckets.take(&1, at(0)), Err(Duration::from_secs(1)));
        assert_eq!(buckets.take(&2, at(0)), Ok(()), "another key has its own bucket");
        assert_eq!(buckets.take(&1, at(1)), Ok(()));
        assert!(buckets.take(&1, at(1)).is_err());
        assert_eq!((0..9).filter(|_| buckets.take(&1, at(3600)).is_ok()).count(), 3, "it never holds more");
    }

    #[test]
    fn no_rate_is_no_limit() {
        let buckets = Buckets::new(Rate { per_minute: 0, burst: 0 });
        assert!((0..10_000).all(|_| buckets.take(&1, at(0)).is_ok()));
        assert_eq!(buckets.len(), 0);
    }

    #[test]
    fn a_flood_of_keys_costs_bounded_memory_and_shuts_nobody_out() {
        let buckets = Buckets::new(Rate { per_minute: 10, burst: 10 });
        for key in 0..200_000 {
            assert_eq!(buckets.take(&key, at(0)), Ok(()), "{key}");
            assert!(buckets.len() <= KEYS);
        }
    }

    #[test]
    fn the_one_who_asks_most_is_remembered_through_a_flood() {
        let buckets = Buckets::new(Rate { per_minute: 10, burst: 10 });
        while buckets.take(&0, at(0)).is_ok() {}
        for key in 1..100_000 {
            assert_eq!(buckets.take(&key, at(0)), Ok(()));
        }
        assert!(buckets.take(&0, at(0)).is_err());
    }

    #[test]
    fn one_ipv6_customer_is_one_client() {
        let ip = |text: &str| client(text.parse().unwrap());
        assert_eq!(ip("2001:db8:1:2:3::4"), ip("2001:db8:1:2:ffff::1"));
        assert_ne!(ip("2001:db8:1:2::1"), ip("2001:db8:1:3::1"));
        assert_eq!(ip("::ffff:10.0.0.1"), ip("10.0.0.1"));
        assert_ne!(ip("10.0.0.1"), ip("10.0.0.2"));
    }
}
