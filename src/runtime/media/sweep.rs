//! Tidying up the folder: files that are old, and files that nobody names.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_store::StoreError;

use super::{IN, OUT};
use crate::shared::Shared;

/// How often.
const EVERY: Duration = Duration::from_secs(24 * 3600);
/// A file that nobody names is left alone for so long: it may be about to be named.
const YOUNG: chrono::Duration = chrono::Duration::days(1);
/// How many rows or names go with one question to the database.
const BATCH: usize = 200;

/// Tidies up, if it is time. `date` says what is old.
pub(crate) async fn run(shared: &Shared, date: DateTime<Utc>) -> Result<(), StoreError> {
    if !shared.media.due(shared.clock.mono(), EVERY) {
        return Ok(());
    }
    old(shared, date).await?;
    for folder in [IN, OUT] {
        unnamed(shared, folder, date).await?;
    }
    Ok(())
}

/// Files that were kept as long as the operator wants.
pub(super) async fn old(shared: &Shared, date: DateTime<Utc>) -> Result<(), StoreError> {
    let days = chrono::Duration::days(i64::from(shared.media.limits.keep_days));
    let Some(before) = date.checked_sub_signed(days) else { return Ok(()) };
    let limit = u32::try_from(BATCH).unwrap_or(u32::MAX);
    loop {
        let rows = shared.store.media_older(before, limit).await?;
        let names = rows.iter().filter_map(|row| Some(row.got.as_ref().ok()?.0.clone())).collect();
        let more = rows.len() >= BATCH;
        // First the rows: a younger message may name the same file. One that is left over after a crash is nobody's,
        // and goes with those.
        shared.store.media_gone(rows.into_iter().map(|row| (row.message, row.n)).collect()).await?;
        delete_free(shared, names).await?;
        if !more {
            return Ok(());
        }
    }
}

/// Files that no row names: of a crash between a file and its row, of rows that are erased, and of parts that
/// have come to their end.
async fn unnamed(shared: &Shared, folder: &'static str, date: DateTime<Utc>) -> Result<(), StoreError> {
    let Some(before) = date.checked_sub_signed(YOUNG) else { return Ok(()) };
    let path = shared.media.path(folder);
    let names = match tokio::task::spawn_blocking(move || files(&path, before)).await {
        Ok(Ok(names)) => names,
        Ok(Err(error)) => {
            tracing::warn!(folder, %error, "the folder for files cannot be read");
            return Ok(());
        }
        Err(error) => {
            tracing::warn!(folder, %error, "the folder for files was not read to its end");
            return Ok(());
        }
    };
    delete_free(shared, names.into_iter().map(|name| format!("{folder}/{name}")).collect()).await
}

/// Deletes those of these files that no row names, now that what named them may be gone.
pub(crate) async fn delete_free(shared: &Shared, names: Vec<String>) -> Result<(), StoreError> {
    for names in names.chunks(BATCH) {
        let named = shared.store.files_in_use(names.to_vec()).await?;
        let free = names.iter().filter(|name| !named.contains(name)).map(|name| shared.media.path(name));
        delete(free.collect()).await;
    }
    Ok(())
}

/// The names of ordinary files that were last written before.
fn files(folder: &Path, before: DateTime<Utc>) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let facts = entry.metadata()?;
        let old = facts.modified().is_ok_and(|written| DateTime::<Utc>::from(written) < before);
        // A link is not looked behind.
        if !facts.is_file() || !old {
            continue;
        }
        if let Ok(name) = entry.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}

async fn delete(files: Vec<PathBuf>) {
    let deleted = tokio::task::spawn_blocking(move || {
        for file in files {
            match std::fs::remove_file(&file) {
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
