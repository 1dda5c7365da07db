//! A program that prints the words of a recording.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::voice::{MAX_TRANSCRIPT, Recording, RecordingLimits, Transcriber};

use super::Config;
use super::config::{FILE, LANGUAGE};
use crate::Host;
use crate::process::{Ending, NotReading, Process, ProcessHost, ProgramConfig, Start, Utf8};

/// The name of the program for the log and the metrics, and of its working folder beside those of the agents. No agent can
/// have it: their names begin with a letter or a digit.
const NAME: &str = "_voice";
/// The section that configures it.
const SECTION: &str = "voice";
/// How long the program has to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);
/// Maximum size of the output, in bytes: a transcript, and the white space around it that is removed.
const MAX_OUTPUT: usize = 2 * MAX_TRANSCRIPT;

pub(super) struct Program {
    processes: ProcessHost,
    /// The arguments, with their placeholders.
    args: Vec<String>,
    language: String,
    limits: RecordingLimits,
}

impl Program {
    pub(super) fn new(config: &Config, host: &Host) -> Self {
        let (program, args) =
            config.command.split_first().map_or((None, &[][..]), |(p, args)| (Some(p), args));
        let program = ProgramConfig {
            command: program.into_iter().cloned().collect(),
            section: Some(SECTION),
            env: config.env.iter().map(|(name, value)| (name.into(), value.expose().into())).collect(),
            confinement: config.confinement(),
            end_strays: true,
            ..ProgramConfig::default()
        };
        let ending = Ending { after_eof: Duration::ZERO, after_sigterm: GRACE };
        Self {
            processes: ProcessHost::new(NAME, program, ending, host),
            args: args.to_vec(),
            language: config.language.clone().unwrap_or_default(),
            limits: config.limits(),
        }
    }

    /// The arguments for a recording.
    fn args(&self, path: &Path) -> Vec<OsString> {
        self.args.iter().map(|word| filled(word, path, &self.language)).collect()
    }

    /// Whether the program is told where the recording is.
    fn names_file(&self) -> bool {
        self.args.iter().any(|word| word.contains(FILE))
    }

    async fn started(&self, recording: &Recording) -> Result<Process, String> {
        let stdin = match self.names_file() {
            true => None,
            false => {
                let read = tokio::fs::read(&recording.path).await;
                Some(read.map_err(|error| format!("the recording cannot be read: {error}"))?)
            }
        };
        let (args, files) = (self.args(&recording.path), Some(vec![recording.path.clone()]));
        let start = Start { args, files, ..Start::default() };
        let end = self.processes.stop.child_token();
        let mut process = self.processes.start(start, end).await.map_err(|error| error.to_string())?;
        // The queue is dropped at the end of this statement, which closes the pipe after the recording.
        if let (Some(input), Some(bytes)) = (process.input.take(), stdin)
            && let Err(NotReading) = input.send(bytes)
        {
            tracing::debug!("the transcription program has closed its stdin before the recording");
        }
        Ok(process)
    }
}

/// A word with its placeholders replaced. What is put in is not searched again.
fn filled(word: &str, path: &Path, language: &str) -> OsString {
    let mut filled = OsString::new();
    for (n, piece) in word.split(FILE).enumerate() {
        if n > 0 {
            filled.push(path);
        }
        filled.push(piece.replace(LANGUAGE, language));
    }
    filled
}

#[async_trait]
impl Transcriber for Program {
    fn limits(&self) -> RecordingLimits {
        self.limits
    }

    async fn transcribe(&self, recording: &Recording) -> Result<String, String> {
        // Dropping the process kills its group.
        let mut process = self.started(recording).await?;
        let (mut buffer, mut text, mut utf8) = (vec![0; 8192], String::new(), Utf8::default());
        loop {
            let read = process.output.read(&mut buffer).await;
            match read.map_err(|error| format!("its output cannot be read: {error}"))? {
                0 => break,
                read => text.push_str(&utf8.push(&buffer[..read])),
            }
            if text.len() > MAX_OUTPUT {
                return Err(format!("its output is longer than {MAX_OUTPUT} bytes"));
            }
        }
        text.push_str(&utf8.finish());
        match process.exited().await {
            Some(status) if status.success() => Ok(text),
            // The program may have written the recording's words to stderr, so the log shows stderr only at debug level.
            _ => Err(process.failure().await.for_log().to_owned()),
        }
    }

    async fn stop(&self) {
        self.processes.close().await;
    }

    fn problem(&self) -> Option<String> {
        self.processes.problem()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_replaced_within_a_word_and_only_once() {
        let path = Path::new("/media/{language}.ogg");
        assert_eq!(filled("--in={file}", path, "de"), "--in=/media/{language}.ogg");
        assert_eq!(
            filled("{language}:{file}:{file}", path, "de"),
            "de:/media/{language}.ogg:/media/{language}.ogg"
        );
        assert_eq!(filled("plain", path, "de"), "plain");
    }
}
