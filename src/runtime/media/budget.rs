//! Limits of what is fetched: by one person on one day, concurrently, and in all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use frontdesk_core::id::MessageId;
use frontdesk_core::port::Mono;
use frontdesk_store::StoreError;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, Semaphore, SemaphorePermit};

use super::{MediaFiles, sweep};

/// Maximum number of bytes that are fetched concurrently. A file of unknown size counts with the maximum size, and a
/// single file may exceed the limit.
const UNDER_WAY: u64 = 100 * 1024 * 1024;
/// Bytes per permit of the semaphore.
const PERMIT: u64 = 64 * 1024;
/// How often the bytes on disk are counted again. In between, fetched bytes are added to the count.
const COUNTED: Duration = Duration::from_secs(60);

/// Bytes that are being fetched or are stored.
pub(super) struct DiskBudget {
    under_way: Semaphore,
    permits: u32,
    /// When the bytes on disk were counted, and the count plus what was fetched since.
    kept: AsyncMutex<Option<(Mono, u64)>>,
    /// Locks of the files that are being fetched, by the platform's unique id.
    same: Mutex<HashMap<String, Weak<AsyncMutex<()>>>>,
    /// Bytes that cancelled fetches had reserved, with message and day. The next fetch releases them.
    abandoned: Mutex<Vec<(MessageId, i64, u64)>>,
}

/// Which limit keeps a file from being fetched.
pub(super) enum BudgetExceeded {
    /// `media.daily_bytes`, for the sender.
    Daily,
    /// `media.total_bytes`.
    Total,
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

    /// Records what was reserved for a fetch that was cancelled.
    pub(super) fn abandon(&self, message: MessageId, day: i64, reserved: u64) {
        self.abandoned.lock().unwrap_or_else(PoisonError::into_inner).push((message, day, reserved));
    }

    /// Waits until `bytes` more may be fetched.
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

/// Reserves bytes for a message's file on this day, if the limits allow it.
pub(super) async fn reserve(
    files: MediaFiles<'_>,
    message: MessageId,
    day: i64,
    bytes: u64,
) -> Result<Result<(), BudgetExceeded>, StoreError> {
    let abandoned = {
        let mut abandoned = files.media.budget.abandoned.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *abandoned)
    };
    for (message, day, reserved) in abandoned {
        settle(files, message, day, reserved, 0).await;
    }
    let limits = files.media.limits();
    let now = files.time.wall();
    if limits.total_bytes > 0 && !fits(files, bytes).await? {
        files.store.media_full(message, day, now).await?;
        return Ok(Err(BudgetExceeded::Total));
    }
    if limits.daily_bytes > 0
        && !files
            .store
            // A file of unknown size may take a whole day's limit.
            .media_reserved(message, day, bytes.min(limits.daily_bytes), limits.daily_bytes, now)
            .await?
    {
        return Ok(Err(BudgetExceeded::Daily));
    }
    if let Some((_, kept)) = files.media.budget.kept.lock().await.as_mut() {
        *kept = kept.saturating_add(bytes);
    }
    Ok(Ok(()))
}

/// Corrects a reservation of this day to the bytes that were used, which may be more if the stated size was wrong.
pub(super) async fn settle(files: MediaFiles<'_>, message: MessageId, day: i64, reserved: u64, used: u64) {
    if let Some((_, kept)) = files.media.budget.kept.lock().await.as_mut() {
        *kept = kept.saturating_sub(reserved).saturating_add(used);
    }
    let limit = files.media.limits().daily_bytes;
    let reserved = reserved.min(limit);
    if limit == 0 || reserved == used {
        return;
    }
    if let Err(error) = files.store.media_settled(message, day, reserved, used).await {
        tracing::debug!(message_id = %message, %error, "bytes that were not fetched stay counted for today");
    }
}

/// Whether `bytes` more fit in the folder. Old files are deleted first if they do not.
async fn fits(files: MediaFiles<'_>, bytes: u64) -> Result<bool, StoreError> {
    let most = files.media.limits().total_bytes;
    let bytes = bytes.min(most);
    let mut kept = files.media.budget.kept.lock().await;
    let now = files.time.mono();
    let fresh = kept.filter(|(counted, known)| {
        // A count that leads to a refusal is repeated after a second.
        let young = if known.saturating_add(bytes) > most { Duration::from_secs(1) } else { COUNTED };
        now.since(*counted) < young
    });
    let known = match fresh {
        Some((_, known)) => known,
        None => {
            let mut counted = files.store.media_bytes().await?;
            if counted.saturating_add(bytes) > most {
                sweep::delete_old(files, files.time.date_for_purges().0).await?;
                counted = files.store.media_bytes().await?;
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
    async fn concurrently_fetched_bytes_are_bounded() {
        let budget = DiskBudget::new(20 * 1024 * 1024);
        let half = UNDER_WAY / 2;
        let (one, two) = (budget.under_way(half).await, budget.under_way(half).await);
        assert!(one.is_some() && two.is_some());
        assert!(futures_util::FutureExt::now_or_never(budget.under_way(1)).is_none(), "it waits");
        drop(one);
        assert!(budget.under_way(1).await.is_some());
        drop(two);
        assert!(budget.under_way(u64::MAX).await.is_some(), "the largest file is fetched alone");
    }
}
