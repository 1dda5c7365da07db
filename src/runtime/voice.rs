//! What transcribes recordings, and what it is allowed at once. One that a reload replaces ends after its last recording.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use frontdesk_core::terminal;
use frontdesk_core::voice::{
    MAX_TRANSCRIPT, NoTranscript, Recording, RecordingLimits, Transcriber, transcribes_nothing,
};
use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::time::Time;

/// A transcriber that is in use. Clones are the same one.
#[derive(Clone)]
pub(crate) struct ActiveTranscriber {
    transcriber: Arc<dyn Transcriber>,
    limits: RecordingLimits,
    /// One for each recording that may be transcribed now.
    permits: Arc<Semaphore>,
    /// Closed once a reload has replaced or removed it.
    uses: TaskTracker,
}

impl From<Arc<dyn Transcriber>> for ActiveTranscriber {
    fn from(transcriber: Arc<dyn Transcriber>) -> Self {
        let limits = transcriber.limits();
        let permits = Arc::new(Semaphore::new(limits.at_once));
        Self { transcriber, limits, permits, uses: TaskTracker::new() }
    }
}

impl ActiveTranscriber {
    /// Keeps it running until the token is dropped; `None` if a reload has taken it out of use.
    pub(crate) fn begin(&self) -> Option<TaskTrackerToken> {
        let token = self.uses.token();
        // Asked after the token was taken: whoever closes the tracker later waits for it.
        (!self.uses.is_closed()).then_some(token)
    }

    /// What prevents it from working.
    pub(crate) fn problem(&self) -> Option<String> {
        self.transcriber.problem().map(|problem| transcribes_nothing(&problem))
    }

    pub(crate) fn is(&self, other: &ActiveTranscriber) -> bool {
        Arc::ptr_eq(&self.transcriber, &other.transcriber)
    }

    /// The words of a recording, within the limits. Dropping the future ends the work.
    pub(crate) async fn transcribe(
        &self,
        recording: &Recording,
        time: &Time,
    ) -> Result<String, NoTranscript> {
        if let Some(refusal) = self.limits.refusal(recording) {
            return Err(refusal);
        }
        let begins_by = time.mono() + self.limits.timeout;
        let _permit = tokio::select! {
            biased;
            // Nobody closes the semaphore.
            Ok(permit) = self.permits.acquire() => permit,
            () = time.sleep_until(begins_by) => return Err(NoTranscript::Waited),
        };
        let ends_by = time.mono() + self.limits.timeout;
        let said = tokio::select! {
            biased;
            said = AssertUnwindSafe(self.transcriber.transcribe(recording)).catch_unwind() => said,
            () = time.sleep_until(ends_by) => return Err(NoTranscript::TimedOut),
        };
        match said {
            Ok(Ok(text)) => cleaned(&text),
            Ok(Err(cause)) => Err(NoTranscript::Failed(cause)),
            Err(_) => Err(NoTranscript::Failed("the transcriber panicked".to_owned())),
        }
    }

    /// Begins with no further recording, and stops it when its last one has ended.
    pub(crate) async fn retire(self) {
        self.uses.close();
        self.uses.wait().await;
        self.stop().await;
    }

    /// Ends everything at once.
    pub(crate) async fn stop(&self) {
        self.transcriber.stop().await;
    }
}

/// A transcript without terminal sequences, and without control characters except for tabs and ends of lines.
fn cleaned(text: &str) -> Result<String, NoTranscript> {
    let plain = terminal::plain(text);
    let is_kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    let text: String = plain.trim().chars().filter(is_kept).collect();
    if text.len() > MAX_TRANSCRIPT {
        return Err(NoTranscript::Failed(format!("the transcript is longer than {MAX_TRANSCRIPT} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcript_is_plain_text_of_limited_length() {
        assert_eq!(cleaned(" \u{1b}[1mHello\u{1b}[0m\r\n\tthere\u{7} \n").unwrap(), "Hello\n\tthere");
        assert_eq!(cleaned("\n").unwrap(), "");
        assert_eq!(cleaned(&"x".repeat(MAX_TRANSCRIPT)).unwrap().len(), MAX_TRANSCRIPT);
        assert!(matches!(cleaned(&"x".repeat(MAX_TRANSCRIPT + 1)), Err(NoTranscript::Failed(_))));
    }
}
