//! A memory budget that requests share: each reserves what it needs, and waits while others hold too much.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;

/// The bytes of one permit.
const UNIT: usize = 1024;

/// A number of bytes that may be reserved at once.
pub(crate) struct Budget {
    units: Arc<Semaphore>,
    total: u32,
}

/// Reserved bytes of a budget. Dropping it releases them.
pub(crate) struct Reserved {
    permits: OwnedSemaphorePermit,
    _of_network: Option<NetworkShare>,
}

/// A memory budget for clients that have not authenticated. Each network may reserve a part of it, so that one network cannot
/// use all of it.
pub(crate) struct StrangersBudget {
    budget: Budget,
    bytes_each: usize,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// The bytes of a [`StrangersBudget`] that one request of a network has reserved. Dropping it gives them back.
struct NetworkShare {
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
    network: IpAddr,
    bytes: usize,
}

/// One network may reserve this part of a [`StrangersBudget`]: a quarter.
const NETWORK_SHARE: usize = 4;

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        let total = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).max(1);
        Self { units: Arc::new(Semaphore::new(total as usize)), total }
    }

    /// Waits until the bytes are available, first come, first served. A request for more than the whole budget gets all
    /// of it.
    pub(crate) async fn reserve(&self, bytes: usize) -> Option<Reserved> {
        self.units.clone().acquire_many_owned(self.units(bytes)).await.ok().map(Reserved::new)
    }

    /// Reserves the bytes if they are available now.
    pub(crate) fn try_reserve(&self, bytes: usize) -> Option<Reserved> {
        self.units.clone().try_acquire_many_owned(self.units(bytes)).ok().map(Reserved::new)
    }

    fn units(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.total)
    }
}

impl StrangersBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { budget: Budget::new(bytes), bytes_each: bytes / NETWORK_SHARE, held: Arc::default() }
    }

    /// Waits until the bytes are available. A network that holds its share already is refused; one that holds nothing may have
    /// a single body of any size.
    pub(crate) async fn reserve(&self, network: IpAddr, bytes: usize) -> Result<Option<Reserved>, ApiError> {
        {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            let theirs = held.entry(network).or_default();
            if *theirs > 0 && *theirs + bytes > self.bytes_each {
                return Err(ApiError::too_many(Duration::from_secs(1)));
            }
            *theirs += bytes;
        }
        let share = NetworkShare { held: self.held.clone(), network, bytes };
        let reserved = self.budget.reserve(bytes).await;
        Ok(reserved.map(|reserved| Reserved { _of_network: Some(share), ..reserved }))
    }
}

impl Drop for NetworkShare {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut theirs) = held.entry(self.network) {
            *theirs.get_mut() -= self.bytes;
            if *theirs.get() == 0 {
                theirs.remove();
            }
        }
    }
}

impl Reserved {
    fn new(permits: OwnedSemaphorePermit) -> Self {
        Self { permits, _of_network: None }
    }

    /// Releases all but these bytes.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let spare = self.permits.num_permits().saturating_sub(bytes.div_ceil(UNIT));
        drop(self.permits.split(spare));
    }

    /// The number of reserved bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.permits.num_permits() * UNIT
    }
}

/// Bytes that stay reserved until the last of them has been written.
pub(crate) fn reserved_bytes(bytes: Vec<u8>, reserved: Reserved) -> Bytes {
    struct ReservedBytes {
        bytes: Vec<u8>,
        _reserved: Reserved,
    }
    impl AsRef<[u8]> for ReservedBytes {
        fn as_ref(&self) -> &[u8] {
            &self.bytes
        }
    }
    Bytes::from_owner(ReservedBytes { bytes, _reserved: reserved })
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn reserved_memory_is_released_with_the_last_byte() {
        let budget = Budget::new(10 * UNIT);
        let reserve = |bytes| budget.reserve(bytes).now_or_never().flatten();
        let text = reserved_bytes(vec![b'x'; 6 * UNIT], reserve(6 * UNIT).unwrap());
        let part = text.slice(10..20);
        assert!(reserve(5 * UNIT).is_none());
        assert!(reserve(4 * UNIT).is_some());
        drop(text);
        assert!(reserve(5 * UNIT).is_none(), "a part of it is still in use");
        drop(part);
        let total = reserve(1 << 40);
        assert!(total.is_some(), "a request for more than the budget gets all of it");
        assert!(reserve(1).is_none());
    }
}
