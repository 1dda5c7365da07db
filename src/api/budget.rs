//! Memory that many requests share: each reserves what it needs, and waits while others hold too much.

use std::sync::Arc;

use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What one permit stands for, in bytes.
const UNIT: usize = 1024;

/// A number of bytes that may be held at once.
pub(crate) struct Budget {
    units: Arc<Semaphore>,
    all: u32,
}

/// Bytes of a budget; dropping it gives them back.
pub(crate) struct Reserved(OwnedSemaphorePermit);

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        let all = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).max(1);
        Self { units: Arc::new(Semaphore::new(all as usize)), all }
    }

    /// Waits until so many bytes are free, first come, first served. More than there are in all is all of them.
    pub(crate) async fn reserve(&self, bytes: usize) -> Option<Reserved> {
        self.units.clone().acquire_many_owned(self.units(bytes)).await.ok().map(Reserved)
    }

    /// The same, if they are free now.
    pub(crate) fn try_reserve(&self, bytes: usize) -> Option<Reserved> {
        self.units.clone().try_acquire_many_owned(self.units(bytes)).ok().map(Reserved)
    }

    fn units(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.all)
    }
}

impl Reserved {
    /// Gives back what is more than these bytes.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let spare = self.0.num_permits().saturating_sub(bytes.div_ceil(UNIT));
        drop(self.0.split(spare));
    }

    /// How many bytes are reserved.
    pub(crate) fn bytes(&self) -> usize {
        self.0.num_permits() * UNIT
    }
}

/// Bytes that keep their place in a budget until the last of them has been written.
pub(crate) fn held(bytes: Vec<u8>, reserved: Reserved) -> Bytes {
    struct Held {
        bytes: Vec<u8>,
        _reserved: Reserved,
    }
    impl AsRef<[u8]> for Held {
        fn as_ref(&self) -> &[u8] {
            &self.bytes
        }
    }
    Bytes::from_owner(Held { bytes, _reserved: reserved })
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn what_others_hold_is_waited_for_and_comes_back_with_the_last_byte() {
        let budget = Budget::new(10 * UNIT);
        let reserve = |bytes| budget.reserve(bytes).now_or_never().flatten();
        let text = held(vec![b'x'; 6 * UNIT], reserve(6 * UNIT).unwrap());
        let part = text.slice(10..20);
        assert!(reserve(5 * UNIT).is_none());
        assert!(reserve(4 * UNIT).is_some());
        drop(text);
        assert!(reserve(5 * UNIT).is_none(), "a part of it is still there");
        drop(part);
        let all = reserve(1 << 40);
        assert!(all.is_some(), "what is larger than the budget has it alone");
        assert!(reserve(1).is_none());
    }
}
