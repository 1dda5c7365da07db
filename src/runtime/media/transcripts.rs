//! Transcribes the recordings among the files of messages, after they were fetched and before the agent gets them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use frontdesk_core::id::MessageId;
use frontdesk_core::port::File;
use frontdesk_core::voice::{NoTranscript, Recording};
use frontdesk_store::StoreError;
use frontdesk_store::row::InboundRow;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::fetch::{MessageFiles, attachments};
use super::{Media, MediaFiles};
use crate::voice::ActiveTranscriber;

/// Number of recordings of one turn that are transcribed or wait for it at the same time.
const CONCURRENT: usize = 4;

/// What transcribing needs.
pub(crate) struct Transcripts<'a> {
    pub(crate) files: MediaFiles<'a>,
    /// What transcribes, and what keeps it running; `None` if nothing is set up.
    pub(crate) transcriber: Option<(ActiveTranscriber, TaskTrackerToken)>,
}

/// What the agent gets of a recording: its words, or one sentence that says why there are none.
type Heard = Result<String, String>;

impl Transcripts<'_> {
    /// Adds to each recording its words, or why there are none. A recording that was transcribed in this session before
    /// is not transcribed again, and the same content only once. Only a database that cannot be read is an error.
    pub(crate) async fn add(
        &self,
        rows: &[&InboundRow],
        files: &mut HashMap<MessageId, MessageFiles>,
    ) -> Result<(), StoreError> {
        let ids: BTreeSet<MessageId> = recordings(rows, files).map(|(row, ..)| row.id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let ids: Vec<MessageId> = ids.into_iter().collect();
        let known = self.files.store.transcripts(&ids).await?;
        let mut unknown: BTreeMap<PathBuf, (&InboundRow, Recording)> = BTreeMap::new();
        for (row, n, file, seconds) in recordings(rows, files) {
            if let (false, Ok(path)) = (known.contains_key(&(row.id, n)), &file.got) {
                let (kind, mime, size) = (file.kind, file.mime.clone(), file.size.unwrap_or_default());
                let recording = Recording { path: path.clone(), kind, mime, size, seconds };
                unknown.entry(path.clone()).or_insert((row, recording));
            }
        }
        let heard: Vec<BoxFuture<'_, (PathBuf, Heard)>> =
            unknown.into_values().map(|(row, recording)| self.heard(row, recording).boxed()).collect();
        let heard: HashMap<PathBuf, Heard> = stream::iter(heard).buffer_unordered(CONCURRENT).collect().await;
        for row in rows {
            let Some(MessageFiles { own, quoted }) = files.get_mut(&row.id) else { continue };
            for ((n, _), file) in attachments(row).zip(own.iter_mut().chain(quoted)) {
                if !file.kind.is_recording() {
                    continue;
                }
                let stored = known.get(&(row.id, n)).map(|words| worded(words.clone()));
                file.transcript = stored.or_else(|| heard.get(file.got.as_ref().ok()?).cloned());
            }
        }
        Ok(())
    }

    /// The words of a recording that is not known to be transcribed.
    async fn heard(&self, row: &InboundRow, recording: Recording) -> (PathBuf, Heard) {
        let heard = match self.words(row, &recording).await {
            Ok(words) => worded(words),
            Err(why) => {
                log(row, &why);
                Err(why.to_string())
            }
        };
        (recording.path, heard)
    }

    async fn words(&self, row: &InboundRow, recording: &Recording) -> Result<String, NoTranscript> {
        let name = self.files.media.name(&recording.path);
        let before = match &name {
            Some(name) => self.note(self.files.store.transcript(&row.session, name).await, row).flatten(),
            None => None,
        };
        let words = match (before, &self.transcriber) {
            (Some(words), _) => words,
            (None, None) => return Err(NoTranscript::Off),
            (None, Some((transcriber, _))) => transcriber.transcribe(recording, self.files.time).await?,
        };
        if let Some(name) = &name {
            // Also if it was known: a message that brings the same recording again has a row of its own.
            self.note(self.files.store.transcribed(&row.session, name, words.clone()).await, row);
        }
        Ok(words)
    }

    /// Logs a failure of the database; `None` then. At worst the recording is transcribed again.
    fn note<T>(&self, done: Result<T, StoreError>, row: &InboundRow) -> Option<T> {
        self.files.health.note(done.as_ref().err());
        done.inspect_err(|error| {
            tracing::warn!(message_id = %row.id, %error, "a transcript could not be stored or looked up");
        })
        .ok()
    }
}

/// The recordings among the files of some messages, with their places and their lengths.
fn recordings<'a>(
    rows: &'a [&'a InboundRow],
    files: &'a HashMap<MessageId, MessageFiles>,
) -> impl Iterator<Item = (&'a InboundRow, u32, &'a File, Option<u64>)> {
    rows.iter().filter_map(|row| Some((row, files.get(&row.id)?))).flat_map(|(row, files)| {
        let fetched = files.own.iter().chain(&files.quoted);
        let all = attachments(row).zip(fetched).filter(|(_, file)| file.kind.is_recording());
        all.map(move |((n, attachment), file)| (*row, n, file, attachment.seconds))
    })
}

/// What the agent gets of a transcript.
fn worded(words: String) -> Heard {
    if words.is_empty() { Err(NoTranscript::Empty.to_string()) } else { Ok(words) }
}

/// Logs why a recording has no transcript, once. What the operator or the sender has decided is no failure.
fn log(row: &InboundRow, why: &NoTranscript) {
    let (message, session) = (row.id, &row.session);
    match why {
        NoTranscript::Off | NoTranscript::Empty | NoTranscript::TooLong(_) | NoTranscript::TooLarge(_) => {
            tracing::debug!(message_id = %message, %session, why = %why, "a recording has no transcript");
        }
        NoTranscript::Failed(cause) => {
            tracing::warn!(message_id = %message, %session, cause, "a recording could not be transcribed");
        }
        NoTranscript::Waited | NoTranscript::TimedOut => {
            tracing::warn!(message_id = %message, %session, cause = %why, "a recording could not be transcribed");
        }
    }
}

impl Media {
    /// The name beneath the media root of a file that it has.
    fn name(&self, path: &Path) -> Option<String> {
        path.strip_prefix(&self.root).ok()?.to_str().map(str::to_owned)
    }
}
