//! What closes a program in: a prefix before its command (`run_with`), written by the operator or ready-made.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use frontdesk_core::config::ConfigError;
use schemars::JsonSchema;
use serde::Deserialize;

/// The config key `run_with`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RunWith {
    /// A ready-made sandbox.
    Ready(Ready),
    /// The words before the command. No shell is involved.
    Words(Vec<String>),
}

/// The ready-made sandboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ready {
    /// bubblewrap: system folders are read-only, the rest of the machine's files are not there.
    Bubblewrap,
    /// The same without a network.
    BubblewrapOffline,
}

/// How a program is closed in, as its config describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confinement {
    /// The prefix. `None` means that the program runs with all rights of the gateway.
    pub run_with: Option<RunWith>,
    /// Further files and folders that the program may read in a ready-made sandbox, relative to the home directory.
    pub readable: Vec<PathBuf>,
    /// Further files and folders that it may read and change there, relative to the home directory.
    pub writable: Vec<PathBuf>,
}

/// What stands for something else in the words of a prefix.
const CWD: &str = "{cwd}";
const MEDIA: &str = "{media}";
const FACTS: &str = "{facts}";

/// The values of the placeholders at one start.
pub(super) struct Values<'a> {
    pub(super) cwd: &'a Path,
    pub(super) media: &'a Path,
    /// The file with the facts of a turn, for programs that get one.
    pub(super) facts: Option<&'a OsStr>,
}

impl Confinement {
    /// The ready-made sandbox, if one is used.
    pub(super) fn ready(&self) -> Option<Ready> {
        match self.run_with {
            Some(RunWith::Ready(ready)) => Some(ready),
            Some(RunWith::Words(_)) | None => None,
        }
    }

    /// Checks the config keys. `facts` says whether the program gets a file with the facts of a turn.
    pub fn check(&self, facts: bool) -> Result<(), ConfigError> {
        if let Some(RunWith::Words(words)) = &self.run_with {
            check_words(words, facts)?;
        }
        for (key, paths) in [("readable", &self.readable), ("writable", &self.writable)] {
            if !paths.is_empty() && self.ready().is_none() {
                let problem = "goes only with run_with = \"bubblewrap\": a prefix of your own says itself what the \
                               program may reach";
                return Err(ConfigError::new(key, problem));
            }
            let odd = |path: &PathBuf| path.as_os_str().is_empty() || path.to_string_lossy().contains('\0');
            if paths.iter().any(odd) {
                return Err(ConfigError::new(key, "must be names of files and folders"));
            }
        }
        Ok(())
    }
}

fn check_words(words: &[String], facts: bool) -> Result<(), ConfigError> {
    let wrong = |problem: String| Err(ConfigError::new("run_with", problem));
    if words.first().is_none_or(String::is_empty) {
        return wrong(
            "must be \"bubblewrap\", \"bubblewrap-offline\", or the words before the command, for example \
             [\"sudo\", \"-u\", \"agent\"]"
                .to_owned(),
        );
    }
    if words.iter().any(|word| word.contains('\0')) {
        return wrong("must not contain a NUL character".to_owned());
    }
    for name in words.iter().flat_map(|word| placeholders(word)) {
        match name {
            CWD | MEDIA => {}
            FACTS if facts => {}
            FACTS => {
                return wrong(
                    "{facts} needs mode = \"once\": other programs get no file with facts".to_owned(),
                );
            }
            other => {
                return wrong(format!("{other} is not known; there are {{cwd}}, {{media}} and {{facts}}"));
            }
        }
    }
    Ok(())
}

/// The placeholders in a word: lower-case letters in braces.
fn placeholders(word: &str) -> impl Iterator<Item = &str> {
    word.match_indices('{').filter_map(|(start, _)| {
        let length = word[start..].find('}')? + 1;
        let name = &word[start..start + length];
        let inner = &name[1..length - 1];
        (!inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_lowercase())).then_some(name)
    })
}

/// A word with its placeholders replaced. What is put in is not searched again.
pub(super) fn filled(word: &str, values: &Values<'_>) -> OsString {
    let mut filled = OsString::new();
    let mut rest = word;
    while let Some(name) = placeholders(rest).next() {
        let Some((before, after)) = rest.split_once(name) else { break };
        filled.push(before);
        match name {
            CWD => filled.push(values.cwd),
            MEDIA => filled.push(values.media),
            FACTS => filled.push(values.facts.unwrap_or_default()),
            other => filled.push(other),
        }
        rest = after;
    }
    filled.push(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(words: &[&str]) -> Confinement {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Confinement { run_with: Some(RunWith::Words(words)), ..Confinement::default() }
    }

    #[test]
    fn a_placeholder_becomes_one_word_whatever_its_value_contains() {
        let values = Values {
            cwd: Path::new("/home/a b/{media};$(x)"),
            media: Path::new("/m"),
            facts: Some(OsStr::new("/f")),
        };
        let filled = |word| filled(word, &values).into_string().unwrap();
        assert_eq!(filled("-v={cwd}:{cwd}"), "-v=/home/a b/{media};$(x):/home/a b/{media};$(x)");
        assert_eq!(filled("{media}/{facts}"), "/m//f");
        assert_eq!(filled("--format={{json .}}"), "--format={{json .}}");
        assert_eq!(filled("{"), "{");
    }

    #[test]
    fn a_prefix_that_cannot_work_says_why() {
        assert_eq!(with(&["docker", "run", "-v", "{cwd}:/work", "{facts}"]).check(true), Ok(()));
        let paths = Confinement { readable: vec!["/srv".into()], ..with(&["sudo"]) };
        for (wrong, facts, why) in [
            (with(&[]), true, "run_with: must be \"bubblewrap\""),
            (with(&["", "x"]), true, "run_with: must be \"bubblewrap\""),
            (with(&["a\0"]), true, "NUL"),
            (with(&["x", "{pwd}"]), true, "{pwd} is not known"),
            (with(&["x", "{facts}"]), false, "needs mode = \"once\""),
            (paths, true, "readable: goes only with"),
        ] {
            let message = wrong.check(facts).unwrap_err().to_string();
            assert!(message.contains(why), "{message}");
        }
    }
}
