//! Recordings as text: the port of what transcribes them, its limits, and how a transcript is shown.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::message::FileKind;

/// The longest transcript, in bytes. A longer one counts as a failure.
pub const MAX_TRANSCRIPT: usize = 256 * 1024;

/// A file in which somebody speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Where the file is.
    pub path: PathBuf,
    /// How the chat shows it.
    pub kind: FileKind,
    /// The media type, as the platform states it.
    pub mime: Option<String>,
    /// Its size in bytes.
    pub size: u64,
    /// Its length in seconds, as the platform states it.
    pub seconds: Option<u64>,
}

/// What is transcribed, and within which limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordingLimits {
    /// The longest time to wait for the start of a transcription, and then for its end.
    pub timeout: Duration,
    /// The longest recording, in seconds.
    pub max_seconds: u64,
    /// The largest recording, in bytes.
    pub max_bytes: u64,
    /// How many recordings are transcribed at once.
    pub at_once: usize,
}

/// Turns a recording into text.
#[async_trait]
pub trait Transcriber: Send + Sync + 'static {
    /// Within which limits it is asked. Must always return the same value.
    fn limits(&self) -> RecordingLimits;
    /// The words of a recording; an empty text if there are none. The error is the cause for the log, without secrets.
    ///
    /// The caller limits the time. Dropping the future must end the work at once and leave no process behind.
    async fn transcribe(&self, recording: &Recording) -> Result<String, String>;
    /// Ends every process and waits until all have ended.
    async fn stop(&self);
    /// What prevents it from working, in one sentence that says what to do; `None` if nothing is known. Must not start
    /// anything.
    fn problem(&self) -> Option<String>;
}

/// That a problem keeps the configured transcriber from working, in one sentence for the operator.
pub fn transcribes_nothing(problem: &str) -> String {
    format!("[voice] transcribes nothing: {problem}")
}

/// Why a recording has no transcript. The text is the sentence that the agent gets.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoTranscript {
    /// Nothing is set up.
    #[error("This gateway transcribes no recordings.")]
    Off,
    /// It is longer than `max_seconds`.
    #[error("It was not transcribed because it is longer than {0} seconds.")]
    TooLong(u64),
    /// It is larger than `max_bytes`.
    #[error("It was not transcribed because it has more than {0} bytes.")]
    TooLarge(u64),
    /// Nobody speaks in it.
    #[error("The transcript is empty: no words were recognized.")]
    Empty,
    /// Too many others were transcribed before it.
    #[error("Too many other recordings were waiting, so it was not transcribed.")]
    Waited,
    /// The transcription took too long.
    #[error("It could not be transcribed in time.")]
    TimedOut,
    /// The transcription failed, with the cause for the log.
    #[error("It could not be transcribed.")]
    Failed(String),
}

impl RecordingLimits {
    /// Why a recording is not transcribed, as far as its length and size tell.
    pub fn refusal(&self, recording: &Recording) -> Option<NoTranscript> {
        if recording.seconds.is_some_and(|seconds| seconds > self.max_seconds) {
            return Some(NoTranscript::TooLong(self.max_seconds));
        }
        (recording.size > self.max_bytes).then_some(NoTranscript::TooLarge(self.max_bytes))
    }
}

/// The text of a message together with the transcripts of its recordings, each below a line that says what it is.
pub fn with_transcripts<'t>(
    text: &str,
    transcripts: impl IntoIterator<Item = (FileKind, &'t str)>,
) -> String {
    let mut whole = text.to_owned();
    for (kind, transcript) in transcripts {
        if !whole.is_empty() {
            whole.push_str("\n\n");
        }
        whole.push_str(label(kind));
        whole.push('\n');
        whole.push_str(transcript);
    }
    whole
}

/// The line above a transcript.
fn label(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Voice => "[Transcript of a voice message]",
        FileKind::VideoNote => "[Transcript of a video message]",
        _ => "[Transcript of an audio file]",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(seconds: Option<u64>, size: u64) -> Recording {
        Recording { path: "v.ogg".into(), kind: FileKind::Voice, mime: None, size, seconds }
    }

    #[test]
    fn a_limit_holds_to_the_second_and_to_the_byte() {
        let limits =
            RecordingLimits { timeout: Duration::from_secs(1), max_seconds: 60, max_bytes: 1000, at_once: 1 };
        assert_eq!(limits.refusal(&recording(Some(60), 1000)), None);
        assert_eq!(limits.refusal(&recording(None, 1000)), None, "the size bounds what states no length");
        assert_eq!(limits.refusal(&recording(Some(61), 1)), Some(NoTranscript::TooLong(60)));
        assert_eq!(limits.refusal(&recording(Some(1), 1001)), Some(NoTranscript::TooLarge(1000)));
    }

    #[test]
    fn a_transcript_stands_below_the_text_and_says_what_it_is() {
        assert_eq!(with_transcripts("as typed", []), "as typed");
        assert_eq!(
            with_transcripts("", [(FileKind::Voice, "hello")]),
            "[Transcript of a voice message]\nhello"
        );
        assert_eq!(
            with_transcripts("both", [(FileKind::Audio, "a\nb"), (FileKind::VideoNote, "c")]),
            "both\n\n[Transcript of an audio file]\na\nb\n\n[Transcript of a video message]\nc"
        );
    }

    #[test]
    fn the_cause_of_a_failure_is_not_in_the_sentence_for_the_agent() {
        let failed = NoTranscript::Failed("exit code 3: secret".to_owned());
        assert_eq!(failed.to_string(), "It could not be transcribed.");
    }
}
