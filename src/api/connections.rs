//! Open connections: how many there may be, and which one goes when there are too many.
//!
//! A connection is a stranger's until somebody shows a token or a webhook secret on it. Strangers have a small share
//! of all connections, and each address a share of that. When a share is full, the stranger who has been there longest
//! goes, so that whoever comes with the right token always gets in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Strangers have one in so many of all connections,
const SHARE: usize = 4;

/// and never more than this.
const STRANGERS: usize = 1024;

/// One address has one in so many of the strangers' connections.
const ADDRESS: usize = 2;

/// The value of [`Slot::may_read`] for a connection without a limit.
const ANY: usize = usize::MAX;

/// Every open connection.
pub(crate) struct Connections {
    most: usize,
    most_strangers: usize,
    most_of_one: usize,
    open: Mutex<Open>,
    left: Notify,
}

#[derive(Default)]
struct Open {
    /// All of them, also those that were told to go and have not gone yet.
    count: usize,
    /// Those that were told to go and have not gone yet.
    leaving: usize,
    /// Connections on which nobody has shown a token, the oldest first.
    strangers: BTreeMap<u64, Stranger>,
    by_address: HashMap<IpAddr, BTreeSet<u64>>,
    next: u64,
}

struct Stranger {
    address: Option<IpAddr>,
    out: CancellationToken,
}

/// What becomes of a new connection.
pub(crate) enum Admission {
    /// It has a slot.
    Taken(Arc<Slot>),
    /// A connection is about to end: wait for [`Connections::left`] and ask again.
    Soon,
    /// Everybody who is here has shown a token.
    Full,
}

/// One open connection. Dropping it makes room.
pub(crate) struct Slot {
    all: Arc<Connections>,
    id: u64,
    out: CancellationToken,
    authenticated: AtomicBool,
    /// Requests that have begun.
    requests: AtomicU64,
    /// Whether one of them is being carried out.
    busy: AtomicBool,
    /// Whether it speaks WebSocket now.
    upgraded: AtomicBool,
    /// How many bytes may still be read.
    may_read: AtomicUsize,
}

impl Connections {
    /// At most `most` connections.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        let most_strangers = (most / SHARE).clamp(1, STRANGERS);
        let most_of_one = (most_strangers / ADDRESS).max(1);
        Arc::new(Self { most, most_strangers, most_of_one, open: Mutex::default(), left: Notify::new() })
    }

    /// Asks for a slot. `address` is the client, or nothing for a proxy that speaks for many.
    pub(crate) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Admission {
        let mut open = self.open();
        if open.count >= self.most {
            let soon = open.drop_oldest() || open.leaving > 0;
            return if soon { Admission::Soon } else { Admission::Full };
        }
        let (id, out) = (open.next, CancellationToken::new());
        open.next += 1;
        open.count += 1;
        open.strangers.insert(id, Stranger { address, out: out.clone() });
        if let Some(address) = address {
            let of_one = open.by_address.entry(address).or_default();
            of_one.insert(id);
            if of_one.len() > self.most_of_one
                && let Some(oldest) = of_one.first().copied()
            {
                open.drop_stranger(oldest);
            }
        }
        if open.strangers.len() > self.most_strangers {
            open.drop_oldest();
        }
        Admission::Taken(Arc::new(Slot {
            all: self.clone(),
            id,
            out,
            authenticated: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            busy: AtomicBool::new(false),
            upgraded: AtomicBool::new(false),
            may_read: AtomicUsize::new(ANY),
        }))
    }

    /// Ends the stranger's connection that is the oldest, if there is one: its descriptor is needed.
    pub(crate) fn drop_oldest(&self) -> bool {
        self.open().drop_oldest()
    }

    /// Returns when a connection has ended since the last time.
    pub(crate) async fn left(&self) {
        self.left.notified().await;
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn drop_oldest(&mut self) -> bool {
        let oldest = self.strangers.first_key_value().map(|(id, _)| *id);
        oldest.is_some_and(|id| self.drop_stranger(id))
    }

    fn drop_stranger(&mut self, id: u64) -> bool {
        let Some(stranger) = self.forget(id) else { return false };
        metrics::counter!("frontdesk_connections_dropped_total").increment(1);
        self.leaving += 1;
        stranger.out.cancel();
        true
    }

    /// Takes a connection off the strangers' list.
    fn forget(&mut self, id: u64) -> Option<Stranger> {
        let stranger = self.strangers.remove(&id)?;
        if let Some(address) = stranger.address
            && let Some(of_one) = self.by_address.get_mut(&address)
        {
            of_one.remove(&id);
            if of_one.is_empty() {
                self.by_address.remove(&address);
            }
        }
        Some(stranger)
    }
}

impl Slot {
    /// Somebody has shown a valid token or secret: this connection is no stranger's any more.
    pub(crate) fn authenticate(&self) {
        if self.authenticated.swap(true, Ordering::Relaxed) {
            return;
        }
        self.may_read.store(ANY, Ordering::Relaxed);
        // One that was told to go already goes all the same: it comes back as the newest.
        drop(self.all.open().forget(self.id));
    }

    pub(crate) fn is_authenticated(&self) -> bool {
        self.authenticated.load(Ordering::Relaxed)
    }

    /// Returns when the connection is to end because others need its slot.
    pub(crate) async fn dropped(&self) {
        self.out.cancelled().await;
    }

    /// A request has come in; the guard is dropped with its answer.
    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.busy.store(true, Ordering::Relaxed);
        Busy(self.clone())
    }

    /// How many requests have begun, unless one is being carried out.
    pub(crate) fn resting_after(&self) -> Option<u64> {
        (!self.busy.load(Ordering::Relaxed)).then(|| self.requests.load(Ordering::Relaxed))
    }

    /// It speaks WebSocket from now on.
    pub(crate) fn upgrade(&self) {
        self.upgraded.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_upgraded(&self) -> bool {
        self.upgraded.load(Ordering::Relaxed)
    }

    /// From now on at most so many bytes are read, until somebody shows a token.
    pub(crate) fn limit_reading(&self, bytes: usize) {
        if !self.is_authenticated() {
            self.may_read.store(bytes, Ordering::Relaxed);
        }
    }

    /// Whether anything more may be read.
    pub(crate) fn may_read(&self) -> bool {
        self.may_read.load(Ordering::Relaxed) > 0
    }

    /// Counts what was read.
    pub(crate) fn has_read(&self, bytes: usize) {
        let left = self.may_read.load(Ordering::Relaxed);
        if left != ANY {
            self.may_read.store(left.saturating_sub(bytes), Ordering::Relaxed);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        {
            let mut open = self.all.open();
            open.count -= 1;
            if open.forget(self.id).is_none() && self.out.is_cancelled() {
                open.leaving -= 1;
            }
        }
        self.all.left.notify_one();
    }
}

/// A request that is being carried out.
pub(crate) struct Busy(Arc<Slot>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    fn taken(all: &Arc<Connections>, address: Option<IpAddr>) -> Arc<Slot> {
        match all.admit(address) {
            Admission::Taken(slot) => slot,
            Admission::Soon => panic!("told to wait"),
            Admission::Full => panic!("told to go"),
        }
    }

    fn is_out(slot: &Slot) -> bool {
        slot.out.is_cancelled()
    }

    #[test]
    fn the_oldest_stranger_goes_when_the_strangers_share_is_full() {
        let all = Connections::new(16);
        let slots: Vec<_> = (0..4).map(|n| taken(&all, ip(n))).collect();
        slots[0].authenticate();
        let more = [taken(&all, ip(10)), taken(&all, ip(11))];
        assert_eq!(slots.iter().map(|slot| is_out(slot)).collect::<Vec<_>>(), [false, true, false, false]);
        assert!(!more.iter().any(|slot| is_out(slot)));
    }

    #[test]
    fn one_address_only_pushes_its_own_connections_out() {
        let all = Connections::new(32);
        let other = taken(&all, ip(1));
        let flood: Vec<_> = (0..20).map(|_| taken(&all, ip(9))).collect();
        assert!(!is_out(&other));
        assert_eq!(flood.iter().filter(|slot| !is_out(slot)).count(), 4);
        assert!(!is_out(&flood[19]), "the newest stays");
        let proxied: Vec<_> = (0..7).map(|_| taken(&all, None)).collect();
        assert_eq!(proxied.iter().filter(|slot| is_out(slot)).count(), 0, "a proxy speaks for many");
    }

    #[test]
    fn a_full_house_waits_for_strangers_to_leave_and_refuses_only_behind_known_callers() {
        let all = Connections::new(2);
        let known = taken(&all, ip(1));
        known.authenticate();
        let stranger = taken(&all, ip(2));
        assert!(matches!(all.admit(ip(3)), Admission::Soon));
        assert!(is_out(&stranger));
        assert!(matches!(all.admit(ip(3)), Admission::Soon), "it has not gone yet");
        drop(stranger);
        let other = taken(&all, ip(3));
        other.authenticate();
        assert!(matches!(all.admit(ip(4)), Admission::Full));
        drop((known, other));
        let again = taken(&all, ip(5));
        let open = all.open();
        assert_eq!((open.count, open.leaving, open.strangers.len()), (1, 0, 1));
        drop(open);
        drop(again);
        assert!(all.open().by_address.is_empty());
    }

    #[test]
    fn a_stranger_reads_so_much_and_no_more_until_a_token_is_shown() {
        let all = Connections::new(8);
        let slot = taken(&all, ip(1));
        slot.has_read(1 << 30);
        assert!(slot.may_read());
        slot.limit_reading(100);
        slot.has_read(60);
        assert!(slot.may_read());
        slot.has_read(60);
        assert!(!slot.may_read());
        slot.authenticate();
        slot.limit_reading(1);
        slot.has_read(1 << 30);
        assert!(slot.may_read());
    }
}
