//! Deletes files that are too old, and files that no row names.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_store::StoreError;

use super::{IN, MediaFiles, OUT, uploads};

const EVERY: Duration = Duration::from_secs(24 * 3600);
/// Minimum age of a file that is deleted because no row names it: a younger one may be about to get its row.
const MIN_AGE: chrono::Duration = chrono::Duration::days(1);
/// Number of rows or names in one query.
const BATCH: usize = 200;

/// Sweeps if the last sweep is long enough ago. `date` decides what is old.
pub(crate) async fn run(files: MediaFiles<'_>, date: DateTime<Utc>) -> Result<(), StoreError> {
    if !files.media.due(files.time.mono(), EVERY) {
        return Ok(());
    }
    delete_old(files, date).await?;
    for folder in [IN, OUT] {
        delete_unnamed(files, folder, date).await?;
    }
    Ok(())
}

/// Deletes uploads that no message has named in time.
pub(crate) async fn delete_uploads(files: MediaFiles<'_>, date: DateTime<Utc>) -> Result<(), StoreError> {
    let Some(before) = date.checked_sub_signed(uploads::KEPT) else { return Ok(()) };
    let expired = files.store.uploads_expired(before).await?;
    delete_unused(files, expired).await
}

/// Deletes files that were kept for `media.keep_days`.
pub(super) async fn delete_old(files: MediaFiles<'_>, date: DateTime<Utc>) -> Result<(), StoreError> {
    let days = chrono::Duration::days(i64::from(files.media.limits().keep_days));
    let Some(before) = date.checked_sub_signed(days) else { return Ok(()) };
    let limit = u32::try_from(BATCH).unwrap_or(u32::MAX);
    loop {
        let rows = files.store.media_older(before, limit).await?;
        let names = rows.iter().filter_map(|row| Some(row.got.as_ref().ok()?.0.clone())).collect();
        let more = rows.len() >= BATCH;
        // The rows first, because a younger message may name the same file. A file that a crash leaves behind has no row
        // and is deleted with those.
        files.store.media_gone(rows.into_iter().map(|row| (row.message, row.n)).collect()).await?;
        delete_unused(files, names).await?;
        if !more {
            return Ok(());
        }
    }
}

/// Deletes files that no row names: left by a crash between a file and its row, by erased rows, and by parts that have
/// been sent or given up.
async fn delete_unnamed(
    files: MediaFiles<'_>,
    folder: &'static str,
    date: DateTime<Utc>,
) -> Result<(), StoreError> {
    let Some(before) = date.checked_sub_signed(MIN_AGE) else { return Ok(()) };
    let path = files.media.path(folder);
    let names = match tokio::task::spawn_blocking(move || files_older(&path, before)).await {
        Ok(Ok(names)) => names,
        Ok(Err(error)) => {
            tracing::warn!(folder, %error, "the folder for files cannot be read");
            return Ok(());
        }
        Err(error) => {
            tracing::warn!(folder, %error, "the folder for files was not read completely");
            return Ok(());
        }
    };
    delete_unused(files, names.into_iter().map(|name| format!("{folder}/{name}")).collect()).await
}

/// Deletes those of these files that no row names any more.
pub(crate) async fn delete_unused(files: MediaFiles<'_>, names: Vec<String>) -> Result<(), StoreError> {
    let days = chrono::Duration::days(i64::from(files.media.limits().keep_days));
    let date = files.time.date_for_purges().0;
    let shown_since = date.checked_sub_signed(days).unwrap_or(DateTime::<Utc>::MIN_UTC);
    for names in names.chunks(BATCH) {
        let named = files.store.files_in_use(names.to_vec(), shown_since).await?;
        let unused = names.iter().filter(|name| !named.contains(name)).map(|name| files.media.path(name));
        delete(unused.collect()).await;
    }
    Ok(())
}

/// The names of regular files that were last written before `before`.
fn files_older(folder: &Path, before: DateTime<Utc>) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let facts = entry.metadata()?;
        let old = facts.modified().is_ok_and(|written| DateTime::<Utc>::from(written) < before);
        // The metadata is that of a link itself, so a link is not a file here.
        if !facts.is_file() || !old {
            continue;
        }
        if let Ok(name) = entry.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}

async fn delete(paths: Vec<PathBuf>) {
    let deleted = tokio::task::spawn_blocking(move || {
        for path in paths {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(%error, "a file could not be deleted");
                }
                _ => {}
            }
        }
    });
    if let Err(error) = deleted.await {
        tracing::warn!(%error, "files were not deleted");
    }
}
