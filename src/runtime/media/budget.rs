//! How much may be fetched: by one person on one day, at the same time, and in all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use frontdesk_core::id::MessageId;
use frontdesk_core::port::Mono;
use frontdesk_store::StoreError;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, Semaphore, SemaphorePermit};

use super::sweep;
use crate::shared::Shared;

/// How many bytes may be on their way at once, of files of unknown size the most that they may have; the largest file
/// may be larger by itself.
const UNDER_WAY: u64 = 100 * 1024 * 1024;
/// One permit.
const PERMIT: u64 = 64 * 1024;
/// How often the bytes on the disk are counted anew. In between, what is fetched is added.
const COUNTED: Duration = Duration::from_secs(60);

/// Bytes that are on their way or lie on the disk.
pub(super) struct DiskBudget {
    under_way: Semaphore,
    permits: u32,
    /// When the bytes on the disk were counted, and how many there were, with those that were fetched since.
    kept: AsyncMutex<Option<(Mono, u64)>>,
    /// Files that are being fetched, by what makes them the same.
    same: Mutex<HashMap<String, Weak<AsyncMutex<()>>>>,
    /// Bytes that were counted on a day for fetches that were given up half-way: the next one gives them back.
    abandoned: Mutex<Vec<(MessageId, i64, u64)>>,
}

/// Why a file is not fetched.
pub(super) enum NoSpace {
    /// Its sender has sent as much today as one person may.
    Today,
    /// As many are kept as may be.
    Full,
}

impl DiskBudget {
    pub(super) fn new(largest: u64) -> Self {
        let permits = u32::try_from(UNDER_WAY.max(largest) / PERMIT).unwrap_or(u32::MAX >> 3).max(1);
        Self {
            under_way: Semaphore::new(permits as usize),
            permits,
            kept: AsyncMutex::default(),
            same: Mutex::default(),
            abandoned: Mutex::default(),
        }
    }

    /// Remembers what was counted for a fetch that will not end.
    pub(super) fn abandon(&self, message: MessageId, day: i64, reserved: u64) {
        self.abandoned.lock().unwrap_or_else(PoisonError::into_inner).push((message, day, reserved));
    }

    /// Waits until so many bytes more may be on their way.
    pub(super) async fn under_way(&self, bytes: u64) -> Option<SemaphorePermit<'_>> {
        let permits = u32::try_from(bytes.div_ceil(PERMIT)).unwrap_or(u32::MAX).clamp(1, self.permits);
        self.under_way.acquire_many(permits).await.ok()
    }

    /// Waits until nobody else fetches the same file.
    pub(super) async fn alone_with(&self, unique: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut same = self.same.lock().unwrap_or_else(PoisonError::into_inner);
            same.retain(|_, lock| lock.strong_count() > 0);
            match same.get(unique).and_then(Weak::upgrade) {
                Some(lock) => lock,
                None => {
                    let lock = Arc::new(AsyncMutex::new(()));
                    same.insert(unique.to_owned(), Arc::downgrade(&lock));
                    lock
                }
            }
        };
        lock.lock_owned().await
    }
}

/// Counts bytes that are about to be fetched for a message on this day, if there is room for them.
pub(super) async fn reserve(
    shared: &Shared,
    message: MessageId,
    day: i64,
    bytes: u64,
) -> Result<Result<(), NoSpace>, StoreError> {
    let abandoned = {
        let mut abandoned = shared.media.budget.abandoned.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *abandoned)
    };
    for (message, day, reserved) in abandoned {
        settle(shared, message, day, reserved, 0).await;
    }
    let limits = &shared.media.limits;
    let now = shared.clock.wall();
    if limits.total_bytes > 0 && !fits(shared, bytes).await? {
        shared.store.media_full(message, day, now).await?;
        return Ok(Err(NoSpace::Full));
    }
    if limits.daily_bytes > 0
        && !shared
            .store
            // One file of unknown size fits in a day of its own.
            .media_reserved(message, day, bytes.min(limits.daily_bytes), limits.daily_bytes, now)
            .await?
    {
        return Ok(Err(NoSpace::Today));
    }
    if let Some((_, kept)) = shared.media.budget.kept.lock().await.as_mut() {
        *kept = kept.saturating_add(bytes);
    }
    Ok(Ok(()))
}

/// A file for which `reserved` bytes were counted on this day has `used` of them, or more if its size was not what it
/// seemed.
pub(super) async fn settle(shared: &Shared, message: MessageId, day: i64, reserved: u64, used: u64) {
    if let Some((_, kept)) = shared.media.budget.kept.lock().await.as_mut() {
        *kept = kept.saturating_sub(reserved).saturating_add(used);
    }
    let limit = shared.media.limits.daily_bytes;
    let reserved = reserved.min(limit);
    if limit == 0 || reserved == used {
        return;
    }
    if let Err(error) = shared.store.media_settled(message, day, reserved, used).await {
        tracing::debug!(%message, %error, "bytes that were not fetched stay counted for today");
    }
}

/// Whether so many bytes more fit in the folder. Before it is full, what is too old is deleted.
async fn fits(shared: &Shared, bytes: u64) -> Result<bool, StoreError> {
    let most = shared.media.limits.total_bytes;
    let bytes = bytes.min(most);
    let mut kept = shared.media.budget.kept.lock().await;
    let now = shared.clock.mono();
    let fresh = kept.filter(|(counted, known)| {
        // A count that says no is worth another look once a second.
        let young = if known.saturating_add(bytes) > most { Duration::from_secs(1) } else { COUNTED };
        now.since(*counted) < young
    });
    let known = match fresh {
        Some((_, known)) => known,
        None => {
            let mut counted = shared.store.media_bytes().await?;
            if counted.saturating_add(bytes) > most {
                sweep::old(shared, shared.date_for_purges().0).await?;
                counted = shared.store.media_bytes().await?;
            }
            *kept = Some((now, counted));
            counted
        }
    };
    Ok(known.saturating_add(bytes) <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_bytes_that_are_on_their_way_at_once_are_bounded() {
        let budget = DiskBudget::new(20 * 1024 * 1024);
        let half = UNDER_WAY / 2;
        let (one, two) = (budget.under_way(half).await, budget.under_way(half).await);
        assert!(one.is_some() && two.is_some());
        assert!(futures_util::FutureExt::now_or_never(budget.under_way(1)).is_none(), "it waits");
        drop(one);
        assert!(budget.under_way(1).await.is_some());
        drop(two);
        assert!(budget.under_way(u64::MAX).await.is_some(), "the largest file gets its turn");
    }
}
