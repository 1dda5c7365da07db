//! Fetches the files of messages, after the acknowledgement and before the agent sees the message.

mod one_file;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use frontdesk_core::id::MessageId;
use frontdesk_core::message::Attachment;
use frontdesk_core::port::{FetchError, File};
use frontdesk_store::StoreError;
use frontdesk_store::row::{InboundRow, MediaRow};
use futures_util::{FutureExt, StreamExt, stream};

use super::budget::BudgetExceeded;
use super::{Media, MediaFiles, sweep};
use crate::adapters::Adapters;
pub(super) use one_file::FetchedFile;
use one_file::{Fetching, stored_file};

/// Number of files that are fetched concurrently, per turn.
const CONCURRENT: usize = 4;
/// The file's path beneath the media root and its size, or one sentence that says why it is missing.
type FetchResult = Result<(String, u64), String>;

/// Why an attempt failed.
enum FetchFailure {
    /// Another attempt may succeed.
    Later(String),
    Refused(String),
    TooLarge,
    TimedOut,
    BudgetExceeded(BudgetExceeded),
    Disk(std::io::Error),
}

impl From<FetchError> for FetchFailure {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Later(detail) => FetchFailure::Later(detail),
            FetchError::Refused(detail) => FetchFailure::Refused(detail),
        }
    }
}

impl From<std::io::Error> for FetchFailure {
    fn from(error: std::io::Error) -> Self {
        FetchFailure::Disk(error)
    }
}

/// Files of a quoted message are numbered from here, after the message's own files.
const QUOTED: u32 = 1000;

/// The files of one message.
#[derive(Debug, Default, Clone)]
pub(crate) struct MessageFiles {
    /// The files of the message itself.
    pub(crate) own: Vec<File>,
    /// The files of the message that it replies to.
    pub(crate) quoted: Vec<File>,
}

/// What fetching needs.
#[derive(Clone, Copy)]
pub(crate) struct Fetcher<'a> {
    pub(crate) files: MediaFiles<'a>,
    pub(crate) adapters: &'a Adapters,
    /// The day on which fetched bytes are counted, also for a file that arrives after midnight.
    pub(crate) day: i64,
}

impl Fetcher<'_> {
    /// Fetches the files of these messages and of those that they reply to, by message and in the order of the
    /// attachments. A file that an earlier attempt has fetched, or that is stored since the quoted message arrived, is not
    /// fetched again. A file that cannot be fetched carries the reason; only a database that cannot be read is an error.
    pub(crate) async fn fetch(
        self,
        rows: &[&InboundRow],
    ) -> Result<HashMap<MessageId, MessageFiles>, StoreError> {
        let with_files = rows.iter().filter(|row| attachments(row).next().is_some());
        let ids: Vec<MessageId> = with_files.map(|row| row.id).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let stored = self.files.store.media(&ids).await?;
        let mut results: HashMap<(MessageId, u32), FetchResult> =
            stored.into_iter().map(|row| ((row.message, row.n), row.got)).collect();
        let mut missing = Vec::new();
        for row in rows {
            let mut quoted = self.stored_quoted_files(row).await?;
            for (n, file) in attachments(row) {
                if let Some(stored) = quoted.remove(&n) {
                    results.insert((row.id, n), Ok(stored));
                } else if !results.contains_key(&(row.id, n)) {
                    missing.push(self.fetch_one(row, n, file).boxed());
                }
            }
        }
        let fetched: Vec<MediaRow> = stream::iter(missing).buffer_unordered(CONCURRENT).collect().await;
        results.extend(fetched.into_iter().map(|row| ((row.message, row.n), row.got)));
        let by_message = rows.iter().map(|row| {
            let mut files = MessageFiles::default();
            for (n, file) in attachments(row) {
                let result = results.get(&(row.id, n)).cloned();
                let result = result.unwrap_or_else(|| Err("It was not fetched.".to_owned()));
                let list = if n < QUOTED { &mut files.own } else { &mut files.quoted };
                list.push(self.files.media.for_agent(file, result));
            }
            (row.id, files)
        });
        Ok(by_message.collect())
    }

    /// The files of the quoted message that were stored when it arrived itself.
    async fn stored_quoted_files(self, row: &InboundRow) -> Result<HashMap<u32, (String, u64)>, StoreError> {
        let quote = row.quote.as_ref().filter(|quote| !quote.attachments.is_empty());
        let Some(message) = quote.and_then(|quote| quote.message.as_deref()) else {
            return Ok(HashMap::new());
        };
        let rows = self.files.store.files_of(&row.address.without_thread(), message).await?;
        let own = rows.into_iter().filter(|row| row.n < QUOTED);
        let stored = own.filter_map(|row| Some((QUOTED + row.n, row.got.ok()?)));
        Ok(stored.filter(|(_, (file, _))| self.files.media.path(file).exists()).collect())
    }

    async fn fetch_one(self, row: &InboundRow, n: u32, file: &Attachment) -> MediaRow {
        let row = MediaRow { message: row.id, n, got: self.try_fetch(row, n, file).await };
        if row.got.is_err() {
            let (store, now) = (self.files.store, self.files.time.wall());
            note(self.files, store.fetched(vec![row.clone()], now).await, &row);
            // A file over a limit is not kept until the next sweep.
            if let Some(kept) = file.kept.clone()
                && let Err(error) = sweep::delete_unused(self.files, vec![kept]).await
            {
                tracing::debug!(message_id = %row.message, %error, "a file is left for the next sweep");
            }
        }
        row
    }

    /// Fetches one file, with retries, until the deadline.
    async fn try_fetch(self, row: &InboundRow, n: u32, file: &Attachment) -> FetchResult {
        let Self { files, adapters, day } = self;
        let limits = files.media.limits();
        let Some(connection) = adapters.at(&row.address) else {
            return Err("The account that it came to is not configured any more.".to_owned());
        };
        if file.size.is_some_and(|size| size > limits.max_bytes) {
            return Err(too_large(limits.max_bytes));
        }
        let unique = file.unique.as_ref();
        let unique = unique.map(|id| format!("{}/{id}", row.address.account()));
        if let Some(stored) = stored_file(files, row, n, unique.as_deref()).await {
            return Ok(stored);
        }
        let most = file.size.unwrap_or(limits.max_bytes);
        let _under_way = files.media.budget.under_way(most).await;
        let deadline = files.time.mono() + Duration::from_secs(limits.fetch_seconds);
        let (adapter, reserved) = (connection.adapter(), AtomicBool::new(false));
        let adapter = adapter.as_ref();
        let fetching = Fetching { files, adapter, row, n, file, unique, most, day, reserved };
        let ended = tokio::select! {
            biased;
            ended = AssertUnwindSafe(fetching.run()).catch_unwind() => ended,
            () = files.time.sleep_until(deadline) => Ok(Err(FetchFailure::TimedOut)),
        };
        fetching.settle(0).await;
        Err(match ended {
            Ok(Ok(stored)) => return Ok(stored),
            Ok(Err(failure)) => log_failure(row, &failure, limits.max_bytes),
            Err(_) => log(row, "panic", "the adapter panicked", "It could not be fetched."),
        })
    }
}

/// The files of a message and of the one that it replies to, with their numbers.
pub(super) fn attachments(row: &InboundRow) -> impl Iterator<Item = (u32, &Attachment)> {
    let quoted = row.quote.iter().flat_map(|quote| &quote.attachments);
    (0..QUOTED).zip(&row.attachments).chain((QUOTED..).zip(quoted))
}

/// Logs a write about a file that failed; `None` then. The file is on disk without a row then: the next attempt fetches
/// it again, and the sweep deletes the file that no row names.
fn note<T>(files: MediaFiles<'_>, written: Result<T, StoreError>, row: &MediaRow) -> Option<T> {
    files.health.note(written.as_ref().err());
    written
        .inspect_err(|error| {
            tracing::warn!(message_id = %row.message, %error, "the result of fetching a file was not stored");
        })
        .ok()
}

fn too_large(max_bytes: u64) -> String {
    format!("It has more than {max_bytes} bytes, and is not fetched.")
}

/// Logs why a file is missing; returns the sentence for the agent.
fn log_failure(row: &InboundRow, failure: &FetchFailure, max_bytes: u64) -> String {
    match failure {
        FetchFailure::TimedOut => log(row, "time", "", "It did not arrive in time."),
        FetchFailure::BudgetExceeded(BudgetExceeded::Daily) => {
            log(row, "today", "", "Its sender has sent as much today as one person may: it is not fetched.")
        }
        FetchFailure::BudgetExceeded(BudgetExceeded::Total) => {
            log(row, "full", "", "As many files are kept as may be: it is not fetched.")
        }
        FetchFailure::Later(why) => log(row, "later", why, "The platform did not hand it out; it may later."),
        FetchFailure::Refused(why) => log(row, "refused", why, "The platform does not hand it out."),
        FetchFailure::TooLarge => too_large(max_bytes),
        FetchFailure::Disk(error) => {
            tracing::error!(message_id = %row.id, %error, "a file could not be kept");
            "It could not be kept here.".to_owned()
        }
    }
}

fn log(row: &InboundRow, failure: &'static str, detail: &str, sentence: &str) -> String {
    let (message, channel) = (row.id, row.address.channel());
    tracing::warn!(message_id = %message, channel, failure, "a file was not fetched");
    // The platform's own text may quote where the file is.
    tracing::debug!(message_id = %message, detail, "why a file was not fetched");
    sentence.to_owned()
}

impl Media {
    /// Whether a file exists and has all its bytes.
    fn is_complete(&self, file: &str, size: u64) -> bool {
        std::fs::symlink_metadata(self.path(file)).is_ok_and(|facts| facts.is_file() && facts.len() == size)
    }

    /// Deletes a file that no row names.
    pub(super) async fn delete(&self, file: &str) {
        let path = self.path(file);
        match tokio::task::spawn_blocking(move || std::fs::remove_file(path)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a file is left for the next sweep"),
            Err(error) => tracing::debug!(%error, "a file is left for the next sweep"),
        }
    }

    /// A file as it is passed to the agent.
    fn for_agent(&self, file: &Attachment, result: FetchResult) -> File {
        let Attachment { kind, name, mime, size, .. } = file.clone();
        match result {
            Ok((stored, size)) => {
                let path = self.path(&stored);
                let got = match path.exists() {
                    true => Ok(path),
                    false => Err("It is not kept any more.".to_owned()),
                };
                File { kind, name, mime, size: Some(size), got, transcript: None }
            }
            Err(why) => File { kind, name, mime, size, got: Err(why), transcript: None },
        }
    }
}
