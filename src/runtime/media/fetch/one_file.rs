//! Fetches one file, with retries, and stores where it lies.

use std::fs::{File as DiskFile, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use frontdesk_core::message::Attachment;
use frontdesk_core::port::Adapter;
use frontdesk_core::retry::is_shortage;
use frontdesk_store::row::{InboundRow, MediaRow};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::{FetchFailure, note};
use crate::media::unfinished::UnfinishedFile;
use crate::media::{IN, Media, MediaFiles, SHORTAGE_PAUSE, budget, kind, sweep};

/// Pauses before each further attempt, when the platform asks to try later.
const RETRY_PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// A file that was fetched completely.
pub(in crate::media) struct FetchedFile {
    /// The path beneath the media root.
    pub(in crate::media) name: String,
    pub(in crate::media) size: u64,
    pub(in crate::media) sha256: Vec<u8>,
}

/// One file that is being fetched.
pub(super) struct Fetching<'a> {
    pub(super) files: MediaFiles<'a>,
    pub(super) adapter: &'a dyn Adapter,
    pub(super) row: &'a InboundRow,
    pub(super) n: u32,
    pub(super) file: &'a Attachment,
    /// Identifies the file on its account, if the platform says so.
    pub(super) unique: Option<String>,
    /// Maximum size in bytes; as much is reserved.
    pub(super) most: u64,
    pub(super) day: i64,
    /// Whether the bytes are reserved.
    pub(super) reserved: AtomicBool,
}

/// A fetch whose turn was stopped is dropped and cannot write; the next fetch gives its reserved bytes back.
impl Drop for Fetching<'_> {
    fn drop(&mut self) {
        if *self.reserved.get_mut() {
            self.files.media.budget.abandon(self.row.id, self.day, self.most);
        }
    }
}

impl Fetching<'_> {
    pub(super) async fn run(&self) -> Result<(String, u64), FetchFailure> {
        let _alone = match &self.unique {
            Some(unique) => Some(self.files.media.budget.alone_with(unique).await),
            None => None,
        };
        if let Some(stored) = stored_file(self.files, self.row, self.n, self.unique.as_deref()).await {
            return Ok(stored);
        }
        let reserved = budget::reserve(self.files, self.row.id, self.day, self.most).await;
        let reserved = reserved.map_err(|error| FetchFailure::Later(error.to_string()))?;
        reserved.map_err(FetchFailure::BudgetExceeded)?;
        self.reserved.store(true, Ordering::Relaxed);
        let fetched = self.attempts().await?;
        self.settle(fetched.size).await;
        Ok(self.keep(fetched).await)
    }

    /// Returns what was reserved beyond the bytes that were used, once.
    pub(super) async fn settle(&self, used: u64) {
        if self.reserved.swap(false, Ordering::Relaxed) {
            budget::settle(self.files, self.row.id, self.day, self.most, used).await;
        }
    }

    /// Stores where the file lies. If a file with the same content is stored already, that one is used.
    async fn keep(&self, fetched: FetchedFile) -> (String, u64) {
        let FetchedFile { name, size, sha256 } = fetched;
        let (files, fresh) = (self.files, (name, size));
        let row = MediaRow { message: self.row.id, n: self.n, got: Ok(fresh.clone()) };
        loop {
            let (unique, now) = (self.unique.clone(), files.time.wall());
            let kept = files.store.file_kept(row.clone(), unique, sha256.clone(), now).await;
            let Some(Some((file, size))) = note(files, kept, &row) else { return fresh };
            if files.media.is_complete(&file, size) {
                // It may be an upload, which another message can still name.
                if let Err(error) = sweep::delete_unused(files, vec![fresh.0]).await {
                    tracing::debug!(message_id = %self.row.id, %error, "a file is left for the next sweep");
                }
                return (file, size);
            }
            if note(files, files.store.file_lost(&file).await, &row).is_none() {
                return fresh;
            }
        }
    }

    /// Retries a few times if the platform asks to try later, and until the caller's deadline if this machine runs short
    /// of resources.
    async fn attempts(&self) -> Result<FetchedFile, FetchFailure> {
        let mut pauses = RETRY_PAUSES.iter();
        loop {
            let failure = match attempt(self.files.media, self.adapter, self.file).await {
                Ok(fetched) => return Ok(fetched),
                Err(failure) => failure,
            };
            let pause = match &failure {
                FetchFailure::Later(_) => pauses.next().copied(),
                FetchFailure::Disk(error) if is_shortage(error) => {
                    tracing::warn!(%error, "a file cannot be kept at the moment; it is tried again");
                    Some(SHORTAGE_PAUSE)
                }
                _ => None,
            };
            let Some(pause) = pause else { return Err(failure) };
            self.files.time.sleep(pause).await;
        }
    }
}

async fn attempt(
    media: &Media,
    adapter: &dyn Adapter,
    file: &Attachment,
) -> Result<FetchedFile, FetchFailure> {
    let max_bytes = media.limits().max_bytes;
    if let Some(kept) = &file.kept {
        return Ok(media.stored_before(kept).await?);
    }
    let mut chunks = adapter.fetch(file).await?;
    let (unfinished, disk) = UnfinishedFile::create(&media.path(IN))?;
    let mut disk = tokio::fs::File::from_std(disk);
    let (mut size, mut hash) = (0_u64, Sha256::new());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        size = size.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if size > max_bytes {
            return Err(FetchFailure::TooLarge);
        }
        hash.update(&chunk);
        disk.write_all(&chunk).await?;
    }
    disk.flush().await?;
    let disk: DiskFile = disk.into_std().await;
    disk.set_permissions(Permissions::from_mode(0o400))?;
    let extension = kind::extension_for(file);
    let name = tokio::task::spawn_blocking(move || unfinished.finish(&disk, &extension)).await;
    let name = name.map_err(std::io::Error::other)??;
    Ok(FetchedFile { name: format!("{IN}/{name}"), size, sha256: hash.finalize().to_vec() })
}

/// The stored copy of a file that arrived before, if it is still complete. The platform's own id identifies it.
pub(super) async fn stored_file(
    files: MediaFiles<'_>,
    row: &InboundRow,
    n: u32,
    unique: Option<&str>,
) -> Option<(String, u64)> {
    let stored = files.store.file_known(row.id, n, unique?, files.time.wall()).await;
    let (file, size) = stored.ok().flatten()?;
    if files.media.is_complete(&file, size) {
        return Some((file, size));
    }
    if let Err(error) = files.store.file_lost(&file).await {
        tracing::warn!(message_id = %row.id, %error, "that a file is lost was not stored");
    }
    None
}
