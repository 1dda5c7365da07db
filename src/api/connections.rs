//! Open connections: how many there may be, and which one is closed when there are too many.
//!
//! A connection counts as unauthenticated until a token or a webhook secret is shown on it. Unauthenticated connections
//! have a small share of all connections, and each address a share of that. When a share is full, the oldest
//! unauthenticated connection is closed, so that a caller with a valid token can always connect.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// One in this many of all connections may be unauthenticated, up to [`MAX_UNAUTHENTICATED`].
const UNAUTHENTICATED_SHARE: usize = 4;

/// Maximum number of unauthenticated connections.
const MAX_UNAUTHENTICATED: usize = 1024;

/// One in this many of the unauthenticated connections may come from the same address.
const ADDRESS_SHARE: usize = 2;

/// The value of [`ConnectionSlot::bytes_allowed`] for a connection without a limit.
const UNLIMITED: usize = usize::MAX;

/// All open connections.
pub(crate) struct ConnectionTable {
    max: usize,
    max_unauthenticated: usize,
    max_per_address: usize,
    open: Mutex<OpenConnections>,
    closed: Notify,
}

#[derive(Default)]
struct OpenConnections {
    /// All connections, including those that were told to close and are still open.
    count: usize,
    /// Connections that were told to close and are still open.
    closing: usize,
    /// Connections without a valid token, the oldest first.
    unauthenticated: BTreeMap<u64, Unauthenticated>,
    by_address: HashMap<IpAddr, BTreeSet<u64>>,
    next: u64,
}

struct Unauthenticated {
    address: Option<IpAddr>,
    close: CancellationToken,
}

/// The decision about a new connection.
pub(crate) enum SlotDecision {
    Granted(Arc<ConnectionSlot>),
    /// A connection is about to close: wait for [`ConnectionTable::closed`] and ask again.
    Wait,
    /// Every open connection has shown a token.
    Full,
}

/// One open connection. Dropping it frees its slot.
pub(crate) struct ConnectionSlot {
    table: Arc<ConnectionTable>,
    id: u64,
    close: CancellationToken,
    authenticated: AtomicBool,
    /// The number of requests so far.
    requests: AtomicU64,
    /// Whether a request is in progress.
    busy: AtomicBool,
    /// Whether it was upgraded to a WebSocket.
    upgraded: AtomicBool,
    /// How many more bytes may be read.
    bytes_allowed: AtomicUsize,
}

impl ConnectionTable {
    /// At most `max` connections.
    pub(crate) fn new(max: usize) -> Arc<Self> {
        let max_unauthenticated = (max / UNAUTHENTICATED_SHARE).clamp(1, MAX_UNAUTHENTICATED);
        let max_per_address = (max_unauthenticated / ADDRESS_SHARE).max(1);
        Arc::new(Self {
            max,
            max_unauthenticated,
            max_per_address,
            open: Mutex::default(),
            closed: Notify::new(),
        })
    }

    /// Asks for a slot. `address` is the client's address, or `None` for a proxy, which serves many clients.
    pub(crate) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> SlotDecision {
        let mut open = self.open();
        if open.count >= self.max {
            let wait = open.close_oldest() || open.closing > 0;
            return if wait { SlotDecision::Wait } else { SlotDecision::Full };
        }
        let (id, close) = (open.next, CancellationToken::new());
        open.next += 1;
        open.count += 1;
        open.unauthenticated.insert(id, Unauthenticated { address, close: close.clone() });
        if let Some(address) = address {
            let of_address = open.by_address.entry(address).or_default();
            of_address.insert(id);
            if of_address.len() > self.max_per_address
                && let Some(oldest) = of_address.first().copied()
            {
                open.close_unauthenticated(oldest);
            }
        }
        if open.unauthenticated.len() > self.max_unauthenticated {
            open.close_oldest();
        }
        SlotDecision::Granted(Arc::new(ConnectionSlot {
            table: self.clone(),
            id,
            close,
            authenticated: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            busy: AtomicBool::new(false),
            upgraded: AtomicBool::new(false),
            bytes_allowed: AtomicUsize::new(UNLIMITED),
        }))
    }

    /// Closes the oldest unauthenticated connection, if there is one, to free its descriptor.
    pub(crate) fn close_oldest(&self) -> bool {
        self.open().close_oldest()
    }

    /// Returns when a connection has closed since the last call.
    pub(crate) async fn closed(&self) {
        self.closed.notified().await;
    }

    fn open(&self) -> MutexGuard<'_, OpenConnections> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenConnections {
    fn close_oldest(&mut self) -> bool {
        let oldest = self.unauthenticated.first_key_value().map(|(id, _)| *id);
        oldest.is_some_and(|id| self.close_unauthenticated(id))
    }

    fn close_unauthenticated(&mut self, id: u64) -> bool {
        let Some(connection) = self.remove(id) else { return false };
        metrics::counter!("frontdesk_connections_dropped_total").increment(1);
        self.closing += 1;
        connection.close.cancel();
        true
    }

    /// Removes a connection from the unauthenticated ones.
    fn remove(&mut self, id: u64) -> Option<Unauthenticated> {
        let connection = self.unauthenticated.remove(&id)?;
        if let Some(address) = connection.address
            && let Some(of_address) = self.by_address.get_mut(&address)
        {
            of_address.remove(&id);
            if of_address.is_empty() {
                self.by_address.remove(&address);
            }
        }
        Some(connection)
    }
}

impl ConnectionSlot {
    /// A valid token or secret was shown: the connection counts as authenticated from now on.
    pub(crate) fn authenticate(&self) {
        if self.authenticated.swap(true, Ordering::Relaxed) {
            return;
        }
        self.bytes_allowed.store(UNLIMITED, Ordering::Relaxed);
        // A connection that was told to close is not kept open by a token. If the client reconnects, its connection is the newest.
        drop(self.table.open().remove(self.id));
    }

    pub(crate) fn is_authenticated(&self) -> bool {
        self.authenticated.load(Ordering::Relaxed)
    }

    /// Returns when the connection must close because its slot is needed.
    pub(crate) async fn close_requested(&self) {
        self.close.cancelled().await;
    }

    /// Records that a request has begun. The guard is dropped when it has been answered.
    pub(crate) fn begin_request(self: &Arc<Self>) -> RequestGuard {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.busy.store(true, Ordering::Relaxed);
        RequestGuard(self.clone())
    }

    /// The number of requests so far, or `None` while one is in progress.
    pub(crate) fn requests_if_idle(&self) -> Option<u64> {
        (!self.busy.load(Ordering::Relaxed)).then(|| self.requests.load(Ordering::Relaxed))
    }

    /// Records that the connection was upgraded to a WebSocket.
    pub(crate) fn upgrade(&self) {
        self.upgraded.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_upgraded(&self) -> bool {
        self.upgraded.load(Ordering::Relaxed)
    }

    /// Limits how many more bytes are read, until a token is shown.
    pub(crate) fn limit_reading(&self, bytes: usize) {
        if !self.is_authenticated() {
            self.bytes_allowed.store(bytes, Ordering::Relaxed);
        }
    }

    /// Whether more bytes may be read.
    pub(crate) fn may_read(&self) -> bool {
        self.bytes_allowed.load(Ordering::Relaxed) > 0
    }

    /// Counts bytes that were read.
    pub(crate) fn count_read(&self, bytes: usize) {
        let left = self.bytes_allowed.load(Ordering::Relaxed);
        if left != UNLIMITED {
            self.bytes_allowed.store(left.saturating_sub(bytes), Ordering::Relaxed);
        }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        {
            let mut open = self.table.open();
            open.count -= 1;
            if open.remove(self.id).is_none() && self.close.is_cancelled() {
                open.closing -= 1;
            }
        }
        self.table.closed.notify_one();
    }
}

/// A request in progress.
pub(crate) struct RequestGuard(Arc<ConnectionSlot>);

impl Drop for RequestGuard {
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

    fn granted(all: &Arc<ConnectionTable>, address: Option<IpAddr>) -> Arc<ConnectionSlot> {
        match all.admit(address) {
            SlotDecision::Granted(slot) => slot,
            SlotDecision::Wait => panic!("must wait"),
            SlotDecision::Full => panic!("is full"),
        }
    }

    fn must_close(slot: &ConnectionSlot) -> bool {
        slot.close.is_cancelled()
    }

    #[test]
    fn the_oldest_unauthenticated_connection_closes_when_their_share_is_full() {
        let all = ConnectionTable::new(16);
        let slots: Vec<_> = (0..4).map(|n| granted(&all, ip(n))).collect();
        slots[0].authenticate();
        let more = [granted(&all, ip(10)), granted(&all, ip(11))];
        assert_eq!(
            slots.iter().map(|slot| must_close(slot)).collect::<Vec<_>>(),
            [false, true, false, false]
        );
        assert!(!more.iter().any(|slot| must_close(slot)));
    }

    #[test]
    fn one_address_only_displaces_its_own_connections() {
        let all = ConnectionTable::new(32);
        let other = granted(&all, ip(1));
        let flood: Vec<_> = (0..20).map(|_| granted(&all, ip(9))).collect();
        assert!(!must_close(&other));
        assert_eq!(flood.iter().filter(|slot| !must_close(slot)).count(), 4);
        assert!(!must_close(&flood[19]), "the newest stays");
        let proxied: Vec<_> = (0..7).map(|_| granted(&all, None)).collect();
        assert_eq!(proxied.iter().filter(|slot| must_close(slot)).count(), 0, "a proxy serves many clients");
    }

    #[test]
    fn a_full_table_closes_unauthenticated_connections_and_refuses_only_if_there_are_none() {
        let all = ConnectionTable::new(2);
        let known = granted(&all, ip(1));
        known.authenticate();
        let connection = granted(&all, ip(2));
        assert!(matches!(all.admit(ip(3)), SlotDecision::Wait));
        assert!(must_close(&connection));
        assert!(matches!(all.admit(ip(3)), SlotDecision::Wait), "it has not closed yet");
        drop(connection);
        let other = granted(&all, ip(3));
        other.authenticate();
        assert!(matches!(all.admit(ip(4)), SlotDecision::Full));
        drop((known, other));
        let again = granted(&all, ip(5));
        let open = all.open();
        assert_eq!((open.count, open.closing, open.unauthenticated.len()), (1, 0, 1));
        drop(open);
        drop(again);
        assert!(all.open().by_address.is_empty());
    }

    #[test]
    fn reading_is_limited_until_a_token_is_shown() {
        let all = ConnectionTable::new(8);
        let slot = granted(&all, ip(1));
        slot.count_read(1 << 30);
        assert!(slot.may_read());
        slot.limit_reading(100);
        slot.count_read(60);
        assert!(slot.may_read());
        slot.count_read(60);
        assert!(!slot.may_read());
        slot.authenticate();
        slot.limit_reading(1);
        slot.count_read(1 << 30);
        assert!(slot.may_read());
    }
}
