//! The section `[voice]`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use frontdesk_core::config::{ConfigError, Secret};
use frontdesk_core::voice::RecordingLimits;
use reqwest::Url;
use reqwest::header::HeaderValue;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::openai_api;
use crate::process::{self, Confinement, RunWith};

/// Stands for the recording's path in an argument of the program.
pub(super) const FILE: &str = "{file}";
/// Stands for the language in an argument of the program.
pub(super) const LANGUAGE: &str = "{language}";

/// How voice messages become text. Either `command` or `model` turns it on; without them voice messages are passed on as
/// files.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// A program that prints the words of a recording, and its arguments. `{file}` stands for the recording's path; without
    /// it the program gets the recording on stdin. `{language}` stands for `language`. No shell is involved. A program
    /// whose name contains a `/` and is not absolute is looked up relative to the home folder.
    pub command: Vec<String>,
    /// Environment variables for the program.
    pub env: BTreeMap<String, Secret>,
    /// What closes the program in, as for agents: `bubblewrap`, `bubblewrap-offline`, or the words of a prefix.
    pub run_with: Option<RunWith>,
    /// With `bubblewrap`: further files and folders that the program may read, relative to the home folder; for example the
    /// model's.
    pub readable: Vec<PathBuf>,
    /// The model of an OpenAI-compatible API, as the provider names it; for example `whisper-1`.
    pub model: Option<String>,
    /// With `model`: the URL of the API. `/v1` is added to a URL without a path. Unset means https://api.openai.com/v1.
    pub base_url: Option<String>,
    /// With `model`: the provider's key. Servers on your own machine mostly need none.
    pub api_key: Option<Secret>,
    /// The language that is spoken, as the model names it, for example `de`. Unset, the model finds out.
    pub language: Option<String>,
    /// Seconds that a transcription may take. A recording also waits no longer than that for those before it.
    pub timeout: u64,
    /// The longest recording that is transcribed, in seconds. Longer ones are passed on as files.
    pub max_seconds: u64,
    /// The largest recording that is transcribed, in bytes. Larger ones are passed on as files. A file above
    /// `media.max_bytes` (20971520) is not downloaded, so raise that as well.
    pub max_bytes: u64,
    /// How many recordings are transcribed at once.
    pub max_at_once: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            command: Vec::new(),
            env: BTreeMap::new(),
            run_with: None,
            readable: Vec::new(),
            model: None,
            base_url: None,
            api_key: None,
            language: None,
            timeout: 120,
            max_seconds: 600,
            max_bytes: 25_000_000,
            max_at_once: 2,
        }
    }
}

impl Config {
    /// Checks what the types cannot express.
    pub fn check(&self) -> Result<(), ConfigError> {
        match self.command.is_empty() {
            true => self.check_endpoint()?,
            false => self.check_program()?,
        }
        let wrong = |key: &str, problem: &str| Err(ConfigError::new(key, problem));
        let is_plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if self.language.as_ref().is_some_and(|name| name.is_empty() || name.len() > 32 || !is_plain(name)) {
            return wrong("language", "must be the short name of a language, for example `de`");
        }
        if !(1..=3600).contains(&self.timeout) {
            return wrong("timeout", "must be between 1 and 3600 seconds");
        }
        if !(1..=86_400).contains(&self.max_seconds) {
            return wrong("max_seconds", "must be between 1 and 86400 seconds (a day)");
        }
        if !(1..=2_000_000_000).contains(&self.max_bytes) {
            return wrong("max_bytes", "must be between 1 and 2000000000 bytes");
        }
        if !(1..=64).contains(&self.max_at_once) {
            return wrong("max_at_once", "must be between 1 and 64");
        }
        Ok(())
    }

    /// Whether anything transcribes.
    pub fn is_on(&self) -> bool {
        !self.command.is_empty() || self.model.is_some()
    }

    fn check_program(&self) -> Result<(), ConfigError> {
        let set = [
            ("model", self.model.is_some()),
            ("base_url", self.base_url.is_some()),
            ("api_key", self.api_key.is_some()),
        ];
        if let Some((key, _)) = set.into_iter().find(|(_, set)| *set) {
            return Err(ConfigError::new(key, "does not go with `command`: remove one of the two"));
        }
        process::check_command(&self.command)?;
        self.confinement().check(false)?;
        let env = self.env.iter().map(|(name, value)| (name.as_str(), value.expose()));
        process::check_environment(env, &[], &[])?;
        let names_language = self.command.iter().any(|word| word.contains(LANGUAGE));
        match (names_language, self.language.is_some()) {
            (true, false) => {
                Err(ConfigError::new("command", "contains {language}, so `language` must be set as well"))
            }
            (false, true) => {
                let problem = "is not used: put {language} where the command takes the language";
                Err(ConfigError::new("language", problem))
            }
            _ => Ok(()),
        }
    }

    fn check_endpoint(&self) -> Result<(), ConfigError> {
        let of_program = [
            ("env", !self.env.is_empty()),
            ("run_with", self.run_with.is_some()),
            ("readable", !self.readable.is_empty()),
        ];
        if let Some((key, _)) = of_program.into_iter().find(|(_, set)| *set) {
            return Err(ConfigError::new(key, "goes only with `command`"));
        }
        let Some(model) = &self.model else {
            let of_endpoint = [
                ("base_url", self.base_url.is_some()),
                ("api_key", self.api_key.is_some()),
                ("language", self.language.is_some()),
            ];
            return match of_endpoint.into_iter().find(|(_, set)| *set) {
                Some((key, _)) => {
                    Err(ConfigError::new(key, "does nothing without `model` or `command`: set one of them"))
                }
                None => Ok(()),
            };
        };
        if model.is_empty() || model.contains(char::is_whitespace) {
            let problem =
                "must be a name without white space, as the provider has it, for example `whisper-1`";
            return Err(ConfigError::new("model", problem));
        }
        if self.endpoint().is_none() {
            return Err(ConfigError::new("base_url", openai_api::WRONG_BASE));
        }
        if self.bearer().is_err() {
            return Err(ConfigError::new("api_key", openai_api::WRONG_KEY));
        }
        Ok(())
    }

    pub(super) fn limits(&self) -> RecordingLimits {
        RecordingLimits {
            timeout: Duration::from_secs(self.timeout),
            max_seconds: self.max_seconds,
            max_bytes: self.max_bytes,
            at_once: self.max_at_once,
        }
    }

    /// What closes the program in.
    pub(super) fn confinement(&self) -> Confinement {
        let Self { run_with, readable, .. } = self.clone();
        Confinement { run_with, readable, writable: Vec::new() }
    }

    /// The URL to which recordings are sent. A URL that names the endpoint itself is understood too.
    pub(super) fn endpoint(&self) -> Option<Url> {
        openai_api::url(self.base_url.as_deref().unwrap_or(openai_api::OPENAI), "/audio/transcriptions")
    }

    /// The value of the header with the key, if there is one.
    pub(super) fn bearer(&self) -> Result<Option<HeaderValue>, reqwest::header::InvalidHeaderValue> {
        openai_api::bearer(self.api_key.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(words: &[&str]) -> Config {
        Config { command: words.iter().map(|word| (*word).to_owned()).collect(), ..Config::default() }
    }

    fn model(name: &str) -> Config {
        Config { model: Some(name.to_owned()), ..Config::default() }
    }

    #[test]
    fn a_config_that_cannot_work_says_why() {
        let some = |text: &str| Some(text.to_owned());
        let german = Config { language: some("de"), ..program(&["hear", "-l", LANGUAGE, FILE]) };
        for sound in [Config::default(), program(&["hear"]), german, model("whisper-1")] {
            assert_eq!(sound.check(), Ok(()));
        }
        let env = BTreeMap::from([("KEY".to_owned(), Secret::new("s"))]);
        for (wrong, why) in [
            (program(&[""]), "command: must name a program"),
            (program(&["hear", LANGUAGE]), "command: contains {language}"),
            (Config { language: some("de"), ..program(&["hear"]) }, "language: is not used"),
            (Config { model: some("m"), ..program(&["hear"]) }, "model: does not go with `command`"),
            (Config { api_key: Some(Secret::new("k")), ..program(&["hear"]) }, "api_key: does not go"),
            (
                Config { readable: vec!["x".into()], ..program(&["hear"]) },
                "readable: goes only with run_with",
            ),
            (Config { env, ..model("m") }, "env: goes only with `command`"),
            (Config { run_with: Some(RunWith::Words(Vec::new())), ..model("m") }, "run_with: goes only"),
            (Config { base_url: some("http://h"), ..Config::default() }, "base_url: does nothing without"),
            (Config { language: some("de"), ..Config::default() }, "language: does nothing without"),
            (Config { base_url: some("h"), ..model("m") }, "base_url: must be a URL"),
            (model("a b"), "model: must be a name"),
            (Config { api_key: Some(Secret::new("a\nb")), ..model("m") }, "api_key: contains characters"),
            (Config { language: some("d e"), ..model("m") }, "language: must be the short name"),
            (Config { timeout: 0, ..model("m") }, "timeout: must be between"),
            (Config { max_seconds: 0, ..model("m") }, "max_seconds: must be between"),
            (Config { max_bytes: 0, ..model("m") }, "max_bytes: must be between"),
            (Config { max_at_once: 0, ..model("m") }, "max_at_once: must be between"),
        ] {
            let message = wrong.check().unwrap_err().to_string();
            assert!(message.starts_with(why), "{message}");
        }
    }

    #[test]
    fn recordings_go_to_the_endpoint_however_the_url_is_written() {
        let url = |base: Option<&str>| {
            let config = Config { base_url: base.map(str::to_owned), ..model("m") };
            config.endpoint().unwrap().to_string()
        };
        assert_eq!(url(None), "https://api.openai.com/v1/audio/transcriptions");
        for base in ["http://h:8000", "http://h:8000/v1/", "http://h:8000/v1/audio/transcriptions"] {
            assert_eq!(url(Some(base)), "http://h:8000/v1/audio/transcriptions");
        }
    }

    #[test]
    fn the_key_is_not_shown() {
        let config = Config { api_key: Some(Secret::new("hunter2")), ..model("m") };
        assert!(!format!("{config:?} {:?}", config.bearer()).contains("hunter2"));
    }
}
